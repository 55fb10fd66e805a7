//! Making keystores.

use serde_json::json;
use symbolon_duties::ValidatorPublicKey;
use symbolon_secmem::Locked;

use crate::kdf::{KEY_BYTES, Spelled};
use crate::keystore::{apply_cipher, checksum};
use crate::{Kdf, Keystore, Password};

/// What a new keystore is made of, besides the secret and the password.
#[derive(Debug, Clone)]
pub struct NewKeystore {
    /// Key derivation, with a salt drawn for this keystore alone.
    pub kdf: Kdf,
    /// Initial counter block, drawn for this keystore alone.
    pub iv: [u8; 16],
    /// Random bytes; version and variant bits are set here (RFC 9562, version 4).
    pub uuid: [u8; 16],
    /// Public key of the secret, if it is to be named.
    pub public_key: Option<ValidatorPublicKey>,
    /// EIP-2334 path; empty where the key was not derived.
    pub path: String,
    /// A note for people.
    pub description: String,
}

/// Encrypts a secret; takes as long as the key derivation demands.
#[must_use]
pub fn encrypt(secret: &Locked<32>, password: &Password, new: NewKeystore) -> Keystore {
    let key = new.kdf.derive(password);
    // Encrypted where it lies in locked memory, so that the stack never holds the secret.
    let hidden = Locked::<32>::init_with(|data| {
        secret.expose(|secret| data.copy_from_slice(secret));
        apply_cipher(&key, &new.iv, data);
    });
    let ciphertext = hidden.expose(|data| *data);
    let checksum = checksum(&key, &ciphertext);
    Keystore {
        kdf: new.kdf,
        checksum,
        iv: new.iv,
        ciphertext,
        public_key: new.public_key,
        description: new.description,
        path: new.path,
        uuid: uuid_v4(new.uuid),
    }
}

impl Keystore {
    /// The keystore as a JSON file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let kdf = match self.kdf.spelled() {
            Spelled::Scrypt { n, r, p, salt } => json!({
                "function": "scrypt",
                "params": {"dklen": KEY_BYTES, "n": n, "p": p, "r": r, "salt": hex::encode(salt)},
                "message": "",
            }),
            Spelled::Pbkdf2 { iterations, salt } => json!({
                "function": "pbkdf2",
                "params": {
                    "dklen": KEY_BYTES,
                    "c": iterations,
                    "prf": "hmac-sha256",
                    "salt": hex::encode(salt),
                },
                "message": "",
            }),
        };
        let mut keystore = json!({
            "crypto": {
                "kdf": kdf,
                "checksum": {
                    "function": "sha256",
                    "params": {},
                    "message": hex::encode(self.checksum),
                },
                "cipher": {
                    "function": "aes-128-ctr",
                    "params": {"iv": hex::encode(self.iv)},
                    "message": hex::encode(self.ciphertext),
                },
            },
            "description": self.description,
            "path": self.path,
            "uuid": self.uuid,
            "version": 4,
        });
        if let (Some(key), Some(fields)) = (self.public_key, keystore.as_object_mut()) {
            fields.insert("pubkey".into(), hex::encode(key.as_bytes()).into());
        }
        format!("{keystore:#}\n")
    }
}

fn uuid_v4(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    groups
        .map(|group| digits.get(group).unwrap_or_default())
        .join("-")
}
