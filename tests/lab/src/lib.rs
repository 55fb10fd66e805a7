//! Clusters in a box, faults and demos; never shipped.
//!
//! A laboratory is set up as people would do it (SoftHSM tokens, the `symbolon` command, copied
//! files) and runs the real programs, each a process of its own: `symbolon-server` with its
//! `symbolon-hsm-worker`, and `symbolon-requestor`. A server that shall lie is run as
//! `symbolon-lab-server`: the same library with a hook in front of its replies, because the shipped
//! programs hold no switch for it.
//!
//! For other tests, [`Lab::up`] is the way in; what it gives is ended when it is dropped. The
//! programs are looked for beside the running one (of a test: in cargo's target folder). Missing
//! ones are built on demand; **existing ones are taken as they are**, so after a change build them:
//!
//! ```text
//! cargo build -p symbolon -p symbolon-server -p symbolon-requestor -p symbolon-hsm-worker -p symbolon-lab
//! ```
//!
//! ```no_run
//! use symbolon_lab::{Audience, FaultMode, Lab, LabOptions, RequestKind, Story};
//!
//! let options = LabOptions { servers: 3, threshold: 2, ..LabOptions::default() };
//! let mut lab = Lab::up(&options, &Story::begin(Audience::Nobody))?;
//! lab.fault(2, FaultMode::Wrong)?;
//! lab.kill9(3)?;
//! lab.start(3)?;
//! lab.sign(&lab.sampler()?.sample(RequestKind::Attestation)?)?;
//! # Ok::<(), symbolon_lab::LabError>(())
//! ```
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
mod quickstart;
mod record;
mod sample;
mod setup;
mod status;
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
pub use quickstart::{Figures, Outcome, curl_line, quickstart};
pub use record::{LabRecord, NetworkRecord, RequestorRecord, ServerRecord};
pub use sample::{Sample, Sampler};
pub use status::{LabStatus, ProcessStatus};
pub use story::{Audience, Story, rounded};
pub use verify::{Unverified, signature_of, verify_answer, verify_signature};

pub use rustix::process::Signal;
