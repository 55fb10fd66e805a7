//! A keystore and its decryption.

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use symbolon_duties::ValidatorPublicKey;
use symbolon_secmem::Locked;

use crate::kdf::KEY_BYTES;
use crate::{Kdf, Password};

/// A keystore of version 4 whose every parameter was found acceptable (EIP-2335).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keystore {
    pub(crate) kdf: Kdf,
    pub(crate) checksum: [u8; 32],
    pub(crate) iv: [u8; 16],
    pub(crate) ciphertext: [u8; 32],
    pub(crate) public_key: Option<ValidatorPublicKey>,
    pub(crate) description: String,
    pub(crate) path: String,
    pub(crate) uuid: String,
}

/// Why a keystore gives no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// The checksum does not fit the password.
    #[error("keystore checksum does not match: the password is wrong or the keystore damaged")]
    WrongPassword,
}

impl Keystore {
    /// Decrypts the secret; takes as long as [`kdf`](Self::kdf) demands.
    ///
    /// The secret may still be no BLS scalar, or not that of [`public_key`](Self::public_key).
    ///
    /// # Errors
    ///
    /// [`DecryptError::WrongPassword`].
    pub fn decrypt(&self, password: &Password) -> Result<Locked<32>, DecryptError> {
        let key = self.kdf.derive(password);
        let checksum = checksum(&key, &self.ciphertext);
        if !bool::from(checksum.ct_eq(&self.checksum)) {
            return Err(DecryptError::WrongPassword);
        }
        Ok(Locked::init_with(|secret| {
            *secret = self.ciphertext;
            apply_cipher(&key, &self.iv, secret);
        }))
    }

    /// The key derivation, with its cost.
    #[must_use]
    pub const fn kdf(&self) -> &Kdf {
        &self.kdf
    }

    /// The public key that the keystore names: a claim, bound to the secret by nothing.
    #[must_use]
    pub const fn public_key(&self) -> Option<ValidatorPublicKey> {
        self.public_key
    }

    /// What its maker wrote about it; foreign text.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// EIP-2334 path of the key; foreign text, empty where unknown.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// UUID of the keystore; foreign text, empty where it has none.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.uuid
    }
}

/// SHA-256 over the second half of the key and the ciphertext (EIP-2335, "Checksum").
pub(crate) fn checksum(key: &Locked<KEY_BYTES>, ciphertext: &[u8; 32]) -> [u8; 32] {
    key.expose(|key| {
        let (_, second) = halves(key);
        Sha256::new()
            .chain_update(second)
            .chain_update(ciphertext)
            .finalize()
            .into()
    })
}

/// AES-128-CTR under the first half of the key, in place, both ways.
pub(crate) fn apply_cipher(key: &Locked<KEY_BYTES>, iv: &[u8; 16], data: &mut [u8; 32]) {
    key.expose(|key| {
        let (first, _) = halves(key);
        Ctr128BE::<Aes128>::new(first.into(), iv.into()).apply_keystream(data);
    });
}

#[expect(clippy::expect_used, reason = "32 bytes split into 16 and 16")]
fn halves(key: &[u8; KEY_BYTES]) -> (&[u8; 16], &[u8; 16]) {
    let (first, second) = key.split_first_chunk().expect("32 bytes");
    (first, second.first_chunk().expect("16 bytes left"))
}
