//! A device in a process of its own: [`WorkerClient`] on one end of a pipe, [`serve`] on the other.
//!
//! Vendor modules crash, hang and print. None of that may reach the process that holds shares, so
//! it links no vendor code: it starts a worker by `exec` (never by fork alone, which duplicates
//! the random state of some modules), gives each call a deadline, kills a worker that misses one,
//! and starts another.
//!
//! The PIN travels over the pipe, once for each start of a worker, after the token was found. A
//! PIN that was refused, or that was sent to a worker which died before it confirmed it, is never
//! sent again: devices lock or wipe after a few wrong ones.

mod child;
mod client;
mod config;
mod frame;
mod message;
mod pin;
mod process;
mod queue;
mod serve;
mod supervisor;

pub use client::{WorkerClient, WorkerStatus};
pub use config::WorkerConfig;
pub use pin::PinSource;
pub use process::run_worker;
pub use serve::{FoundToken, GRACE, Opener, TokenSelector, serve};
