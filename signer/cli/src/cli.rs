//! The commands, their options and their help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::{
    card, ceremony, evidence, hsm, init, journal, key, plan, requestor, roster, server, slashing,
    status,
};

/// Threshold validator keys that exist nowhere, held by hardware.
#[derive(Debug, Parser)]
#[command(name = "symbolon", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a cluster: a folder, and a first roster from the parties' cards.
    Init(init::Init),
    /// Rosters: who the members, clients and guardians are.
    #[command(subcommand)]
    Roster(roster::Roster),
    /// Guardians: people whose order keys sign rosters and plans.
    #[command(subcommand)]
    Guardian(card::Guardian),
    /// Operators: people who drive ceremonies, imports and exports.
    #[command(subcommand)]
    Operator(card::Operator),
    /// Key ceremonies: new keys that nobody ever holds whole.
    #[command(subcommand)]
    Ceremony(ceremony::Ceremony),
    /// Keys: which the servers hold, and importing existing ones.
    #[command(subcommand)]
    Key(key::Key),
    /// Slashing protection: EIP-3076 documents in and out.
    #[command(subcommand)]
    Slashing(slashing::Slashing),
    /// Evidence: who is guilty of what.
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    /// How the servers are.
    Status(status::Status),
    /// Threshold servers.
    #[command(subcommand)]
    Server(server::Server),
    /// Requestors.
    #[command(subcommand)]
    Requestor(requestor::Requestor),
    /// Journals: look at a server's memory when its start was refused.
    #[command(subcommand)]
    Journal(journal::Journal),
    /// Devices that hold what seals the shares.
    #[command(subcommand)]
    Hsm(hsm::Hsm),
    /// Say what a choice of members and threshold can bear.
    Plan(plan::Plan),
    /// Print completions for a shell.
    Completions(Completions),
    /// Write manual pages into a folder.
    Man(Man),
}

/// Print completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

/// Write manual pages into a folder.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder; it is made if it is not there.
    pub(crate) dir: PathBuf,
}

/// `--json` on commands that read.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Answer with one JSON document.
    #[arg(long)]
    json: bool,
}

impl Json {
    pub(crate) const fn format(self) -> crate::output::Format {
        if self.json {
            crate::output::Format::Json
        } else {
            crate::output::Format::Text
        }
    }
}
