//! Requests that a real validator client sent, and the examples of Web3Signer's own interface
//! description: all parse, and give the signing root that stands in them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use symbolon_duties::Network;
use symbolon_web3signer::{
    AnswerFormat, RequestError, parse_identifier, parse_sign_request, render_signature,
};

/// A folder beside the repository, or `None` (outside CI) where it is not there.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = format!("{}/../../../../shared/{name}", env!("CARGO_MANIFEST_DIR"));
    if fs::exists(&folder).unwrap() {
        return Some(folder.into());
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "the folder shared/{name} is missing"
    );
    println!("left out: no folder shared/{name}");
    None
}

#[test]
fn recorded_requests_give_their_signing_roots() {
    let Some(folder) = shared("requests") else {
        return;
    };
    let config = fs::read_to_string(folder.join("network-capella.yaml")).unwrap();
    let network = Network::from_config_yaml(&config).unwrap();
    let mut parsed = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let body = record["body"].to_string();
        let request = parse_sign_request(body.as_bytes(), &network).unwrap();
        assert_eq!(
            request.signing_root.to_string(),
            record["signing_root"],
            "{}",
            path.display()
        );
        assert_eq!(
            request.duty.object_root().to_string(),
            record["object_root"]
        );
        let registration = record["body"]["type"] == "VALIDATOR_REGISTRATION";
        assert_eq!(request.fork_version.is_none(), registration);

        let (_, identifier) = record["path"].as_str().unwrap().rsplit_once('/').unwrap();
        let key = parse_identifier(identifier).unwrap();
        assert!(
            request
                .duty
                .named_pubkey()
                .is_none_or(|named| *named == key)
        );
        let format = AnswerFormat::from_accept(record["headers"]["accept"].as_str());
        assert_eq!(format, AnswerFormat::Json);
        let signature = hex::decode(&record["signature"].as_str().unwrap()[2..]).unwrap();
        let (_, answer) = render_signature(format, &signature.try_into().unwrap());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(
            answer,
            serde_json::json!({ "signature": record["signature"] })
        );
        parsed += 1;
    }
    assert_eq!(parsed, 9, "one request of each recorded type");
}

#[test]
fn examples_of_the_interface_description_give_their_signing_roots() {
    let name = "suites/web3signer/openapi-specs/eth2/signing/paths";
    let Some(folder) = shared(name) else { return };
    let text = fs::read_to_string(folder.join("sign.yaml")).unwrap();
    let page: Value = serde_norway::from_str(&text).unwrap();
    let examples = &page["post"]["requestBody"]["content"]["application/json"]["examples"];
    let mut agreed = 0;
    for (title, example) in examples.as_object().unwrap() {
        let mut body = example["value"].clone();
        snake_case(&mut body);
        let request = parse_sign_request(body.to_string().as_bytes(), &network_of(&body));
        if is_electra_aggregate(&body) {
            let error = request.unwrap_err();
            let RequestError::SigningRootMismatch { computed, .. } = error else {
                panic!("{title}: {error}")
            };
            assert_eq!(computed.to_string(), ELECTRA_AGGREGATE, "{title}");
            continue;
        }
        let request = request.unwrap_or_else(|error| panic!("{title}: {error}"));
        assert_eq!(
            request.signing_root.to_string(),
            body["signing_root"],
            "{title}"
        );
        agreed += 1;
    }
    assert_eq!(agreed, 23, "all examples but the two Electra aggregates");
}

/// The signing root in the two examples of Electra aggregates is of other fields than stand in them;
/// this one was computed from their fields with remerkleable, the library of consensus-specs.
const ELECTRA_AGGREGATE: &str =
    "0x1180bcb41bda522b3420274c6e4931c37ecf4eef99a57e4d04fc81e82b2ced40";

fn is_electra_aggregate(body: &Value) -> bool {
    body.pointer("/aggregate_and_proof/data/aggregate/committee_bits")
        .is_some()
}

/// The examples are of the minimal preset, but for the committee bits, which have the mainnet's size.
fn network_of(body: &Value) -> Network {
    let electra = body
        .pointer("/aggregate_and_proof/data/aggregate/committee_bits")
        .is_some();
    let preset = if electra { "mainnet" } else { "minimal" };
    Network::from_config_yaml(&format!(
        "PRESET_BASE: {preset}\nSECONDS_PER_SLOT: 12\nGENESIS_FORK_VERSION: 0x00000001\n\
         GENESIS_VALIDATORS_ROOT: \
         0x04700007fabc8282644aed6d1c7c9e21d38a03a0c4ba193f3afe428824b3a673\n"
    ))
    .unwrap()
}

/// Two of the examples are written with the names of Java fields, which no client sends.
fn snake_case(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, mut value) in std::mem::take(object) {
                snake_case(&mut value);
                let mut name = String::new();
                for letter in key.chars() {
                    if letter.is_ascii_uppercase() {
                        name.push('_');
                    }
                    name.push(letter.to_ascii_lowercase());
                }
                object.insert(name, value);
            }
        }
        Value::Array(array) => array.iter_mut().for_each(snake_case),
        _ => {}
    }
}
