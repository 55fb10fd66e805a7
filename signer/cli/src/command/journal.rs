//! `symbolon journal`: look at a server's journal when its start was refused.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_server::Config;

use crate::cli::Json;
use crate::output;

/// Journals.
#[derive(Debug, Subcommand)]
pub(crate) enum Journal {
    /// Check every frame, and say where what is broken. Changes nothing; may run beside the server.
    Verify(Verify),
    /// Print every record that is still there, oldest first.
    Dump(Dump),
}

/// Check every frame, and say where what is broken.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The server's configuration.
    #[arg(long)]
    config: PathBuf,
    #[command(flatten)]
    json: Json,
}

/// Print every record that is still there, oldest first.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// The server's configuration.
    #[arg(long)]
    config: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    sound: bool,
    clean: bool,
    records: u64,
    segments: usize,
    snapshots: usize,
    torn_bytes: u64,
    damage: Vec<String>,
}

impl Journal {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::Dump(dump) => dump.run(),
        }
    }
}

impl Verify {
    fn run(self) -> anyhow::Result<()> {
        let config = Config::load(&self.config)?;
        let report =
            symbolon_server::verify_journal(&config).context("the journal cannot be read")?;
        let shown = Shown {
            sound: report.is_sound(),
            clean: report.clean,
            records: report.records(),
            segments: report.segments.len(),
            snapshots: report.snapshots.len(),
            torn_bytes: report.torn_bytes,
            damage: report.damage.iter().map(ToString::to_string).collect(),
        };
        output::show(self.json.format(), &shown, Shown::text)?;
        if !shown.sound {
            bail!(
                "the journal is damaged. Do not delete it: its marks protect from slashing. Keep a copy, \
                 stop this member for good or make its shares anew by symbolon ceremony recover, which \
                 raises every mark to a floor"
            );
        }
        Ok(())
    }
}

impl Shown {
    fn text(&self) -> String {
        let mut text = format!(
            "{} records in {} segments, {} snapshots\n",
            self.records, self.segments, self.snapshots
        );
        // Writing into a String never fails.
        if self.torn_bytes > 0 {
            writeln!(
                text,
                "  the last frame is broken ({} bytes): a start cuts it",
                self.torn_bytes
            )
            .ok();
        }
        let closed = if self.clean {
            "in order"
        } else {
            "not in order, or a server runs"
        };
        writeln!(text, "  closed {closed}").ok();
        for damage in &self.damage {
            writeln!(text, "  damaged: {damage}").ok();
        }
        text
    }
}

impl Dump {
    fn run(self) -> anyhow::Result<()> {
        let config = Config::load(&self.config)?;
        for line in symbolon_server::dump_journal(&config).context("the journal cannot be read")? {
            output::print(&format!("{}\n", line?))?;
        }
        Ok(())
    }
}
