//! Why a request is refused, in words for whoever runs the validator client.

use symbolon_duties::{DutyError, HexError, Root, SigningRoot, SszError};

use crate::request::MAX_BODY_BYTES;

/// Why a body is no request that can be signed. Values of the client are never repeated, only the
/// places where they stand.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The body is larger than any request.
    #[error("the body has {got} bytes, more than the {MAX_BODY_BYTES} allowed")]
    TooLarge {
        /// Its size in bytes.
        got: usize,
    },
    /// The body is not JSON.
    #[error("the body is not JSON: {0}")]
    Json(serde_json::Error),
    /// A field that the type of request needs is absent or null.
    #[error("{field} must be specified")]
    Missing {
        /// Where, with dots and indexes.
        field: String,
    },
    /// A field has a value that it cannot have.
    #[error("{field}: expected {expected}")]
    Value {
        /// Where, with dots and indexes.
        field: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Fixed-size bytes are not hexadecimal or of another size.
    #[error("{field}: {problem}")]
    Hex {
        /// Where, with dots and indexes.
        field: String,
        /// What is wrong with them.
        problem: HexError,
    },
    /// Bits or a list do not fit the specification of the network.
    #[error("{field}: {problem}")]
    Ssz {
        /// Where, with dots and indexes.
        field: String,
        /// What is wrong with them.
        problem: SszError,
    },
    /// The client is on another chain.
    #[error(
        "fork_info.genesis_validators_root is {got}, but network {network} has {expected}; \
         the validator client runs on another network"
    )]
    OtherNetwork {
        /// The root sent.
        got: Root,
        /// The root of our network.
        expected: Root,
        /// Our network's name.
        network: String,
    },
    /// The signing root that the client computed is not the one of the message it sent.
    #[error(
        "signing_root is {got}, but the fields of the request give {computed}; \
         nothing was signed"
    )]
    SigningRootMismatch {
        /// The root sent.
        got: SigningRoot,
        /// The root computed from the fields.
        computed: SigningRoot,
    },
    /// The message has no signing root on this network.
    #[error(transparent)]
    Duty(#[from] DutyError),
    /// The key in the path is no public key.
    #[error("the key in the path is no BLS public key: {0}")]
    Identifier(HexError),
}

impl RequestError {
    /// The HTTP status to answer with: 400, since every refusal here is the request's fault.
    #[must_use]
    pub const fn status(&self) -> u16 {
        400
    }
}
