//! Whole blocks of phase0 and Altair, which clients send with their bodies (later ones come as
//! headers). Consensus-specs `specs/phase0/beacon-chain.md`, `specs/altair/beacon-chain.md`.

use crate::attestation::{Attestation, IndexedAttestation};
use crate::bits::{List, SszError};
use crate::message::{BeaconBlockHeader, VoluntaryExit};
use crate::ssz::{TreeRoot, container, merkleize};
use crate::sync_committee::SyncAggregate;
use crate::units::{
    BlsSignature, Gwei, Root, Slot, ValidatorIndex, ValidatorPublicKey, WithdrawalCredentials,
};

/// A block (`BeaconBlock`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeaconBlock {
    /// The slot of the proposal.
    pub slot: Slot,
    /// Who proposes.
    pub proposer_index: ValidatorIndex,
    /// The root of the parent block.
    pub parent_root: Root,
    /// The root of the state after the block.
    pub state_root: Root,
    /// What the block carries.
    pub body: BeaconBlockBody,
}

impl BeaconBlock {
    /// The header of the block: same root, and all that the slashing rules look at.
    #[must_use]
    pub fn header(&self) -> BeaconBlockHeader {
        BeaconBlockHeader {
            slot: self.slot,
            proposer_index: self.proposer_index,
            parent_root: self.parent_root,
            state_root: self.state_root,
            body_root: self.body.tree_root(),
        }
    }
}

/// The body of a block (`BeaconBlockBody`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeaconBlockBody {
    /// The proposer's share of the randomness.
    pub randao_reveal: BlsSignature,
    /// The proposer's view of the deposit contract.
    pub eth1_data: Eth1Data,
    /// Free bytes of the proposer.
    pub graffiti: Root,
    /// Proof that proposers signed two blocks.
    pub proposer_slashings: List<ProposerSlashing, 16>,
    /// Proof that attesters voted twice or around a vote.
    pub attester_slashings: List<AttesterSlashing, 2>,
    /// Votes.
    pub attestations: List<Attestation, 128>,
    /// Deposits with their proofs.
    pub deposits: List<Deposit, 16>,
    /// Validators that leave.
    pub voluntary_exits: List<Signed<VoluntaryExit>, 16>,
    /// The votes of the sync committee: in an Altair body, not in one of phase0.
    pub sync_aggregate: Option<SyncAggregate>,
}

impl TreeRoot for BeaconBlockBody {
    fn tree_root(&self) -> Root {
        let mut fields = vec![
            self.randao_reveal.tree_root(),
            self.eth1_data.tree_root(),
            self.graffiti,
            self.proposer_slashings.tree_root(),
            self.attester_slashings.tree_root(),
            self.attestations.tree_root(),
            self.deposits.tree_root(),
            self.voluntary_exits.tree_root(),
        ];
        fields.extend(self.sync_aggregate.as_ref().map(TreeRoot::tree_root));
        container(&fields)
    }
}

/// A view of the deposit contract (`Eth1Data`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eth1Data {
    /// The root of its tree of deposits.
    pub deposit_root: Root,
    /// How many deposits it holds.
    pub deposit_count: u64,
    /// The block at which it was looked at.
    pub block_hash: Root,
}

impl TreeRoot for Eth1Data {
    fn tree_root(&self) -> Root {
        container(&[
            self.deposit_root,
            self.deposit_count.tree_root(),
            self.block_hash,
        ])
    }
}

/// A message and its signature (`SignedBeaconBlockHeader`, `SignedVoluntaryExit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<T> {
    /// The message.
    pub message: T,
    /// Its signature.
    pub signature: BlsSignature,
}

impl<T: TreeRoot> TreeRoot for Signed<T> {
    fn tree_root(&self) -> Root {
        container(&[self.message.tree_root(), self.signature.tree_root()])
    }
}

/// Two blocks of one proposer for one slot (`ProposerSlashing`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposerSlashing {
    /// The one.
    pub signed_header_1: Signed<BeaconBlockHeader>,
    /// The other.
    pub signed_header_2: Signed<BeaconBlockHeader>,
}

