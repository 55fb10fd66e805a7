//! Votes as they are aggregated and as they stand in evidence of a slashing (consensus-specs
//! `specs/phase0/beacon-chain.md`, `specs/electra/beacon-chain.md`, `specs/phase0/validator.md`).

use crate::bits::{Bitlist, Bitvector, SszError};
use crate::message::AttestationData;
use crate::network::Preset;
use crate::ssz::{TreeRoot, container, merkleize, mix_in_length, pack};
use crate::units::{BlsSignature, Root, ValidatorIndex};

/// `MAX_VALIDATORS_PER_COMMITTEE`, the same in both presets.
pub const MAX_VALIDATORS_PER_COMMITTEE: usize = 2048;

/// An attestation before Electra: the votes of one committee (`Attestation`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Who voted, in the order of the committee.
    pub aggregation_bits: AggregationBits,
    /// What they voted for.
    pub data: AttestationData,
    /// The aggregated signature.
    pub signature: BlsSignature,
}

impl TreeRoot for Attestation {
    fn tree_root(&self) -> Root {
        container(&[
            self.aggregation_bits.0.tree_root(),
            self.data.tree_root(),
            self.signature.tree_root(),
        ])
    }
}

/// The bits of one committee: `Bitlist[MAX_VALIDATORS_PER_COMMITTEE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregationBits(Bitlist);

impl AggregationBits {
    /// Reads the serialized form.
    ///
    /// # Errors
    ///
    /// As [`Bitlist::from_ssz`].
    pub fn from_ssz(serialized: &[u8]) -> Result<Self, SszError> {
        Bitlist::from_ssz(serialized, MAX_VALIDATORS_PER_COMMITTEE).map(Self)
    }
}

/// An attestation from Electra on: the votes of several committees of a slot (EIP-7549).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectraAttestation {
    aggregation_bits: Bitlist,
    data: AttestationData,
    signature: BlsSignature,
    committee_bits: Bitvector,
}

impl ElectraAttestation {
    /// An attestation from its fields, the bits in their serialized form.
    ///
    /// # Errors
    ///
    /// Bits that do not fit the preset, with the name of the field.
    pub fn new(
        preset: Preset,
        aggregation_bits: &[u8],
        data: AttestationData,
        signature: BlsSignature,
        committee_bits: &[u8],
    ) -> Result<Self, (&'static str, SszError)> {
        let committees = preset.max_committees_per_slot();
        let limit = MAX_VALIDATORS_PER_COMMITTEE.saturating_mul(committees);
        Ok(Self {
            aggregation_bits: Bitlist::from_ssz(aggregation_bits, limit)
                .map_err(|error| ("aggregation_bits", error))?,
            data,
            signature,
            committee_bits: Bitvector::from_ssz(committee_bits, committees)
                .map_err(|error| ("committee_bits", error))?,
        })
    }

    /// What was voted for.
    #[must_use]
    pub const fn data(&self) -> &AttestationData {
        &self.data
    }
}

impl TreeRoot for ElectraAttestation {
    fn tree_root(&self) -> Root {
        container(&[
            self.aggregation_bits.tree_root(),
            self.data.tree_root(),
            self.signature.tree_root(),
            self.committee_bits.tree_root(),
        ])
    }
}

/// What an aggregator publishes (`AggregateAndProof`), over an attestation of either form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateAndProof<A> {
    /// Who aggregated.
    pub aggregator_index: ValidatorIndex,
    /// The aggregated attestation.
    pub aggregate: A,
    /// The proof that the aggregator was chosen.
    pub selection_proof: BlsSignature,
}

impl<A: TreeRoot> TreeRoot for AggregateAndProof<A> {
    fn tree_root(&self) -> Root {
        container(&[
            self.aggregator_index.tree_root(),
            self.aggregate.tree_root(),
            self.selection_proof.tree_root(),
        ])
    }
}

/// A vote with its voters by index (`IndexedAttestation` before Electra).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedAttestation {
    /// Who voted.
    pub attesting_indices: AttestingIndices,
    /// What they voted for.
    pub data: AttestationData,
    /// The aggregated signature.
    pub signature: BlsSignature,
}

