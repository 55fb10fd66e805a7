//! `symbolon-server --config server.toml`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use symbolon_server::{Arguments, Hooks};

/// Holds shares of validator keys, sealed by an HSM, and answers with partial signatures.
#[derive(Debug, Parser)]
#[command(name = "symbolon-server", version)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    symbolon_server::run(&Program::parse().arguments, Hooks::default())
}
