//! The messages of the request types that are not blocks.

use symbolon_duties::{
    AggregateAndProof, AggregationBits, Attestation, AttestationData, Checkpoint,
    ContributionAndProof, DepositMessage, Duty, ElectraAttestation, Epoch, ForkName, Gwei, Preset,
    Slot, SyncCommitteeContribution, TreeRoot, ValidatorIndex, ValidatorRegistration,
    VoluntaryExit,
};

use crate::error::RequestError;
use crate::field::Field;

pub(crate) fn aggregation_slot(body: &Field<'_>) -> Result<Duty, RequestError> {
    let slot = Slot(body.required("aggregation_slot")?.number_at("slot")?);
    Ok(Duty::AggregationSlot { slot })
}

pub(crate) fn attestation(body: &Field<'_>) -> Result<Duty, RequestError> {
    Ok(Duty::Attestation(attestation_data(
        &body.required("attestation")?,
    )?))
}

pub(crate) fn randao_reveal(body: &Field<'_>) -> Result<Duty, RequestError> {
    let epoch = Epoch(body.required("randao_reveal")?.number_at("epoch")?);
    Ok(Duty::RandaoReveal { epoch })
}

pub(crate) fn voluntary_exit(body: &Field<'_>) -> Result<Duty, RequestError> {
    Ok(Duty::VoluntaryExit(exit_message(
        &body.required("voluntary_exit")?,
    )?))
}

pub(crate) fn deposit(body: &Field<'_>) -> Result<Duty, RequestError> {
    let deposit = body.required("deposit")?;
    let message = DepositMessage {
        pubkey: deposit.hex_at("pubkey")?,
        withdrawal_credentials: deposit.hex_at("withdrawal_credentials")?,
        amount: Gwei(deposit.number_at("amount")?),
    };
    Ok(Duty::Deposit {
        message,
        genesis_fork_version: deposit.hex_at("genesis_fork_version")?,
    })
}

pub(crate) fn validator_registration(body: &Field<'_>) -> Result<Duty, RequestError> {
    let registration = body.required("validator_registration")?;
    Ok(Duty::ValidatorRegistration(ValidatorRegistration {
        fee_recipient: registration.hex_at("fee_recipient")?,
        gas_limit: registration.number_at("gas_limit")?,
        timestamp: registration.number_at("timestamp")?,
        pubkey: registration.hex_at("pubkey")?,
    }))
}

pub(crate) fn sync_committee_message(body: &Field<'_>) -> Result<Duty, RequestError> {
    let message = body.required("sync_committee_message")?;
    let slot = Slot(message.number_at("slot")?);
    Ok(Duty::SyncCommitteeMessage {
        slot,
        beacon_block_root: message.hex_at("beacon_block_root")?,
    })
}

pub(crate) fn sync_selection_proof(body: &Field<'_>) -> Result<Duty, RequestError> {
    let data = body.required("sync_aggregator_selection_data")?;
    let slot = Slot(data.number_at("slot")?);
    Ok(Duty::SyncSelectionProof {
        slot,
        subcommittee_index: data.number_at("subcommittee_index")?,
    })
}

pub(crate) fn contribution_and_proof(
    body: &Field<'_>,
    preset: Preset,
) -> Result<Duty, RequestError> {
    let object = body.required("contribution_and_proof")?;
    let contribution = object.required("contribution")?;
    let slot = Slot(contribution.number_at("slot")?);
    let bits = contribution.required("aggregation_bits")?;
    let read = ContributionAndProof {
        aggregator_index: ValidatorIndex(object.number_at("aggregator_index")?),
        contribution: SyncCommitteeContribution::new(
            preset,
            slot,
            contribution.hex_at("beacon_block_root")?,
            contribution.number_at("subcommittee_index")?,
            &bits.hex_bytes()?,
            contribution.hex_at("signature")?,
        )
        .map_err(|problem| bits.ssz(problem))?,
        selection_proof: object.hex_at("selection_proof")?,
    };
    Ok(Duty::SyncContributionAndProof {
        slot,
        object_root: read.tree_root(),
    })
}

