//! Evidence proves wrong answers, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod model;

use std::sync::Arc;

use model::{EPOCH, Manner, Model};
use proptest::prelude::*;
use symbolon_duties::{Duty, Epoch, ForkVersion, SigningRoot, ValidatorPublicKey};
use symbolon_protocol::roster::{
    Client, ClientKind, ClusterId, Guardian, Member, PartyId, Roster, TlsPin,
};
use symbolon_protocol::session::{SessionKey, SessionSecret};
use symbolon_protocol::sign::{
    Refusal, RefusalCode, SessionFrame, SignAnswer, SignBatch, SignItem, SignReply,
};
use symbolon_protocol::{EnvelopeError, IdentitySigner, NetworkId, SoftIdentity, Unsigned};
use symbolon_signing::evidence::{NotProved, PartialFault, Verdict, WrongPartialEvidence, verify};
use symbolon_signing::frame::{self, FrameError};
use symbolon_signing::group::KnownGroup;
use symbolon_threshold::VerifyError;

const NETWORK: NetworkId = NetworkId([9; 32]);
const GROUP: [u8; 32] = [0x61; 32];
const NOW: u64 = 1_800_000_000;
const REQUESTOR: u8 = 200;
const OPERATOR: u8 = 201;

fn identity(byte: u8) -> SoftIdentity {
    SoftIdentity::from_bytes(&[byte; 32]).unwrap()
}

fn roster(n: usize) -> Roster {
    let members = (1..=n as u8).map(|index| Member {
        index: index.into(),
        name: format!("server-{index}"),
        identity: identity(index).public(),
        address: Some(format!("host-{index}:7001")),
        tls_pin: Some(TlsPin([index; 32])),
    });
    let client = |byte: u8, name: &str, kind| Client {
        name: name.into(),
        kind,
        identity: identity(byte).public(),
        tls_pin: TlsPin([byte; 32]),
        provider: String::new(),
    };
    Roster {
        cluster: ClusterId([1; 32]),
        name: "test".into(),
        number: 1,
        previous: None,
        members: members.collect(),
        clients: vec![
            client(OPERATOR, "op-1", ClientKind::Operator),
            client(REQUESTOR, "req-1", ClientKind::Requestor),
        ],
        guardians: vec![Guardian {
            name: "ada".into(),
            key: identity(250).public(),
        }],
        guardian_quorum: 1,
    }
}

fn secret(byte: u8) -> SessionSecret {
    SessionSecret::from_seed(&[byte; 32]).unwrap()
}

fn certificate(byte: u8, holder: PartyId, from: u64) -> Vec<u8> {
    let key = SessionKey {
        holder,
        key: secret(byte).public(),
        not_before: from,
        not_after: from + 3600,
    };
    Unsigned::new(NETWORK, key)
        .sign(&identity(byte))
        .unwrap()
        .to_bytes()
}

fn party(byte: u8) -> PartyId {
    match byte {
        REQUESTOR => PartyId::Client("req-1".into()),
        OPERATOR => PartyId::Client("op-1".into()),
        member => PartyId::Member(member.into()),
    }
}

/// A case of evidence that can be bent before it is sealed.
struct Case {
    model: Model,
    batch: SignBatch,
    reply: SignReply,
    sender: u8,
    answerer: u8,
    reply_session_from: u64,
    accused: u16,
    item: u32,
    group: [u8; 32],
}

impl Case {
    fn new(manner: Manner) -> Self {
        let model = Model::new(3, 5, 2, true, true);
        let items = model
            .keys
            .iter()
            .zip(&model.roots)
            .map(|(key, root)| SignItem {
                key: ValidatorPublicKey(key.public().to_compressed()),
                group_epoch: EPOCH,
                duty: Duty::RandaoReveal { epoch: Epoch(1) },
                fork_version: Some(ForkVersion([1, 0, 0, 0])),
                signing_root: SigningRoot(*root),
            });
        let batch = SignBatch {
            id: [7; 16].into(),
            issued_at_ms: NOW * 1000 + 500,
            ttl_ms: 4000,
            items: items.collect(),
        };
        let mut reply = model.answer(2, manner).unwrap();
        reply.batch = Unsigned::new(NETWORK, batch.clone()).digest().into();
        Self {
            model,
            batch,
            reply,
            sender: REQUESTOR,
            answerer: 2,
            reply_session_from: NOW - 10,
            accused: 2,
            item: 1,
            group: GROUP,
        }
    }

