//! What is accepted in a request, what is refused, and in which words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod samples;

use samples::{
    MAINNET_ROOT, aggregate_and_proof, attestation_data, contribution_and_proof, fork_info, header,
    mainnet, parse, refusal, request, root,
};
use serde_json::{Value, json};
use symbolon_duties::{DutyKind, Slot};
use symbolon_web3signer::{MAX_BODY_BYTES, parse_sign_request};

fn registration() -> Value {
    json!({
        "fee_recipient": format!("0x{}", hex::encode([0x11; 20])),
        "gas_limit": "30000000",
        "timestamp": "1700000000",
        "pubkey": format!("0x{}", hex::encode([0xaa; 48])),
    })
}

fn deposit(genesis_fork_version: &str) -> Value {
    json!({
        "pubkey": format!("0x{}", hex::encode([0xaa; 48])),
        "withdrawal_credentials": root(1),
        "amount": "32000000000",
        "genesis_fork_version": genesis_fork_version,
    })
}

/// One good request of each type: the name, the field of its object, the object, the kind.
fn good() -> Vec<(&'static str, &'static str, Value, DutyKind)> {
    let v2 =
        json!({ "version": "ELECTRA", "data": aggregate_and_proof(Some("0x0100000000000000")) });
    vec![
        (
            "AGGREGATION_SLOT",
            "aggregation_slot",
            json!({ "slot": "1" }),
            DutyKind::AggregationSlot,
        ),
        (
            "AGGREGATE_AND_PROOF",
            "aggregate_and_proof",
            aggregate_and_proof(None),
            DutyKind::AggregateAndProof,
        ),
        (
            "AGGREGATE_AND_PROOF_V2",
            "aggregate_and_proof",
            v2,
            DutyKind::AggregateAndProof,
        ),
        (
            "ATTESTATION",
            "attestation",
            attestation_data("16000000"),
            DutyKind::Attestation,
        ),
        (
            "BLOCK_V2",
            "beacon_block",
            json!({ "version": "FULU", "block_header": header() }),
            DutyKind::Block,
        ),
        (
            "DEPOSIT",
            "deposit",
            deposit("0x00000000"),
            DutyKind::Deposit,
        ),
        (
            "RANDAO_REVEAL",
            "randao_reveal",
            json!({ "epoch": "500000" }),
            DutyKind::RandaoReveal,
        ),
        (
            "VOLUNTARY_EXIT",
            "voluntary_exit",
            json!({ "epoch": "500000", "validator_index": "7" }),
            DutyKind::VoluntaryExit,
        ),
        (
            "SYNC_COMMITTEE_MESSAGE",
            "sync_committee_message",
            json!({ "slot": "16000000", "beacon_block_root": root(1) }),
            DutyKind::SyncCommitteeMessage,
        ),
        (
            "SYNC_COMMITTEE_SELECTION_PROOF",
            "sync_aggregator_selection_data",
            json!({ "slot": "16000000", "subcommittee_index": "3" }),
            DutyKind::SyncSelectionProof,
        ),
        (
            "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
            "contribution_and_proof",
            contribution_and_proof(),
            DutyKind::SyncContributionAndProof,
        ),
        (
            "VALIDATOR_REGISTRATION",
            "validator_registration",
            registration(),
            DutyKind::ValidatorRegistration,
        ),
    ]
}

