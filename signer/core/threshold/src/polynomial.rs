//! The secret that is shared.

use std::fmt;

use symbolon_secmem::Locked;

use crate::bls::raw::Fr;
use crate::commitment::Commitment;
use crate::index::{ShareIndex, Threshold};
use crate::scalar::{ScalarError, SecretScalar};
use crate::share::SecretShare;

/// A secret polynomial of degree t - 1 over the scalar field, without zero coefficients.
///
/// # Security
///
/// Its constant is a secret key or a share. Wiped on drop.
pub struct Polynomial {
    constant: SecretScalar,
    /// Coefficients of x, x^2, ...
    higher: Vec<SecretScalar>,
}

/// A polynomial that cannot be used; take another seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolynomialError {
    /// The source gave a coefficient of zero.
    #[error("coefficient {degree} of the polynomial is unusable")]
    Coefficient {
        /// The coefficient's degree.
        degree: usize,
        /// What is wrong with it.
        #[source]
        source: ScalarError,
    },
    /// The polynomial is zero at a member's index, which would make that share public.
    #[error("the share of index {index} is zero")]
    ZeroShare {
        /// The member's index.
        index: ShareIndex,
    },
}

impl Polynomial {
    /// A new secret: `source` writes 48 uniform bytes for the coefficient of each degree 0..t,
    /// which are reduced modulo r.
    ///
    /// The same bytes give the same polynomial. The buffer is in locked memory and wiped.
    ///
    /// # Errors
    ///
    /// [`PolynomialError::Coefficient`].
    pub fn from_source(
        threshold: Threshold,
        mut source: impl FnMut(usize, &mut [u8; 48]),
    ) -> Result<Self, PolynomialError> {
        let constant = coefficient(0, &mut source)?;
        Self::above(constant, threshold, source)
    }

    /// Shares a given secret (a whole key at import, an old share at reshare): `source` gives the
    /// coefficients of degree 1..t only.
    ///
    /// # Errors
    ///
    /// [`PolynomialError::Coefficient`].
    pub fn with_constant(
        constant: &SecretScalar,
        threshold: Threshold,
        source: impl FnMut(usize, &mut [u8; 48]),
    ) -> Result<Self, PolynomialError> {
        Self::above(constant.duplicate(), threshold, source)
    }

    /// The share of one member.
    ///
    /// # Errors
    ///
    /// [`PolynomialError::ZeroShare`], with probability 2^-255 for a uniform source.
    pub fn share(&self, index: ShareIndex) -> Result<SecretShare, PolynomialError> {
        let x = Fr::from_u64(index.into());
        let value = self
            .coefficients()
            .rev()
            .fold(Fr::zero(), |sum, coefficient| {
                sum.mul(&x).add(&coefficient.to_fr())
            });
        SecretScalar::from_fr(&value)
            .map(|scalar| SecretShare::new(index, scalar))
            .map_err(|_| PolynomialError::ZeroShare { index })
    }

    /// The commitment to publish (88 us a coefficient).
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        let higher = self.higher.iter().map(SecretScalar::public_point).collect();
        Commitment::from_parts(self.constant.public_point(), higher)
    }

    /// The shared secret, to prove its possession.
    #[must_use]
    pub fn constant(&self) -> &SecretScalar {
        &self.constant
    }

    fn above(
        constant: SecretScalar,
        threshold: Threshold,
        mut source: impl FnMut(usize, &mut [u8; 48]),
    ) -> Result<Self, PolynomialError> {
        let higher = (1..threshold.t())
            .map(|degree| coefficient(degree, &mut source))
            .collect::<Result<_, _>>()?;
        Ok(Self { constant, higher })
    }

    fn coefficients(&self) -> impl DoubleEndedIterator<Item = &SecretScalar> {
        std::iter::once(&self.constant).chain(&self.higher)
    }
}

fn coefficient(
    degree: usize,
    source: &mut impl FnMut(usize, &mut [u8; 48]),
) -> Result<SecretScalar, PolynomialError> {
    Locked::<48>::init_with(|wide| source(degree, wide))
        .expose(SecretScalar::from_wide)
        .map_err(|source| PolynomialError::Coefficient { degree, source })
}

impl fmt::Debug for Polynomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
