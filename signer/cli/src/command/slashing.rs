//! `symbolon slashing`: EIP-3076 documents in and out, while the servers run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::admin::{AdminReply, AdminRequest};
use symbolon_slashing::{Interchange, MAX_INTERCHANGE_BYTES, merge};

use crate::servers::{self, Connection, Server};
use crate::{identity_file, input, output};

const CALL: Duration = Duration::from_secs(60);

/// Slashing protection.
#[derive(Debug, Subcommand)]
pub(crate) enum Slashing {
    /// Raise the marks of every server by an EIP-3076 document: all or nothing at each server.
    Import(Import),
    /// Write the servers' marks as an EIP-3076 document: of every key the highest.
    Export(Export),
}

/// Raise the marks of every server by an EIP-3076 document: all or nothing at each server.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The document.
    file: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
    /// Share indices of the servers; all online ones, if not given.
    #[arg(long, value_delimiter = ',')]
    members: Option<Vec<u16>>,
    #[command(flatten)]
    connection: Connection,
}

/// Write the servers' marks as an EIP-3076 document: of every key the highest.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Keys to export; all, if none is given.
    keys: Vec<ValidatorPublicKey>,
    /// File to write; standard output, if not given.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Share indices of the servers; all online ones, if not given.
    #[arg(long, value_delimiter = ',')]
    members: Option<Vec<u16>>,
    #[command(flatten)]
    connection: Connection,
}

impl Slashing {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Import(import) => import.run(),
            Self::Export(export) => export.run(),
        }
    }
}

impl Import {
    fn run(self) -> anyhow::Result<()> {
        let bytes = input::bytes(&self.file, MAX_INTERCHANGE_BYTES as u64)?;
        // Refused here with a full error before any server is asked.
        Interchange::parse(&bytes)
            .with_context(|| format!("{} is refused", self.file.display()))?;
        let request = AdminRequest::SlashingImport {
            interchange: bytes.into(),
            dry_run: self.dry_run,
        };
        let chain = self.connection.cluster()?.roster()?;
        servers::run(async {
            let mut failed = 0_usize;
            for server in self
                .connection
                .servers(chain.current(), self.members.as_deref())?
            {
                match server.admin(&request, CALL).await {
                    Ok(replies) => output::print(&said(&server, &replies))?,
                    Err(error) => {
                        failed = failed.saturating_add(1);
                        output::note(&format!("{}: {error:#}", server.name()));
                    }
                }
            }
            if failed > 0 {
                bail!("{failed} servers did not import; run the command again for them");
            }
            Ok(())
        })
    }
}

fn said(server: &Server, replies: &[AdminReply]) -> String {
    let mut text = String::new();
    for reply in replies {
        if let AdminReply::Done(said) | AdminReply::Text(said) = reply {
            text.push_str(&format!("{}: {said}\n", server.name()));
        }
    }
    text
}

impl Export {
    fn run(self) -> anyhow::Result<()> {
        let cluster = self.connection.cluster()?;
        let chain = cluster.roster()?;
        let genesis = cluster.network.genesis_validators_root();
        let request = AdminRequest::SlashingExport(self.keys);
        let marks = servers::run(async {
            let mut marks = std::collections::BTreeMap::new();
            for server in self
                .connection
                .servers(chain.current(), self.members.as_deref())?
            {
                let replies = server.admin(&request, CALL).await?;
                let text: String = replies
                    .iter()
                    .filter_map(|reply| match reply {
                        AdminReply::Text(text) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect();
                let document = Interchange::parse(text.as_bytes())
                    .with_context(|| format!("{} exported a bad document", server.name()))?;
                let plan = symbolon_slashing::import(&document, genesis, |_| {
                    Some(symbolon_slashing::Mark::default())
                })
                .with_context(|| format!("{} exported a bad document", server.name()))?;
                for change in plan.changes {
                    let mark = marks.entry(change.key).or_default();
                    *mark = merge(mark, &change.new);
                }
            }
            Ok(marks)
        })?;
        let text = symbolon_slashing::export(genesis, marks);
        match self.out {
            Some(path) => {
                identity_file::write_new(&path, text.as_bytes())?;
                output::note(&format!("{}", path.display()));
                Ok(())
            }
            None => output::print(&text),
        }
    }
}
