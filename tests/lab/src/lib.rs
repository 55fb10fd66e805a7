//! Clusters in a box, faults and demos; never shipped.
#![forbid(unsafe_code)]

mod error;
mod http;
mod keystores;
mod kind;
mod network;
mod ports;
mod process;
mod sample;
mod verify;

pub use error::LabError;
pub use http::{Answer, HttpClient};
pub use keystores::{interop_key, interop_secret, write_interop_keystores};
pub use kind::{RequestKind, UnknownKind};
pub use network::{LabNetwork, slot_now, unix_seconds};
pub use ports::HeldPorts;
pub use process::{Ended, ProcessId, spawn_detached};
pub use sample::{Sample, Sampler};
pub use verify::{Unverified, signature_of, verify_answer, verify_signature};
