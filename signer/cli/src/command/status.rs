//! `symbolon status`: how the servers are.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use symbolon_protocol::admin::{AdminReply, AdminRequest, ServerStatus};

use crate::cli::Json;
use crate::output;
use crate::servers::{self, Connection};

const CALL: Duration = Duration::from_secs(5);

/// How the servers are.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Shown {
    member: u16,
    name: String,
    address: String,
    reachable: bool,
    trouble: Option<String>,
    ready: bool,
    version: Option<String>,
    degraded: Vec<String>,
    roster_number: Option<u32>,
    keys: Option<u64>,
    seal: Option<String>,
    token: Option<String>,
    signed: Option<u64>,
    refused: Option<u64>,
    journal_sequence: Option<u64>,
}

impl Status {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let chain = self.connection.cluster()?.roster()?;
        let shown = servers::run(async {
            let mut shown = Vec::new();
            for server in self.connection.servers(chain.current(), None)? {
                let mut entry = Shown::unknown(&server.member);
                match server.admin(&AdminRequest::Status, CALL).await {
                    Ok(replies) => {
                        let status = replies.into_iter().find_map(|reply| match reply {
                            AdminReply::Status(status) => Some(status),
                            _ => None,
                        });
                        entry.fill(status);
                    }
                    Err(error) => entry.trouble = Some(format!("{error:#}")),
                }
                shown.push(entry);
            }
            Ok(shown)
        })?;
        output::show(self.json.format(), &shown, |shown| table(shown))
    }
}

impl Shown {
    fn unknown(member: &symbolon_protocol::roster::Member) -> Self {
        Self {
            member: member.index,
            name: member.name.clone(),
            address: member.address.clone().unwrap_or_default(),
            reachable: false,
            trouble: None,
            ready: false,
            version: None,
            degraded: Vec::new(),
            roster_number: None,
            keys: None,
            seal: None,
            token: None,
            signed: None,
            refused: None,
            journal_sequence: None,
        }
    }

    fn fill(&mut self, status: Option<ServerStatus>) {
        self.reachable = true;
        let Some(status) = status else {
            self.trouble = Some("it answered without a status".to_owned());
            return;
        };
        self.ready = status.ready;
        self.version = Some(status.version);
        self.degraded = status.degraded;
        self.roster_number = Some(status.roster_number);
        self.keys = Some(status.keys);
        self.seal = Some(status.seal);
        self.token = Some(status.token);
        self.signed = Some(status.signed);
        self.refused = Some(status.refused);
        self.journal_sequence = Some(status.journal_sequence);
    }
}

fn table(shown: &[Shown]) -> String {
    let mut text = String::new();
    for server in shown {
        let state = match (server.reachable, server.ready) {
            (false, _) => "unreachable",
            (true, false) => "not ready",
            (true, true) => "ready",
        };
        let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |n| n.to_string());
        // Writing into a String never fails.
        writeln!(
            text,
            "member {:>5}  {:<16} {:<22} {:<12} keys {:>6}  signed {:>8}  refused {:>6}",
            server.member,
            server.name,
            server.address,
            state,
            number(server.keys),
            number(server.signed),
            number(server.refused),
        )
        .ok();
        for line in server.degraded.iter().chain(&server.trouble) {
            writeln!(text, "              {line}").ok();
        }
    }
    text
}
