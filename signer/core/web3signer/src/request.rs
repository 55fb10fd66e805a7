//! The body of `POST /api/v1/eth2/sign/{identifier}`.

use serde_json::Value;
use symbolon_duties::{
    Duty, ForkVersion, Network, SigningRoot, signing_fork_version, signing_root,
};

use crate::error::RequestError;
use crate::field::Field;
use crate::fork_info::Fork;
use crate::request_type::RequestType;
use crate::{block, message};

/// The largest body that is read, in bytes. A whole Altair block at all its limits has less than
/// half a million; parsed JSON takes up to 16 times its size in memory, so the bound is near.
pub const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// A request to sign, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignRequest {
    /// What to sign.
    pub duty: Duty,
    /// The fork version it is signed under, chosen from the client's `fork_info` (for exits by
    /// EIP-7044); `None` for deposits and registrations, which have a fixed one.
    pub fork_version: Option<ForkVersion>,
    /// The signing root, computed from the duty.
    pub signing_root: SigningRoot,
}

/// Parses a body and computes its signing root.
///
/// # Errors
///
/// A body that is too large, not JSON or not one of the Web3Signer types; a field that is missing or
/// malformed; a `fork_info` of another network; a fork version that the network does not know; a
/// signing root of the client that differs from ours. Each names the field.
pub fn parse_sign_request(body: &[u8], network: &Network) -> Result<SignRequest, RequestError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(RequestError::TooLarge { got: body.len() });
    }
    let value: Value = serde_json::from_slice(body).map_err(RequestError::Json)?;
    let body = Field::body(&value);
    let duty = duty(&body, network)?;
    let fork_version = match duty.epoch(network) {
        Some(epoch) => {
            let sent = Fork::of(&body, network)?.version_at(epoch);
            Some(signing_fork_version(&duty, Some(sent), network)?)
        }
        None => None,
    };
    let signing_root = signing_root(&duty, fork_version, network)?;
    compare(&body, signing_root)?;
    Ok(SignRequest {
        duty,
        fork_version,
        signing_root,
    })
}

fn duty(body: &Field<'_>, network: &Network) -> Result<Duty, RequestError> {
    match RequestType::of(body)? {
        RequestType::AggregationSlot => message::aggregation_slot(body),
        RequestType::AggregateAndProof => message::aggregate_and_proof(body, network.preset()),
        RequestType::Attestation => message::attestation(body),
        RequestType::Block => block::block(body, network.preset()),
        RequestType::BlockV2 => block::block_v2(body, network.preset()),
        RequestType::Deposit => message::deposit(body),
        RequestType::RandaoReveal => message::randao_reveal(body),
        RequestType::VoluntaryExit => message::voluntary_exit(body),
        RequestType::SyncCommitteeMessage => message::sync_committee_message(body),
        RequestType::SyncCommitteeSelectionProof => message::sync_selection_proof(body),
        RequestType::SyncCommitteeContributionAndProof => {
            message::contribution_and_proof(body, network.preset())
        }
        RequestType::ValidatorRegistration => message::validator_registration(body),
    }
}

/// Both spellings are in use and neither is required; whichever is there must be right.
fn compare(body: &Field<'_>, computed: SigningRoot) -> Result<(), RequestError> {
    for key in ["signing_root", "signingRoot"] {
        let Some(field) = body.optional(key)? else {
            continue;
        };
        let got: SigningRoot = field.hex()?;
        if got != computed {
            return Err(RequestError::SigningRootMismatch { got, computed });
        }
    }
    Ok(())
}
