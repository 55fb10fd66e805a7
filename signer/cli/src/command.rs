//! One file a command.

mod audit;
pub(crate) mod card;
pub(crate) mod ceremony;
mod ceremony_status;
mod device;
pub(crate) mod evidence;
pub(crate) mod hsm;
mod import;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod journal;
pub(crate) mod key;
pub(crate) mod plan;
mod remedy;
pub(crate) mod requestor;
pub(crate) mod roster;
pub(crate) mod server;
mod setup;
mod shell;
pub(crate) mod slashing;
pub(crate) mod status;

use crate::cli::{Cli, Command};

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Init(command) => command.run(),
        Command::Roster(command) => command.run(),
        Command::Guardian(command) => command.run(),
        Command::Operator(command) => command.run(),
        Command::Ceremony(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Slashing(command) => command.run(),
        Command::Evidence(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Server(command) => command.run(),
        Command::Requestor(command) => command.run(),
        Command::Journal(command) => command.run(),
        Command::Hsm(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Completions(command) => shell::completions(&command),
        Command::Man(command) => shell::man(&command),
    }
}
