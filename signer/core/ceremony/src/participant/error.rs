//! Why a participant does not go on.

use symbolon_protocol::EnvelopeError;

use super::effect::KeyRef;
use crate::blame::BlameError;
use crate::certificate::CertificateError;
use crate::deal::DealerId;
use crate::dealer::DealerError;
use crate::descriptor::DescriptorError;
use crate::fault::{DealError, Standing};
use crate::file_name::FileName;
use crate::name::{CeremonyId, GroupEpoch, GroupLabel};
use crate::plan::PlanError;
use crate::state::CeremonyState;
use crate::wire::{CeremonyRefusal, CeremonyReply};

/// A step that is refused or failed; what was durable before stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// An answer that was not asked for.
    #[error("unexpected step: {awaited} was awaited")]
    Unexpected {
        /// What the machine waits for.
        awaited: &'static str,
    },
    /// The ceremony is not known here.
    #[error("ceremony {0} is not known here: give its plan first")]
    Unknown(CeremonyId),
    /// The ceremony is not in the right state.
    #[error("ceremony {ceremony} is {state} here; {needed}")]
    State {
        /// The ceremony.
        ceremony: CeremonyId,
        /// Its state.
        state: CeremonyState,
        /// What the request needs.
        needed: &'static str,
    },
    /// The plan breaks a rule.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan, or the group's roster, is not in the chain.
    #[error("the plan was made under roster {0}, which is not in the chain: update the roster")]
    UnknownRoster(String),
    /// This member is not in the plan.
    #[error("member {0} gets no shares by this plan")]
    NotInPlan(u16),
    /// The plan has an offer of this member that it did not make.
    #[error("the plan gives this member the encryption key {got}, which it did not offer")]
    OtherOffer {
        /// The key in the plan.
        got: String,
    },
    /// The epoch was signed in another ceremony.
    #[error(
        "epoch {group_epoch} of group {group} is signed in ceremony {by}; an epoch is never reused: choose another group label"
    )]
    EpochUsed {
        /// The group.
        group: GroupLabel,
        /// The epoch asked for.
        group_epoch: GroupEpoch,
        /// The ceremony that has it, or a later one.
        by: CeremonyId,
    },
    /// There is no epoch after this one.
    #[error("group {0} has reached its last epoch")]
    LastEpoch(GroupLabel),
    /// No deal could be made.
    #[error(transparent)]
    Dealer(#[from] DealerError),
    /// The deals are wrong.
    #[error(transparent)]
    Deals(#[from] DealError),
    /// A deal signed by this member's identity key that this member did not make.
    #[error(
        "the deals hold one signed by this member that it did not make: its identity key or its disk has a second user"
    )]
    ForeignDeal,
    /// The certificate is wrong.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate is not of what this member signed or the deals make.
    #[error("the certificate is of another transcript than this member's")]
    OtherTranscript,
    /// The finished descriptor does not hold.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// The complaint does not hold.
    #[error("the complaint does not hold: {0}")]
    Complaint(#[from] BlameError),
    /// The complaint is about a deal that this member did not make.
    #[error("the complaint is of a deal that this member did not make")]
    OtherDeal,
    /// The HSM has another key than the one offered.
    #[error("the HSM's key for group {} epoch {} is not the one that was offered", .0.group, .0.group_epoch)]
    KeyLost(KeyRef),
    /// The HSM's signature is not by the identity key of the roster.
    #[error("the HSM's signature is not by this member's identity key in the roster")]
    Signature,
    /// The HSM gives two answers to one question.
    #[error(
        "the HSM gave two different results for one key agreement: repeat the step, then check the device"
    )]
    Unstable,
    /// A file is not the one that was stored.
    #[error("the stored file {0} was altered: restore it from another member, it is public")]
    FileAltered(FileName),
    /// A sealed share does not fit.
    #[error("the sealed share of key {key} is missing or does not fit its public share")]
    Share {
        /// The key, from 0.
        key: usize,
    },
    /// No later epoch is active.
    #[error("no later epoch of group {0} is active here: its shares are kept")]
    NoSuccessor(GroupLabel),
}

/// Records from which a participant cannot be taken up again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// Not a record of this network.
    #[error(transparent)]
    Form(#[from] EnvelopeError),
    /// A record that cannot follow on those before.
    #[error(
        "a record moves ceremony {ceremony} from {from} to {to}, which never happens: the journal lacks records"
    )]
    Transition {
        /// The ceremony.
        ceremony: CeremonyId,
        /// State before, or none.
        from: &'static str,
        /// State after.
        to: CeremonyState,
    },
}

impl StepError {
    /// A stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unexpected { .. } => "unexpected-step",
            Self::Unknown(_) => "unknown-ceremony",
            Self::State { .. } => "wrong-state",
            Self::Plan(error) => error.code(),
            Self::UnknownRoster(_) => "unknown-roster",
            Self::NotInPlan(_) => "not-in-plan",
            Self::OtherOffer { .. } => "other-offer",
            Self::EpochUsed { .. } => "epoch-used",
            Self::LastEpoch(_) => "last-epoch",
            Self::Dealer(_) => "cannot-deal",
            Self::Deals(error) => error.fault.code(),
            Self::ForeignDeal => "foreign-deal",
            Self::Certificate(error) => error.code(),
            Self::OtherTranscript => "other-transcript",
            Self::Descriptor(_) => "descriptor",
            Self::Complaint(BlameError::Envelope(_)) => "complaint-form",
            Self::Complaint(BlameError::Foreign(_)) => "complaint-of-another",
            Self::OtherDeal => "complaint-of-another-deal",
            Self::KeyLost(_) => "key-lost",
            Self::Signature => "identity-signature",
            Self::Unstable => "device-unstable",
            Self::FileAltered(_) => "file-altered",
            Self::Share { .. } => "share-unreadable",
            Self::NoSuccessor(_) => "no-successor",
        }
    }

    /// Who is to blame, and whether anybody can be shown it.
    #[must_use]
    pub const fn culprit(&self) -> Option<(DealerId, Standing)> {
        match self {
            Self::Deals(DealError {
                dealer: Some(dealer),
                standing,
                ..
            }) => Some((*dealer, *standing)),
            _ => None,
        }
    }

    /// The refusal to send to the coordinator.
    #[must_use]
    pub fn to_reply(&self) -> CeremonyReply {
        let culprit = self.culprit();
        CeremonyReply::Refused(CeremonyRefusal {
            code: self.code().to_owned(),
            message: self.to_string(),
            culprit: culprit.map(|(dealer, _)| dealer.number()),
            proved: culprit.is_some_and(|(_, standing)| standing == Standing::Proved),
        })
    }
}
