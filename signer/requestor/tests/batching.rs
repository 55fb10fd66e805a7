//! What rides in which batch, what shares an answer, what is turned away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod kit;

use std::net::SocketAddr;
use std::time::Duration;

use kit::recorded::{attestation, block, selection};
use kit::server::{Manner, Server};
use kit::{Shape, World, http};
use serde_json::Value;
use symbolon_duties::DutyKind;
use tokio::task::JoinHandle;

fn ask(address: SocketAddr, key: &str, body: Value) -> JoinHandle<http::Answer> {
    let key = key.to_owned();
    tokio::spawn(async move { http::sign(address, &key, &body).await })
}

/// Waits until so many duties have arrived at every server.
async fn until_duties(world: &World, duties: usize) {
    let arrived = |server: &Server| server.batches().iter().map(Vec::len).sum::<usize>();
    for _ in 0..1000 {
        if world.servers.iter().all(|server| arrived(server) >= duties) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{duties} duties did not come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_rides_in_few_batches_and_every_signature_is_right() {
    let world = World::new(Shape {
        keys: 4,
        ..Shape::default()
    })
    .await;
    let running = world.requestor().await;
    let mut asked = Vec::new();
    for number in 0..60u64 {
        let key = world.made.keys[number as usize % 4].to_string();
        // One head for all keys of a slot, as attesters of one committee have.
        asked.push(ask(running.address, &key, attestation(number / 4 + 1, 5)));
    }
    let mut signatures = std::collections::HashSet::new();
    for task in asked {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        signatures.insert(answer.text());
    }
    assert_eq!(signatures.len(), 60);
    let batches = world.servers[0].batches();
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 60);
    assert!(batches.len() <= 30, "{} batches", batches.len());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_a_batch_is_in_flight_rides_in_the_next() {
    let world = World::new(Shape::default()).await;
    let running = world.requestor().await;
    let key = world.made.keys[0].to_string();
    world.set_all(&[Manner::Slow(20); 5]);
    let first = ask(running.address, &key, selection(0));
    until_duties(&world, 1).await;
    let rest: Vec<_> = (1..10)
        .map(|epoch| ask(running.address, &key, selection(epoch)))
        .collect();
    for task in rest.into_iter().chain([first]) {
        assert_eq!(task.await.unwrap().status, 200);
    }
    let sizes: Vec<usize> = world.servers[0].batches().iter().map(Vec::len).collect();
    assert_eq!(sizes[0], 1, "a lone request goes at once");
    assert!(sizes.len() <= 4, "{sizes:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_duty_twice_is_asked_once() {
    let world = World::new(Shape::default()).await;
    let running = world.requestor().await;
    let key = world.made.keys[0].to_string();
    world.set_all(&[Manner::Slow(150); 5]);
    let twins: Vec<_> = (0..5)
        .map(|_| ask(running.address, &key, selection(7)))
        .collect();
    let mut texts = Vec::new();
    for task in twins {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, 200);
        texts.push(answer.text());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert_eq!(
        world.servers[0]
            .batches()
            .iter()
            .map(Vec::len)
            .sum::<usize>(),
        1
    );
    running
        .until_metric("symbolon_requestor_coalesced_total 4")
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_does_not_wait_for_a_stalled_batch_and_leads_its_own() {
    let world = World::new(Shape {
        deadline_ms: 2000,
        ..Shape::default()
    })
    .await;
    let running = world.requestor().await;
    let key = world.made.keys[0].to_string();
    world.set_all(&[Manner::Silent; 5]);
    let stalled = ask(running.address, &key, selection(0));
    until_duties(&world, 1).await;
    world.set_all(&[Manner::Honest; 5]);
    let others: Vec<_> = (1..4)
        .map(|epoch| ask(running.address, &key, selection(epoch)))
        .collect();
    let proposal = ask(running.address, &key, block(16));
    assert_eq!(proposal.await.unwrap().status, 200);
    for task in others {
        assert_eq!(task.await.unwrap().status, 200);
    }
    assert!(!stalled.is_finished(), "one silent batch holds nobody back");
    for batch in world.servers[0].batches() {
        let place = batch
            .iter()
            .position(|item| item.duty.kind() == DutyKind::Block);
        assert!(
            place.is_none_or(|place| place == 0),
            "the proposal comes first"
        );
    }
    assert_eq!(stalled.await.unwrap().status, 503);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_turned_away_at_once_but_a_proposal_gets_in() {
    let shape = Shape {
        deadline_ms: 1500,
        max_waiting: 16,
        ..Shape::default()
    };
    let world = World::new(shape).await;
    let running = world.requestor().await;
    let key = world.made.keys[0].to_string();
    world.set_all(&[Manner::Silent; 5]);
    let waiting: Vec<_> = (0..16)
        .map(|epoch| ask(running.address, &key, selection(epoch)))
        .collect();
    running
        .until_metric("symbolon_requestor_waiting_requests 16")
        .await;
    until_duties(&world, 16).await;
    let started = std::time::Instant::now();
    let turned = http::sign(running.address, &key, &selection(99)).await;
    assert_eq!(turned.status, 503);
    assert!(
        turned.text().contains("too many requests"),
        "{}",
        turned.text()
    );
    assert!(started.elapsed() < Duration::from_millis(500));
    world.set_all(&[Manner::Honest; 5]);
    assert_eq!(
        http::sign(running.address, &key, &block(8)).await.status,
        200
    );
    for task in waiting {
        assert_eq!(task.await.unwrap().status, 503);
    }
    // What was given up leaves room.
    assert_eq!(
        http::sign(running.address, &key, &selection(100))
            .await
            .status,
        200
    );
    running.stop().await;
}
