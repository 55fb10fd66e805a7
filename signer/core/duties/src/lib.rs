//! Every Ethereum message that may be signed: its root, its domain, and the network it belongs to.
//!
//! Pure: no file, socket, clock or randomness. Signing roots are always computed here from typed
//! messages; a root that somebody else supplies is compared, never trusted.
#![forbid(unsafe_code)]

mod units;

pub use units::{Epoch, ForkVersion, HexError, Root, SigningRoot, Slot, ValidatorPublicKey};
