//! The public EIP-3076 suite, through the import of running servers and their real sign call.
//!
//! Each case gets keys of its own in place of the suite's three (the rules do not look at which key
//! it is), so that no case sees another's marks; and the suite's zero root stands as another one,
//! because no configuration takes it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use symbolon_duties::{Network, ValidatorPublicKey};
use symbolon_lab::{DirectRequestor, Lab, Sample};
use symbolon_protocol::sign::{RefusalClass, SignAnswer};
use symbolon_suites::{attestation, block, interop_lab, shared, timeless_network};
use told_apart::root_of;

const SERVERS: u16 = 3;
const KEYS_OF_A_CASE: usize = 3;
/// Stands for the chain of a case; the suite's zero root is no chain's, and no configuration takes it.
const HERE: &str = "0x7700000000000000000000000000000000000000000000000000000000000000";
/// Stands for every other chain.
const ELSEWHERE: &str = "0x6600000000000000000000000000000000000000000000000000000000000000";

mod told_apart {
    use symbolon_duties::Root;

    /// The suite names messages by signing roots; here they are told apart by a field of the same
    /// content, so that equal roots stay equal and others differ. No root means one of its own.
    pub(super) fn root_of(text: Option<&str>, place: usize) -> Root {
        match text {
            Some(text) => text.parse().unwrap(),
            None => {
                let mut own = [0xee; 32];
                own[..8].copy_from_slice(&(place as u64).to_be_bytes());
                Root(own)
            }
        }
    }
}

struct Case<'a> {
    lab: &'a Lab,
    network: &'a Network,
    asking: &'a DirectRequestor,
    keys: BTreeMap<String, ValidatorPublicKey>,
    chain: String,
    name: String,
}

#[test]
fn every_case_of_the_public_suite_at_every_server() {
    let Some(folder) = shared("suites/slashing-protection-interchange-tests").unwrap() else {
        return;
    };
    let cases = cases(&folder);
    assert!(cases.len() >= 38, "only {} cases", cases.len());
    let work = tempfile::tempdir().unwrap();
    let network = timeless_network(work.path(), HERE).unwrap();
    let count = u64::try_from(cases.len() * KEYS_OF_A_CASE).unwrap();
    let lab = interop_lab(SERVERS, 2, count, Some(network), work.path()).unwrap();
    let network = lab.network().clone();
    let asking = DirectRequestor::of(lab.record(), &network).unwrap();
    let mut keys = lab.keys().into_iter();
    let mut messages = 0;
    for (name, document) in cases {
        let chain = document["genesis_validators_root"]
            .as_str()
            .unwrap()
            .to_owned();
        let own: Vec<ValidatorPublicKey> = keys.by_ref().take(KEYS_OF_A_CASE).collect();
        let mut names: Vec<String> = Vec::new();
        collect_keys(&document, &mut names);
        assert!(names.len() <= own.len());
        let keys = names.into_iter().zip(own).collect();
        let case = Case {
            lab: &lab,
            network: &network,
            asking: &asking,
            keys,
            chain,
            name,
        };
        for (number, step) in document["steps"].as_array().unwrap().iter().enumerate() {
            messages += case.step(number, step, work.path());
        }
    }
    assert!(messages >= 100, "only {messages} messages");
}

impl Case<'_> {
    /// Imports at all servers, then asks each for every message; gives how many messages.
    fn step(&self, number: usize, step: &Value, work: &Path) -> usize {
        let file = work.join("interchange.json");
        std::fs::write(&file, self.renamed(&step["interchange"]).to_string()).unwrap();
        let cluster = self.lab.record().cluster.to_str().unwrap().to_owned();
        let import = [
            "slashing",
            "import",
            file.to_str().unwrap(),
            "--dir",
            &cluster,
        ];
        let imported = self.lab.symbolon(&import);
        let expected = step["should_succeed"].as_bool().unwrap();
        assert_eq!(
            imported.is_ok(),
            expected,
            "{} step {number}: {imported:?}",
            self.name
        );

        let list = |name: &str| step[name].as_array().unwrap().clone();
        for (place, message) in list("blocks").iter().enumerate() {
            let root = root_of(message["signing_root"].as_str(), place);
            let slot = number_of(&message["slot"]);
            let sample = block(self.network, self.key(message), slot, root).unwrap();
            self.ask(&format!("step {number} block {place}"), message, &sample);
        }
        for (place, message) in list("attestations").iter().enumerate() {
            let root = root_of(message["signing_root"].as_str(), place);
            let (source, target) = (
                number_of(&message["source_epoch"]),
                number_of(&message["target_epoch"]),
            );
            let sample =
                attestation(self.network, self.key(message), source, target, root).unwrap();
            self.ask(
                &format!("step {number} attestation {place}"),
                message,
                &sample,
            );
        }
        list("blocks").len() + list("attestations").len()
    }

    fn ask(&self, what: &str, message: &Value, sample: &Sample) {
        let minimal = message["should_succeed"].as_bool().unwrap();
        // What only a complete history could allow, a store of marks may refuse, and need not.
        let complete = message["should_succeed_complete"].as_bool().unwrap();
        for member in 1..=SERVERS {
            let batch = self.asking.batch(std::slice::from_ref(sample), 1).unwrap();
            let reply = self.asking.ask(member, &batch).unwrap();
            let place = format!("{} {what} at member {member}", self.name);
            match &reply.answers[0] {
                SignAnswer::Partial(_) => assert!(minimal || complete, "{place} was signed"),
                SignAnswer::Refused(refusal) => {
                    assert!(!minimal, "{place}: {refusal}");
                    assert_eq!(
                        refusal.code.class(),
                        RefusalClass::Slashing,
                        "{place}: {refusal}"
                    );
                }
            }
        }
    }

    fn key(&self, message: &Value) -> ValidatorPublicKey {
        self.keys[message["pubkey"].as_str().unwrap()]
    }

    /// The document with this case's keys, and with the roots that our messages have.
    fn renamed(&self, interchange: &Value) -> Value {
        let mut renamed = interchange.clone();
        let root = &mut renamed["metadata"]["genesis_validators_root"];
        *root = json!(if *root == self.chain { HERE } else { ELSEWHERE });
        for validator in renamed["data"].as_array_mut().unwrap() {
            let key = self.key(validator);
            validator["pubkey"] = json!(key.to_string());
            for message in validator["signed_blocks"].as_array_mut().unwrap() {
                if let Some(root) = message["signing_root"].as_str() {
                    let root = root_of(Some(root), 0);
                    let slot = number_of(&message["slot"]);
                    let sample = block(self.network, key, slot, root).unwrap();
                    message["signing_root"] = json!(sample.signing_root.to_string());
                }
            }
            for message in validator["signed_attestations"].as_array_mut().unwrap() {
                if let Some(root) = message["signing_root"].as_str() {
                    let root = root_of(Some(root), 0);
                    let (source, target) = (
                        number_of(&message["source_epoch"]),
                        number_of(&message["target_epoch"]),
                    );
                    let sample = attestation(self.network, key, source, target, root).unwrap();
                    message["signing_root"] = json!(sample.signing_root.to_string());
                }
            }
        }
        renamed
    }
}

fn cases(folder: &Path) -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let document: Value =
                    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                if document["steps"].is_array() {
                    cases.push((document["name"].as_str().unwrap().to_owned(), document));
                }
            }
        }
    }
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

fn collect_keys(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("pubkey").and_then(Value::as_str)
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
            fields.values().for_each(|value| collect_keys(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_keys(value, names)),
        _ => {}
    }
}

fn number_of(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}