impl TreeRoot for IndexedAttestation {
    fn tree_root(&self) -> Root {
        container(&[
            self.attesting_indices.tree_root(),
            self.data.tree_root(),
            self.signature.tree_root(),
        ])
    }
}

/// `List[ValidatorIndex, MAX_VALIDATORS_PER_COMMITTEE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestingIndices(Vec<ValidatorIndex>);

impl TryFrom<Vec<ValidatorIndex>> for AttestingIndices {
    type Error = SszError;

    fn try_from(indices: Vec<ValidatorIndex>) -> Result<Self, SszError> {
        let (got, limit) = (indices.len(), MAX_VALIDATORS_PER_COMMITTEE);
        if got > limit {
            return Err(SszError::TooMany { got, limit });
        }
        Ok(Self(indices))
    }
}

impl TreeRoot for AttestingIndices {
    fn tree_root(&self) -> Root {
        let bytes: Vec<u8> = self
            .0
            .iter()
            .flat_map(|index| index.0.to_le_bytes())
            .collect();
        // Four numbers of eight bytes fill one leaf.
        let root = merkleize(pack(&bytes), MAX_VALIDATORS_PER_COMMITTEE / 4);
        mix_in_length(&root, self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Checkpoint;
    use crate::units::{Epoch, Slot};

    /// The roots were computed with remerkleable, the SSZ library of consensus-specs.
    #[test]
    fn electra_aggregates_have_the_roots_of_the_reference_library() {
        let root = |byte| Root([byte; 32]);
        let data = AttestationData {
            slot: Slot(32),
            index: 0,
            beacon_block_root: root(0x11),
            source: Checkpoint {
                epoch: Epoch(0),
                root: root(0x22),
            },
            target: Checkpoint {
                epoch: Epoch(1),
                root: root(0x33),
            },
        };
        let mut bits = [0xff; 41];
        bits[40] = 0x0b;
        let cases: [(_, &[u8], _, _); 2] = [
            (
                Preset::Mainnet,
                &[5, 0, 0, 0, 0, 0, 0, 0x80],
                "0xecb127299d146813c9241ff4ea71c4815619b2002e453fcfe5dd9681ee6097ca",
                "0x1c018239061149ec7bfb92374b8809c247d158ad7601350b1628f4b28ab7aeed",
            ),
            (
                Preset::Minimal,
                &[5],
                "0x2fe450cae04ef503869172882cc616e0a2e07cc99367654f9764f84b3f3eff57",
                "0xaadff649d6b77fb0bf2734b59d7fd0f671abad0090680777c2ffc5f6ff9a56e2",
            ),
        ];
        for (preset, committees, attestation, whole) in cases {
            let signature = BlsSignature([0x44; 96]);
            let aggregate =
                ElectraAttestation::new(preset, &bits, data, signature, committees).unwrap();
            assert_eq!(aggregate.tree_root().to_string(), attestation);
            let aggregator_index = ValidatorIndex(7);
            let selection_proof = BlsSignature([0x55; 96]);
            let proof = AggregateAndProof {
                aggregator_index,
                aggregate,
                selection_proof,
            };
            assert_eq!(proof.tree_root().to_string(), whole);
        }
    }

    #[test]
    fn committee_bits_have_the_size_of_the_preset() {
        let data = AttestationData {
            slot: Slot(0),
            index: 0,
            beacon_block_root: Root([0; 32]),
            source: Checkpoint {
                epoch: Epoch(0),
                root: Root([0; 32]),
            },
            target: Checkpoint {
                epoch: Epoch(0),
                root: Root([0; 32]),
            },
        };
        let signature = BlsSignature([0; 96]);
        let new =
            |preset, bits: &[u8]| ElectraAttestation::new(preset, &[1], data, signature, bits);
        let error = new(Preset::Mainnet, &[1]).unwrap_err();
        assert_eq!(
            error,
            (
                "committee_bits",
                SszError::Length {
                    got: 1,
                    expected: 8
                }
            )
        );
        let error = new(Preset::Minimal, &[0x10]).unwrap_err();
        assert_eq!(error, ("committee_bits", SszError::SpareBit { bits: 4 }));
    }
}
