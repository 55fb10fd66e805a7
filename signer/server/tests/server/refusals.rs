//! Wrong requests: a clear answer, and the process lives on.

use std::sync::Arc;
use std::time::Duration;

use minicbor::{Decode, Encode};
use symbolon_duties::{Duty, ForkVersion, Slot};
use symbolon_protocol::sign::{RefusalCode, SignAnswer, SignBatch, SignItem};
use symbolon_protocol::{Message, NetworkId, Unsigned};
use symbolon_rpc::CallError;

use crate::client::{LIMIT, TestClient, block, item, now};
use crate::fixture::Template;

fn batch(items: Vec<SignItem>) -> SignBatch {
    SignBatch {
        id: [1; 16].into(),
        issued_at_ms: 0,
        ttl_ms: 1000,
        items,
    }
}

fn message<T>(result: Result<T, CallError>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(CallError::Refused { code, message, .. }) => format!("{code:?}: {message}"),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duties_that_are_wrong_are_refused_with_their_reason() {
    let template = Template::get();
    let member = template.member(1);
    member.configure("past_slots = 10000000", "past_slots = 64");
    member.configure("future_slots = 10000000", "future_slots = 64");
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    let slot = now(template).0;

    let mut foreign = block(template, slot, 1);
    foreign.key.0[5] ^= 1;
    assert_eq!(client.refused(foreign).await.0, RefusalCode::UnknownKey);
    let mut epoch = block(template, slot, 1);
    epoch.group_epoch = 2;
    let (code, text) = client.refused(epoch).await;
    assert_eq!(code, RefusalCode::WrongGroupEpoch);
    assert!(
        text.contains("epoch 2 were asked for, 1 is active"),
        "{text}"
    );
    let mut root = block(template, slot, 1);
    root.signing_root.0[0] ^= 1;
    assert_eq!(client.refused(root).await.0, RefusalCode::WrongSigningRoot);
    let mut fork = block(template, slot, 1);
    fork.fork_version = Some(ForkVersion([9, 9, 9, 9]));
    let (code, text) = client.refused(fork).await;
    assert_eq!(code, RefusalCode::UnknownFork);
    assert!(
        text.contains("0x09090909 is not in the schedule of network mainnet"),
        "{text}"
    );

    for (wrong, expected) in [
        (slot + 200, "newest accepted"),
        (slot - 200, "oldest accepted"),
    ] {
        let selection = Duty::AggregationSlot { slot: Slot(wrong) };
        let (code, text) = client
            .refused(item(template, template.key(0), selection))
            .await;
        assert_eq!(code, RefusalCode::OutsideWindow);
        assert!(
            text.contains(expected) && text.contains(&wrong.to_string()),
            "{text}"
        );
    }
    client.signed(block(template, slot, 1)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requestor_without_permission_is_refused_and_learns_no_mark() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let slot = now(template).0;
    TestClient::requestor(template, &server)
        .signed(block(template, slot, 1))
        .await;
    let other = TestClient::new(template, "req-2", 1, &server.address);
    let SignAnswer::Refused(refusal) = other.one(block(template, slot, 2)).await else {
        panic!("signed")
    };
    assert_eq!(
        (refusal.code, refusal.locked_root),
        (RefusalCode::NotPermitted, None)
    );
    server.stop().await;
}

/// A batch with a duty of a kind that does not exist.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
struct UnknownDomain {
    #[n(0)]
    id: minicbor::bytes::ByteArray<16>,
    #[n(1)]
    issued_at_ms: u64,
    #[n(2)]
    ttl_ms: u32,
    #[n(3)]
    items: Vec<UnknownItem>,
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
struct UnknownItem {
    #[cbor(n(0), with = "minicbor::bytes")]
    key: [u8; 48],
    #[n(1)]
    group_epoch: u32,
    #[n(2)]
    duty: UnknownDuty,
    #[cbor(n(4), with = "minicbor::bytes")]
    signing_root: [u8; 32],
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
enum UnknownDuty {
    #[n(77)]
    Root {
        #[cbor(n(0), with = "minicbor::bytes")]
        root: [u8; 32],
    },
}

impl Message for UnknownDomain {
    const TAG: &'static str = SignBatch::TAG;
    const VERSION: u16 = SignBatch::VERSION;
    const MAX_LEN: usize = SignBatch::MAX_LEN;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_are_wrong_are_answered_and_the_server_lives_on() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    let slot = now(template).0;
    let good = || block(template, slot, 1);

    let elsewhere = Unsigned::new(NetworkId([5; 32]), batch(vec![good()]));
    let answer = message(
        client
            .send_raw(&elsewhere.sign_session(&client.session))
            .await,
    );
    assert!(
        answer.contains("InvalidArgument") && answer.contains("another network"),
        "{answer}"
    );

    let unknown = UnknownDomain {
        id: [1; 16].into(),
        issued_at_ms: 0,
        ttl_ms: 1000,
        items: vec![UnknownItem {
            key: template.key(0).0,
            group_epoch: 1,
            duty: UnknownDuty::Root { root: [1; 32] },
            signing_root: [1; 32],
        }],
    };
    let unknown = Unsigned::new(template.id(), unknown).sign_session(&client.session);
    let answer = message(client.send_raw(&unknown).await);
    assert!(answer.contains("sign-batch does not decode"), "{answer}");

    for count in [0, 65] {
        let answer = message(client.send(vec![good(); count]).await);
        let expected = format!("the batch has {count} duties, 1 to 64 are accepted");
        assert!(answer.contains(&expected), "{answer}");
    }

    for frame in [
        Vec::new(),
        vec![0xff; 100],
        b"GET / HTTP/1.1".to_vec(),
        vec![0; 100_000],
    ] {
        let answer = message(client.peer.sign(frame, LIMIT).await);
        assert!(
            answer.contains("InvalidArgument: session frame"),
            "{answer}"
        );
    }
    let answer = message(client.peer.sign(vec![0; 2 * 1024 * 1024], LIMIT).await);
    assert!(answer.contains("too large"), "{answer}");

    client.signed(good()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_late_is_not_signed_and_costs_no_mark() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    let slot = now(template).0;
    let answers = client
        .send_with_ttl(vec![block(template, slot, 1)], 0)
        .await
        .unwrap();
    let SignAnswer::Refused(refusal) = &answers[0] else {
        panic!("signed")
    };
    assert_eq!(refusal.code, RefusalCode::DeadlinePassed);
    client.signed(block(template, slot, 2)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_refused_and_passes() {
    let template = Template::get();
    let member = template.member(1);
    member.configure("max_batch = 64", "max_batch = 32");
    member.configure("max_waiting = 128", "max_waiting = 32");
    let server = member.start().await;
    let client = Arc::new(TestClient::requestor(template, &server));
    let slot = now(template).0;
    let calls: Vec<_> = (0..12)
        .map(|call| {
            let selection = move |n| Duty::AggregationSlot {
                slot: Slot(slot + call * 32 + n),
            };
            let items = (0..32).map(move |n| item(template, template.key(0), selection(n)));
            let (client, items) = (Arc::clone(&client), items.collect());
            tokio::spawn(async move { client.send(items).await.unwrap() })
        })
        .collect();
    let (mut signed, mut refused) = (0, 0);
    for call in calls {
        for answer in call.await.unwrap() {
            match answer {
                SignAnswer::Partial(_) => signed += 1,
                SignAnswer::Refused(refusal) => {
                    assert_eq!(refusal.code, RefusalCode::Overloaded, "{refusal}");
                    refused += 1;
                }
            }
        }
    }
    assert!(
        signed >= 32 && refused >= 32,
        "{signed} signed, {refused} refused"
    );
    tokio::time::timeout(
        Duration::from_secs(10),
        client.signed(block(template, slot, 1)),
    )
    .await
    .unwrap();
    server.stop().await;
}
