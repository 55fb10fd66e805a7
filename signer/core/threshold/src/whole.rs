//! Whole secret keys: for imported keystores and for tests.
//!
//! A key that passed through this module was whole in one process at least once; the ceremonies
//! exist so that no key has to be.

use std::fmt;

use crate::bls::raw;
use crate::commitment::Commitment;
use crate::hashed_root::HashedRoot;
use crate::index::{ShareIndex, SignerSet, Threshold};
use crate::point::G2Point;
use crate::polynomial::{Polynomial, PolynomialError};
use crate::public_key::GroupPublicKey;
use crate::scalar::{ScalarError, SecretScalar};
use crate::scale::ScaleError;
use crate::share::SecretShare;
use crate::signature::Signature;

/// A whole BLS secret key.
///
/// # Security
///
/// Lives in locked memory, wiped on drop; there is no way to write it out.
pub struct WholeSecretKey(SecretScalar);

/// The parts that a dealer makes of a whole key.
#[derive(Debug)]
pub struct Split {
    /// The commitment that the shares fit; its constant is the public key.
    pub commitment: Commitment,
    /// One share a member, in the order of the indices given.
    pub shares: Vec<SecretShare>,
}

/// A whole key cannot be split as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// The indices are not n distinct ones.
    #[error(transparent)]
    Members(#[from] ScaleError),
    /// The source of coefficients gave an unusable polynomial.
    #[error(transparent)]
    Polynomial(#[from] PolynomialError),
}

impl WholeSecretKey {
    /// Moves a big-endian key out of `source`, which is wiped in any case.
    ///
    /// # Errors
    ///
    /// [`ScalarError`] unless `source` has 32 bytes and its number is in 1..r.
    pub fn take_from(source: &mut [u8]) -> Result<Self, ScalarError> {
        SecretScalar::take_from(source).map(Self)
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> GroupPublicKey {
        self.0.public_point().into()
    }

    /// Signs one root (155 us, constant time).
    #[must_use]
    pub fn sign(&self, root: &HashedRoot) -> Signature {
        let point = self.0.expose(|secret| raw::sign(root.point(), secret));
        G2Point::from_raw(raw::p2_to_affine(&point)).into()
    }

    /// Deals the key to `members`; `source` gives the coefficients of degree 1..t as for
    /// [`Polynomial::with_constant`].
    ///
    /// # Errors
    ///
    /// [`SplitError`].
    pub fn split(
        &self,
        threshold: Threshold,
        members: &[ShareIndex],
        source: impl FnMut(usize, &mut [u8; 48]),
    ) -> Result<Split, SplitError> {
        let (expected, got) = (threshold.n(), members.len());
        if expected != got {
            return Err(ScaleError::Count { expected, got }.into());
        }
        SignerSet::new(members.iter().copied()).map_err(ScaleError::from)?;
        let polynomial = Polynomial::with_constant(&self.0, threshold, source)?;
        let shares = members
            .iter()
            .map(|member| polynomial.share(*member))
            .collect::<Result<_, _>>()?;
        Ok(Split {
            commitment: polynomial.commitment(),
            shares,
        })
    }
}

impl From<SecretScalar> for WholeSecretKey {
    fn from(scalar: SecretScalar) -> Self {
        Self(scalar)
    }
}

impl fmt::Debug for WholeSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
