//! What an operator asks of one server, and its answers.
//!
//! The caller is known by its TLS certificate; only operators of the roster are heard. Answers
//! come as a stream of frames, because an export of many keys is longer than one frame may be.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_duties::ValidatorPublicKey;

use crate::cbor::{CborError, from_bytes, to_bytes};

/// Most bytes of one administration frame.
pub const MAX_ADMIN_FRAME: usize = 16 * 1024 * 1024;

/// A question of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum AdminRequest {
    /// How the server is.
    #[n(0)]
    Status,
    /// Which keys it holds shares of.
    #[n(1)]
    ListKeys,
    /// Its slashing protection as an EIP-3076 document, for these keys or for all.
    #[n(2)]
    SlashingExport(#[n(0)] Vec<ValidatorPublicKey>),
    /// Raise its marks by an EIP-3076 document.
    #[n(3)]
    SlashingImport {
        /// The document, as JSON text.
        #[n(0)]
        interchange: ByteVec,
        /// Only say what would change.
        #[n(1)]
        dry_run: bool,
    },
    /// Read roster, groups and permissions again.
    #[n(4)]
    Reload,
    /// Disable keys (no duty is signed any more) or enable them again.
    #[n(5)]
    SetEnabled {
        /// The keys.
        #[n(0)]
        keys: Vec<ValidatorPublicKey>,
        /// Whether they may sign.
        #[n(1)]
        enabled: bool,
    },
}

/// One frame of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum AdminReply {
    /// How the server is.
    #[n(0)]
    Status(#[n(0)] ServerStatus),
    /// Some of the keys.
    #[n(1)]
    Keys(#[n(0)] Vec<KeyStatus>),
    /// A piece of a text document.
    #[n(2)]
    Text(#[n(0)] String),
    /// Done; a sentence about it.
    #[n(3)]
    Done(#[n(0)] String),
    /// Refused or failed; the reason.
    #[n(4)]
    Failed(#[n(0)] String),
}

/// How a server is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ServerStatus {
    /// Its share index.
    #[n(0)]
    pub member: u16,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Program version.
    #[n(2)]
    pub version: String,
    /// Whether it signs.
    #[n(3)]
    pub ready: bool,
    /// What is not as it should be, in sentences.
    #[n(4)]
    pub degraded: Vec<String>,
    /// Number of the roster in force.
    #[n(5)]
    pub roster_number: u32,
    /// Keys with a share here.
    #[n(6)]
    pub keys: u64,
    /// How the data key is sealed.
    #[n(7)]
    pub seal: String,
    /// Label of the token.
    #[n(8)]
    pub token: String,
    /// Partial signatures given since the start.
    #[n(9)]
    pub signed: u64,
    /// Duties refused since the start.
    #[n(10)]
    pub refused: u64,
    /// Highest sequence number of the journal.
    #[n(11)]
    pub journal_sequence: u64,
}

/// One key at one server.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyStatus {
    /// The validator.
    #[n(0)]
    pub key: ValidatorPublicKey,
    /// Label of its group.
    #[n(1)]
    pub group: String,
    /// Group epoch of the active share.
    #[n(2)]
    pub group_epoch: u32,
    /// Partial signatures needed.
    #[n(3)]
    pub threshold: u16,
    /// Members of the group.
    #[n(4)]
    pub members: u16,
    /// Whether nobody ever held the whole key.
    #[n(5)]
    pub born_in_ceremony: bool,
    /// Whether duties are signed.
    #[n(6)]
    pub enabled: bool,
}

macro_rules! frame {
    ($name:ident, $what:literal) => {
        impl $name {
            /// The canonical bytes.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                to_bytes(self)
            }

            /// Parses a frame.
            ///
            /// # Errors
            ///
            /// Too long or not canonical.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
                from_bytes($what, bytes, MAX_ADMIN_FRAME)
            }
        }
    };
}

frame!(AdminRequest, "administration request");
frame!(AdminReply, "administration reply");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_survive_a_round_trip() {
        for request in [
            AdminRequest::Status,
            AdminRequest::SlashingExport(vec![ValidatorPublicKey([1; 48])]),
            AdminRequest::SlashingImport {
                interchange: b"{}".to_vec().into(),
                dry_run: true,
            },
        ] {
            assert_eq!(
                AdminRequest::from_bytes(&request.to_bytes()).unwrap(),
                request
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(request) = AdminRequest::from_bytes(&bytes) {
                prop_assert_eq!(request.to_bytes(), &bytes[..]);
            }
            if let Ok(reply) = AdminReply::from_bytes(&bytes) {
                prop_assert_eq!(reply.to_bytes(), &bytes[..]);
            }
        }
    }
}
