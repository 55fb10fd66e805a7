//! The networks built in.
//!
//! Sources: `configs/mainnet.yaml` of consensus-specs; `metadata/config.yaml` of the repositories
//! eth-clients/{mainnet,sepolia,holesky,hoodi}; genesis times and validators roots from the genesis
//! states published there.

use super::{ForkName, Network, Preset, ScheduledFork};
use crate::units::{Epoch, ForkVersion, Root};

impl Network {
    /// The names that [`Network::named`] knows.
    pub const NAMES: [&'static str; 4] = ["mainnet", "hoodi", "sepolia", "holesky"];

    /// A built-in network.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMED
            .iter()
            .find(|constants| constants.name == name)
            .map(Constants::network)
    }
}

struct Constants {
    name: &'static str,
    genesis_time: u64,
    genesis_validators_root: [u8; 32],
    /// Version and first epoch of each fork, from phase0 on.
    forks: &'static [([u8; 4], u64)],
    deposit_chain_id: u64,
}

impl Constants {
    fn network(&self) -> Network {
        let fork = |(name, (version, epoch)): (ForkName, &([u8; 4], u64))| ScheduledFork {
            name,
            version: ForkVersion(*version),
            epoch: Epoch(*epoch),
        };
        let forks: Vec<_> = ForkName::ALL
            .into_iter()
            .zip(self.forks)
            .map(fork)
            .collect();
        Network {
            name: self.name.to_owned(),
            preset: Preset::Mainnet,
            seconds_per_slot: 12,
            genesis_time: Some(self.genesis_time),
            genesis_fork_version: forks
                .first()
                .map_or(ForkVersion([0; 4]), |fork| fork.version),
            genesis_validators_root: Root(self.genesis_validators_root),
            forks,
            deposit_chain_id: Some(self.deposit_chain_id),
        }
    }
}

const NAMED: [Constants; 4] = [
    Constants {
        name: "mainnet",
        genesis_time: 1_606_824_023,
        genesis_validators_root: [
            0x4b, 0x36, 0x3d, 0xb9, 0x4e, 0x28, 0x61, 0x20, 0xd7, 0x6e, 0xb9, 0x05, 0x34, 0x0f,
            0xdd, 0x4e, 0x54, 0xbf, 0xe9, 0xf0, 0x6b, 0xf3, 0x3f, 0xf6, 0xcf, 0x5a, 0xd2, 0x7f,
            0x51, 0x1b, 0xfe, 0x95,
        ],
        forks: &[
            ([0x00, 0x00, 0x00, 0x00], 0),       // phase0
            ([0x01, 0x00, 0x00, 0x00], 74_240),  // altair
            ([0x02, 0x00, 0x00, 0x00], 144_896), // bellatrix
            ([0x03, 0x00, 0x00, 0x00], 194_048), // capella
            ([0x04, 0x00, 0x00, 0x00], 269_568), // deneb
            ([0x05, 0x00, 0x00, 0x00], 364_032), // electra
            ([0x06, 0x00, 0x00, 0x00], 411_392), // fulu
        ],
        deposit_chain_id: 1,
    },
    Constants {
        name: "hoodi",
        genesis_time: 1_742_213_400,
        genesis_validators_root: [
            0x21, 0x2f, 0x13, 0xfc, 0x4d, 0xf0, 0x78, 0xb6, 0xcb, 0x7d, 0xb2, 0x28, 0xf1, 0xc8,
            0x30, 0x75, 0x66, 0xdc, 0xec, 0xf9, 0x00, 0x86, 0x74, 0x01, 0xa9, 0x20, 0x23, 0xd7,
            0xba, 0x99, 0xcb, 0x5f,
        ],
        forks: &[
            ([0x10, 0x00, 0x09, 0x10], 0),      // phase0
            ([0x20, 0x00, 0x09, 0x10], 0),      // altair
            ([0x30, 0x00, 0x09, 0x10], 0),      // bellatrix
            ([0x40, 0x00, 0x09, 0x10], 0),      // capella
            ([0x50, 0x00, 0x09, 0x10], 0),      // deneb
            ([0x60, 0x00, 0x09, 0x10], 2048),   // electra
            ([0x70, 0x00, 0x09, 0x10], 50_688), // fulu
        ],
        deposit_chain_id: 560_048,
    },
    Constants {
        name: "sepolia",
        genesis_time: 1_655_733_600,
        genesis_validators_root: [
            0xd8, 0xea, 0x17, 0x1f, 0x3c, 0x94, 0xae, 0xa2, 0x1e, 0xbc, 0x42, 0xa1, 0xed, 0x61,
            0x05, 0x2a, 0xcf, 0x3f, 0x92, 0x09, 0xc0, 0x0e, 0x4e, 0xfb, 0xaa, 0xdd, 0xac, 0x09,
            0xed, 0x9b, 0x80, 0x78,
        ],
        forks: &[
            ([0x90, 0x00, 0x00, 0x69], 0),       // phase0
            ([0x90, 0x00, 0x00, 0x70], 50),      // altair
            ([0x90, 0x00, 0x00, 0x71], 100),     // bellatrix
            ([0x90, 0x00, 0x00, 0x72], 56_832),  // capella
            ([0x90, 0x00, 0x00, 0x73], 132_608), // deneb
            ([0x90, 0x00, 0x00, 0x74], 222_464), // electra
            ([0x90, 0x00, 0x00, 0x75], 272_640), // fulu
            ([0x90, 0x00, 0x00, 0x76], 353_024), // gloas
        ],
        deposit_chain_id: 11_155_111,
    },
    Constants {
        name: "holesky",
        genesis_time: 1_695_902_400,
        genesis_validators_root: [
            0x91, 0x43, 0xaa, 0x7c, 0x61, 0x5a, 0x7f, 0x71, 0x15, 0xe2, 0xb6, 0xaa, 0xc3, 0x19,
            0xc0, 0x35, 0x29, 0xdf, 0x82, 0x42, 0xae, 0x70, 0x5f, 0xba, 0x9d, 0xf3, 0x9b, 0x79,
            0xc5, 0x9f, 0xa8, 0xb1,
        ],
        forks: &[
            ([0x01, 0x01, 0x70, 0x00], 0),       // phase0
            ([0x02, 0x01, 0x70, 0x00], 0),       // altair
            ([0x03, 0x01, 0x70, 0x00], 0),       // bellatrix
            ([0x04, 0x01, 0x70, 0x00], 256),     // capella
            ([0x05, 0x01, 0x70, 0x00], 29_696),  // deneb
            ([0x06, 0x01, 0x70, 0x00], 115_968), // electra
            ([0x07, 0x01, 0x70, 0x00], 165_120), // fulu
        ],
        deposit_chain_id: 17_000,
    },
];
