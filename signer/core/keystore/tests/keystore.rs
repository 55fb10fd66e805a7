//! Making, reading and opening keystores.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_duties::ValidatorPublicKey;
use symbolon_keystore::{
    DecryptError, Kdf, Keystore, MAX_KEYSTORE_BYTES, NewKeystore, ParseError, Password, encrypt,
};
use symbolon_secmem::{Locked, SecretBytes};

fn password(text: &str) -> Password {
    Password::new(&SecretBytes::from_string(text.into()).unwrap()).unwrap()
}

fn secret(byte: u8) -> Locked<32> {
    Locked::init_with(|bytes| bytes.fill(byte))
}

fn new(kdf: Kdf) -> NewKeystore {
    NewKeystore {
        kdf,
        iv: [2; 16],
        uuid: [0xff; 16],
        public_key: Some(ValidatorPublicKey([4; 48])),
        path: "m/12381/3600/0/0/0".into(),
        description: "line one\n\"line\" two".into(),
    }
}

fn light() -> Kdf {
    Kdf::pbkdf2(1, &[1; 32]).unwrap()
}

fn document() -> Value {
    let keystore = encrypt(&secret(7), &password("pass"), new(light()));
    serde_json::from_str(&keystore.to_json()).unwrap()
}

fn refusal(document: &Value) -> ParseError {
    Keystore::parse(document.to_string().as_bytes()).unwrap_err()
}

