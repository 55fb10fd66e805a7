//! The types of signing requests, by the name in the field `type`.

use crate::error::RequestError;
use crate::field::Field;

/// A type of the Web3Signer interface; `_V2` types have variants of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestType {
    AggregationSlot,
    AggregateAndProof,
    Attestation,
    Block,
    BlockV2,
    Deposit,
    RandaoReveal,
    VoluntaryExit,
    SyncCommitteeMessage,
    SyncCommitteeSelectionProof,
    SyncCommitteeContributionAndProof,
    ValidatorRegistration,
}

impl RequestType {
    /// Reads the field `type`, in any case.
    pub(crate) fn of(body: &Field<'_>) -> Result<Self, RequestError> {
        let field = body.required("type")?;
        let name = field.text()?;
        let found = NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, found)| *found)
            .ok_or_else(|| field.refused(EXPECTED))
    }
}

/// Both names of the aggregate mean the same here: which form it has is seen from the object.
const NAMES: [(&str, RequestType); 13] = [
    ("AGGREGATION_SLOT", RequestType::AggregationSlot),
    ("AGGREGATE_AND_PROOF", RequestType::AggregateAndProof),
    ("AGGREGATE_AND_PROOF_V2", RequestType::AggregateAndProof),
    ("ATTESTATION", RequestType::Attestation),
    ("BLOCK", RequestType::Block),
    ("BLOCK_V2", RequestType::BlockV2),
    ("DEPOSIT", RequestType::Deposit),
    ("RANDAO_REVEAL", RequestType::RandaoReveal),
    ("VOLUNTARY_EXIT", RequestType::VoluntaryExit),
    ("SYNC_COMMITTEE_MESSAGE", RequestType::SyncCommitteeMessage),
    (
        "SYNC_COMMITTEE_SELECTION_PROOF",
        RequestType::SyncCommitteeSelectionProof,
    ),
    (
        "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
        RequestType::SyncCommitteeContributionAndProof,
    ),
    ("VALIDATOR_REGISTRATION", RequestType::ValidatorRegistration),
];
const EXPECTED: &str = "AGGREGATION_SLOT, AGGREGATE_AND_PROOF, AGGREGATE_AND_PROOF_V2, \
    ATTESTATION, BLOCK, BLOCK_V2, DEPOSIT, RANDAO_REVEAL, VOLUNTARY_EXIT, SYNC_COMMITTEE_MESSAGE, \
    SYNC_COMMITTEE_SELECTION_PROOF, SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF or \
    VALIDATOR_REGISTRATION";
