//! What can be wrong with the deals of a ceremony, and who is to blame for it.

use core::fmt;

use symbolon_protocol::EnvelopeError;
use symbolon_threshold::PointError;

use crate::complaint::ComplaintReason;
use crate::deal::DealerId;

/// Whether blame can be shown to anybody, or only believed by whoever saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Signed bytes show it to anybody.
    Proved,
    /// It may as well be the work of whoever carried the bytes, or of the one who complains.
    Suspected,
}

/// A set of deals that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault} ({standing})", whose(*dealer))]
pub struct DealError {
    /// The dealer at fault; `None` when only the carrier can be.
    pub dealer: Option<DealerId>,
    /// Whether the deal's own bytes prove it.
    pub standing: Standing,
    /// What is wrong.
    #[source]
    pub fault: DealFault,
}

/// What is wrong with a deal, in the order in which it is looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DealFault {
    /// More deals than dealers.
    #[error("{got} deals were given, the plan has {expected} dealers")]
    Count {
        /// Dealers of the plan.
        expected: usize,
        /// Deals given.
        got: usize,
    },
    /// Longer than a deal of this plan can be.
    #[error("deal number {position} has {got} bytes, at most {max} are possible in this plan")]
    TooLarge {
        /// Place in the set given, from 0.
        position: usize,
        /// Its bytes.
        got: usize,
        /// Most bytes.
        max: usize,
    },
    /// Not the canonical bytes of a signed deal of this network.
    #[error("deal number {position} does not parse: {cause}")]
    Form {
        /// Place in the set given, from 0.
        position: usize,
        /// What is wrong with it.
        #[source]
        cause: EnvelopeError,
    },
    /// Made in another ceremony.
    #[error("the deal belongs to another ceremony")]
    OtherCeremony,
    /// Made by someone who does not deal here.
    #[error("the plan has no such dealer")]
    NotADealer,
    /// A dealer twice.
    #[error("two deals of one dealer")]
    Doubled,
    /// A dealer not at all.
    #[error("the deal is missing")]
    Missing,
    /// Not signed by the dealer.
    #[error("the signature is not by the dealer's identity key")]
    Signature,
    /// Too few or many commitments: the threshold would change.
    #[error("{got} bytes of commitments, expected {expected} points of 48 bytes")]
    Commitments {
        /// t * m.
        expected: usize,
        /// Bytes in the deal.
        got: usize,
    },
    /// Too few or many proofs.
    #[error("{got} bytes of proofs, expected {expected} proofs of 96 bytes")]
    Proofs {
        /// m.
        expected: usize,
        /// Bytes in the deal.
        got: usize,
    },
    /// Envelopes that are not one for each receiver, of the right length, in order.
    #[error("envelope {position} is missing, too many, for another receiver, or of another length")]
    Envelopes {
        /// Place of the first wrong one, from 0.
        position: usize,
    },
    /// A commitment that is no point.
    #[error("commitment {degree} of key {key}: {cause}")]
    Point {
        /// The key, from 0.
        key: usize,
        /// The coefficient, from 0.
        degree: usize,
        /// What is wrong.
        #[source]
        cause: PointError,
    },
    /// The import deals another key than the plan names.
    #[error("the constant of key {key} is not the public key that the plan names")]
    OtherKey {
        /// The key, from 0.
        key: usize,
    },
    /// A proof that is no point.
    #[error("proof of possession of key {key}: {cause}")]
    ProofPoint {
        /// The key, from 0.
        key: usize,
        /// What is wrong.
        #[source]
        cause: PointError,
    },
    /// A proof that does not hold: the dealer does not show that it knows its own constant.
    #[error("the proof of possession of key {key} does not hold")]
    Proof {
        /// The key, from 0.
        key: usize,
    },
    /// One constant twice.
    #[error("the constant of key {key} occurs twice among the deals")]
    Repeated {
        /// The key, from 0.
        key: usize,
    },
    /// An ephemeral key that is no compressed point of P-256.
    #[error("the ephemeral key for member {receiver} is not a compressed point of P-256")]
    Ephemeral {
        /// The receiver's share index.
        receiver: u16,
    },
    /// The envelope for this member: only this member's HSM can tell, so it must complain.
    #[error("{0}")]
    Envelope(ComplaintReason),
    /// The joint polynomial of a key loses a coefficient: its key or its threshold would be void.
    #[error("coefficient {degree} of key {key} cancels in the sum of the deals")]
    Cancelled {
        /// The key, from 0.
        key: usize,
        /// The coefficient; 0 is the group public key.
        degree: usize,
    },
    /// A member's share would be zero.
    #[error("a share of key {key} is zero in the sum of the deals")]
    ZeroShare {
        /// The key, from 0.
        key: usize,
    },
    /// Two keys of the batch are one.
    #[error("the group public key of key {key} occurs twice")]
    RepeatedKey {
        /// The key, from 0.
        key: usize,
    },
}

impl DealError {
    pub(crate) const fn proved(dealer: DealerId, fault: DealFault) -> Self {
        Self {
            dealer: Some(dealer),
            standing: Standing::Proved,
            fault,
        }
    }

    pub(crate) const fn suspected(dealer: Option<DealerId>, fault: DealFault) -> Self {
        Self {
            dealer,
            standing: Standing::Suspected,
            fault,
        }
    }
}

impl DealFault {
    /// A stable name for records and vectors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "deal-count",
            Self::TooLarge { .. } => "deal-too-large",
            Self::Form { .. } => "deal-form",
            Self::OtherCeremony => "deal-of-another-ceremony",
            Self::NotADealer => "deal-of-no-dealer",
            Self::Doubled => "deal-doubled",
            Self::Missing => "deal-missing",
            Self::Signature => "deal-signature",
            Self::Commitments { .. } => "commitment-count",
            Self::Proofs { .. } => "proof-count",
            Self::Envelopes { .. } => "envelope-count",
            Self::Point { .. } => "commitment-point",
            Self::ProofPoint { .. } => "proof-point",
            Self::OtherKey { .. } => "other-imported-key",
            Self::Proof { .. } => "proof-of-possession",
            Self::Repeated { .. } => "repeated-constant",
            Self::Ephemeral { .. } => "ephemeral-point",
            Self::Envelope(ComplaintReason::DoesNotOpen) => "envelope-does-not-open",
            Self::Envelope(ComplaintReason::BadScalar) => "share-not-a-scalar",
            Self::Envelope(ComplaintReason::WrongShare) => "share-off-polynomial",
            Self::Cancelled { .. } => "coefficient-cancels",
            Self::ZeroShare { .. } => "share-zero",
            Self::RepeatedKey { .. } => "repeated-group-key",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proved => "proved",
            Self::Suspected => "suspected",
        })
    }
}

fn whose(dealer: Option<DealerId>) -> String {
    dealer
        .map(|dealer| format!("deal of {dealer}: "))
        .unwrap_or_default()
}
