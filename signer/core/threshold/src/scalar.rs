//! Numbers modulo the group order r: secret ones and public ones.

use std::fmt;

use symbolon_secmem::Locked;

use crate::bls::raw::{self, Fr};
use crate::point::G1Point;

/// A secret number in 1..r, in locked memory, canonical big-endian.
///
/// # Security
///
/// Arithmetic is constant time. It leaves the process only sealed.
pub struct SecretScalar(Locked<32>);

/// A public number in 0..r, such as an interpolation coefficient.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicScalar([u8; 32]);

/// Bytes or a computation that give no usable scalar; says nothing of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScalarError {
    /// Not 32 bytes.
    #[error("a scalar has 32 bytes, got {got}")]
    Length {
        /// Bytes given.
        got: usize,
    },
    /// Zero, which would make a share or a key public.
    #[error("the scalar is zero")]
    Zero,
    /// Not below the group order.
    #[error("the scalar is not below the group order")]
    NotCanonical,
    /// A sum of nothing.
    #[error("a sum needs at least one scalar")]
    Empty,
}

impl SecretScalar {
    /// Moves a big-endian scalar out of `source`, which is wiped in any case.
    ///
    /// # Errors
    ///
    /// [`ScalarError`] unless `source` has 32 bytes and its number is in 1..r.
    pub fn take_from(source: &mut [u8]) -> Result<Self, ScalarError> {
        let got = source.len();
        Self::from_locked(Locked::take_from(source).ok_or(ScalarError::Length { got })?)
    }

    /// A big-endian scalar that is in locked memory already.
    ///
    /// # Errors
    ///
    /// [`ScalarError`] unless the number is in 1..r.
    pub fn from_locked(bytes: Locked<32>) -> Result<Self, ScalarError> {
        let number = bytes
            .expose(Fr::from_be_bytes)
            .ok_or(ScalarError::NotCanonical)?;
        if number.is_zero() {
            Err(ScalarError::Zero)
        } else {
            Ok(Self(bytes))
        }
    }

    /// Reduces 48 uniform bytes (big-endian) modulo r, as RFC 9380 section 5 does; the bias is
    /// below 2^-128.
    ///
    /// # Errors
    ///
    /// [`ScalarError::Zero`], which a uniform source gives with probability 2^-255.
    pub fn from_wide(wide: &[u8; 48]) -> Result<Self, ScalarError> {
        Self::from_fr(&Fr::from_wide_be_bytes(wide))
    }

    /// The sum of two secrets.
    ///
    /// # Errors
    ///
    /// [`ScalarError::Zero`] when they cancel.
    pub fn add(&self, other: &Self) -> Result<Self, ScalarError> {
        Self::from_fr(&self.to_fr().add(&other.to_fr()))
    }

    /// The secret times a public number.
    ///
    /// # Errors
    ///
    /// [`ScalarError::Zero`] when `factor` is zero.
    pub fn mul(&self, factor: &PublicScalar) -> Result<Self, ScalarError> {
        Self::from_fr(&self.to_fr().mul(&factor.to_fr()))
    }

    /// The sum of secrets, such as the shares that several dealers give one receiver.
    ///
    /// # Errors
    ///
    /// [`ScalarError::Empty`], [`ScalarError::Zero`].
    pub fn sum<'a>(secrets: impl IntoIterator<Item = &'a Self>) -> Result<Self, ScalarError> {
        let one = PublicScalar::from(1);
        Self::weighted_sum(secrets.into_iter().map(|secret| (one, secret)))
    }

    /// The sum of secrets times public numbers, such as interpolation over dealt old shares.
    ///
    /// # Errors
    ///
    /// [`ScalarError::Empty`], [`ScalarError::Zero`].
    pub fn weighted_sum<'a>(
        terms: impl IntoIterator<Item = (PublicScalar, &'a Self)>,
    ) -> Result<Self, ScalarError> {
        let sum = terms
            .into_iter()
            .fold(None, |sum: Option<Fr>, (factor, secret)| {
                let term = secret.to_fr().mul(&factor.to_fr());
                Some(sum.unwrap_or_else(Fr::zero).add(&term))
            });
        Self::from_fr(&sum.ok_or(ScalarError::Empty)?)
    }

    /// The secret times the generator of G1.
    #[must_use]
    pub fn public_point(&self) -> G1Point {
        // In 1..r, so never infinity.
        G1Point::from_raw(raw::p1_to_affine(&self.0.expose(raw::public_key)))
    }

    /// Lets `read` see the canonical big-endian bytes, to seal them.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.0.expose(read)
    }

    /// Whether two secrets are equal, in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0)
    }

    pub(crate) fn from_fr(number: &Fr) -> Result<Self, ScalarError> {
        if number.is_zero() {
            return Err(ScalarError::Zero);
        }
        Ok(Self(Locked::init_with(|bytes| {
            number.write_be_bytes(bytes)
        })))
    }

    /// The secret times a public number that the caller knows not to be zero.
    pub(crate) fn mul_unit(&self, factor: &Fr) -> Self {
        let product = self.to_fr().mul(factor);
        Self(Locked::init_with(|bytes| product.write_be_bytes(bytes)))
    }

    pub(crate) fn to_fr(&self) -> Fr {
        // Canonical by construction, so the fallback is never taken.
        self.0.expose(Fr::from_be_bytes).unwrap_or_else(Fr::zero)
    }

    /// A second copy, for a type of this crate that must own one.
    pub(crate) fn duplicate(&self) -> Self {
        Self(Locked::init_with(|to| {
            self.0.expose(|from| to.copy_from_slice(from))
        }))
    }
}

