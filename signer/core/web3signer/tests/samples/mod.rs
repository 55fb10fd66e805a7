//! Good requests on mainnet, to be changed by the tests.

use serde_json::{Value, json};
use symbolon_duties::Network;
use symbolon_web3signer::{RequestError, SignRequest, parse_sign_request};

pub(crate) const MAINNET_ROOT: &str =
    "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95";

pub(crate) fn mainnet() -> Network {
    Network::named("mainnet").unwrap()
}

pub(crate) fn parse(body: &Value) -> Result<SignRequest, RequestError> {
    parse_sign_request(body.to_string().as_bytes(), &mainnet())
}

pub(crate) fn refusal(body: &Value) -> String {
    let error = parse(body).unwrap_err();
    assert_eq!(error.status(), 400);
    error.to_string()
}

pub(crate) fn root(byte: u8) -> String {
    format!("0x{}", hex::encode([byte; 32]))
}

pub(crate) fn signature() -> String {
    format!("0x{}", hex::encode([0xcc; 96]))
}

pub(crate) fn fork_info(previous: &str, current: &str, epoch: &str) -> Value {
    json!({
        "fork": { "previous_version": previous, "current_version": current, "epoch": epoch },
        "genesis_validators_root": MAINNET_ROOT,
    })
}

/// A body of one type with a fork of Fulu, into which the object is put.
pub(crate) fn request(kind: &str, key: &str, object: Value) -> Value {
    let mut body = json!({
        "type": kind,
        "fork_info": fork_info("0x05000000", "0x06000000", "411392"),
    });
    body[key] = object;
    body
}

pub(crate) fn attestation_data(slot: &str) -> Value {
    json!({
        "slot": slot,
        "index": "0",
        "beacon_block_root": root(1),
        "source": { "epoch": "1", "root": root(2) },
        "target": { "epoch": "500000", "root": root(3) },
    })
}

pub(crate) fn header() -> Value {
    json!({
        "slot": "16000000",
        "proposer_index": "7",
        "parent_root": root(1),
        "state_root": root(2),
        "body_root": root(3),
    })
}

pub(crate) fn contribution_and_proof() -> Value {
    json!({
        "aggregator_index": "7",
        "selection_proof": signature(),
        "contribution": {
            "slot": "16000000",
            "beacon_block_root": root(1),
            "subcommittee_index": "1",
            "aggregation_bits": format!("0x{}", hex::encode([0xff; 16])),
            "signature": signature(),
        },
    })
}

pub(crate) fn aggregate_and_proof(committee_bits: Option<&str>) -> Value {
    let mut object = json!({
        "aggregator_index": "7",
        "selection_proof": signature(),
        "aggregate": {
            "aggregation_bits": "0xff01",
            "data": attestation_data("16000000"),
            "signature": signature(),
        },
    });
    if let Some(bits) = committee_bits {
        object["aggregate"]["committee_bits"] = json!(bits);
    }
    object
}
