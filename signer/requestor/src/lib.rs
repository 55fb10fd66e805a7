//! The requestor: a Web3Signer interface in front, threshold servers behind.
//!
//! An unmodified validator client asks for a signature over HTTP. The request becomes a typed duty
//! with a signing root computed here; all duties that wait at one moment become one batch, signed
//! once by this requestor's session key and sent to every member of the group. The first t partial
//! signatures are combined and **verified before anything leaves**; whoever answered wrongly is
//! named, kept as evidence and asked last from then on.
//!
//! It holds no secret of any validator key, only its own identity. It can stop signatures or ask
//! for wrong ones; it can neither forge one nor make the servers sign what is slashable.
//!
//! Reading order: [`Config`], `directory` (roster and groups), `engine`, `queue` (what rides in
//! which batch), `batch` (the shell of [`symbolon_signing::collector`]), `http`.
#![forbid(unsafe_code)]

mod answer;
mod batch;
mod config;
mod directory;
mod engine;
mod error;
mod evidence_store;
mod http;
mod metrics;
mod peers;
mod queue;
mod requestor;
mod session;

pub use config::{Config, FrontTls, SigningConfig};
pub use error::{GroupError, StartError};
pub use requestor::Requestor;
