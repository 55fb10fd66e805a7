//! A message as a point of G2.

use std::fmt;

use blst::{blst_p2, blst_p2_affine};

use crate::bls::raw;
use crate::point::G2Point;

/// Ethereum's domain separation tag for signatures (consensus-specs, BLS12-381 section).
pub const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// A 32-byte signing root hashed to G2 once (155 us), to be signed and verified many times.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedRoot {
    root: [u8; 32],
    point: blst_p2,
    affine: blst_p2_affine,
}

impl HashedRoot {
    /// Hashes `root` under [`DST`].
    #[must_use]
    pub fn new(root: &[u8; 32]) -> Self {
        let point = raw::hash_to_g2(root, DST);
        Self {
            root: *root,
            point,
            affine: raw::p2_to_affine(&point),
        }
    }

    /// The root that was hashed.
    #[must_use]
    pub fn root(&self) -> &[u8; 32] {
        &self.root
    }

    pub(crate) fn point(&self) -> &blst_p2 {
        &self.point
    }

    pub(crate) fn affine(&self) -> &blst_p2_affine {
        &self.affine
    }
}

impl fmt::Debug for HashedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedRoot(0x")?;
        self.root
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Hashes a message to G2 under the tag `dst` (RFC 9380, suite
/// `BLS12381G2_XMD:SHA-256_SSWU_RO_`).
#[must_use]
pub fn hash_to_g2(message: &[u8], dst: &[u8]) -> G2Point {
    // The map clears the cofactor; infinity has probability 2^-255.
    G2Point::from_raw(raw::p2_to_affine(&raw::hash_to_g2(message, dst)))
}
