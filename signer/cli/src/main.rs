//! `symbolon`: the people's commands.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage. What a command prints for people goes to
//! standard output; with `--json` it is one JSON document instead. Questions and warnings go to
//! standard error.
#![forbid(unsafe_code)]

mod ceremony;
mod cli;
mod cluster;
mod command;
mod identity_file;
mod input;
mod keystores;
mod output;
mod servers;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match command::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}
