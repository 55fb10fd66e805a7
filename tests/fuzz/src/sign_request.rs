//! Bodies of signing requests over the Web3Signer interface.

use serde_json::{Value, json};
use symbolon_duties::{SigningRoot, signing_root};
use symbolon_web3signer::{RequestError, parse_sign_request};

use crate::Seed;
use crate::fixture::{devnet, mainnet};

/// A whole Altair block with one of everything takes less.
pub const MAX_LEN: usize = 16_384;

/// An accepted request has the signing root of its duty; it is accepted again with that root in it,
/// in either spelling, and refused with any other.
pub fn check(data: &[u8]) {
    for network in [mainnet(), devnet()] {
        let Ok(request) = parse_sign_request(data, network) else {
            continue;
        };
        let root = signing_root(&request.duty, request.fork_version, network);
        assert_eq!(root, Ok(request.signing_root));
        assert_eq!(request.fork_version.is_some(), request.duty.epoch(network).is_some());
        let body: Value = serde_json::from_slice(data).unwrap();
        for key in ["signing_root", "signingRoot"] {
            let mut with = body.clone();
            with[key] = json!(request.signing_root);
            let again = parse_sign_request(with.to_string().as_bytes(), network).unwrap();
            assert_eq!(again, request);
            let mut other = request.signing_root;
            other.0[0] ^= 1;
            with[key] = json!(other);
            let refused = parse_sign_request(with.to_string().as_bytes(), network);
            assert!(matches!(
                refused,
                Err(RequestError::SigningRootMismatch { computed, .. })
                    if computed == request.signing_root
            ));
        }
    }
}

fn root(byte: u8) -> String {
    SigningRoot([byte; 32]).to_string()
}

fn hex(byte: u8, len: usize) -> String {
    format!("0x{}", format!("{byte:02x}").repeat(len))
}

fn request(kind: &str, key: &str, object: Value) -> Vec<u8> {
    let mut body = json!({
        "type": kind,
        "fork_info": {
            "fork": {
                "previous_version": "0x05000000",
                "current_version": "0x06000000",
                "epoch": "411392",
            },
            "genesis_validators_root": mainnet().genesis_validators_root(),
        },
    });
    body[key] = object;
    body.to_string().into_bytes()
}

fn attestation_data() -> Value {
    json!({
        "slot": "16000000", "index": "0", "beacon_block_root": root(1),
        "source": { "epoch": "1", "root": root(2) },
        "target": { "epoch": 500_000, "root": root(3) },
    })
}

fn header() -> Value {
    json!({
        "slot": "16000000", "proposer_index": "7",
        "parent_root": root(1), "state_root": root(2), "body_root": root(3),
    })
}

fn aggregate(committee_bits: Option<&str>) -> Value {
    let mut aggregate = json!({
        "aggregation_bits": "0xff01", "data": attestation_data(), "signature": hex(0xcc, 96),
    });
    if let Some(bits) = committee_bits {
        aggregate["committee_bits"] = json!(bits);
    }
    json!({ "aggregator_index": "7", "selection_proof": hex(0xcc, 96), "aggregate": aggregate })
}

fn block() -> Value {
    let signed = json!({ "message": header(), "signature": hex(0xcc, 96) });
    let indexed = json!({
        "attesting_indices": ["1", 2], "data": attestation_data(), "signature": hex(0xcc, 96),
    });
    let deposit = json!({
        "pubkey": hex(7, 48), "withdrawal_credentials": root(4), "amount": "1",
        "signature": hex(0xcc, 96),
    });
    json!({
        "slot": "16000000", "proposer_index": "7", "parent_root": root(1), "state_root": root(2),
        "body": {
            "randao_reveal": hex(0xcc, 96),
            "eth1_data": { "deposit_root": root(1), "deposit_count": "0", "block_hash": root(1) },
            "graffiti": root(5),
            "proposer_slashings": [{ "signed_header_1": signed, "signed_header_2": signed }],
            "attester_slashings": [{ "attestation_1": indexed, "attestation_2": indexed }],
            "attestations": [{
                "aggregation_bits": "0x03", "data": attestation_data(), "signature": hex(0xcc, 96),
            }],
            "deposits": [{ "proof": vec![root(6); 33], "data": deposit }],
            "voluntary_exits": [{
                "message": { "epoch": "1", "validator_index": "1" }, "signature": hex(0xcc, 96),
            }],
            "sync_aggregate": {
                "sync_committee_bits": hex(0xff, 64),
                "sync_committee_signature": hex(0xcc, 96),
            },
        },
    })
}

/// Each type, in the forms that clients send.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let contribution = json!({
        "aggregator_index": "7", "selection_proof": hex(0xcc, 96),
        "contribution": {
            "slot": "16000000", "beacon_block_root": root(1), "subcommittee_index": "1",
            "aggregation_bits": hex(0xff, 16), "signature": hex(0xcc, 96),
        },
    });
    let deposit = json!({
        "pubkey": hex(7, 48), "withdrawal_credentials": root(4), "amount": "32000000000",
        "genesis_fork_version": "0x00000000",
    });
    let registration = json!({
        "fee_recipient": hex(3, 20), "gas_limit": "36000000", "timestamp": "1800000000",
        "pubkey": hex(7, 48),
    });
    let electra = json!({ "version": "ELECTRA", "data": aggregate(Some("0x0100000000000000")) });
    let versioned = json!({ "version": "FULU", "block_header": header() });
    let altair = json!({ "version": "ALTAIR", "block": block() });
    let message = json!({ "beacon_block_root": root(1), "slot": "16000000" });
    let selection = json!({ "slot": "16000000", "subcommittee_index": "1" });
    vec![
        (
            "aggregation-slot",
            request("AGGREGATION_SLOT", "aggregation_slot", json!({ "slot": "16000000" })),
        ),
        ("aggregate", request("AGGREGATE_AND_PROOF", "aggregate_and_proof", aggregate(None))),
        ("aggregate-v2", request("AGGREGATE_AND_PROOF_V2", "aggregate_and_proof", electra)),
        ("attestation", request("ATTESTATION", "attestation", attestation_data())),
        ("block", request("BLOCK", "block", block())),
        ("block-v2", request("BLOCK_V2", "beacon_block", versioned)),
        ("block-v2-altair", request("BLOCK_V2", "beacon_block", altair)),
        ("deposit", request("DEPOSIT", "deposit", deposit)),
        (
            "randao",
            request("RANDAO_REVEAL", "randao_reveal", json!({ "epoch": "500000" })),
        ),
        (
            "exit",
            request(
                "VOLUNTARY_EXIT",
                "voluntary_exit",
                json!({ "epoch": "500000", "validator_index": "7" }),
            ),
        ),
        (
            "sync-message",
            request("SYNC_COMMITTEE_MESSAGE", "sync_committee_message", message),
        ),
        (
            "sync-selection",
            request("SYNC_COMMITTEE_SELECTION_PROOF", "sync_aggregator_selection_data", selection),
        ),
        (
            "sync-contribution",
            request("SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF", "contribution_and_proof", contribution),
        ),
        (
            "registration",
            request("VALIDATOR_REGISTRATION", "validator_registration", registration),
        ),
    ]
}
