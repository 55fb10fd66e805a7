//! A beacon chain network: what identifies it, how its time runs, which forks it has.

mod config;
mod named;

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};

pub use config::{ConfigError, MAX_CONFIG_BYTES};

use crate::units::{Epoch, ForkVersion, Root, Slot};

/// The compile-time constants that a network is built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Real networks.
    Mainnet,
    /// Development chains with short epochs and small committees.
    Minimal,
}

impl Preset {
    /// `SLOTS_PER_EPOCH`.
    #[must_use]
    pub const fn slots_per_epoch(self) -> u64 {
        match self {
            Self::Mainnet => 32,
            Self::Minimal => 8,
        }
    }

    /// `SYNC_COMMITTEE_SIZE`, in seats.
    #[must_use]
    pub const fn sync_committee_size(self) -> usize {
        match self {
            Self::Mainnet => 512,
            Self::Minimal => 32,
        }
    }

    /// `MAX_COMMITTEES_PER_SLOT`.
    #[must_use]
    pub const fn max_committees_per_slot(self) -> usize {
        match self {
            Self::Mainnet => 64,
            Self::Minimal => 4,
        }
    }
}

/// The forks of the consensus layer, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForkName {
    /// The first rules of the beacon chain.
    Phase0,
    /// Sync committees.
    Altair,
    /// The merge.
    Bellatrix,
    /// Withdrawals.
    Capella,
    /// Blobs; EIP-7044 fixes the domain of exits.
    Deneb,
    /// Committee bits in attestations (EIP-7549).
    Electra,
    /// Peer sampling of blobs.
    Fulu,
    /// Proposer-builder separation (EIP-7732).
    Gloas,
}

impl ForkName {
    /// All forks, first to last.
    pub const ALL: [Self; 8] = [
        Self::Phase0,
        Self::Altair,
        Self::Bellatrix,
        Self::Capella,
        Self::Deneb,
        Self::Electra,
        Self::Fulu,
        Self::Gloas,
    ];

    /// The name in upper case, as in configuration keys and request versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phase0 => "PHASE0",
            Self::Altair => "ALTAIR",
            Self::Bellatrix => "BELLATRIX",
            Self::Capella => "CAPELLA",
            Self::Deneb => "DENEB",
            Self::Electra => "ELECTRA",
            Self::Fulu => "FULU",
            Self::Gloas => "GLOAS",
        }
    }
}

impl fmt::Display for ForkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown fork: expected PHASE0, ALTAIR, BELLATRIX, CAPELLA, DENEB, ELECTRA, FULU or GLOAS")]
pub struct UnknownFork;

/// Accepts the names of [`ForkName::name`] in any case.
impl FromStr for ForkName {
    type Err = UnknownFork;

    fn from_str(text: &str) -> Result<Self, UnknownFork> {
        let found = Self::ALL
            .into_iter()
            .find(|fork| fork.name().eq_ignore_ascii_case(text));
        found.ok_or(UnknownFork)
    }
}

/// A fork with its version and the epoch at which it comes into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledFork {
    /// Which fork.
    pub name: ForkName,
    /// Its version, as it stands in domains.
    pub version: ForkVersion,
    /// Its first epoch.
    pub epoch: Epoch,
}

/// One beacon chain network. Made from a built-in name or a configuration file; always consistent:
/// forks in order, none left out, PHASE0 at epoch 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    name: String,
    preset: Preset,
    seconds_per_slot: u64,
    genesis_time: Option<u64>,
    genesis_fork_version: ForkVersion,
    genesis_validators_root: Root,
    forks: Vec<ScheduledFork>,
    deposit_chain_id: Option<u64>,
}

impl Network {
    /// The network's name, for messages to people; [`Network::id`] is what identifies it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The preset it is built on.
    #[must_use]
    pub const fn preset(&self) -> Preset {
        self.preset
    }

    /// The length of a slot in seconds, never 0.
    #[must_use]
    pub const fn seconds_per_slot(&self) -> u64 {
        self.seconds_per_slot
    }

    /// When slot 0 began, in seconds since 1970, where known.
    #[must_use]
    pub const fn genesis_time(&self) -> Option<u64> {
        self.genesis_time
    }

    /// The fork version at genesis.
    #[must_use]
    pub const fn genesis_fork_version(&self) -> ForkVersion {
        self.genesis_fork_version
    }

    /// The root of the validators at genesis, which stands in every domain of the chain.
    #[must_use]
    pub const fn genesis_validators_root(&self) -> Root {
        self.genesis_validators_root
    }

    /// The scheduled forks, first to last.
    #[must_use]
    pub fn forks(&self) -> &[ScheduledFork] {
        &self.forks
    }

    /// One fork, if it is scheduled.
    #[must_use]
    pub fn fork(&self, name: ForkName) -> Option<&ScheduledFork> {
        self.forks.iter().find(|fork| fork.name == name)
    }

    /// The fork in force at an epoch.
    #[must_use]
    pub fn fork_at(&self, epoch: Epoch) -> ScheduledFork {
        let genesis = ScheduledFork {
            name: ForkName::Phase0,
            version: self.genesis_fork_version,
            epoch: Epoch(0),
        };
        self.forks
            .iter()
            .rfind(|fork| fork.epoch <= epoch)
            .copied()
            .unwrap_or(genesis)
    }

    /// The chain id of the execution layer that holds the deposit contract, where known.
    #[must_use]
    pub const fn deposit_chain_id(&self) -> Option<u64> {
        self.deposit_chain_id
    }

    /// `SHA-256(genesis_fork_version || genesis_validators_root)`: what signed objects name a
    /// network by.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.genesis_fork_version.as_bytes());
        hash.update(self.genesis_validators_root.as_bytes());
        hash.finalize().into()
    }

    /// The slot running at a time in seconds since 1970; `None` before genesis or where the
    /// genesis time is not known.
    #[must_use]
    pub fn slot_at(&self, unix_seconds: u64) -> Option<Slot> {
        let elapsed = unix_seconds.checked_sub(self.genesis_time?)?;
        elapsed.checked_div(self.seconds_per_slot).map(Slot)
    }

    /// When a slot begins, in seconds since 1970; `None` where the genesis time is not known or the
    /// slot is out of range.
    #[must_use]
    pub fn start_of(&self, slot: Slot) -> Option<u64> {
        slot.0
            .checked_mul(self.seconds_per_slot)?
            .checked_add(self.genesis_time?)
    }

    /// The epoch that a slot belongs to.
    #[must_use]
    pub const fn epoch_of(&self, slot: Slot) -> Epoch {
        Epoch(slot.0 / self.preset.slots_per_epoch())
    }

    /// The first slot of an epoch; the last slot of all for an epoch out of range.
    #[must_use]
    pub const fn first_slot_of(&self, epoch: Epoch) -> Slot {
        Slot(epoch.0.saturating_mul(self.preset.slots_per_epoch()))
    }
}
