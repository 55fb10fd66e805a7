//! Encryption keys (EK): P-256 points that envelopes of one group epoch are encrypted to.

use core::fmt;

use minicbor::{Decode, Encode};
use symbolon_protocol::{IdentityError, IdentityPublic};

/// A member's ECDH key for one group and group epoch: its secret half never leaves the HSM.
///
/// Never the same object as an identity key: the two uses stay apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct EncryptionKey(#[n(0)] IdentityPublic);

impl EncryptionKey {
    /// Parses a SEC1 point, compressed (33 bytes) or uncompressed (65 bytes).
    ///
    /// # Errors
    ///
    /// Any other bytes, the point at infinity among them.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, IdentityError> {
        IdentityPublic::from_sec1(bytes).map(Self)
    }

    /// The compressed form, as it stands in signed objects.
    #[must_use]
    pub const fn compressed(&self) -> &[u8; 33] {
        self.0.compressed()
    }

    /// The uncompressed form, as devices take it.
    #[must_use]
    pub const fn uncompressed(&self) -> &[u8; 65] {
        self.0.uncompressed()
    }
}

impl fmt::Display for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.compressed()))
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({self})")
    }
}
