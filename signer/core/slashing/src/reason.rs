//! Why a message is not signed.

use core::fmt;

use symbolon_duties::{Epoch, SigningRoot, Slot};

/// Why slashing protection refuses a message: a sentence, and a stable [code](Self::code).
///
/// The kinds are told apart by where the message lies against the mark, so each is true of the mark
/// also where the mark is a floor or an import and no single signed message stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Another block of the same slot is locked, or the block locked there is not known.
    #[error("slot {slot} is taken by {}", Locked(*locked))]
    DoubleProposal {
        /// Slot of the block.
        slot: Slot,
        /// Signing root of the block that is locked, where known.
        locked: Option<SigningRoot>,
    },
    /// The block lies below the highest signed slot.
    #[error("slot {slot} is below the highest signed slot {minimum}")]
    BelowMinimumSlot {
        /// Slot of the block.
        slot: Slot,
        /// Highest signed slot; a block must lie above it.
        minimum: Slot,
    },
    /// Another attestation of the same target is locked, or the one locked there is not known.
    #[error("target epoch {target} is taken by {}", Locked(*locked))]
    DoubleVote {
        /// Target epoch of the attestation.
        target: Epoch,
        /// Signing root of the attestation that is locked, where known.
        locked: Option<SigningRoot>,
    },
    /// The vote surrounds the mark.
    #[error(
        "source epoch {source_epoch} and target epoch {target} surround the signed epochs \
         {minimum_source} and {minimum_target}"
    )]
    SurroundingVote {
        /// Source epoch of the attestation.
        source_epoch: Epoch,
        /// Target epoch of the attestation.
        target: Epoch,
        /// Highest signed source.
        minimum_source: Epoch,
        /// Highest signed target.
        minimum_target: Epoch,
    },
    /// The vote is surrounded by the mark.
    #[error(
        "source epoch {source_epoch} and target epoch {target} are surrounded by the signed epochs \
         {minimum_source} and {minimum_target}"
    )]
    SurroundedVote {
        /// Source epoch of the attestation.
        source_epoch: Epoch,
        /// Target epoch of the attestation.
        target: Epoch,
        /// Highest signed source.
        minimum_source: Epoch,
        /// Highest signed target.
        minimum_target: Epoch,
    },
    /// The source lies below the highest signed source.
    #[error("source epoch {source_epoch} is below the highest signed source epoch {minimum}")]
    BelowMinimumSource {
        /// Source epoch of the attestation.
        source_epoch: Epoch,
        /// Highest signed source; a source must not lie below it.
        minimum: Epoch,
    },
    /// The target does not lie above the highest signed target.
    #[error("target epoch {target} is not above the highest signed target epoch {minimum}")]
    BelowMinimumTarget {
        /// Target epoch of the attestation.
        target: Epoch,
        /// Highest signed target; a target must lie above it.
        minimum: Epoch,
    },
    /// The source lies after the target: no honest attestation.
    #[error("source epoch {source_epoch} is after target epoch {target}")]
    SourceAfterTarget {
        /// Source epoch of the attestation.
        source_epoch: Epoch,
        /// Target epoch of the attestation.
        target: Epoch,
    },
}

impl Reason {
    /// The number of this kind on the wire; never reused.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::DoubleProposal { .. } => 101,
            Self::BelowMinimumSlot { .. } => 102,
            Self::DoubleVote { .. } => 111,
            Self::SurroundingVote { .. } => 112,
            Self::SurroundedVote { .. } => 113,
            Self::BelowMinimumSource { .. } => 114,
            Self::BelowMinimumTarget { .. } => 115,
            Self::SourceAfterTarget { .. } => 116,
        }
    }

    /// The name of this kind, for metric labels and log fields.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DoubleProposal { .. } => "double_proposal",
            Self::BelowMinimumSlot { .. } => "below_minimum_slot",
            Self::DoubleVote { .. } => "double_vote",
            Self::SurroundingVote { .. } => "surrounding_vote",
            Self::SurroundedVote { .. } => "surrounded_vote",
            Self::BelowMinimumSource { .. } => "below_minimum_source",
            Self::BelowMinimumTarget { .. } => "below_minimum_target",
            Self::SourceAfterTarget { .. } => "source_after_target",
        }
    }

    /// The root that is locked at the slot or target of the refused message, where known: the only
    /// one that this member can still sign there.
    #[must_use]
    pub const fn locked_root(&self) -> Option<SigningRoot> {
        match self {
            Self::DoubleProposal { locked, .. } | Self::DoubleVote { locked, .. } => *locked,
            _ => None,
        }
    }
}

struct Locked(Option<SigningRoot>);

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(root) => write!(f, "the signing root {root}"),
            None => f.write_str("a message whose signing root is not known"),
        }
    }
}
