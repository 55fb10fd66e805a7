//! The program itself: start, readiness, signals, exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod kit;

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kit::recorded::selection;
use kit::{Shape, World, http};

const BINARY: &str = env!("CARGO_BIN_EXE_symbolon-requestor");

/// Ends the process when a test fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn signal(process: &Process, name: &str) {
    let id = process.0.id().to_string();
    let sent = Command::new("kill")
        .args(["-s", name, &id])
        .status()
        .unwrap();
    assert!(sent.success());
}

async fn until_ready(status: SocketAddr) {
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(status).await.is_ok()
            && http::get(status, "/readyz").await.status == 200
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_serves_reloads_and_stops_on_signals() {
    let world = World::new(Shape::default()).await;
    let (listen, metrics) = (free_address(), free_address());
    let text = world
        .settings("")
        .replacen("127.0.0.1:0", &listen.to_string(), 1)
        .replacen("127.0.0.1:0", &metrics.to_string(), 1);
    std::fs::write(world.path("requestor.toml"), text).unwrap();
    let file = world.path("groups/hot-1.group");
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let log = std::fs::File::create(world.path("log")).unwrap();
    let child = Command::new(BINARY)
        .arg("--config")
        .arg(world.path("requestor.toml"))
        .args(["--log", "json", "--log-filter", "debug"])
        .stdin(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut process = Process(child);
    until_ready(metrics).await;
    let key = world.made.keys[0].to_string();
    assert_eq!(http::sign(listen, &key, &selection(1)).await.status, 404);

    std::fs::write(&file, &kept).unwrap();
    signal(&process, "HUP");
    for _ in 0..500 {
        if http::get(listen, "/reload").await.json()["status"] == "completed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(http::sign(listen, &key, &selection(1)).await.status, 200);

    signal(&process, "TERM");
    let ended = tokio::task::spawn_blocking(move || process.0.wait().unwrap());
    let status = tokio::time::timeout(Duration::from_secs(10), ended)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.code(), Some(0));

    let log = std::fs::read_to_string(world.path("log")).unwrap();
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert!(
        log.contains("not signed") && log.contains("\"request\":0"),
        "{log}"
    );
    let secret = std::fs::read_to_string(world.path("identity.key")).unwrap();
    for line in secret.lines().filter(|line| !line.starts_with('-')) {
        assert!(!log.contains(line));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_configuration_is_exit_code_2_and_a_taken_port_is_1() {
    let world = World::new(Shape::default()).await;
    let run = |path: &str, more: &[&str]| {
        let output = Command::new(BINARY)
            .arg("--config")
            .arg(world.path(path))
            .args(more)
            .output();
        let output = output.unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, log) = run("none.toml", &[]);
    assert_eq!(code, Some(2));
    assert!(log.contains("none.toml"), "{log}");
    let (code, log) = run("requestor.toml", &["--check"]);
    assert_eq!(code, Some(0), "{log}");

    let text = world.settings("unknown = 1\n");
    std::fs::write(world.path("wrong.toml"), text).unwrap();
    let (code, log) = run("wrong.toml", &[]);
    assert_eq!(code, Some(2));
    assert!(
        log.contains("wrong.toml, line 1, unknown: unknown field"),
        "{log}"
    );

    let text = world.settings("").replacen("127.0.0.1:0", "0.0.0.0:0", 1);
    std::fs::write(world.path("wrong.toml"), text).unwrap();
    let (code, log) = run("wrong.toml", &[]);
    assert_eq!(code, Some(2));
    assert!(log.contains("not on loopback"), "{log}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = world.settings("").replacen("127.0.0.1:0", &address, 1);
    std::fs::write(world.path("taken.toml"), text).unwrap();
    let (code, log) = run("taken.toml", &[]);
    assert_eq!(code, Some(1));
    assert!(log.contains(&address), "{log}");
}
