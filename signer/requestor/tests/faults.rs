//! Servers that lie, refuse, stay silent, die or send nonsense.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod kit;

use std::time::{Duration, Instant};

use kit::recorded::{attestation, selection};
use kit::server::Manner;
use kit::{Running, Shape, World, http};
use serde_json::Value;
use symbolon_protocol::NetworkId;
use symbolon_protocol::sign::RefusalCode;
use symbolon_signing::evidence::{Verdict, WrongPartialEvidence, verify};
use symbolon_signing::group::KnownGroup;
use symbolon_threshold::{HashedRoot, Signature};

async fn world() -> (World, Running, String) {
    let world = World::new(Shape {
        deadline_ms: 1500,
        ..Shape::default()
    })
    .await;
    let running = world.requestor().await;
    let key = world.made.keys[0].to_string();
    (world, running, key)
}

/// The signature must be the group's over the root of `body`.
fn assert_signed(world: &World, answer: &http::Answer, body: &Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request =
        symbolon_web3signer::parse_sign_request(body.to_string().as_bytes(), &world.network);
    let root = HashedRoot::new(request.unwrap().signing_root.as_bytes());
    let text = answer.json()["signature"].as_str().unwrap().to_owned();
    let bytes: symbolon_duties::BlsSignature = text.parse().unwrap();
    let signature = Signature::from_compressed(&bytes.0).unwrap();
    signature
        .verify(&world.made.group.group_keys()[0], &root)
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_five_may_do_anything() {
    use Manner::{
        Fails, Garbage, Noise, OldEpoch, OtherMember, OtherScale, Refuse, Silent, Slow, TooFew,
        Unsigned, Wrong, WrongOnce,
    };
    let (world, running, key) = world().await;
    let double = Refuse(RefusalCode::DoubleVote);
    let pairs = [
        (Wrong, Wrong),
        (Wrong, Garbage),
        (WrongOnce, Silent),
        (Garbage, double),
        (Silent, Silent),
        (Slow(400), Fails),
        (double, Refuse(RefusalCode::UnknownKey)),
        (OldEpoch, OtherScale),
        (TooFew, OtherMember),
        (Unsigned, Noise),
    ];
    for (round, (one, other)) in pairs.into_iter().enumerate() {
        let places = [(0, 1), (4, 2), (3, 0), (1, 4)][round % 4];
        let mut manners = [Manner::Honest; 5];
        manners[places.0] = one;
        manners[places.1] = other;
        world.set_all(&manners);
        let body = selection(100 + round as u64);
        let answer = http::sign(running.address, &key, &body).await;
        assert_signed(&world, &answer, &body);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_liar_is_named_kept_as_evidence_and_asked_last() {
    let (world, running, key) = world().await;
    // Only three answer, so the liar's partial is among the first three for sure.
    let honest = Manner::Honest;
    world.set_all(&[
        honest,
        Manner::Wrong,
        honest,
        Manner::Slow(300),
        Manner::Silent,
    ]);
    let body = selection(1);
    let answer = http::sign(running.address, &key, &body).await;
    assert_signed(&world, &answer, &body);
    running
        .until_metric("symbolon_requestor_wrong_partials_total{member=\"2\"} 1")
        .await;

    let files = world.evidence_files();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(
        files[0]
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("member-2-")
    );
    let network = NetworkId(world.network.id());
    let evidence = WrongPartialEvidence::from_bytes(network, &std::fs::read(&files[0]).unwrap());
    let evidence = evidence.unwrap();
    let known = KnownGroup::of(&world.made.group).unwrap();
    let verdict = verify(&evidence, network, world.chain.current(), &known);
    let Verdict::Proved(proof) = verdict else {
        panic!("{verdict}")
    };
    assert_eq!((proof.member.get(), proof.key), (2, world.made.keys[0]));

    // Honest or not, it is not asked while others suffice.
    world.set_all(&[honest; 5]);
    let calls = world.servers[1].calls();
    let answer = http::sign(running.address, &key, &selection(2)).await;
    assert_signed(&world, &answer, &selection(2));
    assert_eq!(world.servers[1].calls(), calls);
    // When they do not, it is asked, and what it sends is checked.
    world.set_all(&[honest, honest, honest, Manner::Silent, Manner::Silent]);
    let answer = http::sign(running.address, &key, &selection(3)).await;
    assert_signed(&world, &answer, &selection(3));
    assert_eq!(world.servers[1].calls(), calls + 1);
    running.stop().await;

    // The evidence outlives the process; without it the member is let in again.
    world.set_all(&[honest; 5]);
    let running = world.requestor().await;
    let held = "symbolon_requestor_member_quarantined{member=\"2\"}";
    running.until_metric(&format!("{held} 1")).await;
    let answer = http::sign(running.address, &key, &selection(4)).await;
    assert_signed(&world, &answer, &selection(4));
    std::fs::remove_file(&files[0]).unwrap();
    let mut connection = http::Connection::open(running.address).await;
    let accepted = connection.ask("POST /reload HTTP/1.1", b"").await;
    assert_eq!(accepted.status, 202);
    running.until_metric(&format!("{held} 0")).await;
    let before = world.servers[1].calls();
    let answer = http::sign(running.address, &key, &selection(5)).await;
    assert_signed(&world, &answer, &selection(5));
    until(|| world.servers[1].calls() > before).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_silent_servers_are_never_accused() {
    let (world, running, key) = world().await;
    let (slow, silent) = (Manner::Slow(200), Manner::Silent);
    world.set_all(&[Manner::Honest, slow, silent, slow, Manner::Honest]);
    for epoch in 0..3 {
        let answer = http::sign(running.address, &key, &selection(epoch)).await;
        assert_signed(&world, &answer, &selection(epoch));
    }
    let metrics = running.metrics().await;
    assert!(!metrics.contains("wrong_partials_total{"), "{metrics}");
    assert!(!metrics.contains("findings_total{"), "{metrics}");
    assert_eq!(world.evidence_files(), Vec::<std::path::PathBuf>::new());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_honest_servers_give_a_clear_no_and_no_wrong_signature() {
    let (world, running, key) = world().await;
    let honest = Manner::Honest;
    let refuse = Manner::Refuse;
    let cases: [([Manner; 3], u16, &str); 6] = [
        ([Manner::Wrong; 3], 503, "wrong partial signature"),
        ([Manner::Fails; 3], 503, "not reachable"),
        ([refuse(RefusalCode::UnknownKey); 3], 404, "unknown-key"),
        ([refuse(RefusalCode::NotPermitted); 3], 400, "not-permitted"),
        ([refuse(RefusalCode::Overloaded); 3], 503, "overloaded"),
        (
            [Manner::Locked(0x77), Manner::Locked(0x77), Manner::Wrong],
            412,
            "0x7777",
        ),
    ];
    for (round, (bad, status, text)) in cases.into_iter().enumerate() {
        world.set_all(&[honest, bad[0], bad[1], bad[2], honest]);
        let answer = http::sign(running.address, &key, &attestation(80 + round as u64, 1)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(text), "{}", answer.text());
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deadline_is_kept_when_nobody_answers() {
    let (world, running, key) = world().await;
    world.set_all(&[Manner::Silent; 5]);
    let started = Instant::now();
    let answer = http::sign(running.address, &key, &selection(1)).await;
    let took = started.elapsed();
    assert_eq!(answer.status, 503);
    let text = answer.text();
    assert!(
        text.contains("0 of 3") && text.contains("no answer in time"),
        "{text}"
    );
    assert!((1400..2500).contains(&took.as_millis()), "{took:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_servers_are_seen_and_found_again() {
    let (mut world, running, key) = world().await;
    until_health(&running, "UP").await;
    for member in [0, 2, 3] {
        world.servers[member].kill();
    }
    let answer = http::sign(running.address, &key, &selection(1)).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    until_health(&running, "DOWN").await;
    let health = http::get(running.address, "/healthcheck").await;
    assert_eq!(health.status, 503);
    let checks = health.json()["checks"].as_array().unwrap().clone();
    let down = |id: &str| {
        checks
            .iter()
            .any(|check| check["id"] == id && check["status"] == "DOWN")
    };
    assert!(down("member-1") && down("member-4") && !down("member-2") && !down("member-5"));
    running.stop().await;
}

async fn until_health(running: &Running, word: &str) {
    for _ in 0..500 {
        let health = http::get(running.address, "/healthcheck").await.json();
        if health["status"] == word && health["outcome"] == word {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!(
        "{}",
        http::get(running.address, "/healthcheck").await.text()
    );
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition did not come");
}