#[test]
fn each_type_is_read_and_a_missing_object_is_named() {
    for (name, key, object, kind) in good() {
        let mut body = request(name, key, object);
        let request = parse(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(request.duty.kind(), kind, "{name}");
        let fixed = matches!(kind, DutyKind::Deposit | DutyKind::ValidatorRegistration);
        assert_eq!(request.fork_version.is_none(), fixed, "{name}");
        for absent in [Value::Null, json!({})] {
            body[key] = absent;
            let message = refusal(&body);
            assert!(
                message.starts_with(key) && message.ends_with("must be specified"),
                "{message}"
            );
        }
        body.as_object_mut().unwrap().remove(key);
        assert_eq!(refusal(&body), format!("{key} must be specified"));
    }
}

#[test]
fn a_fork_is_required_but_for_deposits_and_registrations() {
    for (name, key, object, kind) in good() {
        let mut body = request(name, key, object);
        body.as_object_mut().unwrap().remove("fork_info");
        if matches!(kind, DutyKind::Deposit | DutyKind::ValidatorRegistration) {
            assert!(parse(&body).is_ok(), "{name}");
        } else {
            assert_eq!(refusal(&body), "fork_info must be specified", "{name}");
        }
    }
}

#[test]
fn a_fork_of_another_network_is_refused_with_both_roots() {
    let mut body = request(
        "RANDAO_REVEAL",
        "randao_reveal",
        json!({ "epoch": "500000" }),
    );
    body["fork_info"]["genesis_validators_root"] = json!(root(9));
    assert_eq!(
        refusal(&body),
        format!(
            "fork_info.genesis_validators_root is {}, but network mainnet has {MAINNET_ROOT}; \
             the validator client runs on another network",
            root(9)
        )
    );
    body["fork_info"] = fork_info("0x05000000", "0x90000075", "0");
    assert!(refusal(&body).starts_with("fork version 0x90000075 is not in the schedule"));
    body["fork_info"]["fork"]["epoch"] = json!("-1");
    let expected = "fork_info.fork.epoch: expected a whole number below 2^64, plain or quoted";
    assert_eq!(refusal(&body), expected);
}

#[test]
fn the_previous_version_counts_before_the_epoch_of_the_fork() {
    for (epoch, version) in [
        ("411391", "0x05000000"),
        ("411392", "0x06000000"),
        ("411393", "0x06000000"),
    ] {
        let body = request("RANDAO_REVEAL", "randao_reveal", json!({ "epoch": epoch }));
        let request = parse(&body).unwrap();
        assert_eq!(
            request.fork_version.unwrap().to_string(),
            version,
            "epoch {epoch}"
        );
    }
    // A vote goes by its target, not by its slot.
    let mut data = attestation_data("1");
    data["target"]["epoch"] = json!("411391");
    let request = parse(&request("ATTESTATION", "attestation", data)).unwrap();
    assert_eq!(request.fork_version.unwrap().to_string(), "0x05000000");
}

/// EIP-7044; the three ways in which clients send the fork of an exit give one root.
#[test]
fn an_exit_after_deneb_has_one_root_whatever_fork_is_sent() {
    let exit = json!({ "epoch": "420000", "validator_index": "7" });
    let roots = [
        fork_info("0x03000000", "0x03000000", "420000"),
        fork_info("0x05000000", "0x06000000", "411392"),
        fork_info("0x03000000", "0x04000000", "269568"),
    ]
    .map(|fork| {
        let mut body = request("VOLUNTARY_EXIT", "voluntary_exit", exit.clone());
        body["fork_info"] = fork;
        let request = parse(&body).unwrap();
        assert_eq!(request.fork_version.unwrap().to_string(), "0x03000000");
        request.signing_root
    });
    assert!(roots.iter().all(|root| *root == roots[0]));
}

#[test]
fn both_spellings_of_the_signing_root_are_compared() {
    let body = request(
        "RANDAO_REVEAL",
        "randao_reveal",
        json!({ "epoch": "500000" }),
    );
    let computed = parse(&body).unwrap().signing_root.to_string();
    for key in ["signing_root", "signingRoot"] {
        let mut body = body.clone();
        for right in [
            json!(computed),
            json!(computed[2..].to_uppercase()),
            Value::Null,
        ] {
            body[key] = right;
            assert!(parse(&body).is_ok(), "{key}");
        }
        body[key] = json!(root(9));
        assert_eq!(
            refusal(&body),
            format!(
                "signing_root is {}, but the fields of the request give {computed}; \
                 nothing was signed",
                root(9)
            )
        );
        body[key] = json!("0x12");
        let expected = format!("{key}: expected 0x and 64 hexadecimal digits, got 4 characters");
        assert_eq!(refusal(&body), expected);
    }
    let mut both = body;
    both["signing_root"] = json!(computed);
    both["signingRoot"] = json!(root(9));
    assert!(refusal(&both).starts_with("signing_root is"));
}

#[test]
fn names_are_read_in_any_case_and_numbers_plain_or_quoted() {
    let quoted = parse(&request(
        "ATTESTATION",
        "attestation",
        attestation_data("16000000"),
    ));
    let mut data = attestation_data("16000000");
    data["slot"] = json!(16_000_000);
    data["index"] = json!(0);
    data["beacon_block_root"] = json!(hex::encode_upper([1; 32]));
    data["proofs"] = json!([{ "unknown": true }]);
    let plain = parse(&request("attestation", "attestation", data.clone()));
    assert_eq!(plain.unwrap(), quoted.unwrap());

    for wrong in [
        json!(-1),
        json!(1.5),
        json!("1.0"),
        json!("+1"),
        json!(""),
        json!(" 1"),
        json!([]),
    ] {
        data["slot"] = wrong;
        let message = refusal(&request("ATTESTATION", "attestation", data.clone()));
        let expected = "attestation.slot: expected a whole number below 2^64, plain or quoted";
        assert_eq!(message, expected);
    }
    data["slot"] = json!("18446744073709551615");
    let largest = parse(&request("ATTESTATION", "attestation", data)).unwrap();
    assert_eq!(largest.duty.slot(), Some(Slot(u64::MAX)));
    let unknown = request("BLS_TO_EXECUTION_CHANGE", "x", json!({}));
    assert!(refusal(&unknown).starts_with("type: expected AGGREGATION_SLOT, "));
    assert_eq!(refusal(&json!({})), "type must be specified");
    assert_eq!(refusal(&json!([1])), "the body: expected an object");
}

#[test]
fn a_deposit_for_another_chain_is_refused() {
    let body = request("DEPOSIT", "deposit", deposit("0x10000910"));
    assert_eq!(
        refusal(&body),
        "the deposit is for genesis fork version 0x10000910, but network mainnet has 0x00000000; \
         nothing was signed"
    );
}

#[test]
fn bodies_that_are_no_json_or_too_large_are_refused() {
    let of = |bytes: &[u8]| {
        parse_sign_request(bytes, &mainnet())
            .unwrap_err()
            .to_string()
    };
    assert!(of(b"").starts_with("the body is not JSON: "));
    assert!(of(b"{} {}").starts_with("the body is not JSON: "));
    assert!(of(&[b'['; 100_000]).starts_with("the body is not JSON: recursion limit"));
    let large = vec![b' '; MAX_BODY_BYTES + 1];
    assert_eq!(
        of(&large),
        "the body has 2097153 bytes, more than the 2097152 allowed"
    );
}