    fn evidence(&self) -> WrongPartialEvidence {
        let batch = Unsigned::new(NETWORK, self.batch.clone()).sign_session(&secret(self.sender));
        let sender = certificate(self.sender, party(self.sender), NOW - 20);
        let reply = Unsigned::new(NETWORK, self.reply.clone()).sign_session(&secret(self.answerer));
        let answerer = certificate(self.answerer, party(self.answerer), self.reply_session_from);
        WrongPartialEvidence {
            batch_frame: SessionFrame::new(sender, batch.to_bytes())
                .to_bytes()
                .into(),
            reply_frame: SessionFrame::new(answerer, reply.to_bytes())
                .to_bytes()
                .into(),
            member: self.accused,
            item: self.item,
            group: self.group,
        }
    }

    fn known(&self) -> KnownGroup {
        let keys: Vec<_> = self.model.keys.iter().map(Arc::clone).collect();
        KnownGroup::new(GROUP, Arc::clone(keys[0].group()), keys)
    }

    fn verdict(&self) -> Verdict {
        verify(&self.evidence(), NETWORK, &roster(5), &self.known())
    }
}

fn not_proved(bend: impl FnOnce(&mut Case)) -> NotProved {
    let mut case = Case::new(Manner::Wrong);
    bend(&mut case);
    match case.verdict() {
        Verdict::NotProved(reason) => reason,
        Verdict::Proved(proof) => panic!("{proof:?}"),
    }
}

#[test]
fn every_wrong_partial_is_proved() {
    for manner in [
        Manner::Wrong,
        Manner::WrongOnce,
        Manner::Garbage,
        Manner::OutOfSubgroup,
    ] {
        let case = Case::new(manner);
        let Verdict::Proved(proof) = case.verdict() else {
            panic!("{manner:?}")
        };
        assert_eq!(proof.member, model::index(2));
        assert_eq!(proof.requestor, party(REQUESTOR));
        assert_eq!(proof.key, case.batch.items[1].key);
        let fault = match manner {
            Manner::Garbage => matches!(proof.fault, PartialFault::Point(_)),
            Manner::OutOfSubgroup => {
                proof.fault == PartialFault::Signature(VerifyError::NotInSubgroup)
            }
            _ => proof.fault == PartialFault::Signature(VerifyError::Mismatch),
        };
        assert!(fault, "{manner:?}: {proof:?}");
    }
}

#[test]
fn an_honest_answer_is_no_evidence() {
    let case = Case::new(Manner::Honest);
    assert_eq!(case.verdict(), Verdict::NotProved(NotProved::Right));
    let mut once = Case::new(Manner::WrongOnce);
    once.item = 0;
    assert_eq!(once.verdict(), Verdict::NotProved(NotProved::Right));
}

#[test]
fn an_honest_plain_partial_in_a_scaled_group_is_no_evidence() {
    let mut case = Case::new(Manner::Honest);
    let plain = Model::new(3, 5, 2, false, true);
    case.reply.answers = plain.answer(2, Manner::Honest).unwrap().answers;
    assert_eq!(case.verdict(), Verdict::NotProved(NotProved::Right));
}

#[test]
fn whatever_does_not_belong_together_proves_nothing() {
    let refusal = || SignAnswer::Refused(Refusal::new(RefusalCode::Overloaded, "later"));
    let reason = not_proved(|case| case.reply.batch = [3; 32].into());
    assert_eq!(reason, NotProved::OtherBatch);
    let reason = not_proved(|case| case.batch.issued_at_ms += 1);
    assert_eq!(reason, NotProved::OtherBatch);
    let reason = not_proved(|case| case.reply.answers[1] = refusal());
    assert_eq!(reason, NotProved::Refused);
    let reason = not_proved(|case| case.reply.answers.push(refusal()));
    assert_eq!(
        reason,
        NotProved::AnswerCount {
            expected: 2,
            got: 3
        }
    );
    let reason = not_proved(|case| case.item = 2);
    assert_eq!(reason, NotProved::NoSuchItem { item: 2, duties: 2 });
    let reason = not_proved(|case| case.reply.member = 4);
    assert_eq!(reason, NotProved::OtherMember(4));
    let reason = not_proved(|case| case.group = [0; 32]);
    assert!(matches!(reason, NotProved::OtherGroup { .. }));
    let reason = not_proved(|case| case.sender = OPERATOR);
    assert_eq!(reason, NotProved::NotARequestor(party(OPERATOR)));
    let reason = not_proved(|case| {
        if let SignAnswer::Partial(partial) = &mut case.reply.answers[1] {
            partial.scale = 5;
        }
    });
    assert_eq!(
        reason,
        NotProved::OtherScale {
            expected: 24,
            got: 5
        }
    );
    let reason = not_proved(|case| {
        if let SignAnswer::Partial(partial) = &mut case.reply.answers[1] {
            partial.group_epoch = 9;
        }
    });
    assert_eq!(
        reason,
        NotProved::OtherGroupEpoch {
            expected: EPOCH,
            got: 9
        }
    );
}

