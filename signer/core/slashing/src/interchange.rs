//! Reading EIP-3076 interchange files, version 5.

use core::fmt;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_path_to_error::Segment;
use symbolon_duties::{Root, ValidatorPublicKey};

use crate::schema::{File, VersionOnly};
use crate::{Mark, merge};

/// The longest interchange file that is read: 64 MiB.
pub const MAX_INTERCHANGE_BYTES: usize = 64 << 20;

/// The only version of the format that is read and written.
pub const INTERCHANGE_VERSION: &str = "5";

/// A parsed interchange file, each validator's history folded into one mark while it was read.
///
/// A validator that the file names more than once has one history here. Slashable histories fold
/// too: the mark is the element-wise maximum, so that nothing at or below it is signed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interchange {
    genesis_validators_root: Root,
    histories: BTreeMap<ValidatorPublicKey, SigningHistory>,
}

/// What an interchange file says of one validator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SigningHistory {
    /// The maximum over all entries.
    pub mark: Mark,
    /// Number of signed blocks.
    pub blocks: u64,
    /// Number of signed attestations.
    pub attestations: u64,
    /// Number of entries whose signing root is not a root (another length than 32 bytes, or zero):
    /// taken as entries without one.
    pub unusable_roots: u64,
}

/// Where in an interchange file something is wrong; numbers count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

/// Why bytes are not an interchange file of version 5.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// More bytes than [`MAX_INTERCHANGE_BYTES`].
    #[error(
        "interchange of {got} bytes is longer than {MAX_INTERCHANGE_BYTES} bytes; export it in \
         minimal form, or split it by validators"
    )]
    TooLong {
        /// Bytes given.
        got: usize,
    },
    /// The bytes do not begin with a JSON object.
    #[error("interchange is not a JSON object (EIP-3076 expects \"metadata\" and \"data\")")]
    NotAnObject,
    /// Another version of the format.
    #[error("interchange format version {got:?} is not supported; export version 5")]
    UnsupportedVersion {
        /// The version that the file names, cut to 16 characters.
        got: String,
    },
    /// Not JSON, or not of the schema.
    #[error("interchange: {place}: {cause} at line {line} column {column}")]
    Schema {
        /// The entry at fault.
        place: Place,
        /// What is wrong there; what it quotes of the file is cut and cleaned.
        cause: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

impl Interchange {
    /// Parses a file of at most [`MAX_INTERCHANGE_BYTES`].
    ///
    /// Strict: unknown and missing fields, unquoted integers and other versions are refused. Memory
    /// is bounded by the number of distinct validators, not of entries.
    ///
    /// # Errors
    ///
    /// [`ParseError`], which names the validator and the entry (counted from 1).
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_INTERCHANGE_BYTES {
            return Err(ParseError::TooLong { got: bytes.len() });
        }
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(ParseError::NotAnObject);
        }
        // The version first: the schema of another version would only give a confusing complaint.
        let version = from_json::<VersionOnly>(bytes)?
            .metadata
            .interchange_format_version;
        if version != INTERCHANGE_VERSION {
            let got = version.chars().take(16).collect();
            return Err(ParseError::UnsupportedVersion { got });
        }
        let file: File = from_json(bytes)?;
        Ok(Self {
            genesis_validators_root: file.metadata.genesis_validators_root,
            histories: file.data.0,
        })
    }

    /// The chain that the file is for.
    #[must_use]
    pub const fn genesis_validators_root(&self) -> Root {
        self.genesis_validators_root
    }

    /// Every validator of the file with its history, in the order of the key bytes.
    pub fn histories(
        &self,
    ) -> impl ExactSizeIterator<Item = (&ValidatorPublicKey, &SigningHistory)> {
        self.histories.iter()
    }
}

impl SigningHistory {
    pub(crate) fn add(&mut self, other: &Self) {
        self.mark = merge(&self.mark, &other.mark);
        self.blocks = self.blocks.saturating_add(other.blocks);
        self.attestations = self.attestations.saturating_add(other.attestations);
        self.unusable_roots = self.unusable_roots.saturating_add(other.unusable_roots);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Place {
    fn of(path: &serde_path_to_error::Path) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut list = "";
        for segment in path {
            match segment {
                Segment::Map { key } => match key.as_str() {
                    "data" => list = "validator",
                    "signed_blocks" => list = "block",
                    "signed_attestations" => list = "attestation",
                    other => names.push(printable(other, 32)),
                },
                Segment::Seq { index } => names.push(format!("{list} {}", index.saturating_add(1))),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        if names.is_empty() {
            Self("top level".into())
        } else {
            Self(names.join(", "))
        }
    }
}

fn from_json<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, ParseError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| schema(Place::of(error.path()), &error.into_inner()))?;
    json.end()
        .map_err(|error| schema(Place("after the last entry".into()), &error))?;
    Ok(value)
}

fn schema(place: Place, error: &serde_json::Error) -> ParseError {
    let text = error.to_string();
    let cause = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(cause, _)| cause);
    ParseError::Schema {
        place,
        cause: printable(cause, 160),
        line: error.line(),
        column: error.column(),
    }
}

/// Text that quotes a foreign file: cut, and free of control codes that would reach a terminal.
fn printable(text: &str, limit: usize) -> String {
    let clean = |c: char| if c.is_control() { '?' } else { c };
    text.chars().take(limit).map(clean).collect()
}
