//! Messages with chosen slots, epochs and roots.

use serde_json::{Value, json};
use symbolon_duties::{Network, Root, ValidatorPublicKey};
use symbolon_lab::{LabError, RequestKind, Sample};
use symbolon_web3signer::parse_sign_request;

/// A vote from `source` to `target` whose data is told apart by `root`.
///
/// # Errors
///
/// The network has no such vote.
pub fn attestation(
    network: &Network,
    key: ValidatorPublicKey,
    source: u64,
    target: u64,
    root: Root,
) -> Result<Sample, LabError> {
    let slot = target.saturating_mul(network.preset().slots_per_epoch());
    let zero = Root([0; 32]).to_string();
    let body = json!({
        "type": "ATTESTATION",
        "fork_info": fork_info(network),
        "attestation": {
            "slot": slot.to_string(),
            "index": "0",
            "beacon_block_root": root.to_string(),
            "source": { "epoch": source.to_string(), "root": zero },
            "target": { "epoch": target.to_string(), "root": zero },
        },
    });
    finish(network, key, RequestKind::Attestation, body)
}

/// A block at `slot` whose header is told apart by `root`.
///
/// # Errors
///
/// The network has no such block.
pub fn block(
    network: &Network,
    key: ValidatorPublicKey,
    slot: u64,
    root: Root,
) -> Result<Sample, LabError> {
    let zero = Root([0; 32]).to_string();
    let body = json!({
        "type": "BLOCK_V2",
        "fork_info": fork_info(network),
        "beacon_block": {
            "version": "CAPELLA",
            "block_header": {
                "slot": slot.to_string(),
                "proposer_index": "0",
                "parent_root": zero,
                "state_root": zero,
                "body_root": root.to_string(),
            },
        },
    });
    finish(network, key, RequestKind::BlockV2, body)
}

/// The last scheduled fork, in force since epoch 0.
fn fork_info(network: &Network) -> Value {
    let version = network
        .forks()
        .last()
        .map_or_else(|| network.genesis_fork_version(), |fork| fork.version)
        .to_string();
    json!({
        "fork": { "previous_version": version, "current_version": version, "epoch": "0" },
        "genesis_validators_root": network.genesis_validators_root().to_string(),
    })
}

fn finish(
    network: &Network,
    key: ValidatorPublicKey,
    kind: RequestKind,
    mut body: Value,
) -> Result<Sample, LabError> {
    let parsed = parse_sign_request(body.to_string().as_bytes(), network)
        .map_err(|error| LabError::Options(format!("no such {kind}: {error}")))?;
    if let Some(body) = body.as_object_mut() {
        body.insert(
            "signingRoot".to_owned(),
            json!(parsed.signing_root.to_string()),
        );
    }
    Ok(Sample {
        kind,
        key,
        body,
        signing_root: parsed.signing_root,
    })
}
