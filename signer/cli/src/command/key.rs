//! `symbolon key`: which keys the servers hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::admin::{AdminReply, AdminRequest, KeyStatus};

use super::import::Import;
use crate::cli::Json;
use crate::output;
use crate::servers::{self, Connection};

const CALL: Duration = Duration::from_secs(20);

/// Keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// List the keys and which servers hold a share of each.
    List(List),
    /// Show one key.
    Show(Show),
    /// Print the public keys, one a line.
    Export(List),
    /// Split EIP-2335 keystores over the servers.
    Import(Import),
    /// Stop the signing of keys at every server.
    Disable(Switch),
    /// Allow it again.
    Enable(Switch),
}

/// List the keys and which servers hold a share of each.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    json: Json,
}

/// Show one key.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The validator's public key.
    key: ValidatorPublicKey,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    json: Json,
}

/// Stop or allow the signing of keys.
#[derive(Debug, Args)]
pub(crate) struct Switch {
    /// The validators' public keys.
    #[arg(required = true)]
    keys: Vec<ValidatorPublicKey>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Serialize)]
struct Shown {
    public_key: String,
    group: String,
    group_epoch: u32,
    threshold: u16,
    members: u16,
    born_in_ceremony: bool,
    held_by: Vec<String>,
    disabled_at: Vec<String>,
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(list) => {
                let keys = all(&list.connection)?;
                output::show(list.json.format(), &keys, |keys| table(keys))
            }
            Self::Export(list) => {
                let keys: Vec<String> = all(&list.connection)?
                    .into_iter()
                    .map(|key| key.public_key)
                    .collect();
                output::show(list.json.format(), &keys, |keys| keys.join("\n"))
            }
            Self::Show(show) => {
                let wanted = show.key.to_string();
                let keys = all(&show.connection)?;
                let Some(key) = keys.into_iter().find(|key| key.public_key == wanted) else {
                    anyhow::bail!("no server holds a share of {wanted}");
                };
                output::show(show.json.format(), &key, Shown::text)
            }
            Self::Import(import) => import.run(),
            Self::Disable(switch) => switch.run(false),
            Self::Enable(switch) => switch.run(true),
        }
    }
}

impl Switch {
    fn run(self, enabled: bool) -> anyhow::Result<()> {
        let request = AdminRequest::SetEnabled {
            keys: self.keys,
            enabled,
        };
        let chain = self.connection.cluster()?.roster()?;
        servers::run(async {
            for server in self.connection.servers(chain.current(), None)? {
                server.admin(&request, CALL).await?;
                output::print(&format!("{}: done\n", server.name()))?;
            }
            Ok(())
        })
    }
}

/// Asks every server; one that does not answer is said, and left out.
fn all(connection: &Connection) -> anyhow::Result<Vec<Shown>> {
    let chain = connection.cluster()?.roster()?;
    servers::run(async {
        let mut keys = BTreeMap::new();
        for server in connection.servers(chain.current(), None)? {
            match server.admin(&AdminRequest::ListKeys, CALL).await {
                Ok(replies) => collect(&mut keys, server.name(), replies),
                Err(error) => output::note(&format!("left out: {error}")),
            }
        }
        Ok(keys.into_values().collect())
    })
}

fn collect(keys: &mut BTreeMap<ValidatorPublicKey, Shown>, server: &str, replies: Vec<AdminReply>) {
    for reply in replies {
        let AdminReply::Keys(found) = reply else {
            continue;
        };
        for status in found {
            let shown = keys
                .entry(status.key)
                .or_insert_with(|| Shown::new(&status));
            shown.held_by.push(server.to_owned());
            if !status.enabled {
                shown.disabled_at.push(server.to_owned());
            }
        }
    }
}

impl Shown {
    fn new(status: &KeyStatus) -> Self {
        Self {
            public_key: status.key.to_string(),
            group: status.group.clone(),
            group_epoch: status.group_epoch,
            threshold: status.threshold,
            members: status.members,
            born_in_ceremony: status.born_in_ceremony,
            held_by: Vec::new(),
            disabled_at: Vec::new(),
        }
    }

    const fn birth(&self) -> &'static str {
        if self.born_in_ceremony {
            "born in a ceremony"
        } else {
            "not born in a ceremony: someone had the whole key"
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{}\n  group {}, epoch {}, {} of {}\n  {}\n  held by {}\n",
            self.public_key,
            self.group,
            self.group_epoch,
            self.threshold,
            self.members,
            self.birth(),
            self.held_by.join(", "),
        );
        if !self.disabled_at.is_empty() {
            // Writing into a String never fails.
            writeln!(text, "  disabled at {}", self.disabled_at.join(", ")).ok();
        }
        text
    }
}

fn table(keys: &[Shown]) -> String {
    let mut text = String::new();
    for key in keys {
        let disabled = if key.disabled_at.is_empty() {
            String::new()
        } else {
            "  disabled".to_owned()
        };
        // Writing into a String never fails.
        writeln!(
            text,
            "{}  {} {}-of-{} epoch {}  {} servers  {}{disabled}",
            key.public_key,
            key.group,
            key.threshold,
            key.members,
            key.group_epoch,
            key.held_by.len(),
            key.birth(),
        )
        .ok();
    }
    if keys.is_empty() {
        text.push_str("no keys\n");
    }
    text
}
