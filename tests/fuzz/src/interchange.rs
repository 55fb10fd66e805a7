//! Slashing protection interchange files (EIP-3076).

use std::collections::BTreeMap;

use serde_json::json;
use symbolon_duties::{Root, SigningRoot, ValidatorPublicKey};
use symbolon_slashing::{Interchange, Mark, export, import, merge};

use crate::Seed;

/// A few validators with a few entries each.
pub const MAX_LEN: usize = 4096;

/// Whatever is accepted imports; what is exported afterwards says exactly the marks; importing
/// again changes nothing.
pub fn check(data: &[u8]) {
    let Ok(file) = Interchange::parse(data) else {
        return;
    };
    let network = file.genesis_validators_root();
    let mut marks: BTreeMap<ValidatorPublicKey, Mark> =
        file.histories().map(|(key, _)| (*key, Mark::default())).collect();
    let keys = marks.len();
    let plan = import(&file, network, |key| marks.get(key).copied()).unwrap();
    assert!(plan.report.unknown.is_empty());
    for change in &plan.changes {
        assert_eq!(merge(&change.old, &change.new), change.new);
        marks.insert(change.key, change.new);
    }
    for (key, history) in file.histories() {
        assert_eq!(marks.get(key), Some(&history.mark));
    }
    let again = import(&file, network, |key| marks.get(key).copied()).unwrap();
    assert!(again.changes.is_empty());
    assert_eq!(again.report.unchanged, u64::try_from(keys).unwrap());

    let text = export(network, marks.clone());
    let back = Interchange::parse(text.as_bytes()).expect("a file of our own");
    assert_eq!(back.genesis_validators_root(), network);
    let read: BTreeMap<_, _> = back.histories().map(|(key, history)| (*key, history.mark)).collect();
    assert_eq!(read, marks);
    assert_eq!(export(network, read), text);

    let mut other = network;
    other.0[0] ^= 1;
    assert!(import(&file, other, |_| Some(Mark::default())).is_err());
}

/// Files of other clients in miniature, and one of our own.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let root = SigningRoot([4; 32]);
    let metadata = json!({
        "interchange_format_version": "5", "genesis_validators_root": Root([1; 32]),
    });
    let validator = |byte: u8, blocks, votes| {
        json!({
            "pubkey": ValidatorPublicKey([byte; 48]),
            "signed_blocks": blocks, "signed_attestations": votes,
        })
    };
    let complete = json!({
        "metadata": metadata,
        "data": [
            validator(
                7,
                json!([{ "slot": "81952", "signing_root": root }, { "slot": "81951" }]),
                json!([
                    { "source_epoch": "2290", "target_epoch": "3007", "signing_root": root },
                    { "source_epoch": "2290", "target_epoch": "3008" },
                ]),
            ),
            validator(8, json!([]), json!([])),
        ],
    });
    let odd = json!({
        "metadata": metadata,
        "data": [
            validator(
                7,
                json!([{ "slot": "18446744073709551615", "signing_root": "0x" }]),
                json!([{ "source_epoch": "9", "target_epoch": "3", "signing_root": "0x00" }]),
            ),
            validator(
                7,
                json!([{ "slot": "0", "signing_root": SigningRoot([0; 32]) }]),
                json!([]),
            ),
        ],
    });
    let read = |value: &serde_json::Value| value.to_string().into_bytes();
    let file = Interchange::parse(&read(&complete)).unwrap();
    let marks = file.histories().map(|(key, history)| (*key, history.mark));
    let ours = export(file.genesis_validators_root(), marks).into_bytes();
    let version_4 = br#"{"metadata":{"interchange_format_version":"4"}}"#.to_vec();
    vec![
        ("complete", read(&complete)),
        ("odd", read(&odd)),
        ("ours", ours),
        ("version-4", version_4),
    ]
}
