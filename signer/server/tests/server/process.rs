//! The program itself, to be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::fixture::TestMember;

/// A running `symbolon-server`.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    pub(crate) address: String,
}

impl Process {
    /// Starts it and waits until it serves.
    pub(crate) fn start(member: &TestMember) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_symbolon-server"))
            .arg("--config")
            .arg(member.path("server.toml"))
            .args(["--log", "json"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        // Ends with the process.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut process = Self {
            child,
            lines,
            address: String::new(),
        };
        let serving = process.wait_for("\"message\":\"serving\"");
        let at = serving.split("\"address\":\"").nth(1).unwrap();
        process.address = at.split('"').next().unwrap().to_owned();
        process
    }

    /// The next log line that contains `text`.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(60)) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("no log line with {text}: {seen:#?}")
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Process ids of its worker.
    pub(crate) fn workers(&self) -> Vec<String> {
        let pid = self.child.id();
        let mut workers = Vec::new();
        for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let children = task.unwrap().path().join("children");
            let children = std::fs::read_to_string(children).unwrap_or_default();
            workers.extend(children.split_whitespace().map(str::to_owned));
        }
        workers
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; the exit code.
    pub(crate) fn terminate(mut self) -> i32 {
        self.signal("-TERM");
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
