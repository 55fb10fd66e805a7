//! Every Ethereum message that may be signed: its root, its domain, and the network it belongs to.
//!
//! Pure: no file, socket, clock or randomness. Signing roots are always computed here from typed
//! messages; a root that somebody else supplies is compared, never trusted.
#![forbid(unsafe_code)]

mod attestation;
mod bits;
mod block;
mod domain;
mod duty;
mod message;
mod network;
mod signing_root;
mod ssz;
mod sync_committee;
mod units;

pub use attestation::{
    AggregateAndProof, AggregationBits, Attestation, AttestingIndices, ElectraAttestation,
    IndexedAttestation, MAX_VALIDATORS_PER_COMMITTEE,
};
pub use bits::{Bitlist, Bitvector, List, SszError};
pub use block::{
    AttesterSlashing, BeaconBlock, BeaconBlockBody, Deposit, DepositData, DepositProof, Eth1Data,
    ProposerSlashing, Signed,
};
pub use domain::{DomainType, compute_domain, compute_signing_root};
pub use duty::{Duty, DutyKind, UnknownDutyKind};
pub use message::{
    AttestationData, BeaconBlockHeader, Checkpoint, DepositMessage, ValidatorRegistration,
    VoluntaryExit,
};
pub use network::{
    ConfigError, ForkName, MAX_CONFIG_BYTES, Network, Preset, ScheduledFork, UnknownFork,
};
pub use signing_root::{DutyError, signing_domain, signing_fork_version, signing_root};
pub use ssz::TreeRoot;
pub use sync_committee::{
    ContributionAndProof, SYNC_COMMITTEE_SUBNET_COUNT, SyncAggregate, SyncCommitteeContribution,
};
pub use units::{
    BlsSignature, Domain, Epoch, ExecutionAddress, ForkVersion, Gwei, HexError, Root, SigningRoot,
    Slot, ValidatorIndex, ValidatorPublicKey, WithdrawalCredentials,
};
