//! Groups and rosters that change while the requestor runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod kit;

use std::time::Duration;

use kit::http::{self, Connection};
use kit::recorded::selection;
use kit::{Running, Shape, World, group};
use serde_json::Value;
use symbolon_requestor::{Requestor, StartError};

/// Starts a reload and waits for its end.
async fn reload(running: &Running) -> Value {
    let answer = Connection::open(running.address)
        .await
        .ask("POST /reload HTTP/1.1", b"")
        .await;
    assert_eq!(
        (answer.status, answer.json()["status"].as_str()),
        (202, Some("accepted"))
    );
    for _ in 0..500 {
        let status = http::get(running.address, "/reload").await;
        assert_eq!(status.status, 200);
        if status.json()["status"] != "running" {
            return status.json();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the reload did not end");
}

async fn keys(running: &Running) -> usize {
    http::get(running.address, "/api/v1/eth2/publicKeys")
        .await
        .json()
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_group_is_served_after_a_reload_and_a_broken_one_is_named() {
    let world = World::new(Shape {
        keys: 3,
        ..Shape::default()
    })
    .await;
    let file = world.path("groups/hot-1.group");
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let running = world.requestor().await;
    assert_eq!(
        http::get(running.address, "/reload").await.json()["status"],
        "idle"
    );
    assert_eq!(keys(&running).await, 0);
    let health = http::get(running.address, "/healthcheck").await;
    assert_eq!(
        (health.status, &health.json()["outcome"]),
        (503, &"DOWN".into())
    );
    let key = world.made.keys[0].to_string();
    assert_eq!(
        http::sign(running.address, &key, &selection(1))
            .await
            .status,
        404
    );

    std::fs::write(&file, &kept).unwrap();
    std::fs::write(world.path("groups/notes.txt"), "no group").unwrap();
    let status = reload(&running).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert!(status["lastOperationTime"].as_str().unwrap().ends_with('Z'));
    assert_eq!(keys(&running).await, 3);
    assert_eq!(
        http::sign(running.address, &key, &selection(1))
            .await
            .status,
        200
    );

    // One bad file is named and left out; the good one goes on.
    let mut bent = kept.clone();
    let last = bent.len() - 40;
    bent[last] ^= 1;
    std::fs::write(world.path("groups/bent.group"), &bent).unwrap();
    let status = reload(&running).await;
    assert_eq!(status["status"], "completed_with_errors");
    assert!(
        status["lastError"]
            .as_str()
            .unwrap()
            .contains("bent.group: "),
        "{status}"
    );
    assert_eq!(
        http::sign(running.address, &key, &selection(2))
            .await
            .status,
        200
    );

    // The same keys twice in one group epoch: which descriptor holds, nobody could say.
    let twin = group::import(&world.chain, "hot-2", 3, 1);
    std::fs::write(world.path("groups/bent.group"), &twin.descriptor).unwrap();
    std::fs::rename(
        world.path("groups/bent.group"),
        world.path("groups/twin.group"),
    )
    .unwrap();
    let status = reload(&running).await;
    assert!(
        status["lastError"]
            .as_str()
            .unwrap()
            .contains("twin.group: key 0x"),
        "{status}"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_does_not_hold_changes_nothing() {
    let world = World::new(Shape::default()).await;
    let running = world.requestor().await;
    let mut bytes = world.chain.to_bytes();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(world.path("roster.cbor"), &bytes).unwrap();
    let status = reload(&running).await;
    assert_eq!(status["status"], "failed");
    assert!(
        status["lastError"]
            .as_str()
            .unwrap()
            .contains("roster.cbor: "),
        "{status}"
    );
    let key = world.made.keys[0].to_string();
    assert_eq!(
        http::sign(running.address, &key, &selection(1))
            .await
            .status,
        200
    );
    running.stop().await;
}

async fn start_error(world: &World) -> StartError {
    match Requestor::bind(world.config()).await {
        Err(error) => error,
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_do_not_belong_together_are_named_at_the_start() {
    let world = World::new(Shape::default()).await;
    let settings = world.settings("");
    let write = |text: &str| std::fs::write(world.path("requestor.toml"), text).unwrap();
    for (from, to, expected) in [
        ("\"req-1\"", "\"req-2\"", "has no requestor \"req-2\""),
        ("\"req-1\"", "\"ops\"", "is a operator, not a requestor"),
        ("roster_pin = \"", "roster_pin = \"00", "64 hex digits"),
        ("roster.cbor", "none.cbor", "none.cbor"),
        ("= \"groups\"", "= \"none\"", "none"),
        ("identity.key", "requestor.toml", "requestor.toml"),
    ] {
        assert!(settings.contains(from), "{from}");
        write(&settings.replacen(from, to, 1));
        let error = match symbolon_requestor::Config::load(&world.path("requestor.toml")) {
            Err(error) => error.to_string(),
            Ok(_) => start_error(&world).await.to_string(),
        };
        assert!(error.contains(expected), "{error}");
    }
    write(&settings);
    // Another key under the same name.
    for name in ["identity.key", "identity.crt"] {
        std::fs::remove_file(world.path(name)).unwrap();
    }
    let other = symbolon_rpc::TlsIdentity::generate("req-1").unwrap();
    other
        .write_new(&world.path("identity.crt"), &world.path("identity.key"))
        .unwrap();
    let error = start_error(&world).await;
    assert!(
        error.to_string().contains("has another identity key"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_pin_refuses_the_roster() {
    let world = World::new(Shape::default()).await;
    let pin = kit::hex(&world.chain.first_hash());
    let text = world.settings("").replace(&pin, &"00".repeat(32));
    std::fs::write(world.path("requestor.toml"), text).unwrap();
    let error = start_error(&world).await;
    assert!(matches!(error, StartError::Roster { .. }), "{error}");
}
