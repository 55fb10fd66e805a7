//! Requests: recorded ones of a real validator client, and made ones.

use serde_json::{Value, json};

/// A recorded request with the right answer.
pub struct Recorded {
    pub name: String,
    pub path: String,
    pub key: String,
    pub key_number: usize,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub signature: String,
}

/// All recorded requests, or none where they are not installed.
pub fn all() -> Vec<Recorded> {
    let Some(folder) = super::shared("requests") else {
        return Vec::new();
    };
    let mut recorded = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let text = |field: &str| record[field].as_str().unwrap().to_owned();
        let headers = record["headers"].as_object().unwrap().iter();
        let skipped = ["content-length", "host"];
        recorded.push(Recorded {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            key: text("path").rsplit('/').next().unwrap().to_owned(),
            path: text("path"),
            key_number: record["interop_key_index"].as_u64().unwrap() as usize,
            headers: headers
                .filter(|(name, _)| !skipped.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            body: record["body"].to_string(),
            signature: text("signature"),
        });
    }
    recorded.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(recorded.len(), 9, "one request of each recorded type");
    recorded
}

const ROOT: &str = "0x270d43e74ce340de4bca2b1936beca0f4f5408d9e78aec4850920baf659d5b69";

fn fork_info() -> Value {
    json!({
        "fork": {
            "previous_version": "0x02000001", "current_version": "0x03000001", "epoch": "0",
        },
        "genesis_validators_root": ROOT,
    })
}

/// A selection proof: not slashable, distinct by slot.
pub fn selection(slot: u64) -> Value {
    json!({
        "type": "AGGREGATION_SLOT",
        "aggregation_slot": { "slot": slot.to_string() },
        "fork_info": fork_info(),
    })
}

/// A randao reveal.
pub fn randao(epoch: u64) -> Value {
    json!({
        "type": "RANDAO_REVEAL",
        "randao_reveal": { "epoch": epoch.to_string() },
        "fork_info": fork_info(),
    })
}

/// An attestation whose head is 32 times `head`.
pub fn attestation(slot: u64, head: u8) -> Value {
    let root = format!("0x{}", super::hex(&[head; 32]));
    json!({
        "type": "ATTESTATION",
        "attestation": {
            "slot": slot.to_string(),
            "index": "0",
            "beacon_block_root": root,
            "source": { "epoch": "0", "root": root },
            "target": { "epoch": (slot / 8).to_string(), "root": root },
        },
        "fork_info": fork_info(),
    })
}

/// A proposal.
pub fn block(slot: u64) -> Value {
    let root = format!("0x{}", super::hex(&[9; 32]));
    json!({
        "type": "BLOCK_V2",
        "beacon_block": {
            "version": "CAPELLA",
            "block_header": {
                "slot": slot.to_string(), "proposer_index": "0",
                "parent_root": root, "state_root": root, "body_root": root,
            },
        },
        "fork_info": fork_info(),
    })
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}
