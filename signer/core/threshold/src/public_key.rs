//! The key that the chain knows.

use std::fmt;

use crate::point::{G1Point, PointError};

/// The public key of a whole group, which is the validator's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupPublicKey(G1Point);

impl GroupPublicKey {
    /// Decodes and checks 48 bytes, as [`G1Point::from_compressed`] does.
    ///
    /// # Errors
    ///
    /// [`PointError`].
    pub fn from_compressed(bytes: &[u8; 48]) -> Result<Self, PointError> {
        G1Point::from_compressed(bytes).map(Self)
    }

    /// The canonical 48 bytes.
    #[must_use]
    pub fn to_compressed(&self) -> [u8; 48] {
        self.0.to_compressed()
    }

    /// The key as a point.
    #[must_use]
    pub fn point(&self) -> &G1Point {
        &self.0
    }
}

impl From<G1Point> for GroupPublicKey {
    fn from(point: G1Point) -> Self {
        Self(point)
    }
}

impl fmt::Display for GroupPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
