//! Whatever arrives, parsing ends in a request or a refusal; what it accepts it accepts again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_duties::{Network, signing_root};
use symbolon_web3signer::{AnswerFormat, parse_identifier, parse_sign_request};

fn network() -> Network {
    Network::named("mainnet").unwrap()
}

/// A request to sign an aggregate and a whole block: every kind of value is in it.
fn sample(block: bool) -> Value {
    let root = format!("0x{}", "11".repeat(32));
    let signature = format!("0x{}", "22".repeat(96));
    let checkpoint = json!({ "epoch": "1", "root": root });
    let data = json!({
        "slot": "33", "index": "0", "beacon_block_root": root,
        "source": checkpoint, "target": checkpoint,
    });
    let attestation = json!({ "aggregation_bits": "0x03", "data": data, "signature": signature });
    let header = json!({
        "slot": "33", "proposer_index": "1",
        "parent_root": root, "state_root": root, "body_root": root,
    });
    let signed = json!({ "message": header, "signature": signature });
    let indexed = json!({ "attesting_indices": ["1", 2], "data": data, "signature": signature });
    let body = json!({
        "type": if block { "BLOCK" } else { "AGGREGATE_AND_PROOF" },
        "fork_info": {
            "fork": {
                "previous_version": "0x00000000", "current_version": "0x01000000", "epoch": "74240",
            },
            "genesis_validators_root": network().genesis_validators_root().to_string(),
        },
        "aggregate_and_proof": {
            "aggregator_index": "1", "aggregate": attestation, "selection_proof": signature,
        },
        "block": {
            "slot": "33", "proposer_index": "1", "parent_root": root, "state_root": root,
            "body": {
                "randao_reveal": signature,
                "eth1_data": { "deposit_root": root, "deposit_count": "0", "block_hash": root },
                "graffiti": root,
                "proposer_slashings": [{ "signed_header_1": signed, "signed_header_2": signed }],
                "attester_slashings": [{ "attestation_1": indexed, "attestation_2": indexed }],
                "attestations": [attestation],
                "deposits": [{
                    "proof": vec![root.clone(); 33],
                    "data": {
                        "pubkey": format!("0x{}", "33".repeat(48)),
                        "withdrawal_credentials": root, "amount": "1", "signature": signature,
                    },
                }],
                "voluntary_exits": [{
                    "message": { "epoch": "1", "validator_index": "1" }, "signature": signature,
                }],
                "sync_aggregate": {
                    "sync_committee_bits": format!("0x{}", "ff".repeat(64)),
                    "sync_committee_signature": signature,
                },
            },
        },
    });
    body
}

/// Replaces the value at the `target`-th place of the tree, counted in document order.
fn replace(value: &mut Value, target: &mut usize, with: &Value) {
    if *target == 0 {
        *value = with.clone();
    }
    *target = target.wrapping_sub(1);
    match value {
        Value::Object(object) => object.values_mut().for_each(|v| replace(v, target, with)),
        Value::Array(array) => array.iter_mut().for_each(|v| replace(v, target, with)),
        _ => {}
    }
}

fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "(0x)?[0-9a-fA-F]{0,200}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{1,8}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn check(body: &[u8]) {
    let network = network();
    if let Ok(request) = parse_sign_request(body, &network) {
        let root = signing_root(&request.duty, request.fork_version, &network).unwrap();
        assert_eq!(root, request.signing_root);
        assert_eq!(parse_sign_request(body, &network).unwrap(), request);
    }
}

#[test]
fn the_samples_are_good_requests() {
    for block in [false, true] {
        let body = sample(block).to_string();
        assert!(parse_sign_request(body.as_bytes(), &network()).is_ok());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes);
    }

    #[test]
    fn arbitrary_json_never_panics(value in junk()) {
        check(value.to_string().as_bytes());
    }

    #[test]
    fn requests_with_a_changed_value_never_panic(
        block in any::<bool>(),
        mut place in 0..160_usize,
        with in junk(),
    ) {
        let mut value = sample(block);
        replace(&mut value, &mut place, &with);
        check(value.to_string().as_bytes());
    }

    #[test]
    fn requests_with_changed_bytes_never_panic(
        block in any::<bool>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = sample(block).to_string().into_bytes();
        let place = place.index(body.len());
        body[place] = byte;
        check(&body);
        body.truncate(place);
        check(&body);
    }

    #[test]
    fn headers_and_identifiers_never_panic(text in ".{0,120}") {
        let json = text.to_lowercase().contains("application/json") || text.contains("*/*");
        prop_assert_eq!(AnswerFormat::from_accept(Some(&text)) == AnswerFormat::Json, json);
        prop_assert!(parse_identifier(&text).is_err());
    }
}
