//! The types of signing requests, as the Web3Signer interface names them.

use core::fmt;
use core::str::FromStr;

/// A type of signing request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// `AGGREGATION_SLOT`.
    AggregationSlot,
    /// `AGGREGATE_AND_PROOF`.
    AggregateAndProof,
    /// `AGGREGATE_AND_PROOF_V2`.
    AggregateAndProofV2,
    /// `ATTESTATION`.
    Attestation,
    /// `BLOCK`: a whole block.
    Block,
    /// `BLOCK_V2`: a header, from Bellatrix on.
    BlockV2,
    /// `DEPOSIT`.
    Deposit,
    /// `RANDAO_REVEAL`.
    RandaoReveal,
    /// `VOLUNTARY_EXIT`.
    VoluntaryExit,
    /// `SYNC_COMMITTEE_MESSAGE`.
    SyncCommitteeMessage,
    /// `SYNC_COMMITTEE_SELECTION_PROOF`.
    SyncCommitteeSelectionProof,
    /// `SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF`.
    SyncCommitteeContributionAndProof,
    /// `VALIDATOR_REGISTRATION`.
    ValidatorRegistration,
}

impl RequestKind {
    /// All types.
    pub const ALL: [Self; 13] = [
        Self::AggregationSlot,
        Self::AggregateAndProof,
        Self::AggregateAndProofV2,
        Self::Attestation,
        Self::Block,
        Self::BlockV2,
        Self::Deposit,
        Self::RandaoReveal,
        Self::VoluntaryExit,
        Self::SyncCommitteeMessage,
        Self::SyncCommitteeSelectionProof,
        Self::SyncCommitteeContributionAndProof,
        Self::ValidatorRegistration,
    ];

    /// The value of the field `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AggregationSlot => "AGGREGATION_SLOT",
            Self::AggregateAndProof => "AGGREGATE_AND_PROOF",
            Self::AggregateAndProofV2 => "AGGREGATE_AND_PROOF_V2",
            Self::Attestation => "ATTESTATION",
            Self::Block => "BLOCK",
            Self::BlockV2 => "BLOCK_V2",
            Self::Deposit => "DEPOSIT",
            Self::RandaoReveal => "RANDAO_REVEAL",
            Self::VoluntaryExit => "VOLUNTARY_EXIT",
            Self::SyncCommitteeMessage => "SYNC_COMMITTEE_MESSAGE",
            Self::SyncCommitteeSelectionProof => "SYNC_COMMITTEE_SELECTION_PROOF",
            Self::SyncCommitteeContributionAndProof => "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
            Self::ValidatorRegistration => "VALIDATOR_REGISTRATION",
        }
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no type of request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no type of signing request: expected one of {}", names())]
pub struct UnknownKind;

/// Accepts the names in any case.
impl FromStr for RequestKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(text));
        found.ok_or(UnknownKind)
    }
}

fn names() -> String {
    RequestKind::ALL.map(RequestKind::name).join(", ")
}
