//! Every message between parties as canonical, signed, versioned bytes.
//!
//! Pure: no file, socket, clock or randomness. What a message means is said here; how it travels
//! (gRPC, files, pictures) is somebody else's matter, so that the vault never inherits a network.
#![forbid(unsafe_code)]

pub mod admin;
pub mod card;
pub mod cbor;
pub mod envelope;
pub mod identity;
pub mod roster;
pub mod session;
pub mod sign;
mod words;

pub use envelope::{EnvelopeError, Message, NetworkId, Signed, Unsigned, Verified};
pub use identity::{
    IdentityError, IdentityPublic, IdentitySignature, IdentitySigner, SoftIdentity,
};
pub use words::words;
