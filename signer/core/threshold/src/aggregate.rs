//! Signatures of many validators added up, as the chain does; not threshold signatures.

use blst::min_pk::{AggregateSignature, PublicKey};
use blst::{BLST_ERROR, blst_p2_affine};

use crate::bls::raw;
use crate::hashed_root::DST;
use crate::operations;
use crate::point::{G2Point, PointError};
use crate::public_key::GroupPublicKey;
use crate::signature::{Signature, VerifyError};

/// Signatures that do not add up to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AggregateError {
    /// No signature given.
    #[error("an aggregate needs at least one signature")]
    Empty,
    /// The signatures cancel.
    #[error("the signatures cancel to an unusable aggregate")]
    Point(#[from] PointError),
}

/// Adds signatures (consensus-specs `Aggregate`).
///
/// # Errors
///
/// [`AggregateError`] when there are none or they cancel.
pub fn aggregate(signatures: &[Signature]) -> Result<Signature, AggregateError> {
    let points: Vec<_> = signatures
        .iter()
        .map(|s| (*s.point().raw()).into())
        .collect();
    let (first, rest) = points.split_first().ok_or(AggregateError::Empty)?;
    let mut sum = AggregateSignature::from_signature(first);
    for point in rest {
        // Already in the subgroup by type.
        sum.add_signature(point, false)
            .map_err(PointError::from_blst)?;
    }
    let sum = *<&blst_p2_affine>::from(&sum.to_signature());
    if raw::p2_is_infinity(&sum) {
        return Err(PointError::Infinity.into());
    }
    Ok(G2Point::from_raw(sum).into())
}

/// Checks an aggregate of signatures by `keys` over one message (`FastAggregateVerify`).
///
/// Says nothing about the single signatures: errors in them can cancel.
///
/// # Errors
///
/// [`VerifyError::Mismatch`], also for no keys.
pub fn fast_aggregate_verify(
    keys: &[GroupPublicKey],
    message: &[u8],
    signature: &Signature,
) -> Result<(), VerifyError> {
    let keys: Vec<PublicKey> = keys.iter().map(|key| (*key.point().raw()).into()).collect();
    let keys: Vec<&PublicKey> = keys.iter().collect();
    let signature = blst::min_pk::Signature::from(*signature.point().raw());
    operations::count_hashes(1);
    operations::count_equation(2);
    // The subgroups were checked by the types.
    verdict(signature.fast_aggregate_verify(false, message, DST, &keys))
}

/// Checks an aggregate of signatures by each key over its own message (`AggregateVerify`).
///
/// # Errors
///
/// [`VerifyError::Mismatch`], also for no pairs.
pub fn aggregate_verify(
    pairs: &[(GroupPublicKey, &[u8])],
    signature: &Signature,
) -> Result<(), VerifyError> {
    let keys: Vec<PublicKey> = pairs
        .iter()
        .map(|(key, _)| (*key.point().raw()).into())
        .collect();
    let keys: Vec<&PublicKey> = keys.iter().collect();
    let messages: Vec<&[u8]> = pairs.iter().map(|(_, message)| *message).collect();
    let signature = blst::min_pk::Signature::from(*signature.point().raw());
    operations::count_hashes(pairs.len() as u64);
    operations::count_equation(pairs.len() as u64 + 1);
    // The subgroups were checked by the types.
    verdict(signature.aggregate_verify(false, &messages, DST, &keys, false))
}

fn verdict(result: BLST_ERROR) -> Result<(), VerifyError> {
    match result {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        _ => Err(VerifyError::Mismatch),
    }
}
