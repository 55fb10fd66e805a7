//! The threshold server: holds shares, answers with partial signatures.
//!
//! One process is one member. Its shares lie on disk under a data key that only its HSM opens; its
//! marks lie in a journal that only that data key authenticates. A signature leaves in this order,
//! and in no other: the caller is in the roster, its session signed the batch, the duty is decided
//! against the marks by the one thread that owns them, the marks are on disk, the share signs
//! against a permit, the session key of this member signs the reply.
//!
//! It never signs a root that it did not compute, never releases before the mark is durable, and
//! stops at once when the disk fails. Nobody's word counts here but the roster's and the HSM's.
//!
//! [`Server`] is for programs that embed one, [`run`] is the whole program. [`Hooks`] let a
//! laboratory build a server that lies; the shipped program sets none.
#![forbid(unsafe_code)]

mod ceremonies;
mod config;
mod custody;
mod engine;
mod error;
mod hashed;
mod hooks;
mod identity;
mod inspect;
mod keyring;
mod metrics;
mod notices;
mod owner;
mod parties;
mod pool;
mod program;
mod reload;
mod server;
mod service;
mod session;
mod shares;
mod store;

pub use config::{Config, HsmConfig, Residency, SigningConfig};
pub use error::StartError;
pub use hooks::{Hooks, Outgoing, OutgoingFuture, ReplyHook};
pub use inspect::{dump_journal, verify_journal};
pub use keyring::SharedKey;
pub use program::{Arguments, run};
pub use server::Server;
pub use shares::{BadShare, GroupParts, GroupShares, KeyParts, OpenSharesError, ShareFileError};
pub use store::{ClockBehind, RecordError, ReplayError, StoreError};
