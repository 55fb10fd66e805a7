//! The status port over a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::net::SocketAddr;
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use symbolon_daemon::health::Health;
use symbolon_daemon::shutdown::{Shutdown, StopTrigger};
use symbolon_daemon::status::StatusServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

struct World {
    address: SocketAddr,
    health: Health,
    trigger: StopTrigger,
    serving: JoinHandle<()>,
}

async fn world() -> World {
    let server = StatusServer::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = server.address().unwrap();
    let health = Health::new("symbolon-test", "9.9.9", ["journal"]);
    let mut registry = Registry::default();
    let signed = Counter::<u64>::default();
    signed.inc_by(3);
    registry.register("symbolon_test_signed", "Signatures given", signed);
    let (trigger, shutdown) = Shutdown::manual();
    let serving = tokio::spawn(server.serve(Arc::new(registry), health.clone(), shutdown));
    World {
        address,
        health,
        trigger,
        serving,
    }
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn metrics_are_in_open_metrics_form() {
    let world = world().await;
    let (status, body) = get(world.address, "/metrics").await;
    assert_eq!(status, 200);
    assert!(
        body.contains("symbolon_test_signed_total 3") && body.ends_with("# EOF\n"),
        "{body}"
    );
    assert_eq!(get(world.address, "/nothing").await.0, 404);
}

#[tokio::test]
async fn health_follows_its_parts() {
    let world = world().await;
    assert_eq!(get(world.address, "/livez").await.0, 200);
    assert_eq!(get(world.address, "/readyz").await.0, 503);
    world.health.ready("journal");
    let (status, body) = get(world.address, "/readyz").await;
    assert_eq!(status, 200);
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&json["program"], &json["ready"]),
        (&"symbolon-test".into(), &true.into())
    );
    world.health.dead("journal", "flush failed");
    let (status, body) = get(world.address, "/livez").await;
    assert!(status == 503 && body.contains("flush failed"), "{body}");
}

#[tokio::test]
async fn silent_connections_do_not_block_others_and_the_stop_ends_it() {
    let world = world().await;
    let _silent = TcpStream::connect(world.address).await.unwrap();
    let mut broken = TcpStream::connect(world.address).await.unwrap();
    broken
        .write_all(b"\x16\x03\x01 not http\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(get(world.address, "/livez").await.0, 200);
    world.trigger.stop();
    world.serving.await.unwrap();
    assert!(TcpStream::connect(world.address).await.is_err());
}

#[tokio::test]
async fn taken_port_is_named() {
    let world = world().await;
    let error = StatusServer::bind(world.address)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains(&world.address.to_string()), "{error}");
}
