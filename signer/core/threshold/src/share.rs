//! One member's part of a key.

use std::fmt;

use crate::bls::raw;
use crate::index::ShareIndex;
use crate::point::G1Point;
use crate::scalar::SecretScalar;
use crate::scale::Scale;

/// The value of the group's polynomial at one member's index, in some [`Scale`].
///
/// # Security
///
/// Lives in locked memory; leaves the process only sealed, and only in [`Scale::PLAIN`].
pub struct SecretShare {
    index: ShareIndex,
    scalar: SecretScalar,
    scale: Scale,
}

/// The public image of a [`SecretShare`]: checks that member's partial signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicShare {
    index: ShareIndex,
    point: G1Point,
    scale: Scale,
}

impl SecretShare {
    /// A plain share, as stored and as dealt.
    #[must_use]
    pub fn new(index: ShareIndex, scalar: SecretScalar) -> Self {
        Self {
            index,
            scalar,
            scale: Scale::PLAIN,
        }
    }

    /// The same share in the representation `scale`, whatever it was before.
    #[must_use]
    pub fn scaled(&self, scale: Scale) -> Self {
        let scalar = self.scalar.mul_unit(&self.scale.ratio_to(scale));
        Self {
            index: self.index,
            scalar,
            scale,
        }
    }

    /// The holder's index.
    #[must_use]
    pub fn index(&self) -> ShareIndex {
        self.index
    }

    /// The representation that the scalar is in.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The scalar, to seal it.
    #[must_use]
    pub fn scalar(&self) -> &SecretScalar {
        &self.scalar
    }

    /// The public image in the same representation (88 us).
    #[must_use]
    pub fn public_share(&self) -> PublicShare {
        PublicShare {
            index: self.index,
            point: self.scalar.public_point(),
            scale: self.scale,
        }
    }
}

impl fmt::Debug for SecretShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretShare")
            .field("index", &self.index)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

impl PublicShare {
    /// The image of a plain share.
    #[must_use]
    pub fn new(index: ShareIndex, point: G1Point) -> Self {
        Self {
            index,
            point,
            scale: Scale::PLAIN,
        }
    }

    /// The same public share in the representation `scale`, whatever it was before (90 us).
    #[must_use]
    pub fn scaled(&self, scale: Scale) -> Self {
        if scale == self.scale {
            return *self;
        }
        let ratio = self.scale.ratio_to(scale).to_le_bytes();
        let point = raw::p1_mul(&raw::p1_from_affine(self.point.raw()), &ratio, 255);
        // A point of prime order times a nonzero number below that order is not infinity.
        let point = G1Point::from_raw(raw::p1_to_affine(&point));
        Self {
            index: self.index,
            point,
            scale,
        }
    }

    /// The holder's index.
    #[must_use]
    pub fn index(&self) -> ShareIndex {
        self.index
    }

    /// The representation that the point is in.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The point.
    #[must_use]
    pub fn point(&self) -> &G1Point {
        &self.point
    }
}
