//! Blocks: whole ones of phase0 and Altair, headers from Bellatrix on.

use symbolon_duties::{
    AttesterSlashing, AttestingIndices, BeaconBlock, BeaconBlockBody, BeaconBlockHeader, Deposit,
    DepositData, DepositProof, Duty, Eth1Data, ForkName, Gwei, IndexedAttestation, Preset,
    ProposerSlashing, Signed, Slot, SszError, SyncAggregate, ValidatorIndex,
};

use crate::error::RequestError;
use crate::field::Field;
use crate::message::{attestation_data, exit_message, fork_name, phase0_attestation};

/// `BLOCK`: a whole block. The type is from before Altair; a sync aggregate, should there be one,
/// is part of the block all the same.
pub(crate) fn block(body: &Field<'_>, preset: Preset) -> Result<Duty, RequestError> {
    let block = body.required("block")?;
    let altair = block
        .required("body")?
        .optional("sync_aggregate")?
        .is_some();
    Ok(Duty::Block(whole_block(&block, preset, altair)?.header()))
}

/// `BLOCK_V2`: a whole block up to Altair, the header alone later.
pub(crate) fn block_v2(body: &Field<'_>, preset: Preset) -> Result<Duty, RequestError> {
    let request = body.required("beacon_block")?;
    let version = fork_name(&request.required("version")?)?;
    if version >= ForkName::Bellatrix {
        return Ok(Duty::Block(header(&request.required("block_header")?)?));
    }
    let altair = version == ForkName::Altair;
    Ok(Duty::Block(
        whole_block(&request.required("block")?, preset, altair)?.header(),
    ))
}

fn header(field: &Field<'_>) -> Result<BeaconBlockHeader, RequestError> {
    Ok(BeaconBlockHeader {
        slot: Slot(field.number_at("slot")?),
        proposer_index: ValidatorIndex(field.number_at("proposer_index")?),
        parent_root: field.hex_at("parent_root")?,
        state_root: field.hex_at("state_root")?,
        body_root: field.hex_at("body_root")?,
    })
}

fn whole_block(
    field: &Field<'_>,
    preset: Preset,
    altair: bool,
) -> Result<BeaconBlock, RequestError> {
    let body = field.required("body")?;
    Ok(BeaconBlock {
        slot: Slot(field.number_at("slot")?),
        proposer_index: ValidatorIndex(field.number_at("proposer_index")?),
        parent_root: field.hex_at("parent_root")?,
        state_root: field.hex_at("state_root")?,
        body: BeaconBlockBody {
            randao_reveal: body.hex_at("randao_reveal")?,
            eth1_data: eth1_data(&body.required("eth1_data")?)?,
            graffiti: body.hex_at("graffiti")?,
            proposer_slashings: list(&body, "proposer_slashings", proposer_slashing)?,
            attester_slashings: list(&body, "attester_slashings", attester_slashing)?,
            attestations: list(&body, "attestations", phase0_attestation)?,
            deposits: list(&body, "deposits", deposit)?,
            voluntary_exits: list(&body, "voluntary_exits", |exit| signed(exit, exit_message))?,
            sync_aggregate: if altair {
                Some(sync_aggregate(&body, preset)?)
            } else {
                None
            },
        },
    })
}

/// An array of at most as many elements as the specification allows.
fn list<T, L: TryFrom<Vec<T>, Error = SszError>>(
    body: &Field<'_>,
    key: &str,
    parse: impl Fn(&Field<'_>) -> Result<T, RequestError>,
) -> Result<L, RequestError> {
    let field = body.required(key)?;
    field
        .elements(parse)?
        .try_into()
        .map_err(|problem| field.ssz(problem))
}

fn eth1_data(field: &Field<'_>) -> Result<Eth1Data, RequestError> {
    Ok(Eth1Data {
        deposit_root: field.hex_at("deposit_root")?,
        deposit_count: field.number_at("deposit_count")?,
        block_hash: field.hex_at("block_hash")?,
    })
}

fn signed<T>(
    field: &Field<'_>,
    parse: impl Fn(&Field<'_>) -> Result<T, RequestError>,
) -> Result<Signed<T>, RequestError> {
    let message = parse(&field.required("message")?)?;
    Ok(Signed {
        message,
        signature: field.hex_at("signature")?,
    })
}

fn proposer_slashing(field: &Field<'_>) -> Result<ProposerSlashing, RequestError> {
    Ok(ProposerSlashing {
        signed_header_1: signed(&field.required("signed_header_1")?, header)?,
        signed_header_2: signed(&field.required("signed_header_2")?, header)?,
    })
}

fn attester_slashing(field: &Field<'_>) -> Result<AttesterSlashing, RequestError> {
    Ok(AttesterSlashing {
        attestation_1: indexed_attestation(&field.required("attestation_1")?)?,
        attestation_2: indexed_attestation(&field.required("attestation_2")?)?,
    })
}

fn indexed_attestation(field: &Field<'_>) -> Result<IndexedAttestation, RequestError> {
    let indices: AttestingIndices = list(field, "attesting_indices", |index| {
        index.number().map(ValidatorIndex)
    })?;
    Ok(IndexedAttestation {
        attesting_indices: indices,
        data: attestation_data(&field.required("data")?)?,
        signature: field.hex_at("signature")?,
    })
}

fn deposit(field: &Field<'_>) -> Result<Deposit, RequestError> {
    let proof: DepositProof = list(field, "proof", |node| node.hex())?;
    let data = field.required("data")?;
    Ok(Deposit {
        proof,
        data: DepositData {
            pubkey: data.hex_at("pubkey")?,
            withdrawal_credentials: data.hex_at("withdrawal_credentials")?,
            amount: Gwei(data.number_at("amount")?),
            signature: data.hex_at("signature")?,
        },
    })
}

fn sync_aggregate(body: &Field<'_>, preset: Preset) -> Result<SyncAggregate, RequestError> {
    let field = body.required("sync_aggregate")?;
    let bits = field.required("sync_committee_bits")?;
    let signature = field.hex_at("sync_committee_signature")?;
    SyncAggregate::new(preset, &bits.hex_bytes()?, signature).map_err(|problem| bits.ssz(problem))
}