/// Either the bare object or `{version, data}`, under either type name: clients mix them. The bare
/// object shows by its committee bits that it is one of Electra.
pub(crate) fn aggregate_and_proof(body: &Field<'_>, preset: Preset) -> Result<Duty, RequestError> {
    let object = body.required("aggregate_and_proof")?;
    if let (Some(version), Some(data)) = (object.optional("version")?, object.optional("data")?) {
        let electra = fork_name(&version)? >= ForkName::Electra;
        return aggregate_of(&data, preset, electra);
    }
    let electra = object
        .required("aggregate")?
        .optional("committee_bits")?
        .is_some();
    aggregate_of(&object, preset, electra)
}

fn aggregate_of(object: &Field<'_>, preset: Preset, electra: bool) -> Result<Duty, RequestError> {
    let aggregator_index = ValidatorIndex(object.number_at("aggregator_index")?);
    let selection_proof = object.hex_at("selection_proof")?;
    let field = object.required("aggregate")?;
    let (slot, object_root) = if electra {
        let aggregate = electra_attestation(&field, preset)?;
        let slot = aggregate.data().slot;
        (
            slot,
            AggregateAndProof {
                aggregator_index,
                aggregate,
                selection_proof,
            }
            .tree_root(),
        )
    } else {
        let aggregate = phase0_attestation(&field)?;
        let slot = aggregate.data.slot;
        (
            slot,
            AggregateAndProof {
                aggregator_index,
                aggregate,
                selection_proof,
            }
            .tree_root(),
        )
    };
    Ok(Duty::AggregateAndProof { slot, object_root })
}

fn electra_attestation(
    field: &Field<'_>,
    preset: Preset,
) -> Result<ElectraAttestation, RequestError> {
    let attestation = ElectraAttestation::new(
        preset,
        &field.required("aggregation_bits")?.hex_bytes()?,
        attestation_data(&field.required("data")?)?,
        field.hex_at("signature")?,
        &field.required("committee_bits")?.hex_bytes()?,
    );
    attestation.map_err(|(name, problem)| match field.required(name) {
        Ok(bits) => bits.ssz(problem),
        Err(missing) => missing,
    })
}

pub(crate) fn phase0_attestation(field: &Field<'_>) -> Result<Attestation, RequestError> {
    let bits = field.required("aggregation_bits")?;
    Ok(Attestation {
        aggregation_bits: AggregationBits::from_ssz(&bits.hex_bytes()?)
            .map_err(|problem| bits.ssz(problem))?,
        data: attestation_data(&field.required("data")?)?,
        signature: field.hex_at("signature")?,
    })
}

pub(crate) fn attestation_data(field: &Field<'_>) -> Result<AttestationData, RequestError> {
    Ok(AttestationData {
        slot: Slot(field.number_at("slot")?),
        index: field.number_at("index")?,
        beacon_block_root: field.hex_at("beacon_block_root")?,
        source: checkpoint(&field.required("source")?)?,
        target: checkpoint(&field.required("target")?)?,
    })
}

fn checkpoint(field: &Field<'_>) -> Result<Checkpoint, RequestError> {
    Ok(Checkpoint {
        epoch: Epoch(field.number_at("epoch")?),
        root: field.hex_at("root")?,
    })
}

pub(crate) fn exit_message(field: &Field<'_>) -> Result<VoluntaryExit, RequestError> {
    Ok(VoluntaryExit {
        epoch: Epoch(field.number_at("epoch")?),
        validator_index: ValidatorIndex(field.number_at("validator_index")?),
    })
}

pub(crate) fn fork_name(field: &Field<'_>) -> Result<ForkName, RequestError> {
    let parsed = field.text()?.parse();
    parsed.map_err(|_| {
        field.refused("PHASE0, ALTAIR, BELLATRIX, CAPELLA, DENEB, ELECTRA, FULU or GLOAS")
    })
}
