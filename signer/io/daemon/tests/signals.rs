//! Real signals, sent to a child that runs this very program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use symbolon_daemon::reload::Reload;
use symbolon_daemon::shutdown::Shutdown;

/// The body of the other process; in the test run itself there is nothing to do.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let shutdown = Shutdown::on_signals().unwrap();
        let mut reload = Reload::on_hangup().unwrap();
        say("ready");
        loop {
            tokio::select! {
                () = reload.next() => say("reload"),
                () = shutdown.requested() => break,
            }
        }
        say("stopping");
        // Work that does not end: only a second signal helps.
        std::future::pending::<()>().await;
    });
}

fn say(word: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "\nchild: {word}").unwrap();
    out.flush().unwrap();
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn expect(&mut self, word: &str) {
        let said = self
            .lines
            .find_map(|line| line.unwrap().strip_prefix("child: ").map(str::to_owned));
        assert_eq!(said.as_deref(), Some(word));
    }
}

#[test]
fn hangup_reloads_and_the_second_stop_signal_exits() {
    for (first, second) in [(Signal::TERM, Signal::INT), (Signal::INT, Signal::INT)] {
        let mut running = Running::start();
        running.expect("ready");
        for _ in 0..2 {
            running.send(Signal::HUP);
            running.expect("reload");
        }
        running.send(first);
        running.expect("stopping");
        running.send(second);
        assert_eq!(running.child.wait().unwrap().code(), Some(130));
    }
}

const CHILD: &str = "SYMBOLON_DAEMON_TEST_CHILD";
