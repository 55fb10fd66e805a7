//! The Web3Signer interface: status codes, formats, and clients that misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod kit;

use std::time::{Duration, Instant};

use kit::http::{self, Connection, head};
use kit::recorded::{attestation, block, selection};
use kit::server::Manner;
use kit::{Running, Shape, World};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_answers_as_web3signer_does() {
    let (world, running, _) = world().await;
    let mut connection = Connection::open(running.address).await;
    let answer = connection
        .ask("GET /upcheck HTTP/1.1\r\naccept: application/json", b"")
        .await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
    let answer = connection
        .ask("GET /api/v1/eth2/publicKeys HTTP/1.1", b"")
        .await;
    let mut keys: Vec<String> = world.made.keys.iter().map(ToString::to_string).collect();
    keys.sort();
    assert_eq!(
        (answer.status, answer.json()),
        (200, serde_json::json!(keys))
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    for (line, status, allow) in [
        ("GET /nowhere", 404, None),
        ("GET /api/v1/eth2/sign/0x00", 405, Some("POST")),
        ("DELETE /upcheck", 405, Some("GET,HEAD")),
        ("PUT /reload", 405, Some("GET,HEAD,POST")),
        ("POST /api/v1/eth2/publicKeys", 405, Some("GET,HEAD")),
    ] {
        let answer = connection.ask(&format!("{line} HTTP/1.1"), b"").await;
        assert_eq!(answer.status, status, "{line}");
        assert_eq!(answer.header("allow"), allow, "{line}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_are_told_what_is_wrong() {
    let (world, running, key) = world().await;
    let mut connection = Connection::open(running.address).await;
    let body = selection(1).to_string();
    let stranger = format!("0x{}", "8a".repeat(48));
    let mut other_chain = selection(1);
    other_chain["fork_info"]["genesis_validators_root"] = format!("0x{}", "00".repeat(32)).into();
    let mut other_root = selection(1);
    other_root["signingRoot"] = format!("0x{}", "00".repeat(32)).into();
    let mut other_fork = selection(1);
    other_fork["fork_info"]["fork"]["current_version"] = "0x99999999".into();
    other_fork["fork_info"]["fork"]["previous_version"] = "0x99999999".into();
    let registration = |pubkey: &str| {
        serde_json::json!({
            "type": "VALIDATOR_REGISTRATION",
            "validator_registration": {
                "fee_recipient": format!("0x{}", "11".repeat(20)), "gas_limit": "30000000",
                "timestamp": "1", "pubkey": pubkey,
            },
        })
        .to_string()
    };
    let cases = [
        (key.clone(), "not json".to_owned(), 400, "not JSON"),
        (key.clone(), "{}".to_owned(), 400, "type must be specified"),
        (key.clone(), other_chain.to_string(), 400, "another network"),
        (
            key.clone(),
            other_root.to_string(),
            400,
            "nothing was signed",
        ),
        (key.clone(), other_fork.to_string(), 400, "fork version"),
        (
            key.clone(),
            registration(&stranger),
            400,
            "another public key",
        ),
        (key.clone(), registration(&key), 200, "0x"),
        ("0x1234".to_owned(), body.clone(), 400, "no BLS public key"),
        (stranger, body.clone(), 404, "no such key"),
        (
            key.to_uppercase().replace("0X", ""),
            body.clone(),
            200,
            "0x",
        ),
    ];
    for (key, body, status, text) in cases {
        let answer = connection.ask(&head(&key, ""), body.as_bytes()).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(text), "{}", answer.text());
        assert!(!answer.text().ends_with('\n'));
    }
    // Nothing of all that went to a server but the two that were signed.
    assert_eq!(world.servers[0].batches().len(), 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accept_header_chooses_the_format() {
    let (_world, running, key) = world().await;
    let mut connection = Connection::open(running.address).await;
    for (more, json) in [
        ("", false),
        ("\r\naccept: text/plain", false),
        ("\r\naccept: */*", true),
        ("\r\naccept: application/json", true),
        ("\r\naccept: text/plain, application/json;q=0.5", true),
        ("\r\naccept: text/plain\r\naccept: application/json", true),
    ] {
        let answer = connection
            .ask(&head(&key, more), selection(1).to_string().as_bytes())
            .await;
        assert_eq!(answer.status, 200);
        let text = answer.text();
        assert_eq!(
            text.starts_with("{\"signature\":\"0x"),
            json,
            "{more:?} {text}"
        );
        assert_eq!(text.len(), if json { 16 + 194 } else { 194 });
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_types_and_sizes_are_bounded() {
    let (_world, running, key) = world().await;
    let line = format!("POST /api/v1/eth2/sign/{key} HTTP/1.1");
    let body = selection(1).to_string();
    for (content_type, status) in [
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain", 415),
        ("application/jsonp", 415),
        ("application/octet-stream", 415),
    ] {
        let head = format!("{line}\r\ncontent-type: {content_type}");
        let answer = Connection::open(running.address)
            .await
            .ask(&head, body.as_bytes())
            .await;
        assert_eq!(answer.status, status, "{content_type}");
    }
    let answer = Connection::open(running.address)
        .await
        .ask(&line, body.as_bytes())
        .await;
    assert_eq!(answer.status, 200, "no content type");
    // Announced too large: refused before a byte of it is read.
    let mut connection = Connection::open(running.address).await;
    let announced = format!(
        "{}\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n",
        head(&key, "")
    );
    connection.write(announced.as_bytes()).await;
    assert_eq!(connection.read().await.status, 413);
    // Not announced, but too large.
    let chunked = format!(
        "{}\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
        head(&key, "")
    );
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(chunked.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..40 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    assert_eq!(Connection::over(stream).read().await.status, 413);
    // A huge head is refused too.
    let mut connection = Connection::open(running.address).await;
    let huge = format!(
        "GET /upcheck HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n",
        "b".repeat(100_000)
    );
    connection.write(huge.as_bytes()).await;
    assert_eq!(connection.read().await.status, 431);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_body_is_given_up_and_a_cut_one_disturbs_nobody() {
    let (world, running, key) = world().await;
    let mut slow = Connection::open(running.address).await;
    let begun = format!(
        "{}\r\nhost: x\r\ncontent-length: 500\r\n\r\n{{\"ty",
        head(&key, "")
    );
    let started = Instant::now();
    slow.write(begun.as_bytes()).await;
    let mut cut = TcpStream::connect(running.address).await.unwrap();
    cut.write_all(begun.as_bytes()).await.unwrap();
    drop(cut);
    let answer = http::sign(running.address, &key, &selection(1)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(slow.read().await.status, 408);
    assert!((1400..3500).contains(&started.elapsed().as_millis()));
    assert!(slow.is_closed().await);
    assert_eq!(world.servers[0].batches().len(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_requests_are_answered_in_order() {
    let (_world, running, key) = world().await;
    let mut connection = Connection::open(running.address).await;
    let mut all = String::new();
    for slot in 0..4 {
        let body = attestation(slot, 3).to_string();
        let length = body.len();
        let head = head(&key, "\r\naccept: text/plain");
        all.push_str(&format!(
            "{head}\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        all.push_str("GET /upcheck HTTP/1.1\r\nhost: x\r\n\r\n");
    }
    connection.write(all.as_bytes()).await;
    let mut signatures = Vec::new();
    for _ in 0..4 {
        let answer = connection.read().await;
        assert_eq!((answer.status, answer.body.len()), (200, 194));
        signatures.push(answer.body);
        assert_eq!(connection.read().await.text(), "OK");
    }
    for (slot, expected) in signatures.iter().enumerate() {
        let head = head(&key, "\r\naccept: text/plain");
        let body = attestation(slot as u64, 3).to_string();
        assert_eq!(&connection.ask(&head, body.as_bytes()).await.body, expected);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_early_disturbs_nobody() {
    let (world, running, key) = world().await;
    world.set_all(&[Manner::Slow(100); 5]);
    for epoch in 0..3 {
        let body = selection(epoch).to_string();
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{}\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}",
            head(&key, "")
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
    }
    let answer = http::sign(running.address, &key, &block(9)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    running
        .until_metric("symbolon_requestor_waiting_requests 0")
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_without_tls_is_spoken_by_prior_knowledge() {
    let (_world, running, key) = world().await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for epoch in 0..8 {
        let request = hyper::Request::post(format!("http://lab/api/v1/eth2/sign/{key}"))
            .header("content-type", "application/json")
            .body(http_body_util::Full::new(bytes::Bytes::from(
                selection(epoch).to_string(),
            )))
            .unwrap();
        answers.push(sender.send_request(request));
    }
    for answer in answers {
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_ends_what_was_begun() {
    let (world, running, key) = world().await;
    world.set_all(&[Manner::Slow(300); 5]);
    let address = running.address;
    let asked = tokio::spawn(async move { http::sign(address, &key, &selection(1)).await });
    while world.servers[0].calls() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.stop().await;
    assert_eq!(asked.await.unwrap().status, 200);
    assert!(TcpStream::connect(address).await.is_err());
}
