//! Keystores (EIP-2335).

use serde_json::Value;
use symbolon_duties::ValidatorPublicKey;
use symbolon_keystore::{Kdf, Keystore, NewKeystore, Password, encrypt};
use symbolon_secmem::{Locked, SecretBytes};

use crate::Seed;

/// Keystores have less than 2 KiB.
pub const MAX_LEN: usize = 4096;

/// An accepted keystore survives its own file, and asks for bounded memory; with its password it
/// opens to the secret that was put in or to nothing.
pub fn check(data: &[u8]) {
    let Ok(keystore) = Keystore::parse(data) else {
        return;
    };
    let text = keystore.to_json();
    let again = Keystore::parse(text.as_bytes()).expect("a file of our own");
    assert_eq!(again, keystore);
    assert_eq!(again.to_json(), text);
    assert!(keystore.kdf().memory_bytes() <= 2 << 30);
    let document: Value = serde_json::from_str(&text).unwrap();
    let iterations = document.pointer("/crypto/kdf/params/c").and_then(Value::as_u64);
    // The rest would cost seconds each.
    if iterations.is_some_and(|c| c <= 2) {
        assert!(keystore.decrypt(&password("another")).is_err());
        // The checksum covers the ciphertext and not the IV (EIP-2335): only a length is promised.
        drop(keystore.decrypt(&password("pass")));
    }
}

fn password(text: &str) -> Password {
    Password::new(&SecretBytes::from_string(text.into()).unwrap()).unwrap()
}

/// One for each function; one as deposit tools write it, with unknown and empty fields.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let secret = Locked::<32>::init_with(|bytes| bytes.fill(7));
    let made = |kdf| {
        let new = NewKeystore {
            kdf,
            iv: [2; 16],
            uuid: [3; 16],
            public_key: Some(ValidatorPublicKey([4; 48])),
            path: "m/12381/3600/0/0/0".into(),
            description: "a seed".into(),
        };
        encrypt(&secret, &password("pass"), new).to_json()
    };
    let pbkdf2 = made(Kdf::pbkdf2(1, &[1; 32]).unwrap());
    let scrypt = made(Kdf::scrypt(2, 8, 1, &[1; 32]).unwrap());
    let usual = scrypt
        .replace("\"n\": 2,", "\"n\": 262144,")
        .replace("\"description\": \"a seed\",", "\"name\": null, \"pubkey\": \"\",");
    vec![
        ("pbkdf2", pbkdf2.into_bytes()),
        ("scrypt", scrypt.into_bytes()),
        ("usual", usual.into_bytes()),
    ]
}
