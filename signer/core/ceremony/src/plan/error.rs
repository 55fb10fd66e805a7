//! Why a plan is refused.

use symbolon_protocol::EnvelopeError;
use symbolon_threshold::PointError;

use super::{MAX_DEALS_BYTES, MAX_KEYS, MAX_RECEIVERS};
use crate::arithmetic::PolicyError;
use crate::cosigned::CosignedError;
use crate::name::GroupEpoch;

/// The rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The bytes, or the signatures under them.
    #[error(transparent)]
    Cosigned(#[from] CosignedError),
    /// Made under another roster.
    #[error("the plan is made under roster {got}, in force is {expected}: make a new plan")]
    Roster {
        /// Hash of the roster given.
        expected: String,
        /// Hash in the plan.
        got: String,
    },
    /// Made for another cluster.
    #[error("the plan is for another cluster")]
    Cluster,
    /// No keys, or too many.
    #[error("a ceremony makes 1 to {MAX_KEYS} keys, this plan has {got}")]
    Keys {
        /// Keys in the plan.
        got: u16,
    },
    /// Too few or too many receivers.
    #[error("a ceremony has 2 to {MAX_RECEIVERS} receivers, this plan has {got}")]
    Receivers {
        /// Receivers in the plan.
        got: usize,
    },
    /// Index zero.
    #[error("the plan names share index 0; indices are 1 to 65535")]
    IndexZero,
    /// Doubled or unsorted indices.
    #[error("share index {index} is doubled or not in rising order")]
    Order {
        /// The index at fault.
        index: u16,
    },
    /// Not a member.
    #[error("share index {index} belongs to no member of the roster")]
    UnknownMember {
        /// The index.
        index: u16,
    },
    /// t, n or the class.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The offer does not parse, or another key signed it.
    #[error("the offer of member {index} does not hold: {cause}")]
    Offer {
        /// The receiver.
        index: u16,
        /// What does not hold.
        #[source]
        cause: EnvelopeError,
    },
    /// The offer is for something else.
    #[error("the offer of member {index} is for another {what}")]
    OfferFor {
        /// The receiver.
        index: u16,
        /// What differs.
        what: &'static str,
    },
    /// The key in the plan is not the one offered.
    #[error("the plan gives member {index} another encryption key than the member offered")]
    SwappedKey {
        /// The receiver.
        index: u16,
    },
    /// Two receivers offer one key.
    #[error("members {first} and {second} offer the same encryption key")]
    SharedKey {
        /// One receiver.
        first: u16,
        /// The other.
        second: u16,
    },
    /// Who deals does not fit the kind.
    #[error("the dealers do not fit: {0}")]
    Dealers(&'static str),
    /// The import dealer is no operator.
    #[error("the import dealer {0:?} is not an operator of the roster")]
    ImportDealer(String),
    /// The public keys of an import are missing, or too few or many.
    #[error(
        "the plan of an import names the public key of each of its {keys} keys, and no other plan names any"
    )]
    ImportedKeys {
        /// Keys in the plan.
        keys: u16,
    },
    /// A public key of an import is no key.
    #[error("imported key {key} is no public key: {cause}")]
    ImportedKey {
        /// Which, counted from 0.
        key: usize,
        /// What is wrong.
        #[source]
        cause: PointError,
    },
    /// A public key twice.
    #[error("imported key {key} occurs twice")]
    ImportedTwice {
        /// Which, counted from 0.
        key: usize,
    },
    /// Not the epoch that this kind makes.
    #[error("a new group has epoch 1, the plan says {got}")]
    GroupEpoch {
        /// Epoch in the plan.
        got: GroupEpoch,
    },
    /// Unknown, doubled or unsorted kinds of duty.
    #[error("the kinds of duty are not known codes in rising order")]
    Duties,
    /// Duties where the class has one only.
    #[error("the keys of a cold group sign credential changes and nothing else: name no duties")]
    ColdDuties,
    /// The deals would be too large to carry.
    #[error(
        "the deals would have {got} bytes together, at most {MAX_DEALS_BYTES} are carried: make fewer keys at once"
    )]
    TooLarge {
        /// Bytes of all deals.
        got: usize,
    },
}

impl PlanError {
    /// A stable name for records and vectors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Cosigned(CosignedError::Envelope(_)) => "plan-form",
            Self::Cosigned(CosignedError::Order(_)) => "plan-signers",
            Self::Cosigned(CosignedError::Quorum { .. }) => "plan-quorum",
            Self::Roster { .. } => "plan-roster",
            Self::Cluster => "plan-cluster",
            Self::Keys { .. } => "plan-keys",
            Self::Receivers { .. } => "plan-receivers",
            Self::IndexZero => "plan-index-zero",
            Self::Order { .. } => "plan-index-order",
            Self::UnknownMember { .. } => "plan-unknown-member",
            Self::Policy(PolicyError::Threshold(_)) => "plan-threshold",
            Self::Policy(_) => "plan-policy",
            Self::Offer { .. } => "plan-offer",
            Self::OfferFor { .. } => "plan-offer-for-another",
            Self::SwappedKey { .. } => "plan-swapped-key",
            Self::SharedKey { .. } => "plan-shared-key",
            Self::Dealers(_) => "plan-dealers",
            Self::ImportDealer(_) => "plan-import-dealer",
            Self::ImportedKeys { .. } => "plan-imported-keys",
            Self::ImportedKey { .. } => "plan-imported-key",
            Self::ImportedTwice { .. } => "plan-imported-twice",
            Self::GroupEpoch { .. } => "plan-group-epoch",
            Self::Duties | Self::ColdDuties => "plan-duties",
            Self::TooLarge { .. } => "plan-too-large",
        }
    }
}
