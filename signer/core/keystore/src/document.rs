//! Reading the JSON of a keystore.

use serde_json::Value;
use symbolon_duties::ValidatorPublicKey;

use crate::kdf::KEY_BYTES;
use crate::{Kdf, KdfError, Keystore};

/// The longest keystore that is read: 64 KiB.
pub const MAX_KEYSTORE_BYTES: usize = 64 << 10;

/// Why bytes are not a keystore that can be opened here. No message quotes more of the file than the
/// name of a function, so that a password file taken for a keystore does not end up in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// More bytes than [`MAX_KEYSTORE_BYTES`].
    #[error("keystore of {got} bytes is longer than {MAX_KEYSTORE_BYTES} bytes")]
    TooLong {
        /// Bytes given.
        got: usize,
    },
    /// Not JSON.
    #[error("keystore is not JSON (line {line}, column {column})")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON, but no object.
    #[error("keystore is not a JSON object; is it a password file?")]
    NotAnObject,
    /// A field is missing or null.
    #[error("keystore has no field {field:?} (EIP-2335)")]
    MissingField {
        /// Path of the field, by dots.
        field: &'static str,
    },
    /// A field has another JSON type, or a number is out of its range.
    #[error("keystore field {field:?} is not {expected}")]
    WrongType {
        /// Path of the field, by dots.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A field is not the hexadecimal form of the expected number of bytes.
    #[error("keystore field {field:?} is not hexadecimal digits for {expected}")]
    NotHex {
        /// Path of the field, by dots.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Another version of the format.
    #[error("keystore version {got} is not supported, only version 4 is")]
    UnsupportedVersion {
        /// The version that the keystore names.
        got: u64,
    },
    /// Another key derivation.
    #[error("key derivation {got:?} is not supported, only \"scrypt\" and \"pbkdf2\" are")]
    UnsupportedKdf {
        /// The function that the keystore names, cut.
        got: String,
    },
    /// Another pseudo-random function of PBKDF2.
    #[error("PBKDF2 function {got:?} is not supported, only \"hmac-sha256\" is")]
    UnsupportedPrf {
        /// The function that the keystore names, cut.
        got: String,
    },
    /// Another checksum.
    #[error("checksum {got:?} is not supported, only \"sha256\" is")]
    UnsupportedChecksum {
        /// The function that the keystore names, cut.
        got: String,
    },
    /// Another cipher.
    #[error("cipher {got:?} is not supported, only \"aes-128-ctr\" is")]
    UnsupportedCipher {
        /// The function that the keystore names, cut.
        got: String,
    },
    /// Another length of the derived key.
    #[error("derived key length (dklen) {got} is not supported, only {KEY_BYTES} is")]
    UnsupportedKeyLength {
        /// The length that the keystore names.
        got: u64,
    },
    /// Parameters of the key derivation that are refused.
    #[error("keystore key derivation: {0}")]
    Kdf(#[from] KdfError),
}

impl Keystore {
    /// Parses a keystore of at most [`MAX_KEYSTORE_BYTES`]; unknown fields are ignored.
    ///
    /// `pubkey`, `path`, `uuid` and `description` may be missing or empty, as in other clients.
    ///
    /// # Errors
    ///
    /// [`ParseError`], which names the field or the function.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_KEYSTORE_BYTES {
            return Err(ParseError::TooLong { got: bytes.len() });
        }
        let document: Value = serde_json::from_slice(bytes).map_err(|e| ParseError::NotJson {
            line: e.line(),
            column: e.column(),
        })?;
        if !document.is_object() {
            return Err(ParseError::NotAnObject);
        }
        let document = Document(document);
        let version = document.number("version")?;
        if version != 4 {
            return Err(ParseError::UnsupportedVersion { got: version });
        }
        let kdf = document.kdf()?;
        document.require("crypto.checksum.function", "sha256", |got| {
            ParseError::UnsupportedChecksum { got }
        })?;
        document.require("crypto.cipher.function", "aes-128-ctr", |got| {
            ParseError::UnsupportedCipher { got }
        })?;
        Ok(Self {
            kdf,
            checksum: document.array("crypto.checksum.message", "32 bytes")?,
            iv: document.array("crypto.cipher.params.iv", "16 bytes")?,
            ciphertext: document.array("crypto.cipher.message", "32 bytes (a BLS secret)")?,
            public_key: document.public_key()?,
            description: document.optional_text("description")?.into(),
            path: document.optional_text("path")?.into(),
            uuid: document.optional_text("uuid")?.into(),
        })
    }
}

