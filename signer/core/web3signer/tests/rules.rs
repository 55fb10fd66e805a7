//! What is accepted in a request, what is refused, and in which words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use serde_json::{Value, json};
use symbolon_duties::{Duty, DutyKind, Network, Slot};
use symbolon_web3signer::{
    AnswerFormat, MAX_BODY_BYTES, RequestError, SignRequest, parse_identifier, parse_sign_request,
    render_public_keys, render_signature,
};

const MAINNET_ROOT: &str = "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95";

fn mainnet() -> Network {
    Network::named("mainnet").unwrap()
}

fn parse(body: &Value) -> Result<SignRequest, RequestError> {
    parse_sign_request(body.to_string().as_bytes(), &mainnet())
}

fn refusal(body: &Value) -> String {
    let error = parse(body).unwrap_err();
    assert_eq!(error.status(), 400);
    error.to_string()
}

fn root(byte: u8) -> String {
    format!("0x{}", hex::encode([byte; 32]))
}

fn signature() -> String {
    format!("0x{}", hex::encode([0xcc; 96]))
}

fn fork_info(previous: &str, current: &str, epoch: &str) -> Value {
    json!({
        "fork": { "previous_version": previous, "current_version": current, "epoch": epoch },
        "genesis_validators_root": MAINNET_ROOT,
    })
}

/// A body of one type with a fork of Fulu, into which the object is put.
fn request(kind: &str, key: &str, object: Value) -> Value {
    let mut body = json!({
        "type": kind,
        "fork_info": fork_info("0x05000000", "0x06000000", "411392"),
    });
    body[key] = object;
    body
}

fn attestation_data(slot: &str) -> Value {
    json!({
        "slot": slot,
        "index": "0",
        "beacon_block_root": root(1),
        "source": { "epoch": "1", "root": root(2) },
        "target": { "epoch": "500000", "root": root(3) },
    })
}

fn header() -> Value {
    json!({
        "slot": "16000000",
        "proposer_index": "7",
        "parent_root": root(1),
        "state_root": root(2),
        "body_root": root(3),
    })
}

fn contribution_and_proof() -> Value {
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

fn aggregate_and_proof(committee_bits: Option<&str>) -> Value {
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
fn an_aggregate_is_read_in_all_shapes_under_both_names() {
    let bits = "0x0100000000000000";
    let mut roots = Vec::new();
    for (committee_bits, version) in [
        (None, "DENEB"),
        (Some(bits), "electra"),
        (Some(bits), "FULU"),
    ] {
        let object = aggregate_and_proof(committee_bits);
        let versioned = json!({ "version": version, "data": object });
        let shapes = [
            ("AGGREGATE_AND_PROOF", &object),
            ("AGGREGATE_AND_PROOF_V2", &object),
        ]
        .into_iter()
        .chain([
            ("AGGREGATE_AND_PROOF", &versioned),
            ("AGGREGATE_AND_PROOF_V2", &versioned),
        ]);
        let parsed: Vec<_> = shapes
            .map(|(name, shape)| {
                parse(&request(name, "aggregate_and_proof", shape.clone())).unwrap()
            })
            .collect();
        assert!(
            parsed.iter().all(|request| *request == parsed[0]),
            "{version}"
        );
        let Duty::AggregateAndProof { slot, .. } = parsed[0].duty else {
            panic!("{version}")
        };
        assert_eq!(slot, Slot(16_000_000));
        roots.push(parsed[0].signing_root);
    }
    assert_ne!(roots[0], roots[1], "committee bits count");
    assert_eq!(roots[1], roots[2]);
}

#[test]
fn bits_of_another_size_are_refused_with_their_place() {
    let of = |object: &Value| {
        refusal(&request(
            "AGGREGATE_AND_PROOF",
            "aggregate_and_proof",
            object.clone(),
        ))
    };
    assert_eq!(
        of(&aggregate_and_proof(Some("0x01"))),
        "aggregate_and_proof.aggregate.committee_bits: \
         got 1 bytes or entries, expected exactly 8"
    );
    let mut object = aggregate_and_proof(None);
    object["aggregate"]["aggregation_bits"] = json!("0x00");
    assert_eq!(
        of(&object),
        "aggregate_and_proof.aggregate.aggregation_bits: \
         the bit list has no end mark: its last byte must not be 0 or missing"
    );
    object["aggregate"]["aggregation_bits"] = json!("0x0");
    assert_eq!(
        of(&object),
        "aggregate_and_proof.aggregate.aggregation_bits: \
         expected 0x and an even number of hexadecimal digits"
    );
    let versioned = json!({ "version": "ELECTRA", "data": aggregate_and_proof(None) });
    assert_eq!(
        of(&versioned),
        "aggregate_and_proof.data.aggregate.committee_bits must be specified"
    );
    let mut object = contribution_and_proof();
    object["contribution"]["aggregation_bits"] = json!("0xff");
    let name = "SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF";
    assert_eq!(
        refusal(&request(name, "contribution_and_proof", object)),
        "contribution_and_proof.contribution.aggregation_bits: \
         got 1 bytes or entries, expected exactly 16"
    );
}

#[test]
fn a_block_is_read_by_its_version() {
    let of = |object: Value| parse(&request("BLOCK_V2", "beacon_block", object));
    let bellatrix = of(json!({ "version": "bellatrix", "block_header": header() })).unwrap();
    let fulu = of(json!({ "version": "FULU", "block_header": header(), "block": 1 })).unwrap();
    assert_eq!(bellatrix, fulu);
    let missing = of(json!({ "version": "FULU", "block": {} })).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "beacon_block.block_header must be specified"
    );
    let missing = of(json!({ "version": "ALTAIR", "block_header": header() })).unwrap_err();
    assert_eq!(missing.to_string(), "beacon_block.block must be specified");
    let unknown = of(json!({ "version": "LATER", "block_header": header() })).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "beacon_block.version: expected PHASE0, ALTAIR, BELLATRIX, CAPELLA, DENEB, ELECTRA, FULU \
         or GLOAS"
    );
}

