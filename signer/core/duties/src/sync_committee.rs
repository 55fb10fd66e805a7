//! What sync committees aggregate (consensus-specs `specs/altair/{beacon-chain,validator}.md`).

use crate::bits::{Bitvector, SszError};
use crate::network::Preset;
use crate::ssz::{TreeRoot, container};
use crate::units::{BlsSignature, Root, Slot, ValidatorIndex};

/// `SYNC_COMMITTEE_SUBNET_COUNT`: the subcommittees of a sync committee.
pub const SYNC_COMMITTEE_SUBNET_COUNT: usize = 4;

/// The messages of one subcommittee (`SyncCommitteeContribution`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncCommitteeContribution {
    slot: Slot,
    beacon_block_root: Root,
    subcommittee_index: u64,
    aggregation_bits: Bitvector,
    signature: BlsSignature,
}

impl SyncCommitteeContribution {
    /// A contribution from its fields, the bits in their serialized form.
    ///
    /// # Errors
    ///
    /// Bits that are not as many as a subcommittee of the preset has seats.
    pub fn new(
        preset: Preset,
        slot: Slot,
        beacon_block_root: Root,
        subcommittee_index: u64,
        aggregation_bits: &[u8],
        signature: BlsSignature,
    ) -> Result<Self, SszError> {
        let seats = preset.sync_committee_size() / SYNC_COMMITTEE_SUBNET_COUNT;
        let aggregation_bits = Bitvector::from_ssz(aggregation_bits, seats)?;
        Ok(Self {
            slot,
            beacon_block_root,
            subcommittee_index,
            aggregation_bits,
            signature,
        })
    }

    /// The slot of the messages.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.slot
    }
}

impl TreeRoot for SyncCommitteeContribution {
    fn tree_root(&self) -> Root {
        container(&[
            self.slot.tree_root(),
            self.beacon_block_root,
            self.subcommittee_index.tree_root(),
            self.aggregation_bits.tree_root(),
            self.signature.tree_root(),
        ])
    }
}

/// What a sync committee aggregator publishes (`ContributionAndProof`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContributionAndProof {
    /// Who aggregated.
    pub aggregator_index: ValidatorIndex,
    /// The aggregated messages.
    pub contribution: SyncCommitteeContribution,
    /// The proof that the aggregator was chosen.
    pub selection_proof: BlsSignature,
}

impl TreeRoot for ContributionAndProof {
    fn tree_root(&self) -> Root {
        container(&[
            self.aggregator_index.tree_root(),
            self.contribution.tree_root(),
            self.selection_proof.tree_root(),
        ])
    }
}

/// The sync committee's votes for the parent block (`SyncAggregate`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncAggregate {
    bits: Bitvector,
    signature: BlsSignature,
}

impl SyncAggregate {
    /// An aggregate from its fields, the bits in their serialized form.
    ///
    /// # Errors
    ///
    /// Bits that are not as many as the committee of the preset has seats.
    pub fn new(preset: Preset, bits: &[u8], signature: BlsSignature) -> Result<Self, SszError> {
        let bits = Bitvector::from_ssz(bits, preset.sync_committee_size())?;
        Ok(Self { bits, signature })
    }
}

impl TreeRoot for SyncAggregate {
    fn tree_root(&self) -> Root {
        container(&[self.bits.tree_root(), self.signature.tree_root()])
    }
}
