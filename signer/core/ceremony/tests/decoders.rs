//! Bytes from anywhere: every decoder refuses what it does not know, and none panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use std::sync::OnceLock;

use proptest::prelude::*;
use support::*;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::*;
use symbolon_protocol::roster::RosterChain;
use symbolon_protocol::{Signed, Unsigned};

/// Good messages of each kind, to be damaged.
struct Corpus {
    chain: RosterChain,
    plan: VerifiedPlan,
    messages: Vec<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let mut cluster = Cluster::new(3);
        let made = cluster.dkg("corpus", 2, 1);
        let plan = cluster.verified(&made.plan);
        let complaint = Complaint {
            ceremony: made.id,
            member: 1,
            dealer: 2,
            deal: DealHash([1; 32]),
            reason: ComplaintReason::WrongShare,
        };
        let opening = Opening {
            ceremony: made.id,
            dealer: 2,
            receiver: 1,
            deal: DealHash([1; 32]),
            ephemeral: [1; 32].into(),
        };
        let requests = [
            CeremonyRequest::Plan(made.plan.clone().into()),
            deals_request(made.id, &made.deals),
            CeremonyRequest::Status(None),
        ];
        let replies = [
            CeremonyReply::Activation(made.activations[0].clone().into()),
            StepError::ForeignDeal.to_reply(),
            CeremonyReply::Status(cluster.server(1).participant.status(None)),
        ];
        let mut messages = vec![
            made.plan.clone(),
            made.deals[0].clone(),
            made.confirmations[0].clone(),
            made.certificate.clone(),
            made.activations[0].clone(),
            made.descriptor.clone(),
            sign_as("server-1", complaint),
            sign_as("server-2", opening),
        ];
        messages.extend(cluster.offers("corpus").into_iter().take(1));
        messages.extend(requests.iter().map(CeremonyRequest::to_bytes));
        messages.extend(replies.iter().map(CeremonyReply::to_bytes));
        let records = cluster.server(1).shell.records.clone();
        Corpus {
            chain: cluster.chain,
            plan,
            messages,
            records,
        }
    })
}