impl fmt::Debug for SecretScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PublicScalar {
    /// Reads a canonical big-endian number.
    ///
    /// # Errors
    ///
    /// [`ScalarError::NotCanonical`].
    pub fn from_be_bytes(bytes: &[u8; 32]) -> Result<Self, ScalarError> {
        Fr::from_be_bytes(bytes).ok_or(ScalarError::NotCanonical)?;
        Ok(Self(*bytes))
    }

    /// The canonical big-endian bytes.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0
    }

    pub(crate) fn from_fr(number: &Fr) -> Self {
        let mut bytes = [0; 32];
        number.write_be_bytes(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn to_fr(self) -> Fr {
        // Canonical by construction, so the fallback is never taken.
        Fr::from_be_bytes(&self.0).unwrap_or_else(Fr::zero)
    }
}

impl From<u64> for PublicScalar {
    fn from(number: u64) -> Self {
        Self::from_fr(&Fr::from_u64(number))
    }
}

impl fmt::Debug for PublicScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicScalar(0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order r of the groups, big-endian.
    const ORDER: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

    fn order_plus(delta: i8) -> [u8; 32] {
        let mut bytes: [u8; 32] = hex::decode(ORDER).unwrap().try_into().unwrap();
        bytes[31] = bytes[31].checked_add_signed(delta).unwrap();
        bytes
    }

    fn secret(number: u64) -> SecretScalar {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&number.to_be_bytes());
        SecretScalar::take_from(&mut bytes).unwrap()
    }

    #[test]
    fn refuses_zero_and_what_is_not_below_the_order() {
        assert_eq!(
            SecretScalar::take_from(&mut [0; 32]).unwrap_err(),
            ScalarError::Zero
        );
        for bad in [order_plus(0), order_plus(1), [0xff; 32]] {
            let mut source = bad;
            let error = SecretScalar::take_from(&mut source).unwrap_err();
            assert_eq!((error, source), (ScalarError::NotCanonical, [0; 32]));
            assert_eq!(
                PublicScalar::from_be_bytes(&bad),
                Err(ScalarError::NotCanonical)
            );
        }
        assert!(SecretScalar::take_from(&mut order_plus(-1)).is_ok());
        let short = SecretScalar::take_from(&mut [1; 31]).unwrap_err();
        assert_eq!(short, ScalarError::Length { got: 31 });
    }

    #[test]
    fn wide_bytes_are_reduced_and_zero_is_refused() {
        let mut wide = [0; 48];
        assert_eq!(
            SecretScalar::from_wide(&wide).unwrap_err(),
            ScalarError::Zero
        );
        wide[16..].copy_from_slice(&order_plus(0));
        assert_eq!(
            SecretScalar::from_wide(&wide).unwrap_err(),
            ScalarError::Zero
        );
        wide[16..].copy_from_slice(&order_plus(5));
        assert!(SecretScalar::from_wide(&wide).unwrap().ct_eq(&secret(5)));
        // 2^384 - 1 mod r, computed with integers of arbitrary size.
        let reduced = "2dbeaf1fd4843acb7abbe5687369510a9277efb8ac0a600dcf2ab21bf81f712c";
        let expected = SecretScalar::take_from(&mut hex::decode(reduced).unwrap()).unwrap();
        assert!(
            SecretScalar::from_wide(&[0xff; 48])
                .unwrap()
                .ct_eq(&expected)
        );
    }

    #[test]
    fn arithmetic_is_modular() {
        let last = SecretScalar::take_from(&mut order_plus(-1)).unwrap();
        assert_eq!(last.add(&secret(1)).unwrap_err(), ScalarError::Zero);
        assert!(last.add(&secret(3)).unwrap().ct_eq(&secret(2)));
        assert!(secret(6).mul(&7.into()).unwrap().ct_eq(&secret(42)));
        assert_eq!(secret(6).mul(&0.into()).unwrap_err(), ScalarError::Zero);
        assert!(
            SecretScalar::sum([&secret(1), &secret(2), &secret(4)])
                .unwrap()
                .ct_eq(&secret(7))
        );
        assert_eq!(SecretScalar::sum([]).unwrap_err(), ScalarError::Empty);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", secret(77)), "[redacted]");
    }
}
