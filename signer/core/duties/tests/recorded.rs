//! Object roots, domains and signing roots of requests that a real validator client sent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use symbolon_duties::{
    AttestationData, BeaconBlockHeader, Checkpoint, Duty, Epoch, ForkVersion, Network, Slot,
    ValidatorIndex, ValidatorRegistration, signing_domain, signing_root,
};

/// The folder of recorded requests, or `None` (outside CI) where it is not there.
fn requests() -> Option<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/requests");
    if fs::exists(folder).unwrap() {
        return Some(folder.into());
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "the recorded requests are missing"
    );
    println!("left out: recorded requests, no folder shared/requests");
    None
}

#[test]
fn roots_and_domains_equal_the_recorded_ones() {
    let Some(folder) = requests() else { return };
    let config = fs::read_to_string(folder.join("network-capella.yaml")).unwrap();
    let network = Network::from_config_yaml(&config).unwrap();
    let mut compared = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let (duty, version) = duty(&record);
        let domain = signing_domain(&duty, version, &network).unwrap();
        let root = signing_root(&duty, version, &network).unwrap();
        assert_eq!(
            duty.object_root().to_string(),
            record["object_root"],
            "{}",
            path.display()
        );
        assert_eq!(domain.to_string(), record["domain"], "{}", path.display());
        assert_eq!(
            root.to_string(),
            record["signing_root"],
            "{}",
            path.display()
        );
        assert_eq!(
            root.to_string(),
            record["body"]["signingRoot"],
            "{}",
            path.display()
        );
        compared += 1;
    }
    assert_eq!(compared, 9, "one request of each recorded type");
}

/// The duty of a recorded body and the fork version that its epoch 0 stands under.
fn duty(record: &Value) -> (Duty, Option<ForkVersion>) {
    let body = &record["body"];
    let version = body["fork_info"]["fork"]["current_version"].as_str();
    let version = version.map(|text| text.parse().unwrap());
    let slot_of = |object: &Value| Slot(number(&object["slot"]));
    let duty = match body["type"].as_str().unwrap() {
        "BLOCK_V2" => {
            let header = &body["beacon_block"]["block_header"];
            Duty::Block(BeaconBlockHeader {
                slot: slot_of(header),
                proposer_index: ValidatorIndex(number(&header["proposer_index"])),
                parent_root: text(&header["parent_root"]).parse().unwrap(),
                state_root: text(&header["state_root"]).parse().unwrap(),
                body_root: text(&header["body_root"]).parse().unwrap(),
            })
        }
        "ATTESTATION" => {
            let data = &body["attestation"];
            let checkpoint = |object: &Value| Checkpoint {
                epoch: Epoch(number(&object["epoch"])),
                root: text(&object["root"]).parse().unwrap(),
            };
            Duty::Attestation(AttestationData {
                slot: slot_of(data),
                index: number(&data["index"]),
                beacon_block_root: text(&data["beacon_block_root"]).parse().unwrap(),
                source: checkpoint(&data["source"]),
                target: checkpoint(&data["target"]),
            })
        }
        "RANDAO_REVEAL" => Duty::RandaoReveal {
            epoch: Epoch(number(&body["randao_reveal"]["epoch"])),
        },
        "AGGREGATION_SLOT" => Duty::AggregationSlot {
            slot: slot_of(&body["aggregation_slot"]),
        },
        // The roots of these two come from variable-size containers, which have tests of their own.
        "AGGREGATE_AND_PROOF" => Duty::AggregateAndProof {
            slot: slot_of(&body["aggregate_and_proof"]["aggregate"]["data"]),
            object_root: text(&record["object_root"]).parse().unwrap(),
        },
        "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF" => Duty::SyncContributionAndProof {
            slot: slot_of(&body["contribution_and_proof"]["contribution"]),
            object_root: text(&record["object_root"]).parse().unwrap(),
        },
        "SYNC_COMMITTEE_MESSAGE" => {
            let message = &body["sync_committee_message"];
            let beacon_block_root = text(&message["beacon_block_root"]).parse().unwrap();
            Duty::SyncCommitteeMessage {
                slot: slot_of(message),
                beacon_block_root,
            }
        }
        "SYNC_COMMITTEE_SELECTION_PROOF" => {
            let data = &body["sync_aggregator_selection_data"];
            let subcommittee_index = number(&data["subcommittee_index"]);
            Duty::SyncSelectionProof {
                slot: slot_of(data),
                subcommittee_index,
            }
        }
        "VALIDATOR_REGISTRATION" => {
            let registration = &body["validator_registration"];
            Duty::ValidatorRegistration(ValidatorRegistration {
                fee_recipient: text(&registration["fee_recipient"]).parse().unwrap(),
                gas_limit: number(&registration["gas_limit"]),
                timestamp: number(&registration["timestamp"]),
                pubkey: text(&registration["pubkey"]).parse().unwrap(),
            })
        }
        other => panic!("a type that was not recorded before: {other}"),
    };
    (duty, version)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> u64 {
    text(value).parse().unwrap()
}
