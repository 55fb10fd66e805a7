//! `symbolon-lab`: clusters in a box, faults, demos. Never shipped.
//!
//! Exit codes: 0 done (for a demo: everything held), 1 failed, 2 wrong usage.
#![forbid(unsafe_code)]

mod cli;
mod interrupt;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            cli::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
