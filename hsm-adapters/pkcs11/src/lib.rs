//! Any PKCS#11 module behind the device trait.
//!
//! What is trusted of a module is what it has just done: schemes are chosen by trial and not from
//! its list of mechanisms, key attributes are read back, a sealed DEK is opened again before it is
//! returned, and public keys have to match what the device signs or derives.
//!
//! What a module never sees: a share, a slot, an attestation. What never happens: a second PIN
//! attempt, a call in a session in which one failed, an update in place, a fork after loading, a
//! finalize.
//!
//! Run it in a worker process ([`hsm_api::WorkerClient`]): PKCS#11 calls have no timeout.
#![forbid(unsafe_code)]

mod anchor;
mod dek;
mod device;
mod ec;
mod fault;
mod key;
mod module;
mod probe;
mod seal;
mod token;

pub use device::Pkcs11Hsm;
pub use module::{FoundPkcs11, Pkcs11Opener};