#[test]
fn whole_blocks_name_the_element_at_fault() {
    let mut block = json!({
        "slot": "1",
        "proposer_index": "2",
        "parent_root": root(1),
        "state_root": root(2),
        "body": {
            "randao_reveal": signature(),
            "eth1_data": { "deposit_root": root(3), "deposit_count": "0", "block_hash": root(4) },
            "graffiti": root(5),
            "proposer_slashings": [],
            "attester_slashings": [],
            "attestations": [],
            "deposits": [],
            "voluntary_exits": [],
        },
    });
    let old = |block: &Value| parse(&request("BLOCK", "block", block.clone()));
    let new = |version: &str, block: &Value| {
        let object = json!({ "version": version, "block": block });
        parse(&request("BLOCK_V2", "beacon_block", object))
    };
    let phase0 = old(&block).unwrap();
    assert_eq!(phase0, new("PHASE0", &block).unwrap());
    assert_eq!(
        new("ALTAIR", &block).unwrap_err().to_string(),
        "beacon_block.block.body.sync_aggregate must be specified"
    );
    let aggregate = json!({
        "sync_committee_bits": format!("0x{}", hex::encode([0xff; 64])),
        "sync_committee_signature": signature(),
    });
    block["body"]["sync_aggregate"] = aggregate;
    assert_eq!(old(&block).unwrap(), new("ALTAIR", &block).unwrap());
    assert_eq!(
        phase0,
        new("PHASE0", &block).unwrap(),
        "no field of a phase0 block"
    );

    let exit = json!({
        "message": { "epoch": "1", "validator_index": "2" },
        "signature": signature(),
    });
    block["body"]["voluntary_exits"] = json!([exit.clone(), { "message": exit["message"] }]);
    assert_eq!(
        old(&block).unwrap_err().to_string(),
        "block.body.voluntary_exits[1].signature must be specified"
    );
    block["body"]["voluntary_exits"] = json!(vec![exit; 17]);
    assert_eq!(
        old(&block).unwrap_err().to_string(),
        "block.body.voluntary_exits: got 17 entries, more than the 16 that the specification allows"
    );
    block["body"]["voluntary_exits"] = json!({});
    assert_eq!(
        old(&block).unwrap_err().to_string(),
        "block.body.voluntary_exits: expected an array"
    );
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

#[test]
fn the_form_of_the_answer_follows_the_accept_header() {
    for (accept, format) in [
        (Some("application/json"), AnswerFormat::Json),
        (Some("*/*"), AnswerFormat::Json),
        (
            Some("text/plain, Application/JSON;q=0.5"),
            AnswerFormat::Json,
        ),
        (Some("text/plain"), AnswerFormat::Text),
        (Some("text/plain; charset=utf-8"), AnswerFormat::Text),
        (Some(""), AnswerFormat::Text),
        (None, AnswerFormat::Text),
    ] {
        assert_eq!(AnswerFormat::from_accept(accept), format, "{accept:?}");
    }
    let digits = "ab".repeat(96);
    let (kind, body) = render_signature(AnswerFormat::Json, &[0xab; 96]);
    assert_eq!(
        (kind, body),
        (
            "application/json",
            format!("{{\"signature\":\"0x{digits}\"}}")
        )
    );
    let (kind, body) = render_signature(AnswerFormat::Text, &[0xab; 96]);
    assert_eq!(
        (kind, body),
        ("text/plain; charset=utf-8", format!("0x{digits}"))
    );
}

#[test]
fn keys_are_listed_and_looked_up_in_hexadecimal() {
    let digits = "ab".repeat(48);
    let key = parse_identifier(&format!("0x{digits}")).unwrap();
    assert_eq!(parse_identifier(&digits.to_uppercase()).unwrap(), key);
    assert_eq!(
        parse_identifier("0xabcd").unwrap_err().to_string(),
        "the key in the path is no BLS public key: \
         expected 0x and 96 hexadecimal digits, got 6 characters"
    );
    let (kind, body) = render_public_keys([&key, &key]);
    assert_eq!(kind, "application/json");
    assert_eq!(body, format!("[\"0x{digits}\",\"0x{digits}\"]"));
    assert_eq!(render_public_keys([]).1, "[]");
}
