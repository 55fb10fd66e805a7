//! The signable messages of fixed size (consensus-specs, `specs/phase0` and later; builder-specs).

use minicbor::{Decode, Encode};

use crate::ssz::{TreeRoot, container};
use crate::units::{
    Epoch, ExecutionAddress, Gwei, Root, Slot, ValidatorIndex, ValidatorPublicKey,
    WithdrawalCredentials,
};

/// An epoch and the root of its first block (`Checkpoint`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Checkpoint {
    /// The epoch voted for.
    #[n(0)]
    pub epoch: Epoch,
    /// The block root at its start.
    #[n(1)]
    pub root: Root,
}

impl TreeRoot for Checkpoint {
    fn tree_root(&self) -> Root {
        container(&[self.epoch.tree_root(), self.root])
    }
}

/// What an attester votes for (`AttestationData`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AttestationData {
    /// The slot of the duty.
    #[n(0)]
    pub slot: Slot,
    /// Committee index before Electra, 0 from Electra on, payload status from Gloas on.
    #[n(1)]
    pub index: u64,
    /// The head of the chain as the attester sees it.
    #[n(2)]
    pub beacon_block_root: Root,
    /// The justified checkpoint voted from.
    #[n(3)]
    pub source: Checkpoint,
    /// The checkpoint voted for.
    #[n(4)]
    pub target: Checkpoint,
}

impl TreeRoot for AttestationData {
    fn tree_root(&self) -> Root {
        container(&[
            self.slot.tree_root(),
            self.index.tree_root(),
            self.beacon_block_root,
            self.source.tree_root(),
            self.target.tree_root(),
        ])
    }
}

/// A block with its body replaced by the body's root (`BeaconBlockHeader`); it has the same
/// `hash_tree_root` as the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BeaconBlockHeader {
    /// The slot of the proposal.
    #[n(0)]
    pub slot: Slot,
    /// Who proposes.
    #[n(1)]
    pub proposer_index: ValidatorIndex,
    /// The root of the parent block.
    #[n(2)]
    pub parent_root: Root,
    /// The root of the state after the block.
    #[n(3)]
    pub state_root: Root,
    /// The root of the block's body.
    #[n(4)]
    pub body_root: Root,
}

impl TreeRoot for BeaconBlockHeader {
    fn tree_root(&self) -> Root {
        container(&[
            self.slot.tree_root(),
            self.proposer_index.tree_root(),
            self.parent_root,
            self.state_root,
            self.body_root,
        ])
    }
}

/// The wish of a validator to leave (`VoluntaryExit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VoluntaryExit {
    /// The earliest epoch at which the exit may be processed.
    #[n(0)]
    pub epoch: Epoch,
    /// Who leaves.
    #[n(1)]
    pub validator_index: ValidatorIndex,
}

impl TreeRoot for VoluntaryExit {
    fn tree_root(&self) -> Root {
        container(&[self.epoch.tree_root(), self.validator_index.tree_root()])
    }
}

/// What a deposit's signature covers (`DepositMessage`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DepositMessage {
    /// The validator's public key.
    #[n(0)]
    pub pubkey: ValidatorPublicKey,
    /// Who may have the money back.
    #[n(1)]
    pub withdrawal_credentials: WithdrawalCredentials,
    /// The amount deposited.
    #[n(2)]
    pub amount: Gwei,
}

impl TreeRoot for DepositMessage {
    fn tree_root(&self) -> Root {
        container(&[
            self.pubkey.tree_root(),
            self.withdrawal_credentials.tree_root(),
            self.amount.tree_root(),
        ])
    }
}

/// What a validator tells the builder network (`ValidatorRegistrationV1` of builder-specs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ValidatorRegistration {
    /// Who receives the fees of a built block.
    #[n(0)]
    pub fee_recipient: ExecutionAddress,
    /// The gas limit wished for.
    #[n(1)]
    pub gas_limit: u64,
    /// When the registration was made, in seconds since 1970.
    #[n(2)]
    pub timestamp: u64,
    /// The validator's public key.
    #[n(3)]
    pub pubkey: ValidatorPublicKey,
}

impl TreeRoot for ValidatorRegistration {
    fn tree_root(&self) -> Root {
        container(&[
            self.fee_recipient.tree_root(),
            self.gas_limit.tree_root(),
            self.timestamp.tree_root(),
            self.pubkey.tree_root(),
        ])
    }
}

/// What makes a sync committee member an aggregator (`SyncAggregatorSelectionData`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyncSelectionData {
    pub(crate) slot: Slot,
    pub(crate) subcommittee_index: u64,
}

impl TreeRoot for SyncSelectionData {
    fn tree_root(&self) -> Root {
        container(&[self.slot.tree_root(), self.subcommittee_index.tree_root()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_slashable_messages_counts() {
        let vote = AttestationData {
            slot: Slot(1),
            index: 1,
            beacon_block_root: Root([1; 32]),
            source: Checkpoint {
                epoch: Epoch(1),
                root: Root([1; 32]),
            },
            target: Checkpoint {
                epoch: Epoch(1),
                root: Root([1; 32]),
            },
        };
        let other = Checkpoint {
            epoch: Epoch(2),
            root: Root([1; 32]),
        };
        let fork = Checkpoint {
            epoch: Epoch(1),
            root: Root([2; 32]),
        };
        let votes = [
            vote,
            AttestationData {
                slot: Slot(2),
                ..vote
            },
            AttestationData { index: 2, ..vote },
            AttestationData {
                beacon_block_root: Root([2; 32]),
                ..vote
            },
            AttestationData {
                source: other,
                ..vote
            },
            AttestationData {
                source: fork,
                ..vote
            },
            AttestationData {
                target: other,
                ..vote
            },
            AttestationData {
                target: fork,
                ..vote
            },
        ];
        let header = BeaconBlockHeader {
            slot: Slot(1),
            proposer_index: ValidatorIndex(1),
            parent_root: Root([1; 32]),
            state_root: Root([1; 32]),
            body_root: Root([1; 32]),
        };
        let headers = [
            header,
            BeaconBlockHeader {
                slot: Slot(2),
                ..header
            },
            BeaconBlockHeader {
                proposer_index: ValidatorIndex(2),
                ..header
            },
            BeaconBlockHeader {
                parent_root: Root([2; 32]),
                ..header
            },
            BeaconBlockHeader {
                state_root: Root([2; 32]),
                ..header
            },
            BeaconBlockHeader {
                body_root: Root([2; 32]),
                ..header
            },
        ];
        let mut roots: Vec<_> = votes.iter().map(TreeRoot::tree_root).collect();
        roots.extend(headers.iter().map(TreeRoot::tree_root));
        let all = roots.len();
        roots.sort();
        roots.dedup();
        assert_eq!(roots.len(), all);
    }
}
