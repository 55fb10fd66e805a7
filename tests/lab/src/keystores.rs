//! EIP-2335 keystores of well-known keys, for imports. Everybody has these keys: never for money.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use symbolon_daemon::files;
use symbolon_duties::ValidatorPublicKey;
use symbolon_keystore::{Kdf, NewKeystore, Password, encrypt};
use symbolon_secmem::{Locked, SecretBytes};
use symbolon_threshold::whole::WholeSecretKey;

use crate::error::LabError;

/// The secret of the interop key `index` that development chains use, big-endian:
/// `int_LE(sha256(index as 32 bytes, little-endian)) mod r`.
#[must_use]
pub fn interop_secret(index: u64) -> [u8; 32] {
    let mut input = [0; 32];
    for (to, from) in input.iter_mut().zip(index.to_le_bytes()) {
        *to = from;
    }
    let mut number: [u8; 32] = Sha256::digest(input).into();
    number.reverse();
    // A number of 256 bits is below 3 r.
    while number >= GROUP_ORDER {
        let mut borrow = false;
        for (digit, order) in number.iter_mut().zip(GROUP_ORDER).rev() {
            let (first, one) = digit.overflowing_sub(order);
            let (second, two) = first.overflowing_sub(u8::from(borrow));
            *digit = second;
            borrow = one || two;
        }
    }
    number
}

/// The interop key `index` as a whole key, to compare a cluster's signatures with.
///
/// # Errors
///
/// Never for an index anybody will meet: the number would have to be 0.
pub fn interop_key(index: u64) -> Result<WholeSecretKey, LabError> {
    WholeSecretKey::take_from(&mut interop_secret(index))
        .map_err(|error| LabError::Options(format!("interop key {index}: {error}")))
}

/// Writes one keystore and one password file for each interop key in `indices`, named as pairs
/// (`keystore-0007.json`, `keystore-0007.txt`), with cheap key derivation; gives the public keys.
///
/// # Errors
///
/// A folder or file cannot be written, or no randomness.
pub fn write_interop_keystores(
    indices: impl IntoIterator<Item = u64>,
    keystores: &Path,
    passwords: &Path,
) -> Result<Vec<ValidatorPublicKey>, LabError> {
    for folder in [keystores, passwords] {
        fs::create_dir_all(folder).map_err(LabError::io("create", folder))?;
    }
    let mut keys = Vec::new();
    for index in indices {
        let key = ValidatorPublicKey(interop_key(index)?.public_key().to_compressed());
        let text = format!("interop password {index}");
        let refused = |cause: &dyn std::fmt::Display| {
            LabError::Options(format!("keystore of interop key {index}: {cause}"))
        };
        let secret_text =
            SecretBytes::from_string(text.clone()).map_err(|error| refused(&error))?;
        let password = Password::new(&secret_text).map_err(|error| refused(&error))?;
        let secret = Locked::<32>::init_with(|to| *to = interop_secret(index));
        let new = NewKeystore {
            kdf: Kdf::pbkdf2(CHEAP, &random::<32>()?).map_err(|error| refused(&error))?,
            iv: random()?,
            uuid: random()?,
            public_key: Some(key),
            path: String::new(),
            description: format!("interop key {index}, known to everybody"),
        };
        let name = format!("keystore-{index:04}");
        let json = encrypt(&secret, &password, new).to_json();
        files::write_atomic(&keystores.join(format!("{name}.json")), json.as_bytes())?;
        files::write_atomic(&passwords.join(format!("{name}.txt")), text.as_bytes())?;
        keys.push(key);
    }
    Ok(keys)
}

fn random<const N: usize>() -> Result<[u8; N], LabError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| LabError::Options(format!("no randomness from the system: {error}")))?;
    Ok(bytes)
}

/// PBKDF2 rounds: enough to be a keystore, too few to protect anything.
const CHEAP: u32 = 1000;

/// The order r of the groups of BLS12-381, big-endian.
const GROUP_ORDER: [u8; 32] = [
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
    0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
];

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_keystore::Keystore;

    /// The public keys of the first interop keys, as the recorded requests of a development chain
    /// name them.
    #[test]
    fn the_first_keys_are_the_well_known_ones() {
        for (index, expected) in [
            (
                0,
                "a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53\
                 359fe8b94a38e44c",
            ),
            (
                1,
                "b89bebc699769726a318c8e9971bd3171297c61aea4a6578a7a4f94b547dcba5bac16a89108b6b6a\
                 1fe3695d1a874a0b",
            ),
            (
                4,
                "81283b7a20e1ca460ebd9bbd77005d557370cabb1f9a44f530c4c4c66230f675f8df8b4c28188\
                 51aa7d77a80ca5a4a5e",
            ),
        ] {
            let key = interop_key(index).unwrap().public_key().to_compressed();
            assert_eq!(hex::encode(key), expected.replace(' ', ""), "{index}");
        }
    }

    #[test]
    fn every_secret_is_below_the_order() {
        for index in 0..500 {
            assert!(interop_secret(index) < GROUP_ORDER);
        }
    }

    #[test]
    fn keystores_open_with_their_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let (keystores, passwords) = (folder.path().join("k"), folder.path().join("p"));
        let keys = write_interop_keystores(7..9, &keystores, &passwords).unwrap();
        assert_eq!(keys.len(), 2);
        let json = fs::read(keystores.join("keystore-0008.json")).unwrap();
        let text = fs::read_to_string(passwords.join("keystore-0008.txt")).unwrap();
        let password = Password::new(&SecretBytes::from_string(text).unwrap()).unwrap();
        let secret = Keystore::parse(&json).unwrap().decrypt(&password).unwrap();
        assert!(secret.ct_eq_bytes(&interop_secret(8)));
    }
}