#[test]
fn a_question_about_something_else_proves_nothing() {
    let rebind = |case: &mut Case| {
        case.reply.batch = Unsigned::new(NETWORK, case.batch.clone()).digest().into();
    };
    let reason = not_proved(|case| {
        case.batch.items[1].group_epoch = 2;
        rebind(case);
    });
    assert_eq!(
        reason,
        NotProved::OtherGroupEpoch {
            expected: EPOCH,
            got: 2
        }
    );
    let reason = not_proved(|case| {
        case.batch.items[1].key = ValidatorPublicKey([8; 48]);
        rebind(case);
    });
    assert!(matches!(reason, NotProved::NotInGroup(_)));
}

#[test]
fn nobody_is_accused_by_anothers_signature_or_an_old_session() {
    let reason = not_proved(|case| case.answerer = 3);
    let (expected, got) = (party(2), party(3));
    assert_eq!(
        reason,
        NotProved::Reply(FrameError::OtherHolder { expected, got })
    );
    for from in [NOW - 7200, NOW + 7200] {
        let reason = not_proved(|case| case.reply_session_from = from);
        assert!(
            matches!(reason, NotProved::Reply(FrameError::Session(_))),
            "{reason:?}"
        );
    }
    // A requestor that signs the reply itself, under the member's true certificate.
    let case = Case::new(Manner::Wrong);
    let mut evidence = case.evidence();
    let forged = Unsigned::new(NETWORK, case.reply.clone()).sign_session(&secret(REQUESTOR));
    let frame = SessionFrame::new(certificate(2, party(2), NOW), forged.to_bytes());
    evidence.reply_frame = frame.to_bytes().into();
    let Verdict::NotProved(NotProved::Reply(FrameError::Message(error))) =
        verify(&evidence, NETWORK, &roster(5), &case.known())
    else {
        panic!();
    };
    assert!(matches!(error, EnvelopeError::Signature { .. }));
}

#[test]
fn a_member_that_the_roster_does_not_know_is_not_accused() {
    let case = Case::new(Manner::Wrong);
    let verdict = verify(&case.evidence(), NETWORK, &roster(1), &case.known());
    assert!(matches!(
        verdict,
        Verdict::NotProved(NotProved::Reply(FrameError::Session(_)))
    ));
}

#[test]
fn no_changed_byte_leaves_it_proved() {
    let case = Case::new(Manner::WrongOnce);
    let bytes = case.evidence().to_bytes(NETWORK);
    let (roster, known) = (roster(5), case.known());
    let proved = |bytes: &[u8]| {
        let evidence = WrongPartialEvidence::from_bytes(NETWORK, bytes)?;
        Ok::<_, EnvelopeError>(verify(&evidence, NETWORK, &roster, &known))
    };
    assert!(matches!(proved(&bytes), Ok(Verdict::Proved(_))));
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        assert!(
            !matches!(proved(&bent), Ok(Verdict::Proved(_))),
            "byte {at}"
        );
    }
}

#[test]
fn a_known_session_is_trusted_for_its_own_dates_and_holder_only() {
    let case = Case::new(Manner::Honest);
    let evidence = case.evidence();
    let reply = SessionFrame::from_bytes(&evidence.reply_frame).unwrap();
    let mut known = None;
    let mut open = |holder: &PartyId, now: u64| {
        frame::open::<SignReply>(NETWORK, &reply, &roster(5), holder, now, &mut known)
    };
    assert!(open(&party(2), NOW).is_ok());
    assert!(open(&party(2), NOW + 5).is_ok());
    assert!(matches!(
        open(&party(3), NOW),
        Err(FrameError::OtherHolder { .. })
    ));
    assert!(matches!(
        open(&party(2), NOW + 9000),
        Err(FrameError::Session(_))
    ));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(WrongPartialEvidence::from_bytes(NETWORK, &bytes).is_err());
    }

    #[test]
    fn arbitrary_frames_prove_nothing(
        batch in prop::collection::vec(any::<u8>(), 0..300),
        reply in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let case = Case::new(Manner::Honest);
        let mut evidence = case.evidence();
        evidence.batch_frame = batch.into();
        evidence.reply_frame = reply.into();
        let verdict = verify(&evidence, NETWORK, &roster(5), &case.known());
        prop_assert!(matches!(verdict, Verdict::NotProved(_)));
    }
}
