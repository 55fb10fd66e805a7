//! Evidence against members, and the marks that a member's journal holds.

use std::sync::OnceLock;

use symbolon_ceremony::GroupDescriptor;
use symbolon_duties::{Duty, Epoch, ForkVersion, SigningRoot, Slot, ValidatorPublicKey};
use symbolon_protocol::roster::PartyId;
use symbolon_protocol::session::SessionKey;
use symbolon_protocol::sign::{PartialAnswer, SessionFrame, SignAnswer, SignBatch, SignItem, SignReply};
use symbolon_protocol::{Signed, Unsigned};
use symbolon_signing::MarkUpdate;
use symbolon_signing::evidence::{Verdict, WrongPartialEvidence, verify};
use symbolon_signing::group::KnownGroup;
use symbolon_slashing::{AttestationMark, BlockMark, Mark, merge};
use symbolon_threshold::{HashedRoot, hash_to_g2};

use crate::Seed;
use crate::fixture::ceremony::ceremony;
use crate::fixture::{NETWORK, NOW, identity, key_of, session};

/// Evidence of two duties takes less.
pub const MAX_LEN: usize = 4096;

/// Accepted bytes are canonical. Nobody is proved guilty but the member that gave a wrong answer,
/// whoever bends the evidence; with every signature made anew, it is the member whose key signed.
pub fn check(data: &[u8]) {
    let case = case();
    if let Ok(evidence) = WrongPartialEvidence::from_bytes(NETWORK, data) {
        assert_eq!(evidence.to_bytes(NETWORK), data);
        judge(&evidence);
    }
    // A reply of the member, whatever it says.
    if let Ok(reply) = Unsigned::<SignReply>::from_body(NETWORK, data) {
        let right = reply.value().answers == right_reply().answers;
        let mut evidence = case.clone();
        evidence.reply_frame = frame(PartyId::Member(1), reply.sign_session(&session(1)).to_bytes());
        let proved = judge(&evidence);
        assert!(!(proved && right));
    }
    if let Ok(update) = MarkUpdate::from_bytes(data) {
        assert_eq!(update.to_bytes(), data);
        assert_eq!(merge(&update.mark, &update.mark), update.mark);
        assert_eq!(merge(&update.mark, &Mark::default()), update.mark);
    }
}

/// Whether the evidence proves something; then it is against member 1, by its own signature.
fn judge(evidence: &WrongPartialEvidence) -> bool {
    match verify(evidence, NETWORK, ceremony().chain.current(), group()) {
        Verdict::Proved(proof) => {
            assert_eq!(proof.member.get(), 1);
            assert_eq!(proof.requestor, requestor());
            assert!(group().key(&proof.key).is_some());
            true
        }
        Verdict::NotProved(reason) => {
            assert!(!reason.to_string().is_empty());
            false
        }
    }
}

fn group() -> &'static KnownGroup {
    static GROUP: OnceLock<KnownGroup> = OnceLock::new();
    GROUP.get_or_init(|| {
        let ceremony = ceremony();
        let group = GroupDescriptor::verify(&ceremony.chain, &ceremony.group).unwrap();
        KnownGroup::of(&group).unwrap()
    })
}

fn requestor() -> PartyId {
    PartyId::Client("req-1".into())
}

fn batch() -> &'static Unsigned<SignBatch> {
    static BATCH: OnceLock<Unsigned<SignBatch>> = OnceLock::new();
    BATCH.get_or_init(|| {
        let key = *group().keys().next().unwrap().0;
        let item = |number| SignItem {
            key,
            group_epoch: 1,
            duty: Duty::RandaoReveal { epoch: Epoch(number) },
            fork_version: Some(ForkVersion([1, 0, 0, 0])),
            signing_root: SigningRoot([5; 32]),
        };
        let batch = SignBatch {
            id: [7; 16].into(),
            issued_at_ms: NOW * 1000 + 500,
            ttl_ms: 4000,
            items: vec![item(1), item(2)],
        };
        Unsigned::new(NETWORK, batch)
    })
}

/// Both duties answered with the right partial signature.
fn right_reply() -> &'static SignReply {
    static REPLY: OnceLock<SignReply> = OnceLock::new();
    REPLY.get_or_init(|| {
        let mut shell = ceremony().stages[3].clone();
        let id = ceremony().plan.id();
        let shares = symbolon_ceremony::Performer::load_shares(&mut shell, id, 1).unwrap();
        let partial = shares[0].sign(&HashedRoot::new(&[5; 32])).to_uncompressed();
        reply([partial; 2])
    })
}

fn reply(points: [[u8; 192]; 2]) -> SignReply {
    let answer = |point: [u8; 192]| {
        SignAnswer::Partial(PartialAnswer {
            group_epoch: 1,
            scale: 1,
            point: point.into(),
        })
    };
    SignReply {
        member: 1,
        batch: batch().digest().into(),
        answers: points.map(answer).to_vec(),
    }
}

/// The second answer is a point that has nothing to do with the duty.
fn wrong_reply() -> SignReply {
    let SignAnswer::Partial(right) = &right_reply().answers[0] else {
        unreachable!("made as a partial")
    };
    let wrong = hash_to_g2(b"wrong", symbolon_threshold::DST).to_uncompressed();
    reply([*right.point, wrong])
}

fn frame(holder: PartyId, message: Vec<u8>) -> minicbor::bytes::ByteVec {
    let byte = key_of(&holder).unwrap();
    let key = SessionKey {
        holder,
        key: session(byte).public(),
        not_before: NOW - 60,
        not_after: NOW + 3600,
    };
    let certificate = Unsigned::new(NETWORK, key).sign(&identity(byte)).unwrap();
    SessionFrame::new(certificate.to_bytes(), message).to_bytes().into()
}

fn evidence(reply: SignReply) -> WrongPartialEvidence {
    let batch: Signed<SignBatch> = batch().clone().sign_session(&session(41));
    let reply = Unsigned::new(NETWORK, reply).sign_session(&session(1));
    WrongPartialEvidence {
        batch_frame: frame(requestor(), batch.to_bytes()),
        reply_frame: frame(PartyId::Member(1), reply.to_bytes()),
        member: 1,
        item: 1,
        group: *group().transcript(),
    }
}

fn case() -> &'static WrongPartialEvidence {
    static CASE: OnceLock<WrongPartialEvidence> = OnceLock::new();
    CASE.get_or_init(|| {
        let case = evidence(wrong_reply());
        assert!(judge(&case));
        case
    })
}

/// Evidence that proves, evidence that does not, replies to be signed, a mark.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let root = Some(SigningRoot([4; 32]));
    let mark = Mark {
        block: Some(BlockMark {
            slot: Slot(16_000_000),
            root,
        }),
        attestation: Some(AttestationMark {
            source: Epoch(499_999),
            target: Epoch(500_000),
            root: None,
        }),
    };
    let update = MarkUpdate {
        key: ValidatorPublicKey([7; 48]),
        mark,
    };
    let body = |reply: SignReply| Unsigned::new(NETWORK, reply).body().to_vec();
    vec![
        ("wrong", case().to_bytes(NETWORK)),
        ("right", evidence(right_reply().clone()).to_bytes(NETWORK)),
        ("reply-wrong", body(wrong_reply())),
        ("reply-right", body(right_reply().clone())),
        ("mark", update.to_bytes()),
    ]
}
