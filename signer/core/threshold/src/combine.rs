//! t partial signatures to one.

use blst::blst_p2;

use crate::bls::{pairing, raw};
use crate::hashed_root::HashedRoot;
use crate::index::{ShareIndex, SignerSet};
use crate::lagrange::{Coefficients, Factors};
use crate::partial::PartialSignature;
use crate::point::G2Point;
use crate::public_key::GroupPublicKey;
use crate::signature::{Signature, VerifyError};

/// A combined signature that nobody has verified: possibly wrong, outside the subgroup, or
/// infinity.
///
/// Becomes a [`Signature`] by [`verify`](Self::verify) or [`verify_batch`](crate::verify_batch),
/// and by nothing else.
#[derive(Debug, Clone)]
pub struct Combined(blst_p2);

/// Partials that do not make one signature of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// Fewer than t partials.
    #[error("{expected} partial signatures are needed, got only {got}")]
    TooFew {
        /// The threshold.
        expected: usize,
        /// Partials given.
        got: usize,
    },
    /// More than t partials.
    #[error("exactly {expected} partial signatures are combined, got {got}; leave some out")]
    TooMany {
        /// The threshold.
        expected: usize,
        /// Partials given.
        got: usize,
    },
    /// One member twice.
    #[error("two partial signatures of share index {index}")]
    Duplicate {
        /// The member's index.
        index: ShareIndex,
    },
    /// Not in ascending order of indices.
    #[error("the partial signature of share index {index} is out of order, sort by index")]
    Unordered {
        /// The first index that is lower than the one before it.
        index: ShareIndex,
    },
    /// Not a member of the group, or not one of the signers that the coefficients belong to.
    #[error("share index {index} is not one of the expected signers")]
    Foreign {
        /// The index.
        index: ShareIndex,
    },
}

/// Interpolates partials at zero; they are given in the order of the coefficients' signers.
///
/// The result is unverified. Costs 4 to 100 us for scaled shares.
///
/// # Errors
///
/// [`CombineError`] unless the partials' indices are exactly the signers, ascending.
pub fn combine(
    coefficients: &Coefficients,
    partials: &[PartialSignature],
) -> Result<Combined, CombineError> {
    let signers = coefficients.signers();
    CombineError::check_count(signers.len(), partials.len())?;
    CombineError::check_order(partials)?;
    if let Some(partial) = partials
        .iter()
        .find(|partial| !signers.contains(partial.index()))
    {
        return Err(CombineError::Foreign {
            index: partial.index(),
        });
    }
    Ok(Combined(match coefficients.factors() {
        Factors::Integers { digits, inverse } => {
            let sum = joint_double_and_add(digits, partials);
            inverse.map_or(sum, |inverse| raw::p2_mul(&sum, &inverse, 255))
        }
        Factors::Field(factors) => {
            let points = partials.iter().map(|partial| *partial.raw());
            pairing::p2_sum_255(points.zip(factors.iter().copied()))
        }
    }))
}

/// The sum of partials times short integers, in variable time: all of it is public.
fn joint_double_and_add(digits: &[Vec<i8>], partials: &[PartialSignature]) -> blst_p2 {
    let terms: Vec<_> = digits
        .iter()
        .zip(partials)
        .map(|(digits, partial)| (digits, *partial.raw(), raw::p2_neg_affine(partial.raw())))
        .collect();
    let length = digits.iter().map(Vec::len).max().unwrap_or_default();
    (0..length).rev().fold(blst_p2::default(), |sum, position| {
        let sum = raw::p2_double(&sum);
        terms.iter().fold(sum, |sum, (digits, point, negated)| {
            match digits.get(position) {
                Some(1) => raw::p2_add_affine(&sum, point),
                Some(-1) => raw::p2_add_affine(&sum, negated),
                _ => sum,
            }
        })
    })
}

impl Combined {
    /// Checks the subgroup and the pairing equation (670 us).
    ///
    /// # Errors
    ///
    /// [`VerifyError`]; on failure [`blame`](crate::blame()) names the wrong partials.
    pub fn verify(
        &self,
        key: &GroupPublicKey,
        root: &HashedRoot,
    ) -> Result<Signature, VerifyError> {
        let signature = self.in_subgroup()?;
        signature.verify(key, root)?;
        Ok(signature)
    }

    /// The point as an unverified signature: in the subgroup and not infinity.
    pub(crate) fn in_subgroup(&self) -> Result<Signature, VerifyError> {
        let affine = raw::p2_to_affine(&self.0);
        if raw::p2_is_infinity(&affine) {
            return Err(VerifyError::Infinity);
        }
        if !raw::p2_in_group(&affine) {
            return Err(VerifyError::NotInSubgroup);
        }
        Ok(Signature::from(G2Point::from_raw(affine)))
    }

    pub(crate) fn raw(&self) -> &blst_p2 {
        &self.0
    }
}

/// A whole signature of other origin, to be verified in a batch.
impl From<Signature> for Combined {
    fn from(signature: Signature) -> Self {
        Self(raw::p2_from_affine(signature.point().raw()))
    }
}

impl CombineError {
    pub(crate) fn check_count(expected: usize, got: usize) -> Result<(), Self> {
        match got {
            _ if got < expected => Err(Self::TooFew { expected, got }),
            _ if got > expected => Err(Self::TooMany { expected, got }),
            _ => Ok(()),
        }
    }

    /// The signers of partials that are in ascending order; their number was checked before.
    pub(crate) fn check_order(partials: &[PartialSignature]) -> Result<SignerSet, Self> {
        for [before, after] in partials.array_windows() {
            let index = after.index();
            if before.index() == index {
                return Err(Self::Duplicate { index });
            }
            if before.index() > index {
                return Err(Self::Unordered { index });
            }
        }
        // One to 255 distinct indices after the checks above.
        SignerSet::new(partials.iter().map(PartialSignature::index)).map_err(|_| Self::TooFew {
            expected: 1,
            got: partials.len(),
        })
    }
}
