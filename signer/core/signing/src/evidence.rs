//! Proof for anybody that a member gave a wrong partial signature.
//!
//! The container holds the frames as they travelled: the batch with the requestor's session
//! certificate, the reply with the member's. Whoever has the roster and the group's descriptor
//! checks it without asking anybody. A requestor cannot make it up: the member's session key signed
//! the reply, the reply names the batch by its digest, and the descriptor is certified by the
//! member itself.
//!
//! Bytes: the body of an envelope of [`WrongPartialEvidence`], unsigned.

use core::fmt;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::cbor::CborError;
use symbolon_protocol::roster::{ClientKind, PartyId, Roster};
use symbolon_protocol::session::SessionKey;
use symbolon_protocol::sign::{PartialAnswer, SessionFrame, SignAnswer, SignBatch, SignReply};
use symbolon_protocol::{EnvelopeError, Message, NetworkId, Signed, Unsigned, Verified};
use symbolon_threshold::{
    HashedRoot, PartialSignature, PointError, Scale, ShareIndex, VerifyError,
};

use crate::frame::{self, FrameError};
use crate::group::KnownGroup;

/// A member's wrong answer with everything that proves it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WrongPartialEvidence {
    /// The batch as the requestor sent it ([`SessionFrame`]).
    #[n(0)]
    pub batch_frame: ByteVec,
    /// The reply as the member sent it ([`SessionFrame`]).
    #[n(1)]
    pub reply_frame: ByteVec,
    /// Share index of the member that is accused.
    #[n(2)]
    pub member: u16,
    /// Place in the batch of the duty that was answered wrongly.
    #[n(3)]
    pub item: u32,
    /// Transcript of the group that the duty's key belongs to ([`KnownGroup::transcript`]).
    #[cbor(n(4), with = "minicbor::bytes")]
    pub group: [u8; 32],
}

impl Message for WrongPartialEvidence {
    const TAG: &'static str = "symbolon.evidence.wrong-partial";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 2 * SessionFrame::MAX_LEN + 1024;
}

impl WrongPartialEvidence {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self, network: NetworkId) -> Vec<u8> {
        Unsigned::new(network, self.clone()).body().to_vec()
    }

    /// Parses the container; proves nothing yet.
    ///
    /// # Errors
    ///
    /// Too long, not canonical, of another type, version or network.
    pub fn from_bytes(network: NetworkId, bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(Unsigned::<Self>::from_body(network, bytes)?.value().clone())
    }
}

/// What evidence is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The member gave a wrong partial signature.
    Proved(Proof),
    /// It proves nothing, for this reason.
    NotProved(NotProved),
}

/// What is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The member that answered.
    pub member: ShareIndex,
    /// Whose batch it answered.
    pub requestor: PartyId,
    /// The key that it should have signed for.
    pub key: ValidatorPublicKey,
    /// When the batch was made, by the requestor's clock (unix milliseconds).
    pub at_ms: u64,
    /// What is wrong with its partial.
    pub fault: PartialFault,
}

/// What is wrong with a partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartialFault {
    /// Its bytes are no point.
    Point(PointError),
    /// It does not fit the member's public share and the signing root.
    Signature(VerifyError),
}

/// Why evidence proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotProved {
    /// A frame is not one.
    #[error("the {what} frame does not parse: {cause}")]
    Frame {
        /// Batch or reply.
        what: &'static str,
        /// What the decoder met.
        cause: CborError,
    },
    /// The batch is not signed by a requestor of the roster.
    #[error("the batch: {0}")]
    Batch(FrameError),
    /// The batch is signed by somebody who is no requestor.
    #[error("the batch is signed by {0}, who is no requestor")]
    NotARequestor(PartyId),
    /// The reply is not signed by the member.
    #[error("the reply: {0}")]
    Reply(FrameError),
    /// The reply belongs to another batch.
    #[error("the reply answers another batch")]
    OtherBatch,
    /// The reply names another member than the one whose session signed it.
    #[error("the reply names member {0}")]
    OtherMember(u16),
    /// Not one answer for each duty, so that no answer belongs to any.
    #[error("the reply has {got} answers to {expected} duties")]
    AnswerCount {
        /// Duties in the batch.
        expected: usize,
        /// Answers in the reply.
        got: usize,
    },
    /// No such duty in the batch.
    #[error("duty {item} is not among the {duties} duties of the batch")]
    NoSuchItem {
        /// The place named.
        item: u32,
        /// Duties in the batch.
        duties: usize,
    },
    /// The descriptor at hand is of another group than the evidence names.
    #[error("the evidence is about the group with transcript {expected}, at hand is {got}")]
    OtherGroup {
        /// Transcript named in the evidence, hexadecimal.
        expected: String,
        /// Transcript of the group at hand, hexadecimal.
        got: String,
    },
    /// The group has no such key or member.
    #[error("the group has no {0}")]
    NotInGroup(String),
    /// The duty or the answer is about another group epoch.
    #[error("group epoch {got} is asked or answered, the descriptor is of {expected}")]
    OtherGroupEpoch {
        /// The descriptor's.
        expected: u32,
        /// The duty's or the answer's.
        got: u32,
    },
    /// The scale is neither plain nor the group's.
    #[error("the partial is in scale {got}, the group's is {expected}")]
    OtherScale {
        /// The group's.
        expected: u64,
        /// The answer's.
        got: u64,
    },
    /// The member refused, which is never a lie.
    #[error("the member refused this duty")]
    Refused,
    /// The member answered as it should.
    #[error("the partial signature is right")]
    Right,
}