struct Document(Value);

impl Document {
    fn kdf(&self) -> Result<Kdf, ParseError> {
        const FUNCTION: &str = "crypto.kdf.function";
        let function = self.text(FUNCTION)?;
        if !["scrypt", "pbkdf2"].contains(&function) {
            return Err(ParseError::UnsupportedKdf { got: cut(function) });
        }
        let length = self.number("crypto.kdf.params.dklen")?;
        if u64::try_from(KEY_BYTES) != Ok(length) {
            return Err(ParseError::UnsupportedKeyLength { got: length });
        }
        let salt = self.bytes("crypto.kdf.params.salt", "a salt")?;
        if function == "scrypt" {
            let n = self.number("crypto.kdf.params.n")?;
            let r = self.small_number("crypto.kdf.params.r")?;
            let p = self.small_number("crypto.kdf.params.p")?;
            return Ok(Kdf::scrypt(n, r, p, &salt)?);
        }
        self.require("crypto.kdf.params.prf", "hmac-sha256", |got| {
            ParseError::UnsupportedPrf { got }
        })?;
        Ok(Kdf::pbkdf2(
            self.small_number("crypto.kdf.params.c")?,
            &salt,
        )?)
    }

    fn public_key(&self) -> Result<Option<ValidatorPublicKey>, ParseError> {
        const FIELD: &str = "pubkey";
        let text = self.optional_text(FIELD)?;
        if text.is_empty() {
            return Ok(None);
        }
        let bad = |_| ParseError::NotHex {
            field: FIELD,
            expected: "48 bytes",
        };
        text.parse().map(Some).map_err(bad)
    }

    /// The field at a path, or the first part of the path that is missing.
    fn field(&self, path: &'static str) -> Result<&Value, ParseError> {
        let mut value = &self.0;
        let mut end = 0usize;
        for name in path.split('.') {
            end = end.saturating_add(name.len());
            value = value
                .get(name)
                .filter(|value| !value.is_null())
                .ok_or_else(|| ParseError::MissingField {
                    field: path.get(..end).unwrap_or(path),
                })?;
            end = end.saturating_add(1);
        }
        Ok(value)
    }

    fn text(&self, path: &'static str) -> Result<&str, ParseError> {
        let wrong = ParseError::WrongType {
            field: path,
            expected: "a text",
        };
        self.field(path)?.as_str().ok_or(wrong)
    }

    fn optional_text(&self, path: &'static str) -> Result<&str, ParseError> {
        match self.text(path) {
            Err(ParseError::MissingField { .. }) => Ok(""),
            other => other,
        }
    }

    fn require(
        &self,
        path: &'static str,
        only: &str,
        refusal: impl FnOnce(String) -> ParseError,
    ) -> Result<(), ParseError> {
        let text = self.text(path)?;
        if text == only {
            Ok(())
        } else {
            Err(refusal(cut(text)))
        }
    }

    fn number(&self, path: &'static str) -> Result<u64, ParseError> {
        let wrong = ParseError::WrongType {
            field: path,
            expected: "a whole number below 2^64",
        };
        self.field(path)?.as_u64().ok_or(wrong)
    }

    fn small_number(&self, path: &'static str) -> Result<u32, ParseError> {
        let wrong = ParseError::WrongType {
            field: path,
            expected: "a whole number below 2^32",
        };
        u32::try_from(self.number(path)?).map_err(|_| wrong)
    }

    fn bytes(&self, path: &'static str, expected: &'static str) -> Result<Vec<u8>, ParseError> {
        let text = self.text(path)?;
        let digits = text.strip_prefix("0x").unwrap_or(text);
        hex::decode(digits).map_err(|_| ParseError::NotHex {
            field: path,
            expected,
        })
    }

    fn array<const N: usize>(
        &self,
        path: &'static str,
        expected: &'static str,
    ) -> Result<[u8; N], ParseError> {
        let wrong = ParseError::NotHex {
            field: path,
            expected,
        };
        self.bytes(path, expected)?.try_into().map_err(|_| wrong)
    }
}

/// The name of a function, short enough to be shown.
fn cut(name: &str) -> String {
    name.chars().take(24).collect()
}
