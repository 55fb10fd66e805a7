//! Points that are in their subgroup and not infinity.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use blst::min_pk::{PublicKey, Signature};
use blst::{BLST_ERROR, blst_p1, blst_p1_affine, blst_p2_affine};

use crate::bls::raw;
use crate::scalar::PublicScalar;

/// A point of G1: in the subgroup, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G1Point(blst_p1_affine);

/// A point of G2: in the subgroup, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G2Point(blst_p2_affine);

/// Bytes or a computation that give no usable point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// Wrong length, wrong flag bits, or a coordinate not below the field prime.
    #[error("the point is not encoded canonically")]
    Encoding,
    /// The coordinates satisfy no curve equation.
    #[error("the point is not on the curve")]
    NotOnCurve,
    /// On the curve, outside the subgroup of prime order.
    #[error("the point is not in the subgroup of prime order")]
    NotInSubgroup,
    /// The neutral element.
    #[error("the point is the point at infinity")]
    Infinity,
}

impl G1Point {
    /// Decodes 48 bytes, checks the subgroup and refuses infinity (50 us).
    ///
    /// # Errors
    ///
    /// [`PointError`], the first fault found.
    pub fn from_compressed(bytes: &[u8; 48]) -> Result<Self, PointError> {
        Self::checked(PublicKey::uncompress(bytes).map_err(PointError::from_blst)?)
    }

    /// Decodes 96 bytes, checks the subgroup and refuses infinity.
    ///
    /// # Errors
    ///
    /// [`PointError`], the first fault found.
    pub fn from_uncompressed(bytes: &[u8; 96]) -> Result<Self, PointError> {
        Self::checked(PublicKey::deserialize(bytes).map_err(PointError::from_blst)?)
    }

    /// The canonical 48 bytes.
    #[must_use]
    pub fn to_compressed(&self) -> [u8; 48] {
        PublicKey::from(self.0).compress()
    }

    /// The canonical 96 bytes.
    #[must_use]
    pub fn to_uncompressed(&self) -> [u8; 96] {
        PublicKey::from(self.0).serialize()
    }

    /// The sum of points.
    ///
    /// # Errors
    ///
    /// [`PointError::Infinity`] when they cancel or there is none.
    pub fn sum<'a>(points: impl IntoIterator<Item = &'a Self>) -> Result<Self, PointError> {
        let zero = blst_p1::default();
        Self::from_sum(
            &points
                .into_iter()
                .fold(zero, |sum, p| raw::p1_add_affine(&sum, &p.0)),
        )
    }

    /// The sum of points times public numbers.
    ///
    /// # Errors
    ///
    /// [`PointError::Infinity`] when they cancel or there is none.
    pub fn weighted_sum<'a>(
        terms: impl IntoIterator<Item = (PublicScalar, &'a Self)>,
    ) -> Result<Self, PointError> {
        let sum = terms
            .into_iter()
            .fold(blst_p1::default(), |sum, (factor, point)| {
                let scalar = factor.to_fr().to_le_bytes();
                raw::p1_add(
                    &sum,
                    &raw::p1_mul(&raw::p1_from_affine(&point.0), &scalar, 255),
                )
            });
        Self::from_sum(&sum)
    }

    /// A result of arithmetic on points of the subgroup.
    pub(crate) fn from_sum(point: &blst_p1) -> Result<Self, PointError> {
        let affine = raw::p1_to_affine(point);
        if raw::p1_is_infinity(&affine) {
            Err(PointError::Infinity)
        } else {
            Ok(Self(affine))
        }
    }

    /// A point known to be in the subgroup and not infinity.
    pub(crate) fn from_raw(point: blst_p1_affine) -> Self {
        Self(point)
    }

    pub(crate) fn raw(&self) -> &blst_p1_affine {
        &self.0
    }

    fn checked(key: PublicKey) -> Result<Self, PointError> {
        key.validate().map_err(PointError::from_blst)?;
        Ok(Self(*<&blst_p1_affine>::from(&key)))
    }
}

impl G2Point {
    /// Decodes 96 bytes, checks the subgroup and refuses infinity (70 us).
    ///
    /// # Errors
    ///
    /// [`PointError`], the first fault found.
    pub fn from_compressed(bytes: &[u8; 96]) -> Result<Self, PointError> {
        Self::checked(Signature::uncompress(bytes).map_err(PointError::from_blst)?)
    }

    /// Decodes 192 bytes, checks the subgroup and refuses infinity.
    ///
    /// # Errors
    ///
    /// [`PointError`], the first fault found.
    pub fn from_uncompressed(bytes: &[u8; 192]) -> Result<Self, PointError> {
        Self::checked(Signature::deserialize(bytes).map_err(PointError::from_blst)?)
    }

    /// The canonical 96 bytes.
    #[must_use]
    pub fn to_compressed(&self) -> [u8; 96] {
        Signature::from(self.0).compress()
    }

    /// The canonical 192 bytes.
    #[must_use]
    pub fn to_uncompressed(&self) -> [u8; 192] {
        Signature::from(self.0).serialize()
    }

    /// A point known to be in the subgroup and not infinity.
    pub(crate) fn from_raw(point: blst_p2_affine) -> Self {
        Self(point)
    }

    pub(crate) fn raw(&self) -> &blst_p2_affine {
        &self.0
    }

    fn checked(point: Signature) -> Result<Self, PointError> {
        point.validate(true).map_err(PointError::from_blst)?;
        Ok(Self(*<&blst_p2_affine>::from(&point)))
    }
}

impl PointError {
    pub(crate) fn from_blst(error: BLST_ERROR) -> Self {
        match error {
            BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Self::NotOnCurve,
            BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Self::NotInSubgroup,
            BLST_ERROR::BLST_PK_IS_INFINITY => Self::Infinity,
            _ => Self::Encoding,
        }
    }
}

/// Order, hash and text of the compressed encoding, so that points can be keys of maps.
macro_rules! by_encoding {
    ($($point:ident),+) => {$(
        impl PartialOrd for $point {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $point {
            fn cmp(&self, other: &Self) -> Ordering {
                self.to_compressed().cmp(&other.to_compressed())
            }
        }

        impl Hash for $point {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.to_compressed().hash(state);
            }
        }

        impl fmt::Display for $point {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0x")?;
                self.to_compressed().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $point {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($point), "({})"), self)
            }
        }
    )+};
}

by_encoding!(G1Point, G2Point);