/// Checks evidence from its bytes, the roster of its time and the group's descriptor.
#[must_use]
pub fn verify(
    evidence: &WrongPartialEvidence,
    network: NetworkId,
    roster: &Roster,
    group: &KnownGroup,
) -> Verdict {
    match examine(evidence, network, roster, group) {
        Ok(proof) => Verdict::Proved(proof),
        Err(reason) => Verdict::NotProved(reason),
    }
}

fn examine(
    evidence: &WrongPartialEvidence,
    network: NetworkId,
    roster: &Roster,
    group: &KnownGroup,
) -> Result<Proof, NotProved> {
    if evidence.group != *group.transcript() {
        let (expected, got) = (hex::encode(evidence.group), hex::encode(group.transcript()));
        return Err(NotProved::OtherGroup { expected, got });
    }
    let (requestor, batch) = open_batch(evidence, network, roster)?;
    let now = batch.issued_at_ms / 1000;
    let answer = answer(evidence, network, roster, &batch, now)?;
    let place = usize::try_from(evidence.item).unwrap_or(usize::MAX);
    let item = batch
        .items
        .get(place)
        .ok_or_else(|| no_such_item(evidence, &batch))?;
    let expected = group.signers().epoch();
    for got in [item.group_epoch, answer.group_epoch] {
        if got != expected {
            return Err(NotProved::OtherGroupEpoch { expected, got });
        }
    }
    let key = group.key(&item.key);
    let key = key.ok_or_else(|| NotProved::NotInGroup(format!("key {}", item.key)))?;
    let scale = key.group().lagrange().scale();
    let scale = match Scale::from_u64(answer.scale) {
        Ok(got) if got == scale || got.is_plain() => got,
        _ => {
            let (expected, got) = (scale.to_u64(), answer.scale);
            return Err(NotProved::OtherScale { expected, got });
        }
    };
    let stranger = || NotProved::NotInGroup(format!("member {}", evidence.member));
    let member = ShareIndex::try_from(u64::from(evidence.member)).map_err(|_| stranger())?;
    let share = key.plain_share(member).ok_or_else(stranger)?.scaled(scale);
    let root = HashedRoot::new(item.signing_root.as_bytes());
    let fault = match PartialSignature::from_uncompressed(member, &answer.point) {
        Err(fault) => PartialFault::Point(fault),
        Ok(partial) => match partial.verify(&share, &root) {
            Err(fault) => PartialFault::Signature(fault),
            Ok(()) => return Err(NotProved::Right),
        },
    };
    Ok(Proof {
        member,
        requestor,
        key: item.key,
        at_ms: batch.issued_at_ms,
        fault,
    })
}

/// The batch, with whoever signed it: a requestor whose session was valid when it was made.
fn open_batch(
    evidence: &WrongPartialEvidence,
    network: NetworkId,
    roster: &Roster,
) -> Result<(PartyId, Verified<SignBatch>), NotProved> {
    let frame = parse("batch", &evidence.batch_frame)?;
    let session = SessionKey::verify_at_any_time(network, &frame.certificate, roster);
    let holder = session
        .map_err(|e| NotProved::Batch(e.into()))?
        .holder
        .clone();
    let is_requestor = match &holder {
        PartyId::Client(name) => roster
            .client(name)
            .is_some_and(|client| client.kind == ClientKind::Requestor),
        PartyId::Member(_) => false,
    };
    if !is_requestor {
        return Err(NotProved::NotARequestor(holder));
    }
    let signed = Signed::<SignBatch>::from_bytes(network, &frame.message);
    let signed = signed.map_err(|e| NotProved::Batch(e.into()))?;
    let issued = signed.unverified().value().issued_at_ms / 1000;
    let batch = frame::open(network, &frame, roster, &holder, issued, &mut None);
    Ok((holder, batch.map_err(NotProved::Batch)?))
}

/// The member's answer to the duty in question.
fn answer(
    evidence: &WrongPartialEvidence,
    network: NetworkId,
    roster: &Roster,
    batch: &Verified<SignBatch>,
    now: u64,
) -> Result<PartialAnswer, NotProved> {
    let frame = parse("reply", &evidence.reply_frame)?;
    let holder = PartyId::Member(evidence.member);
    let reply: Verified<SignReply> =
        frame::open(network, &frame, roster, &holder, now, &mut None).map_err(NotProved::Reply)?;
    if reply.member != evidence.member {
        return Err(NotProved::OtherMember(reply.member));
    }
    if *reply.batch != batch.digest() {
        return Err(NotProved::OtherBatch);
    }
    let (expected, got) = (batch.items.len(), reply.answers.len());
    if expected != got {
        return Err(NotProved::AnswerCount { expected, got });
    }
    let place = usize::try_from(evidence.item).unwrap_or(usize::MAX);
    match reply.answers.get(place) {
        Some(SignAnswer::Partial(answer)) => Ok(answer.clone()),
        Some(SignAnswer::Refused(_)) => Err(NotProved::Refused),
        None => Err(no_such_item(evidence, batch)),
    }
}

fn no_such_item(evidence: &WrongPartialEvidence, batch: &SignBatch) -> NotProved {
    NotProved::NoSuchItem {
        item: evidence.item,
        duties: batch.items.len(),
    }
}

fn parse(what: &'static str, bytes: &[u8]) -> Result<SessionFrame, NotProved> {
    SessionFrame::from_bytes(bytes).map_err(|cause| NotProved::Frame { what, cause })
}

impl fmt::Display for PartialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(fault) => fault.fmt(f),
            Self::Signature(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proved(proof) => write!(
                f,
                "proved: member {} gave a wrong partial signature for {} to {}: {}",
                proof.member, proof.key, proof.requestor, proof.fault
            ),
            Self::NotProved(reason) => write!(f, "not proved: {reason}"),
        }
    }
}
