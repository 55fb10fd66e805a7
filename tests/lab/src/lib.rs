//! Clusters in a box, faults and demos; never shipped.
#![forbid(unsafe_code)]

mod direct;
mod error;
mod fault;
mod folder;
mod http;
mod keystores;
mod kind;
mod lab;
mod network;
mod options;
mod ports;
mod process;
mod programs;
mod proof;
mod record;
mod sample;
mod setup;
mod story;
mod tool;
mod verify;
mod wait;

pub use direct::DirectRequestor;
pub use error::LabError;
pub use fault::{Falsified, FaultMode, UnknownMode};
pub use http::{Answer, HttpClient};
pub use keystores::{interop_key, interop_secret, write_interop_keystores};
pub use kind::{RequestKind, UnknownKind};
pub use lab::Lab;
pub use network::{LabNetwork, slot_now, unix_seconds};
pub use options::{DekResidency, KeySource, LabOptions};
pub use ports::HeldPorts;
pub use process::{Ended, ProcessId, spawn_detached};
pub use programs::{Program, Programs};
pub use proof::{ProvedLie, groups, proved_lies};
pub use record::{LabRecord, NetworkRecord, RequestorRecord, ServerRecord};
pub use sample::{Sample, Sampler};
pub use story::{Audience, Story, rounded};
pub use verify::{Unverified, signature_of, verify_answer, verify_signature};
