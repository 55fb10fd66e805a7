//! Protocol messages over mutually authenticated gRPC.
//!
//! TLS 1.3 on both sides, and no certificate authority: a peer is who the roster says has its key.
//! A connection is accepted only when the SHA-256 of the peer's public key stands in the current
//! [`Pins`]; whoever is taken out of them is refused at the next handshake, and
//! open connections end at their next read or write.
#![forbid(unsafe_code)]

mod admission;
mod backoff;
mod client;
mod identity;
mod pins;
mod server;
mod stream;
mod verify;

/// The generated messages and services.
#[expect(missing_docs, reason = "generated code")]
pub mod wire {
    tonic::include_proto!("symbolon.v1");

    /// The descriptors, for reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/symbolon.bin"));
}

pub use admission::Limits;
pub use client::{CallError, PeerClient};
pub use identity::{TlsError, TlsIdentity, pin_of};
pub use pins::Pins;
pub use server::{Listener, ServeError, caller, router};