#[test]
fn a_keystore_survives_its_file_and_opens_with_its_password_alone() {
    for kdf in [light(), Kdf::scrypt(2, 8, 1, &[1; 32]).unwrap()] {
        let made = encrypt(&secret(7), &password("pass"), new(kdf));
        let read = Keystore::parse(made.to_json().as_bytes()).unwrap();
        assert_eq!(read, made);
        assert_eq!(read.uuid(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(read.decrypt(&password("pass\n")).unwrap().ct_eq(&secret(7)));
        let wrong = read.decrypt(&password("Pass")).unwrap_err();
        assert_eq!(wrong, DecryptError::WrongPassword);
    }
}

#[test]
fn a_damaged_ciphertext_or_checksum_opens_nothing() {
    for field in ["checksum", "cipher"] {
        let mut damaged = document();
        let message = damaged["crypto"][field]["message"].as_str().unwrap();
        let first = if message.starts_with('0') { "1" } else { "0" };
        damaged["crypto"][field]["message"] = format!("{first}{}", &message[1..]).into();
        let keystore = Keystore::parse(damaged.to_string().as_bytes()).unwrap();
        assert!(keystore.decrypt(&password("pass")).is_err(), "{field}");
    }
}

#[test]
fn a_missing_field_is_named_by_its_path() {
    let fields = [
        "version",
        "crypto",
        "crypto.kdf",
        "crypto.kdf.function",
        "crypto.kdf.params",
        "crypto.kdf.params.dklen",
        "crypto.kdf.params.c",
        "crypto.kdf.params.prf",
        "crypto.kdf.params.salt",
        "crypto.checksum",
        "crypto.checksum.function",
        "crypto.checksum.message",
        "crypto.cipher",
        "crypto.cipher.function",
        "crypto.cipher.params",
        "crypto.cipher.params.iv",
        "crypto.cipher.message",
    ];
    for field in fields {
        let pointer = format!("/{}", field.replace('.', "/"));
        let mut null = document();
        *null.pointer_mut(&pointer).unwrap() = Value::Null;
        assert_eq!(
            refusal(&null),
            ParseError::MissingField { field },
            "{field}"
        );
        let mut wrong = document();
        *wrong.pointer_mut(&pointer).unwrap() = json!([true]);
        let error = refusal(&wrong);
        let named = match &error {
            ParseError::MissingField { field: inner } => inner.starts_with(field),
            ParseError::WrongType { field: at, .. } => *at == field,
            _ => false,
        };
        assert!(named, "{field}: {error}");
    }
    for field in ["pubkey", "path", "uuid", "description"] {
        let mut without = document();
        without.as_object_mut().unwrap().remove(field).unwrap();
        assert!(
            Keystore::parse(without.to_string().as_bytes()).is_ok(),
            "{field}"
        );
    }
}

#[test]
fn every_refused_value_has_its_sentence() {
    let cases = [
        (
            "/version",
            json!(5),
            "keystore version 5 is not supported, only version 4 is",
        ),
        (
            "/version",
            json!("4"),
            "keystore field \"version\" is not a whole number below 2^64",
        ),
        (
            "/crypto/kdf/params/dklen",
            json!(64),
            "derived key length (dklen) 64 is not supported, only 32 is",
        ),
        (
            "/crypto/kdf/params/c",
            json!(0),
            "keystore key derivation: PBKDF2 with 0 iterations is not accepted (1 to 16777216)",
        ),
        (
            "/crypto/kdf/params/c",
            json!(u64::MAX),
            "keystore field \"crypto.kdf.params.c\" is not a whole number below 2^32",
        ),
        (
            "/crypto/kdf/params/c",
            json!(-1),
            "keystore field \"crypto.kdf.params.c\" is not a whole number below 2^64",
        ),
        (
            "/crypto/kdf/params/c",
            json!(1.5),
            "keystore field \"crypto.kdf.params.c\" is not a whole number below 2^64",
        ),
        (
            "/crypto/kdf/params/salt",
            json!("00"),
            "keystore key derivation: a salt of 1 bytes is not accepted (8 to 256)",
        ),
        (
            "/crypto/kdf/params/salt",
            json!("zz"),
            "keystore field \"crypto.kdf.params.salt\" is not hexadecimal digits for a salt",
        ),
        (
            "/crypto/cipher/params/iv",
            json!("00"),
            "keystore field \"crypto.cipher.params.iv\" is not hexadecimal digits for 16 bytes",
        ),
        (
            "/crypto/cipher/message",
            json!("00"),
            "keystore field \"crypto.cipher.message\" is not hexadecimal digits for 32 bytes (a BLS secret)",
        ),
        (
            "/pubkey",
            json!("00"),
            "keystore field \"pubkey\" is not hexadecimal digits for 48 bytes",
        ),
        (
            "/crypto/cipher/function",
            json!("x".repeat(99)),
            "cipher \"xxxxxxxxxxxxxxxxxxxxxxxx\" is not supported, only \"aes-128-ctr\" is",
        ),
    ];
    for (pointer, value, sentence) in cases {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = value;
        assert_eq!(refusal(&document).to_string(), sentence);
    }
}

#[test]
fn scrypt_beyond_its_bounds_is_refused_while_parsing() {
    let cases = [
        (1u64 << 40, 8, 1, "costs more than 1073741824 bytes"),
        (262_144, 8, 8, "costs more than 1073741824 bytes"),
        (262_144, 0, 1, "is not allowed by RFC 7914"),
        (
            262_143,
            8,
            1,
            "scrypt n = 262143 is not a power of two above 1",
        ),
        (0, 8, 1, "scrypt n = 0 is not a power of two above 1"),
    ];
    for (n, r, p, message) in cases {
        let mut document = document();
        let params = json!({"dklen": 32, "n": n, "r": r, "p": p, "salt": "00".repeat(32)});
        document["crypto"]["kdf"] = json!({"function": "scrypt", "params": params});
        let error = refusal(&document).to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_password_file_taken_for_a_keystore_is_not_shown() {
    for text in [
        "hunter2",
        "\"hunter2\"",
        "31337",
        "[\"hunter2\"]",
        "{\"hunter2\":1}",
        "",
    ] {
        let error = Keystore::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(
            !error.contains("hunter2") && !error.contains("31337"),
            "{error}"
        );
    }
    let long = vec![b' '; MAX_KEYSTORE_BYTES + 1];
    assert_eq!(
        Keystore::parse(&long),
        Err(ParseError::TooLong { got: long.len() })
    );
    let deep = "[".repeat(MAX_KEYSTORE_BYTES);
    assert!(matches!(
        Keystore::parse(deep.as_bytes()),
        Err(ParseError::NotJson { .. })
    ));
}

proptest! {
    #[test]
    fn any_secret_comes_back(
        bytes: [u8; 32], text in "\\PC{0,24}", salt in prop::collection::vec(any::<u8>(), 8..64),
        iv: [u8; 16], uuid: [u8; 16],
    ) {
        let kdf = Kdf::pbkdf2(2, &salt).unwrap();
        let made = NewKeystore { iv, uuid, description: text.clone(), ..new(kdf) };
        let secret = Locked::<32>::take_from(&mut bytes.clone()).unwrap();
        let made = encrypt(&secret, &password(&text), made);
        let read = Keystore::parse(made.to_json().as_bytes()).unwrap();
        prop_assert_eq!(&read, &made);
        prop_assert!(read.decrypt(&password(&text)).unwrap().ct_eq_bytes(&bytes));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Keystore::parse(&bytes).is_err());
    }

    #[test]
    fn a_keystore_with_one_changed_byte_never_panics(at: prop::sample::Index, byte: u8) {
        let mut bytes = document().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(keystore) = Keystore::parse(&bytes) {
            prop_assert!(keystore.kdf().memory_bytes() <= 2 << 30);
        }
    }
}