impl TreeRoot for ProposerSlashing {
    fn tree_root(&self) -> Root {
        container(&[
            self.signed_header_1.tree_root(),
            self.signed_header_2.tree_root(),
        ])
    }
}

/// Two votes that no attester may cast both (`AttesterSlashing`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttesterSlashing {
    /// The one.
    pub attestation_1: IndexedAttestation,
    /// The other.
    pub attestation_2: IndexedAttestation,
}

impl TreeRoot for AttesterSlashing {
    fn tree_root(&self) -> Root {
        container(&[
            self.attestation_1.tree_root(),
            self.attestation_2.tree_root(),
        ])
    }
}

/// A deposit and the proof that the contract holds it (`Deposit`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// The path in the tree of deposits.
    pub proof: DepositProof,
    /// The deposit.
    pub data: DepositData,
}

impl TreeRoot for Deposit {
    fn tree_root(&self) -> Root {
        container(&[self.proof.tree_root(), self.data.tree_root()])
    }
}

/// `Vector[Bytes32, DEPOSIT_CONTRACT_TREE_DEPTH + 1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositProof(Vec<Root>);

impl DepositProof {
    /// The nodes of a proof.
    pub const LENGTH: usize = 33;
}

impl TryFrom<Vec<Root>> for DepositProof {
    type Error = SszError;

    fn try_from(nodes: Vec<Root>) -> Result<Self, SszError> {
        if nodes.len() != Self::LENGTH {
            return Err(SszError::Length {
                got: nodes.len(),
                expected: Self::LENGTH,
            });
        }
        Ok(Self(nodes))
    }
}

impl TreeRoot for DepositProof {
    fn tree_root(&self) -> Root {
        merkleize(self.0.clone(), Self::LENGTH)
    }
}

/// A deposit with its signature (`DepositData`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepositData {
    /// The validator's public key.
    pub pubkey: ValidatorPublicKey,
    /// Who may have the money back.
    pub withdrawal_credentials: WithdrawalCredentials,
    /// The amount deposited.
    pub amount: Gwei,
    /// The validator's signature over the deposit message.
    pub signature: BlsSignature,
}

impl TreeRoot for DepositData {
    fn tree_root(&self) -> Root {
        container(&[
            self.pubkey.tree_root(),
            self.withdrawal_credentials.tree_root(),
            self.amount.tree_root(),
            self.signature.tree_root(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_body() -> BeaconBlockBody {
        let zero = Root([0; 32]);
        BeaconBlockBody {
            randao_reveal: BlsSignature([0; 96]),
            eth1_data: Eth1Data {
                deposit_root: zero,
                deposit_count: 0,
                block_hash: zero,
            },
            graffiti: zero,
            proposer_slashings: Vec::new().try_into().unwrap(),
            attester_slashings: Vec::new().try_into().unwrap(),
            attestations: Vec::new().try_into().unwrap(),
            deposits: Vec::new().try_into().unwrap(),
            voluntary_exits: Vec::new().try_into().unwrap(),
            sync_aggregate: None,
        }
    }

    #[test]
    fn the_genesis_block_of_mainnet_has_its_published_root() {
        let block = BeaconBlock {
            slot: Slot(0),
            proposer_index: ValidatorIndex(0),
            parent_root: Root([0; 32]),
            state_root: "7e76880eb67bbdc86250aa578958e9d0675e64e714337855204fb5abaaf82c2b"
                .parse()
                .unwrap(),
            body: empty_body(),
        };
        assert_eq!(
            block.header().body_root.to_string(),
            "0xccb62460692be0ec813b56be97f68a82cf57abc102e27bf49ebf4190ff22eedd"
        );
        assert_eq!(
            block.header().tree_root().to_string(),
            "0x4d611d5b93fdab69013a7f0a2f961caca0c853f87cfe9595fe50038163079360"
        );
    }

    #[test]
    fn a_deposit_proof_has_33_nodes() {
        assert!(DepositProof::try_from(vec![Root([0; 32]); 33]).is_ok());
        let error = DepositProof::try_from(vec![Root([0; 32]); 32]).unwrap_err();
        assert_eq!(
            error,
            SszError::Length {
                got: 32,
                expected: 33
            }
        );
    }
}
