//! Requests of a real validator client get the signatures that the whole keys would give.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod kit;

use kit::http::Connection;
use kit::recorded::Recorded;
use kit::{Shape, World};

fn shape() -> Shape {
    Shape {
        keys: 8,
        ..Shape::default()
    }
}

fn head(record: &Recorded, accept: Option<&str>) -> String {
    let mut head = format!("POST {} HTTP/1.1", record.path);
    for (name, value) in &record.headers {
        if name != "accept" {
            head.push_str(&format!("\r\n{name}: {value}"));
        }
    }
    if let Some(accept) = accept {
        head.push_str(&format!("\r\naccept: {accept}"));
    }
    head
}

fn sent_accept(record: &Recorded) -> &str {
    &record
        .headers
        .iter()
        .find(|(name, _)| name == "accept")
        .unwrap()
        .1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_request_gets_its_signature_in_both_formats() {
    let recorded = kit::recorded::all();
    if recorded.is_empty() {
        return;
    }
    let world = World::new(shape()).await;
    let running = world.requestor().await;
    // One connection, as a client keeps it.
    let mut connection = Connection::open(running.address).await;
    for record in &recorded {
        assert_eq!(
            record.key,
            format!("0x{}", kit::hex(&world.made.keys[record.key_number].0))
        );
        let json = head(record, Some(sent_accept(record)));
        let answer = connection.ask(&json, record.body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}: {}", record.name, answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let expected = format!("{{\"signature\":\"{}\"}}", record.signature);
        assert_eq!(answer.text(), expected, "{}", record.name);
        for accept in [None, Some("text/plain")] {
            let answer = connection
                .ask(&head(record, accept), record.body.as_bytes())
                .await;
            assert_eq!(answer.status, 200, "{}", record.name);
            assert_eq!(
                answer.header("content-type"),
                Some("text/plain; charset=utf-8")
            );
            assert_eq!(answer.text(), record.signature, "{}", record.name);
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_at_once_and_with_two_dead_servers_the_signatures_are_the_same() {
    let recorded = kit::recorded::all();
    if recorded.is_empty() {
        return;
    }
    let mut world = World::new(shape()).await;
    let running = world.requestor().await;
    world.servers[1].kill();
    world.servers[4].kill();
    let asked = recorded.into_iter().map(|record| {
        let address = running.address;
        tokio::spawn(async move {
            let head = head(&record, None);
            let answer = Connection::open(address)
                .await
                .ask(&head, record.body.as_bytes())
                .await;
            assert_eq!(answer.text(), record.signature, "{}", record.name);
        })
    });
    for task in asked.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    running.stop().await;
}
