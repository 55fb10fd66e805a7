//! The vectors of EIP-2335 and of the deposit tool, and the keystore samples of Web3Signer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use symbolon_keystore::{DecryptError, Kdf, Keystore, NewKeystore, ParseError, Password, encrypt};
use symbolon_secmem::{Locked, SecretBytes};

const SUITES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/suites");
const SAMPLES: &str =
    "web3signer/bls-keystore/src/test/resources/tech/pegasys/web3signer/bls/keystore";

/// "testpassword" in mathematical Fraktur, and a key.
const PASSWORD: &str = "\u{1d531}\u{1d522}\u{1d530}\u{1d531}\u{1d52d}\u{1d51e}\u{1d530}\u{1d530}\
                        \u{1d534}\u{1d52c}\u{1d52f}\u{1d521}\u{1f511}";
const SECRET: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

/// A file or folder of a suite, or nothing with a line that says so; in CI its absence is a failure.
fn suite(name: &str) -> Option<PathBuf> {
    let path = Path::new(SUITES).join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "suite {name} is missing");
    println!("left out: suite {name} is not beside the repository");
    None
}

fn password(text: &str) -> Password {
    Password::new(&SecretBytes::from_string(text.into()).unwrap()).unwrap()
}

fn secret_of(keystore: &Keystore, text: &str) -> Result<String, DecryptError> {
    keystore
        .decrypt(&password(text))
        .map(|secret| secret.expose(|bytes| hex::encode(bytes)))
}

fn parse(path: &Path) -> Result<Keystore, ParseError> {
    Keystore::parse(&std::fs::read(path).unwrap())
}

#[test]
fn vectors_of_eip_2335_open_and_are_made_again() {
    let Some(path) = suite("eip-2335/vectors.json") else {
        return;
    };
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let document = &vector["keystore"];
        let keystore = Keystore::parse(document.to_string().as_bytes()).unwrap();
        let text = vector["password"].as_str().unwrap();
        let secret = secret_of(&keystore, text).unwrap();
        assert_eq!(secret, vector["secret"].as_str().unwrap());

        let params = &document["crypto"]["kdf"]["params"];
        let salt = hex::decode(params["salt"].as_str().unwrap()).unwrap();
        let kdf = match params["c"].as_u64() {
            Some(c) => Kdf::pbkdf2(c.try_into().unwrap(), &salt).unwrap(),
            None => Kdf::scrypt(params["n"].as_u64().unwrap(), 8, 1, &salt).unwrap(),
        };
        let iv = hex::decode(
            document["crypto"]["cipher"]["params"]["iv"]
                .as_str()
                .unwrap(),
        )
        .unwrap();
        let uuid = hex::decode(document["uuid"].as_str().unwrap().replace('-', "")).unwrap();
        let new = NewKeystore {
            kdf,
            iv: iv.try_into().unwrap(),
            uuid: uuid.try_into().unwrap(),
            public_key: keystore.public_key(),
            path: keystore.path().into(),
            description: keystore.description().into(),
        };
        let secret = Locked::take_from(&mut hex::decode(secret).unwrap()).unwrap();
        let made = encrypt(&secret, &password(text), new);
        assert_eq!(
            &serde_json::from_str::<Value>(&made.to_json()).unwrap(),
            document
        );
    }
}

#[test]
fn vectors_of_the_deposit_tool_open() {
    let Some(folder) = suite("eip-2333-2335-vectors/tests/test_key_handling/keystore_test_vectors")
    else {
        return;
    };
    let mut opened = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let keystore = parse(&entry.unwrap().path()).unwrap();
        assert_eq!(secret_of(&keystore, PASSWORD).unwrap(), SECRET);
        opened += 1;
    }
    assert_eq!(opened, 2);
}

#[test]
fn good_samples_of_web3signer_open() {
    let Some(folder) = suite(SAMPLES) else { return };
    for name in [
        "scryptTestVector.json",
        "pbkdf2TestVector.json",
        "scryptExtraFieldTestVector.json",
    ] {
        let keystore = parse(&folder.join(name)).unwrap();
        assert_eq!(secret_of(&keystore, PASSWORD).unwrap(), SECRET, "{name}");
    }
    let keystore = parse(&folder.join("pbkdf2TestVector.json")).unwrap();
    assert_eq!(
        secret_of(&keystore, "invalidpassword"),
        Err(DecryptError::WrongPassword)
    );
}

#[test]
fn every_broken_sample_of_web3signer_is_refused_with_its_named_error() {
    let Some(folder) = suite(SAMPLES) else { return };
    let cases = [
        (
            "missingCrypto.json",
            ParseError::MissingField { field: "crypto" },
        ),
        (
            "missingVersion.json",
            ParseError::MissingField { field: "version" },
        ),
        (
            "missingKdfSectionTestVector.json",
            ParseError::MissingField {
                field: "crypto.kdf.params",
            },
        ),
        (
            "v3TestVector.json",
            ParseError::UnsupportedVersion { got: 3 },
        ),
        (
            "unsupportedKdfFunction.json",
            ParseError::UnsupportedKdf {
                got: "pbkdf3".into(),
            },
        ),
        (
            "unsupportedPBKDF2Prf.json",
            ParseError::UnsupportedPrf {
                got: "hmac-sha512".into(),
            },
        ),
        (
            "unsupportedChecksumFunction.json",
            ParseError::UnsupportedChecksum {
                got: "sha128".into(),
            },
        ),
        (
            "unsupportedCipherFunction.json",
            ParseError::UnsupportedCipher {
                got: "aes-256-ctr".into(),
            },
        ),
        (
            "unsupportedDkLen.json",
            ParseError::UnsupportedKeyLength { got: 31 },
        ),
    ];
    for (name, error) in &cases {
        assert_eq!(parse(&folder.join(name)).unwrap_err(), *error, "{name}");
    }
    // With the three good ones, every file of the folder is accounted for.
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), cases.len() + 3);
}

#[test]
fn acceptance_samples_of_web3signer_parse_and_open() {
    let Some(folder) = suite("web3signer/acceptance-tests/src/test/resources/eth2") else {
        return;
    };
    let names = [
        "bls_keystore.json",
        "bls_keystore_2.json",
        "eth2clikeystore.json",
    ];
    let samples = names.map(|name| parse(&folder.join(name)).unwrap());
    assert!(samples.iter().all(|sample| sample.public_key().is_some()));
    assert!(secret_of(&samples[0], "somepassword").is_ok());
    assert_eq!(
        secret_of(&samples[1], "somepassword"),
        Err(DecryptError::WrongPassword)
    );
}
