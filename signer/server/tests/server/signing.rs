//! What is signed, and that it counts.

use std::sync::Arc;

use symbolon_duties::DutyKind;
use symbolon_protocol::sign::{RefusalCode, SignAnswer, SignBatch, SignReply};
use symbolon_server::{Hooks, Outgoing, OutgoingFuture, ReplyHook};
use symbolon_threshold::{HashedRoot, LagrangeCache, PartialSignature, ShareIndex};

use crate::client::{TestClient, block, every_kind, now, vote};
use crate::fixture::Template;

#[tokio::test(flavor = "multi_thread")]
async fn two_members_make_a_signature_of_every_kind() {
    let template = Template::get();
    let key = template.key(1);
    let items = every_kind(template, key);
    assert_eq!(items.len(), DutyKind::ALL.len());
    let mut replies = Vec::new();
    for index in [1, 3] {
        let member = template.member(index);
        let server = member.start().await;
        let client = TestClient::new(template, "req-1", index, &server.address);
        replies.push((index, client.send(items.clone()).await.unwrap()));
        server.stop().await;
    }
    let group = &template.group;
    let cache = LagrangeCache::new(&group.indices(), group.threshold(), group.scale()).unwrap();
    for (position, item) in items.iter().enumerate() {
        let root = HashedRoot::new(item.signing_root.as_bytes());
        let partials = replies.iter().map(|(index, answers)| {
            let SignAnswer::Partial(partial) = &answers[position] else {
                panic!("{:?}: {:?}", item.duty.kind(), answers[position])
            };
            assert_eq!(
                (partial.group_epoch, partial.scale),
                (1, group.scale().to_u64())
            );
            let index = ShareIndex::try_from(u64::from(*index)).unwrap();
            PartialSignature::from_uncompressed(index, &partial.point).unwrap()
        });
        let combined = cache.combine(&partials.collect::<Vec<_>>()).unwrap();
        combined.verify(&group.group_keys()[1], &root).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_slashable_is_refused_and_repeats_pass() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    let (slot, epoch) = (now(template).0, template.network.epoch_of(now(template)).0);

    let first = client.signed(block(template, slot, 1)).await;
    assert_eq!(client.signed(block(template, slot, 1)).await, first);
    let SignAnswer::Refused(refusal) = client.one(block(template, slot, 2)).await else {
        panic!("double proposal signed")
    };
    assert_eq!(refusal.code, RefusalCode::DoubleProposal);
    assert_eq!(
        refusal.locked_root,
        Some(block(template, slot, 1).signing_root)
    );
    let (code, _) = client.refused(block(template, slot - 1, 1)).await;
    assert_eq!(code, RefusalCode::BlockBelowMark);

    let vote = |source, target, variant| vote(template, source, target, variant);
    let first = client.signed(vote(epoch - 3, epoch - 1, 1)).await;
    assert_eq!(client.signed(vote(epoch - 3, epoch - 1, 1)).await, first);
    for (item, expected) in [
        (vote(epoch - 3, epoch - 1, 2), RefusalCode::DoubleVote),
        (vote(epoch - 4, epoch, 1), RefusalCode::AttestationBelowMark),
        (
            vote(epoch - 2, epoch - 2, 1),
            RefusalCode::AttestationBelowMark,
        ),
        (vote(epoch + 1, epoch, 1), RefusalCode::SourceAfterTarget),
    ] {
        assert_eq!(client.refused(item).await.0, expected);
    }

    // Two that conflict with each other, in one batch: the first wins.
    let batch = vec![block(template, slot + 1, 1), block(template, slot + 1, 2)];
    let answers = client.send(batch).await.unwrap();
    assert!(matches!(answers[0], SignAnswer::Partial(_)), "{answers:?}");
    assert!(matches!(answers[1], SignAnswer::Refused(_)), "{answers:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_conflicting_batches_at_once_one_is_signed() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let client = Arc::new(TestClient::requestor(template, &server));
    let slot = now(template).0;
    let calls: Vec<_> = (1..=20)
        .map(|variant| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.one(block(template, slot, variant)).await })
        })
        .collect();
    let mut signed = 0;
    for call in calls {
        signed += usize::from(matches!(call.await.unwrap(), SignAnswer::Partial(_)));
    }
    assert_eq!(signed, 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_opened_for_each_batch_sign_the_same() {
    let template = Template::get();
    let slot = now(template).0;
    let mut partials = Vec::new();
    for residency in ["resident", "per-batch"] {
        let member = template.member(2);
        member.configure("\"resident\"", &format!("\"{residency}\""));
        let server = member.start().await;
        let client = TestClient::new(template, "req-1", 2, &server.address);
        partials.push(client.signed(block(template, slot, 1)).await);
        server.stop().await;
    }
    assert_eq!(partials[0], partials[1]);
}

/// Answers with the partial of another duty.
struct Liar;

impl ReplyHook for Liar {
    fn outgoing<'a>(&'a self, _: &'a SignBatch, mut reply: SignReply) -> OutgoingFuture<'a> {
        Box::pin(async move {
            reply.answers.reverse();
            Outgoing::Reply(reply)
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedding_program_may_change_the_reply_and_it_is_signed_all_the_same() {
    let template = Template::get();
    let member = template.member(1);
    let server = member
        .start_with(Hooks {
            reply: Some(Arc::new(Liar)),
        })
        .await;
    let client = TestClient::requestor(template, &server);
    let slot = now(template).0;
    let good = vec![block(template, slot, 1), block(template, slot, 2)];
    // `send` checks the signature of the session key.
    let answers = client.send(good).await.unwrap();
    assert!(matches!(answers[0], SignAnswer::Refused(_)));
    assert!(matches!(answers[1], SignAnswer::Partial(_)));
    server.stop().await;
}
