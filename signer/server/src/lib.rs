//! The threshold server: holds shares, answers with partial signatures.
#![forbid(unsafe_code)]

mod ceremonies;
mod config;
mod custody;
mod engine;
mod error;
mod hashed;
mod hooks;
mod identity;
mod keyring;
mod metrics;
mod owner;
mod parties;
mod pool;
mod reload;
mod service;
mod session;
mod shares;
mod store;

pub use config::{Config, HsmConfig, Residency, SigningConfig};
pub use error::StartError;
pub use hooks::{Hooks, Outgoing, OutgoingFuture, ReplyHook};
