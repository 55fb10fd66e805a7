//! What travels between requestors and servers: session keys, batches, replies.

use symbolon_duties::{Duty, Epoch, ForkVersion, SigningRoot, Slot, ValidatorPublicKey};
use symbolon_protocol::roster::PartyId;
use symbolon_protocol::session::{CLOCK_TOLERANCE_SECONDS, MAX_SESSION_SECONDS, SessionKey};
use symbolon_protocol::sign::{
    PartialAnswer, Refusal, RefusalCode, SessionFrame, SignAnswer, SignBatch, SignItem, SignReply,
};
use symbolon_protocol::{Message, Signed, Unsigned};

use crate::Seed;
use crate::envelope::round_trip;
use crate::fixture::{NETWORK, NOW, identity, key_of, roster, session};

/// Frames of a few duties; longer ones repeat.
pub const MAX_LEN: usize = 4096;

/// Accepted bytes are canonical, inside frames too; a session key is accepted exactly by the rules
/// on its holder and dates.
pub fn check(data: &[u8]) {
    if let Some(unsigned) = round_trip::<SessionKey>(data) {
        certify(&unsigned);
    }
    carry::<SignBatch>(data);
    carry::<SignReply>(data);
    let Ok(frame) = SessionFrame::from_bytes(data) else {
        return;
    };
    assert_eq!(frame.to_bytes(), data);
    if let Some(unsigned) = round_trip::<SessionKey>(&frame.certificate) {
        certify(&unsigned);
    }
    carry::<SignBatch>(&frame.message);
    carry::<SignReply>(&frame.message);
}

/// Has the holder certify the key and compares the verdict with the rules.
fn certify(unsigned: &Unsigned<SessionKey>) {
    let value = unsigned.value().clone();
    let signer = key_of(&value.holder);
    let signed = unsigned.clone().sign(&identity(signer.unwrap_or(1))).unwrap();
    let bytes = signed.to_bytes();
    let fits = bytes.len() <= SessionKey::MAX_LEN;
    let short = value.not_after.saturating_sub(value.not_before) <= MAX_SESSION_SECONDS;
    let good = signer.is_some() && fits && short;
    let verified = SessionKey::verify_at_any_time(NETWORK, &bytes, roster());
    assert_eq!(verified.is_ok(), good);
    let began = value.not_before <= NOW.saturating_add(CLOCK_TOLERANCE_SECONDS);
    let lasts = NOW <= value.not_after.saturating_add(CLOCK_TOLERANCE_SECONDS);
    let verified = SessionKey::verify(NETWORK, &bytes, roster(), NOW);
    assert_eq!(verified.is_ok(), good && began && lasts);
    if let Ok(verified) = verified {
        assert_eq!(*verified, value);
    }
}

/// A session's signature is accepted under its own key and under no other.
fn carry<T: Message + Clone>(data: &[u8]) {
    let Some(unsigned) = round_trip::<T>(data) else {
        return;
    };
    let digest = unsigned.digest();
    let bytes = unsigned.sign_session(&session(5)).to_bytes();
    if let Ok(signed) = Signed::<T>::from_bytes(NETWORK, &bytes) {
        assert_eq!(signed.to_bytes(), bytes);
        let other = session(6).public();
        assert!(signed.clone().verify_session(&other, "other").is_err());
        let verified = signed.verify_session(&session(5).public(), "own").unwrap();
        assert_eq!(verified.digest(), digest);
    } else {
        assert!(bytes.len() > T::MAX_LEN);
    }
}

fn certificate(holder: PartyId) -> Unsigned<SessionKey> {
    let key = SessionKey {
        holder,
        key: session(5).public(),
        not_before: NOW - 60,
        not_after: NOW + 3600,
    };
    Unsigned::new(NETWORK, key)
}

fn batch() -> SignBatch {
    let item = |duty| SignItem {
        key: ValidatorPublicKey([7; 48]),
        group_epoch: 1,
        duty,
        fork_version: Some(ForkVersion([1, 0, 0, 0])),
        signing_root: SigningRoot([5; 32]),
    };
    SignBatch {
        id: [1; 16].into(),
        issued_at_ms: NOW * 1000,
        ttl_ms: 4000,
        items: vec![
            item(Duty::RandaoReveal { epoch: Epoch(1) }),
            item(Duty::AggregationSlot { slot: Slot(300) }),
        ],
    }
}

fn reply() -> SignReply {
    let partial = PartialAnswer {
        group_epoch: 1,
        scale: 1,
        point: [8; 192].into(),
    };
    let refusal = Refusal::new(RefusalCode::DoubleVote, "another attestation is signed");
    SignReply {
        member: 1,
        batch: Unsigned::new(NETWORK, batch()).digest().into(),
        answers: vec![
            SignAnswer::Partial(partial),
            SignAnswer::Refused(refusal.with_locked_root(Some(SigningRoot([4; 32])))),
        ],
    }
}

/// Bodies, signed messages and frames.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let client = certificate(PartyId::Client("req-1".into()));
    let member = certificate(PartyId::Member(1));
    let certified = client.clone().sign(&identity(41)).unwrap().to_bytes();
    let batch = Unsigned::new(NETWORK, batch());
    let reply = Unsigned::new(NETWORK, reply());
    let signed = |unsigned: &Unsigned<SignBatch>| unsigned.clone().sign_session(&session(5));
    vec![
        ("body-session-key-client", client.body().to_vec()),
        ("body-session-key-member", member.body().to_vec()),
        ("session-key", certified.clone()),
        ("body-batch", batch.body().to_vec()),
        ("body-reply", reply.body().to_vec()),
        ("batch", signed(&batch).to_bytes()),
        (
            "frame-batch",
            SessionFrame::new(certified, signed(&batch).to_bytes()).to_bytes(),
        ),
        (
            "frame-bodies",
            SessionFrame::new(member.body().to_vec(), reply.body().to_vec()).to_bytes(),
        ),
    ]
}
