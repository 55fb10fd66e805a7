//! A whole signature.

use std::fmt;

use crate::bls::pairing;
use crate::hashed_root::HashedRoot;
use crate::point::{G2Point, PointError};
use crate::public_key::GroupPublicKey;

/// An ordinary BLS signature: a point of G2 in the subgroup, not infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(G2Point);

/// A signature is not one of this key over this root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The point at infinity.
    #[error("the signature is the point at infinity")]
    Infinity,
    /// On the curve, outside the subgroup: the chain would refuse it.
    #[error("the signature is not in the subgroup of prime order")]
    NotInSubgroup,
    /// The pairing equation does not hold.
    #[error("the signature does not match the public key and the root")]
    Mismatch,
}

impl Signature {
    /// Decodes and checks 96 bytes, as [`G2Point::from_compressed`] does.
    ///
    /// # Errors
    ///
    /// [`PointError`].
    pub fn from_compressed(bytes: &[u8; 96]) -> Result<Self, PointError> {
        G2Point::from_compressed(bytes).map(Self)
    }

    /// The canonical 96 bytes.
    #[must_use]
    pub fn to_compressed(&self) -> [u8; 96] {
        self.0.to_compressed()
    }

    /// The signature as a point.
    #[must_use]
    pub fn point(&self) -> &G2Point {
        &self.0
    }

    /// Checks the signature under `key` (620 us).
    ///
    /// # Errors
    ///
    /// [`VerifyError::Mismatch`].
    pub fn verify(&self, key: &GroupPublicKey, root: &HashedRoot) -> Result<(), VerifyError> {
        if pairing::equation_holds(&[(*key.point().raw(), *root.affine())], self.0.raw()) {
            Ok(())
        } else {
            Err(VerifyError::Mismatch)
        }
    }
}

impl From<G2Point> for Signature {
    fn from(point: G2Point) -> Self {
        Self(point)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