/// Everything that reads foreign bytes.
fn decode_everything(bytes: &[u8]) {
    let Corpus { chain, plan, .. } = corpus();
    let owned = || vec![bytes.to_vec()];
    Cosigned::<Plan>::from_bytes(NETWORK, bytes).ok();
    VerifiedPlan::verify(NETWORK, chain.current(), bytes).ok();
    Signed::<Offer>::from_bytes(NETWORK, bytes).ok();
    Signed::<Deal>::from_bytes(NETWORK, bytes).ok();
    Signed::<Confirmation>::from_bytes(NETWORK, bytes).ok();
    Signed::<Activation>::from_bytes(NETWORK, bytes).ok();
    verify_complaint(plan, bytes).ok();
    verify_opening(plan, bytes).ok();
    Unsigned::<Certificate>::from_body(NETWORK, bytes).ok();
    VerifiedCertificate::verify(plan, bytes).ok();
    GroupDescriptor::verify(chain, bytes).ok();
    CheckedDeals::check(plan, &owned(), &[0; 32]).ok();
    CeremonyRequest::from_bytes(bytes).ok();
    CeremonyReply::from_bytes(bytes).ok();
    MessageKind::of(bytes).map(MessageKind::tag);
    Participant::resume(chain.clone(), index(1), [bytes]).ok();
    let (mut coordinator, _) = Coordinator::from_messages(chain.clone(), owned());
    coordinator.receive(bytes).ok();
    let mut messages = owned();
    messages.push(plan.to_bytes());
    audit(chain, &messages, &[0; 32]).ok();
    if let Ok(text) = std::str::from_utf8(bytes) {
        text.parse::<FileName>().ok();
        GroupLabel::new(text).ok();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        decode_everything(&bytes);
    }

    #[test]
    fn damaged_messages_never_panic(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let Corpus { messages, records, .. } = corpus();
        let all: Vec<&Vec<u8>> = messages.iter().chain(records).collect();
        let mut bytes = which.get(&all).to_vec();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        decode_everything(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        decode_everything(&bytes);
    }
}

#[test]
fn good_messages_are_what_they_are() {
    let Corpus {
        chain,
        messages,
        records,
        ..
    } = corpus();
    let kinds: Vec<_> = messages
        .iter()
        .map(|bytes| MessageKind::of(bytes))
        .collect();
    let expected = [
        MessageKind::Plan,
        MessageKind::Deal,
        MessageKind::Confirmation,
        MessageKind::Certificate,
        MessageKind::Activation,
        MessageKind::Group,
        MessageKind::Complaint,
        MessageKind::Opening,
        MessageKind::Offer,
    ];
    assert_eq!(kinds[..9], expected.map(Some));
    assert!(kinds[9..].iter().all(Option::is_none));
    let records = records.iter().map(Vec::as_slice);
    assert!(Participant::resume(chain.clone(), index(1), records).is_ok());
    for bytes in &messages[9..12] {
        assert_eq!(
            CeremonyRequest::from_bytes(bytes).unwrap().to_bytes(),
            *bytes
        );
    }
    for bytes in &messages[12..] {
        assert_eq!(CeremonyReply::from_bytes(bytes).unwrap().to_bytes(), *bytes);
    }
}

/// A declared length is not believed before the bytes are there.
#[test]
fn a_huge_declared_length_is_refused_at_once() {
    // An array of 2^32 - 1 elements, a byte string of 2^40 bytes, nested arrays.
    let nested = [vec![0x81; 5_000], vec![0]].concat();
    for bytes in [
        vec![0x82, 0x9a, 0xff, 0xff, 0xff, 0xff],
        vec![0x82, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0],
        vec![0xa2, 0x00, 0x5b, 0, 0, 1, 0, 0, 0, 0, 0],
        vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        nested,
    ] {
        decode_everything(&bytes);
        assert_eq!(MessageKind::of(&bytes), None);
    }
}

/// No message passes for another: the type tag is signed.
#[test]
fn a_message_of_one_type_is_none_of_another() {
    let Corpus { plan, messages, .. } = corpus();
    for (place, bytes) in messages[..9].iter().enumerate() {
        let accepted = [
            Cosigned::<Plan>::from_bytes(NETWORK, bytes).is_ok(),
            Signed::<Deal>::from_bytes(NETWORK, bytes).is_ok(),
            Signed::<Confirmation>::from_bytes(NETWORK, bytes).is_ok(),
            VerifiedCertificate::verify(plan, bytes).is_ok(),
            Signed::<Activation>::from_bytes(NETWORK, bytes).is_ok(),
            Unsigned::<GroupDescriptor>::from_body(NETWORK, bytes).is_ok(),
            Signed::<Complaint>::from_bytes(NETWORK, bytes).is_ok(),
            Signed::<Opening>::from_bytes(NETWORK, bytes).is_ok(),
            Signed::<Offer>::from_bytes(NETWORK, bytes).is_ok(),
        ];
        let expected: Vec<bool> = (0..9).map(|other| other == place).collect();
        assert_eq!(accepted.to_vec(), expected);
    }
}

#[test]
fn no_secret_is_ever_formatted() {
    let seed = seed("secret");
    let hidden = seed.expose(|bytes| hex::encode(bytes));
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    let participant = &mut cluster.server(1).participant;
    let request = CeremonyRequest::Plan(plan.into());
    let step = Step::Request(
        request,
        Entropy {
            seed,
            batch: [0; 32],
        },
    );
    let mut shown = format!("{step:?}");
    let effect = participant.step(step).unwrap();
    shown.push_str(&format!("{effect:?}"));
    assert!(shown.contains("[redacted]"), "{shown}");
    assert!(!shown.contains(&hidden) && !shown.contains(&format!("{:?}", &bytes("seed")[..4])));
}
