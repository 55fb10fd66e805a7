//! EIP-2335 keystores: bounded parsing, scrypt and PBKDF2, checksum, decryption; pure, no I/O.
//!
//! [`Keystore::parse`] reads a version 4 keystore and refuses every form and cost that it would not
//! carry out, before anything is allocated for it. [`Keystore::decrypt`] gives the secret in locked
//! memory, [`encrypt`] makes a keystore from salt, IV and UUID that the caller draws.
//! [`pair_files`] says which password file belongs to which keystore file.
//!
//! Never here: a check that the secret is a BLS scalar or that it belongs to the public key which the
//! keystore names; the caller must do both before it believes either.
//!
//! ```
//! use symbolon_keystore::{Kdf, NewKeystore, Password, encrypt};
//! use symbolon_secmem::{Locked, SecretBytes};
//!
//! let password = Password::new(&SecretBytes::from_string("correct horse".into())?)?;
//! let secret = Locked::<32>::init_with(|bytes| bytes.fill(7));
//! let new = NewKeystore {
//!     kdf: Kdf::pbkdf2(1000, &[1; 32])?,
//!     iv: [2; 16],
//!     uuid: [3; 16],
//!     public_key: None,
//!     path: String::new(),
//!     description: "a test".into(),
//! };
//! let keystore = encrypt(&secret, &password, new);
//! assert!(keystore.decrypt(&password)?.ct_eq(&secret));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod document;
mod encrypt;
mod kdf;
mod keystore;
mod pairing;
mod password;

pub use document::{MAX_KEYSTORE_BYTES, ParseError};
pub use encrypt::{NewKeystore, encrypt};
pub use kdf::{Kdf, KdfError};
pub use keystore::{DecryptError, Keystore};
pub use pairing::{Pair, PairingError, pair_files};
pub use password::{Password, PasswordError};
