//! Blocks and aggregates, whose form differs between forks and clients.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod samples;

use samples::{
    aggregate_and_proof, contribution_and_proof, header, parse, refusal, request, root, signature,
};
use serde_json::{Value, json};
use symbolon_duties::{Duty, Slot};

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
