//! The data encryption key of one server, and the keys that come from it.

use std::fmt;
use std::time::Instant;

use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use sha2::Sha256;
use symbolon_secmem::Locked;

use crate::{Hsm, HsmError, ShareCipher};

/// The key under which a server's shares and journal lie; opened by the device, never on disk.
///
/// # Security
///
/// Whoever has it reads every share of this member. It stays in locked memory.
pub struct Dek {
    key: Locked<32>,
    id: DekId,
}

impl Dek {
    /// Takes 32 uniformly random bytes as a DEK.
    #[must_use]
    pub fn new(key: Locked<32>) -> Self {
        let mut id = [0; 16];
        key.expose(|key| expand(key, b"symbolon/dek/id/v1", &mut id));
        Self { key, id: DekId(id) }
    }

    /// A new DEK from the device's random numbers and the operating system's: neither alone
    /// decides it.
    ///
    /// # Errors
    ///
    /// Those of [`Hsm::random`]; [`HsmError::Other`] when the system gives no random numbers.
    pub fn generate(hsm: &dyn Hsm, deadline: Instant) -> Result<Self, HsmError> {
        let device = Locked::<32>::try_init_with(|bytes| hsm.random(bytes, deadline))?;
        let system = Locked::<32>::try_init_with(|bytes| {
            getrandom::fill(bytes).map_err(|error| HsmError::Other {
                code: error.to_string(),
                function: "getrandom".to_owned(),
            })
        })?;
        let key = Locked::init_with(|out| {
            let mixed =
                system.expose(|salt| device.expose(|ikm| Hkdf::<Sha256>::new(Some(salt), ikm)));
            expand_with(&mixed, b"symbolon/dek/new/v1", out);
        });
        Ok(Self::new(key))
    }

    /// The public name of this DEK: 16 bytes that tell nothing about it.
    #[must_use]
    pub const fn id(&self) -> DekId {
        self.id
    }

    /// The key itself, for the adapter that seals it.
    #[must_use]
    pub const fn key(&self) -> &Locked<32> {
        &self.key
    }

    /// The cipher of this server's shares.
    #[must_use]
    pub fn share_cipher(&self) -> ShareCipher {
        ShareCipher::new(self.derive(b"symbolon/dek/shares/v1"), self.id)
    }

    /// The key of the journal's hash chain, so that a chain cannot be rewritten without the device.
    #[must_use]
    pub fn journal_key(&self) -> Locked<32> {
        self.derive(b"symbolon/dek/journal/v1")
    }

    /// The key that authenticates the header of the sealed DEK.
    pub(crate) fn header_key(&self) -> Locked<32> {
        self.derive(b"symbolon/dek/header/v1")
    }

    fn derive(&self, purpose: &[u8]) -> Locked<32> {
        Locked::init_with(|out| self.key.expose(|key| expand(key, purpose, out)))
    }
}

impl fmt::Debug for Dek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dek({})", self.id)
    }
}

/// The public name of a DEK; shares are bound to it, so re-sealing leaves them as they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct DekId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

impl fmt::Display for DekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DekId({self})")
    }
}

/// HKDF-Expand (RFC 5869 2.3) with a uniformly random 32-byte key as the PRK.
pub(crate) fn expand(prk: &[u8; 32], info: &[u8], out: &mut [u8]) {
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(prk) {
        expand_with(&hkdf, info, out);
    }
}

#[expect(
    clippy::expect_used,
    reason = "HKDF-SHA-256 gives up to 8160 bytes, all callers want 32 or less"
)]
fn expand_with(hkdf: &Hkdf<Sha256>, info: &[u8], out: &mut [u8]) {
    hkdf.expand(info, out).expect("at most 32 bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_keys_differ_from_each_other_and_from_the_dek() {
        let dek = Dek::new(Locked::init_with(|key| key.fill(9)));
        let same = Dek::new(Locked::init_with(|key| key.fill(9)));
        let other = Dek::new(Locked::init_with(|key| key.fill(10)));
        assert!(dek.journal_key().ct_eq(&same.journal_key()));
        assert!(!dek.journal_key().ct_eq(&dek.header_key()));
        assert!(!dek.journal_key().ct_eq(dek.key()));
        assert!(!dek.journal_key().ct_eq(&other.journal_key()));
        assert_eq!(dek.id(), same.id());
        assert_ne!(dek.id(), other.id());
    }

    #[test]
    fn nothing_of_the_key_is_printed() {
        let dek = Dek::new(Locked::init_with(|key| key.fill(0xab)));
        assert!(!format!("{dek:?}").contains("abab"));
    }
}
