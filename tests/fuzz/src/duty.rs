//! Duties in CBOR, and the bit fields of SSZ.

use symbolon_duties::{
    AttestationData, BeaconBlockHeader, Bitlist, Bitvector, Checkpoint, DepositMessage, Duty,
    DutyKind, Epoch, ExecutionAddress, ForkVersion, Gwei, Network, Root, Slot, TreeRoot,
    ValidatorIndex, ValidatorPublicKey, ValidatorRegistration, VoluntaryExit,
    WithdrawalCredentials, signing_root,
};
use symbolon_protocol::cbor;

use crate::Seed;
use crate::fixture::{devnet, mainnet};

/// The longest duty, and room for bit fields.
pub const MAX_LEN: usize = 512;

/// A duty that decodes encodes to a duty that is equal; canonical bytes encode to themselves; it
/// has a signing root on a network exactly when one of the network's fork versions fits.
pub fn check(data: &[u8]) {
    if let Ok(duty) = minicbor::decode::<Duty>(data) {
        let bytes = minicbor::to_vec(duty).unwrap();
        assert_eq!(minicbor::decode::<Duty>(&bytes).unwrap(), duty);
        assert!(bytes.len() <= 256);
        for network in [mainnet(), devnet()] {
            sign_on(&duty, network);
        }
        let canonical = cbor::from_bytes::<Duty>("duty", data, MAX_LEN);
        assert_eq!(canonical.is_ok(), bytes == data);
    }
    bits(data);
}

fn sign_on(duty: &Duty, network: &Network) {
    assert_eq!(DutyKind::from_code(duty.kind().code()), Some(duty.kind()));
    let foreign = ForkVersion([0xee; 4]);
    let epoch = duty.epoch(network);
    for version in network.forks().iter().map(|fork| fork.version) {
        let root = signing_root(duty, Some(version), network);
        match duty {
            Duty::Deposit {
                genesis_fork_version,
                ..
            } => {
                let ours = *genesis_fork_version == network.genesis_fork_version();
                assert_eq!(root.is_ok(), ours);
            }
            _ => assert!(root.is_ok()),
        }
    }
    // Only what outlives forks, and exits from Deneb on, do without a known fork version.
    if epoch.is_some() && !matches!(duty, Duty::VoluntaryExit(_)) {
        assert!(signing_root(duty, Some(foreign), network).is_err());
        assert!(signing_root(duty, None, network).is_err());
    }
    if duty.kind().is_slashable() {
        assert!(duty.slot().is_some());
    }
}

/// What the readers of bit fields accept has the length that was asked for, and a root.
fn bits(data: &[u8]) {
    if let Ok(list) = Bitlist::from_ssz(data, 2048) {
        assert!(data.len() <= 257);
        assert_ne!(list.tree_root(), Root([0; 32]));
        let marked = data.last().map_or(0, |last| last.leading_zeros() as usize);
        let length = data.len() * 8 - marked - 1;
        assert!(length <= 2048);
        assert!(length == 0 || Bitlist::from_ssz(data, length - 1).is_err());
        assert!(Bitlist::from_ssz(data, length).is_ok());
    }
    let bits = data.len() * 8;
    let vector = Bitvector::from_ssz(data, bits).unwrap();
    let empty = data.len() <= 32 && data.iter().all(|byte| *byte == 0);
    assert_eq!(vector.tree_root() == Root([0; 32]), empty);
    assert!(Bitvector::from_ssz(data, bits + 1).is_err());
    if let Some(last) = data.last() {
        let fits = last >> 7 == 0;
        assert_eq!(Bitvector::from_ssz(data, bits - 1).is_ok(), fits);
    }
}

/// One duty of each kind, and a bit list.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = duties()
        .into_iter()
        .map(|duty| (duty.kind().name(), minicbor::to_vec(duty).unwrap()))
        .collect();
    seeds.push(("bits", vec![0xff, 0x01]));
    seeds
}

pub(crate) fn duties() -> [Duty; 11] {
    let root = Root([1; 32]);
    let slot = Slot(16_000_000);
    let checkpoint = |epoch| Checkpoint {
        epoch: Epoch(epoch),
        root,
    };
    let pubkey = ValidatorPublicKey([7; 48]);
    [
        Duty::Block(BeaconBlockHeader {
            slot,
            proposer_index: ValidatorIndex(7),
            parent_root: root,
            state_root: root,
            body_root: root,
        }),
        Duty::Attestation(AttestationData {
            slot,
            index: 0,
            beacon_block_root: root,
            source: checkpoint(499_999),
            target: checkpoint(500_000),
        }),
        Duty::RandaoReveal {
            epoch: Epoch(500_000),
        },
        Duty::Deposit {
            message: DepositMessage {
                pubkey,
                withdrawal_credentials: WithdrawalCredentials([2; 32]),
                amount: Gwei(32_000_000_000),
            },
            genesis_fork_version: ForkVersion([0; 4]),
        },
        Duty::VoluntaryExit(VoluntaryExit {
            epoch: Epoch(500_000),
            validator_index: ValidatorIndex(7),
        }),
        Duty::AggregationSlot { slot },
        Duty::AggregateAndProof {
            slot,
            object_root: root,
        },
        Duty::SyncCommitteeMessage {
            slot,
            beacon_block_root: root,
        },
        Duty::SyncSelectionProof {
            slot,
            subcommittee_index: 3,
        },
        Duty::SyncContributionAndProof {
            slot,
            object_root: root,
        },
        Duty::ValidatorRegistration(ValidatorRegistration {
            fee_recipient: ExecutionAddress([3; 20]),
            gas_limit: 36_000_000,
            timestamp: 1_800_000_000,
            pubkey,
        }),
    ]
}
