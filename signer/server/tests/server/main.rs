//! A real server on a real token: SoftHSM through the worker program, TLS sockets, the journal.
//!
//! The group is made once by a real ceremony of three servers; each test works on a copy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod admin;
mod blobs;
mod callers;
mod client;
mod fixture;
mod process;
mod refusals;
mod restart;
mod signing;
