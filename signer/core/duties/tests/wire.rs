//! The CBOR form of duties: fixed bytes, round trips, and decoding of arbitrary bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use proptest::prelude::*;
use symbolon_duties::{
    AttestationData, BeaconBlockHeader, Bitlist, Bitvector, Checkpoint, DepositMessage, Duty,
    DutyKind, Epoch, ExecutionAddress, ForkVersion, Gwei, Root, Slot, TreeRoot, ValidatorIndex,
    ValidatorPublicKey, ValidatorRegistration, VoluntaryExit, WithdrawalCredentials,
};

#[test]
fn a_duty_is_its_code_and_a_map_of_its_fields() {
    let duty = Duty::SyncSelectionProof {
        slot: Slot(300),
        subcommittee_index: 2,
    };
    assert_eq!(
        minicbor::to_vec(duty).unwrap(),
        [0x82, 8, 0xa2, 0, 0x19, 1, 44, 1, 2]
    );
    let exit = VoluntaryExit {
        epoch: Epoch(1),
        validator_index: ValidatorIndex(2),
    };
    let bytes = minicbor::to_vec(Duty::VoluntaryExit(exit)).unwrap();
    assert_eq!(bytes, [0x82, 4, 0xa1, 0, 0xa2, 0, 1, 1, 2]);
}

#[test]
fn kinds_have_stable_codes_and_names() {
    let names = [
        "BLOCK",
        "ATTESTATION",
        "RANDAO_REVEAL",
        "DEPOSIT",
        "VOLUNTARY_EXIT",
        "AGGREGATION_SLOT",
        "AGGREGATE_AND_PROOF",
        "SYNC_COMMITTEE_MESSAGE",
        "SYNC_COMMITTEE_SELECTION_PROOF",
        "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
        "VALIDATOR_REGISTRATION",
    ];
    for (code, name) in (0_u8..).zip(names) {
        let kind = DutyKind::from_code(code).unwrap();
        assert_eq!((kind.code(), kind.name()), (code, name));
        assert_eq!(name.to_lowercase().parse(), Ok(kind));
        assert_eq!(minicbor::to_vec(kind).unwrap(), [code]);
        if kind != DutyKind::ValidatorRegistration {
            assert_eq!(kind.domain_type().0, [code, 0, 0, 0]);
        }
    }
    assert_eq!(DutyKind::from_code(11), None);
    assert_eq!(
        DutyKind::ValidatorRegistration.domain_type().0,
        [0, 0, 0, 1]
    );
    let slashable: Vec<_> = DutyKind::ALL
        .into_iter()
        .filter(|kind| kind.is_slashable())
        .collect();
    assert_eq!(slashable, [DutyKind::Block, DutyKind::Attestation]);
}

fn root() -> impl Strategy<Value = Root> {
    any::<[u8; 32]>().prop_map(Root)
}

fn pubkey() -> impl Strategy<Value = ValidatorPublicKey> {
    proptest::array::uniform16(any::<[u8; 3]>())
        .prop_map(|parts| ValidatorPublicKey(parts.concat().try_into().unwrap()))
}

fn checkpoint() -> impl Strategy<Value = Checkpoint> {
    (any::<u64>(), root()).prop_map(|(epoch, root)| Checkpoint {
        epoch: Epoch(epoch),
        root,
    })
}

fn duty() -> impl Strategy<Value = Duty> {
    let header = (any::<u64>(), any::<u64>(), root(), root(), root()).prop_map(
        |(slot, proposer_index, parent_root, state_root, body_root)| {
            Duty::Block(BeaconBlockHeader {
                slot: Slot(slot),
                proposer_index: ValidatorIndex(proposer_index),
                parent_root,
                state_root,
                body_root,
            })
        },
    );
    let vote = (
        any::<u64>(),
        any::<u64>(),
        root(),
        checkpoint(),
        checkpoint(),
    )
        .prop_map(|(slot, index, beacon_block_root, source, target)| {
            let slot = Slot(slot);
            Duty::Attestation(AttestationData {
                slot,
                index,
                beacon_block_root,
                source,
                target,
            })
        });
    let small = (0..8_u8, any::<u64>(), any::<u64>(), root()).prop_map(
        |(choice, number, other, object_root)| {
            let slot = Slot(number);
            match choice {
                0 => Duty::RandaoReveal {
                    epoch: Epoch(number),
                },
                1 => Duty::AggregationSlot { slot },
                2 => Duty::AggregateAndProof { slot, object_root },
                3 => Duty::SyncCommitteeMessage {
                    slot,
                    beacon_block_root: object_root,
                },
                4 => Duty::SyncSelectionProof {
                    slot,
                    subcommittee_index: other,
                },
                5 => Duty::SyncContributionAndProof { slot, object_root },
                _ => Duty::VoluntaryExit(VoluntaryExit {
                    epoch: Epoch(number),
                    validator_index: ValidatorIndex(other),
                }),
            }
        },
    );
    let keyed = (
        any::<bool>(),
        pubkey(),
        root(),
        any::<u64>(),
        any::<u64>(),
        any::<[u8; 20]>(),
    );
    let keyed = keyed.prop_map(|(deposit, pubkey, root, number, other, address)| {
        if deposit {
            let withdrawal_credentials = WithdrawalCredentials(root.0);
            let message = DepositMessage {
                pubkey,
                withdrawal_credentials,
                amount: Gwei(number),
            };
            return Duty::Deposit {
                message,
                genesis_fork_version: ForkVersion([1, 2, 3, 4]),
            };
        }
        Duty::ValidatorRegistration(ValidatorRegistration {
            fee_recipient: ExecutionAddress(address),
            gas_limit: number,
            timestamp: other,
            pubkey,
        })
    });
    prop_oneof![header, vote, small, keyed]
}

proptest! {
    #[test]
    fn duties_survive_a_round_trip(duty in duty()) {
        let bytes = minicbor::to_vec(duty).unwrap();
        let back: Duty = minicbor::decode(&bytes).unwrap();
        prop_assert_eq!(back, duty);
        prop_assert_eq!(bytes.first().copied(), Some(0x82));
        prop_assert_eq!(bytes.get(1).copied(), Some(duty.kind().code()));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(duty) = minicbor::decode::<Duty>(&bytes) {
            prop_assert_eq!(again(duty), duty);
        }
        if let Ok(bits) = Bitlist::from_ssz(&bytes, 2048) {
            prop_assert_ne!(bits.tree_root(), Root([0; 32]));
        }
        let bits = Bitvector::from_ssz(&bytes, bytes.len() * 8).unwrap();
        let one_zero_leaf = bytes.len() <= 32 && bytes.iter().all(|byte| *byte == 0);
        prop_assert_eq!(bits.tree_root() == Root([0; 32]), one_zero_leaf);
    }

    #[test]
    fn mutated_duties_never_panic(duty in duty(), at in any::<usize>(), byte in any::<u8>()) {
        let mut bytes = minicbor::to_vec(duty).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(duty) = minicbor::decode::<Duty>(&bytes) {
            prop_assert_eq!(again(duty), duty);
        }
    }
}

fn again(duty: Duty) -> Duty {
    minicbor::decode(&minicbor::to_vec(duty).unwrap()).unwrap()
}
