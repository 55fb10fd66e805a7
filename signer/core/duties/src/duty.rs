//! A duty: one message to sign, as it travels from the requestor to the servers.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};

use crate::domain::DomainType;
use crate::message::{
    AttestationData, BeaconBlockHeader, DepositMessage, SyncSelectionData, ValidatorRegistration,
    VoluntaryExit,
};
use crate::network::Network;
use crate::ssz::TreeRoot;
use crate::units::{Epoch, ForkVersion, Root, Slot, ValidatorPublicKey};

/// One message to sign, with everything that its signing root needs beside the fork version.
///
/// The slashable kinds (blocks and attestations) hold every field that the slashing rules look at;
/// a bare root can stand only where no signature can be slashed. In CBOR a duty is
/// `[code, {fields}]` with the codes of [`DutyKind::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub enum Duty {
    /// A block proposal.
    #[n(0)]
    Block(#[n(0)] BeaconBlockHeader),
    /// A vote.
    #[n(1)]
    Attestation(#[n(0)] AttestationData),
    /// The proposer's share of the randomness of an epoch.
    #[n(2)]
    RandaoReveal {
        /// The epoch revealed.
        #[n(0)]
        epoch: Epoch,
    },
    /// The first deposit of a validator, or a top-up.
    #[n(3)]
    Deposit {
        /// What the deposit contract hands to the beacon chain.
        #[n(0)]
        message: DepositMessage,
        /// The chain the deposit is meant for.
        #[n(1)]
        genesis_fork_version: ForkVersion,
    },
    /// The wish of a validator to leave.
    #[n(4)]
    VoluntaryExit(#[n(0)] VoluntaryExit),
    /// Whether the validator aggregates the votes of its committee in a slot.
    #[n(5)]
    AggregationSlot {
        /// The slot of the duty.
        #[n(0)]
        slot: Slot,
    },
    /// The aggregated votes of a committee.
    #[n(6)]
    AggregateAndProof {
        /// The slot of the aggregated attestation.
        #[n(0)]
        slot: Slot,
        /// `hash_tree_root` of the `AggregateAndProof`.
        #[n(1)]
        object_root: Root,
    },
    /// The vote of a sync committee member for a head.
    #[n(7)]
    SyncCommitteeMessage {
        /// The slot of the duty.
        #[n(0)]
        slot: Slot,
        /// The head voted for.
        #[n(1)]
        beacon_block_root: Root,
    },
    /// Whether the validator aggregates the messages of a sync subcommittee.
    #[n(8)]
    SyncSelectionProof {
        /// The slot of the duty.
        #[n(0)]
        slot: Slot,
        /// The subcommittee.
        #[n(1)]
        subcommittee_index: u64,
    },
    /// The aggregated messages of a sync subcommittee.
    #[n(9)]
    SyncContributionAndProof {
        /// The slot of the contribution.
        #[n(0)]
        slot: Slot,
        /// `hash_tree_root` of the `ContributionAndProof`.
        #[n(1)]
        object_root: Root,
    },
    /// What the validator tells the builder network.
    #[n(10)]
    ValidatorRegistration(#[n(0)] ValidatorRegistration),
}

impl Duty {
    /// Which of the kinds this is.
    #[must_use]
    pub const fn kind(&self) -> DutyKind {
        match self {
            Self::Block(_) => DutyKind::Block,
            Self::Attestation(_) => DutyKind::Attestation,
            Self::RandaoReveal { .. } => DutyKind::RandaoReveal,
            Self::Deposit { .. } => DutyKind::Deposit,
            Self::VoluntaryExit(_) => DutyKind::VoluntaryExit,
            Self::AggregationSlot { .. } => DutyKind::AggregationSlot,
            Self::AggregateAndProof { .. } => DutyKind::AggregateAndProof,
            Self::SyncCommitteeMessage { .. } => DutyKind::SyncCommitteeMessage,
            Self::SyncSelectionProof { .. } => DutyKind::SyncSelectionProof,
            Self::SyncContributionAndProof { .. } => DutyKind::SyncContributionAndProof,
            Self::ValidatorRegistration(_) => DutyKind::ValidatorRegistration,
        }
    }

    /// The slot of the duty; `None` for kinds that belong to an epoch or to no time at all.
    #[must_use]
    pub const fn slot(&self) -> Option<Slot> {
        match self {
            Self::Block(header) => Some(header.slot),
            Self::Attestation(data) => Some(data.slot),
            Self::AggregationSlot { slot }
            | Self::AggregateAndProof { slot, .. }
            | Self::SyncCommitteeMessage { slot, .. }
            | Self::SyncSelectionProof { slot, .. }
            | Self::SyncContributionAndProof { slot, .. } => Some(*slot),
            Self::RandaoReveal { .. }
            | Self::Deposit { .. }
            | Self::VoluntaryExit(_)
            | Self::ValidatorRegistration(_) => None,
        }
    }

    /// The epoch whose fork the signature belongs to: of an attestation its target; `None` for
    /// deposits and registrations, which outlive forks.
    #[must_use]
    pub const fn epoch(&self, network: &Network) -> Option<Epoch> {
        match self {
            Self::Attestation(data) => Some(data.target.epoch),
            Self::RandaoReveal { epoch } => Some(*epoch),
            Self::VoluntaryExit(exit) => Some(exit.epoch),
            Self::Deposit { .. } | Self::ValidatorRegistration(_) => None,
            Self::Block(_)
            | Self::AggregationSlot { .. }
            | Self::AggregateAndProof { .. }
            | Self::SyncCommitteeMessage { .. }
            | Self::SyncSelectionProof { .. }
            | Self::SyncContributionAndProof { .. } => match self.slot() {
                Some(slot) => Some(network.epoch_of(slot)),
                None => None,
            },
        }
    }

    /// The public key that the message itself names (deposits and registrations): it must be the
    /// key that signs, which the caller checks.
    #[must_use]
    pub const fn named_pubkey(&self) -> Option<&ValidatorPublicKey> {
        match self {
            Self::Deposit { message, .. } => Some(&message.pubkey),
            Self::ValidatorRegistration(registration) => Some(&registration.pubkey),
            _ => None,
        }
    }

    /// `hash_tree_root` of the message.
    #[must_use]
    pub fn object_root(&self) -> Root {
        match self {
            Self::Block(header) => header.tree_root(),
            Self::Attestation(data) => data.tree_root(),
            Self::RandaoReveal { epoch } => epoch.tree_root(),
            Self::Deposit { message, .. } => message.tree_root(),
            Self::VoluntaryExit(exit) => exit.tree_root(),
            Self::AggregationSlot { slot } => slot.tree_root(),
            Self::SyncCommitteeMessage {
                beacon_block_root, ..
            } => *beacon_block_root,
            Self::SyncSelectionProof {
                slot,
                subcommittee_index,
            } => {
                let (slot, subcommittee_index) = (*slot, *subcommittee_index);
                SyncSelectionData {
                    slot,
                    subcommittee_index,
                }
                .tree_root()
            }
            Self::AggregateAndProof { object_root, .. }
            | Self::SyncContributionAndProof { object_root, .. } => *object_root,
            Self::ValidatorRegistration(registration) => registration.tree_root(),
        }
    }
}

/// The kinds of duties; the code is stable and stands in permissions, records and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
#[repr(u8)]
pub enum DutyKind {
    /// A block proposal.
    #[n(0)]
    Block = 0,
    /// A vote.
    #[n(1)]
    Attestation = 1,
    /// A randao reveal.
    #[n(2)]
    RandaoReveal = 2,
    /// A deposit.
    #[n(3)]
    Deposit = 3,
    /// A voluntary exit.
    #[n(4)]
    VoluntaryExit = 4,
    /// The selection proof of an aggregator.
    #[n(5)]
    AggregationSlot = 5,
    /// Aggregated votes.
    #[n(6)]
    AggregateAndProof = 6,
    /// A sync committee message.
    #[n(7)]
    SyncCommitteeMessage = 7,
    /// The selection proof of a sync committee aggregator.
    #[n(8)]
    SyncSelectionProof = 8,
    /// Aggregated sync committee messages.
    #[n(9)]
    SyncContributionAndProof = 9,
    /// A registration with the builder network.
    #[n(10)]
    ValidatorRegistration = 10,
}

impl DutyKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 11] = [
        Self::Block,
        Self::Attestation,
        Self::RandaoReveal,
        Self::Deposit,
        Self::VoluntaryExit,
        Self::AggregationSlot,
        Self::AggregateAndProof,
        Self::SyncCommitteeMessage,
        Self::SyncSelectionProof,
        Self::SyncContributionAndProof,
        Self::ValidatorRegistration,
    ];

    /// The stable code; up to 9 it is the first byte of the domain type.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with that code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The name as Web3Signer has it, without the suffix `_V2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "BLOCK",
            Self::Attestation => "ATTESTATION",
            Self::RandaoReveal => "RANDAO_REVEAL",
            Self::Deposit => "DEPOSIT",
            Self::VoluntaryExit => "VOLUNTARY_EXIT",
            Self::AggregationSlot => "AGGREGATION_SLOT",
            Self::AggregateAndProof => "AGGREGATE_AND_PROOF",
            Self::SyncCommitteeMessage => "SYNC_COMMITTEE_MESSAGE",
            Self::SyncSelectionProof => "SYNC_COMMITTEE_SELECTION_PROOF",
            Self::SyncContributionAndProof => "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
            Self::ValidatorRegistration => "VALIDATOR_REGISTRATION",
        }
    }

    /// The domain type of its signatures.
    #[must_use]
    pub const fn domain_type(self) -> DomainType {
        match self {
            Self::Block => DomainType::BEACON_PROPOSER,
            Self::Attestation => DomainType::BEACON_ATTESTER,
            Self::RandaoReveal => DomainType::RANDAO,
            Self::Deposit => DomainType::DEPOSIT,
            Self::VoluntaryExit => DomainType::VOLUNTARY_EXIT,
            Self::AggregationSlot => DomainType::SELECTION_PROOF,
            Self::AggregateAndProof => DomainType::AGGREGATE_AND_PROOF,
            Self::SyncCommitteeMessage => DomainType::SYNC_COMMITTEE,
            Self::SyncSelectionProof => DomainType::SYNC_COMMITTEE_SELECTION_PROOF,
            Self::SyncContributionAndProof => DomainType::CONTRIBUTION_AND_PROOF,
            Self::ValidatorRegistration => DomainType::APPLICATION_BUILDER,
        }
    }

    /// Whether two conflicting signatures of this kind cost the validator its stake.
    #[must_use]
    pub const fn is_slashable(self) -> bool {
        matches!(self, Self::Block | Self::Attestation)
    }
}

impl fmt::Display for DutyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no kind of duty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of duty: expected a name such as BLOCK, ATTESTATION or RANDAO_REVEAL")]
pub struct UnknownDutyKind;

/// Accepts the names of [`DutyKind::name`] in any case.
impl FromStr for DutyKind {
    type Err = UnknownDutyKind;

    fn from_str(text: &str) -> Result<Self, UnknownDutyKind> {
        let found = Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(text));
        found.ok_or(UnknownDutyKind)
    }
}
