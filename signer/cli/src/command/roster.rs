//! `symbolon roster`: sign, show, and the next one.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_protocol::card::Card;
use symbolon_protocol::roster::{Roster as RosterList, RosterChain, RosterError, SignedRoster};
use symbolon_protocol::words;

use super::init;
use super::install::Install;
use crate::cli::Json;
use crate::cluster::Cluster;
use crate::{identity_file, input, output};

const MAX_DRAFT: u64 = 512 * 1024;

/// Rosters.
#[derive(Debug, Subcommand)]
pub(crate) enum Roster {
    /// Add a guardian's signature to the draft; with the last one it comes into force.
    Sign(Sign),
    /// Show the roster in force, or the draft.
    Show(Show),
    /// Draft the next roster: add cards, remove parties.
    Next(Next),
    /// Put a roster into a server's or requestor's folder, and pin it there.
    Install(Install),
}

/// Add a guardian's signature to the draft; with the last one it comes into force.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The cluster's folder.
    #[arg(long)]
    dir: PathBuf,
    /// The guardian's name in the roster.
    #[arg(long)]
    guardian: String,
    /// The guardian's key file.
    #[arg(long)]
    key: PathBuf,
    /// File that holds the passphrase; without it the terminal is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

/// Show the roster in force, or the draft.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The cluster's folder.
    #[arg(long)]
    dir: PathBuf,
    /// Show the draft.
    #[arg(long)]
    draft: bool,
    #[command(flatten)]
    json: Json,
}

/// Draft the next roster: add cards, remove parties.
#[derive(Debug, Args)]
pub(crate) struct Next {
    /// The cluster's folder.
    #[arg(long)]
    dir: PathBuf,
    /// Cards to add.
    #[arg(long = "card", num_args = 1..)]
    cards: Vec<PathBuf>,
    /// Names of members, clients or guardians to remove.
    #[arg(long = "remove", num_args = 1..)]
    remove: Vec<String>,
    /// How many guardians an order needs from then on.
    #[arg(long)]
    quorum: Option<u16>,
}

impl Roster {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Sign(command) => command.run(),
            Self::Show(command) => command.run(),
            Self::Next(command) => command.run(),
            Self::Install(command) => command.run(),
        }
    }
}

impl Sign {
    fn run(self) -> anyhow::Result<()> {
        let mut cluster = Cluster::open(&self.dir)?;
        let network = input::network_id(&cluster.network);
        let mut draft = SignedRoster::from_bytes(&input::bytes(&cluster.draft_path(), MAX_DRAFT)?)?;
        let (roster, hash) = draft.unverified(network)?;
        output::note(&format!(
            "roster {} of {}, words to compare: {}",
            roster.number,
            roster.name,
            words(&hash, 8)
        ));
        let identity = identity_file::read(&self.key, || {
            input::passphrase(
                self.passphrase_file.as_deref(),
                "passphrase of the order key",
            )
        })?;
        draft.sign(network, &self.guardian, &identity)?;
        symbolon_daemon::files::write_atomic(&cluster.draft_path(), &draft.to_bytes())?;
        let chain = if roster.number == 1 {
            RosterChain::start(network, draft, None)
        } else {
            cluster.roster()?.append(draft)
        };
        match chain {
            Ok(chain) => {
                cluster.install(&chain)?;
                std::fs::remove_file(cluster.draft_path()).context("cannot remove the draft")?;
                output::print(&format!(
                    "{}\n  roster {} is in force\n  pin {}\n  words of the pin: {}\n",
                    cluster.roster_path().display(),
                    chain.current().number,
                    hex::encode(chain.first_hash()),
                    words(&chain.first_hash(), 8),
                ))
            }
            Err(RosterError::Signatures { got, needed, .. }) => output::print(&format!(
                "{got} of {needed} guardian signatures are there\n"
            )),
            Err(error) => Err(error.into()),
        }
    }
}

#[derive(Serialize)]
struct Shown {
    cluster: String,
    number: u32,
    hash: String,
    words: String,
    in_force: bool,
    members: Vec<ShownMember>,
    clients: Vec<ShownClient>,
    guardians: Vec<String>,
    guardian_quorum: u16,
}

#[derive(Serialize)]
struct ShownMember {
    index: u16,
    name: String,
    address: Option<String>,
    identity: String,
}

#[derive(Serialize)]
struct ShownClient {
    name: String,
    kind: String,
    provider: String,
}

impl Shown {
    fn new(roster: &RosterList, hash: &[u8; 32], in_force: bool) -> Self {
        let member = |m: &symbolon_protocol::roster::Member| ShownMember {
            index: m.index,
            name: m.name.clone(),
            address: m.address.clone(),
            identity: m.identity.to_string(),
        };
        let client = |c: &symbolon_protocol::roster::Client| ShownClient {
            name: c.name.clone(),
            kind: c.kind.to_string(),
            provider: c.provider.clone(),
        };
        Self {
            cluster: roster.name.clone(),
            number: roster.number,
            hash: hex::encode(hash),
            words: words(hash, 8),
            in_force,
            members: roster.members.iter().map(member).collect(),
            clients: roster.clients.iter().map(client).collect(),
            guardians: roster
                .guardians
                .iter()
                .map(|guardian| guardian.name.clone())
                .collect(),
            guardian_quorum: roster.guardian_quorum,
        }
    }

    fn text(&self) -> String {
        let state = if self.in_force { "in force" } else { "draft" };
        let mut text = format!(
            "cluster {}, roster {} ({state})\n  hash  {}\n  words {}\n",
            self.cluster, self.number, self.hash, self.words
        );
        // Writing into a String never fails.
        for member in &self.members {
            let place = member.address.as_deref().unwrap_or("offline");
            writeln!(
                text,
                "  member {:>5}  {:<20} {place}",
                member.index, member.name
            )
            .ok();
        }
        for client in &self.clients {
            writeln!(
                text,
                "  {:<12}  {:<20} {}",
                client.kind, client.name, client.provider
            )
            .ok();
        }
        let guardians = self.guardians.join(", ");
        writeln!(
            text,
            "  guardians     {guardians} ({} sign)",
            self.guardian_quorum
        )
        .ok();
        text
    }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let cluster = Cluster::open(&self.dir)?;
        let network = input::network_id(&cluster.network);
        let shown = if self.draft {
            let bytes = input::bytes(&cluster.draft_path(), MAX_DRAFT)?;
            let (roster, hash) = SignedRoster::from_bytes(&bytes)?.unverified(network)?;
            Shown::new(&roster, &hash, false)
        } else {
            let chain = cluster.roster()?;
            Shown::new(chain.current(), &chain.hash(), true)
        };
        output::show(self.json.format(), &shown, Shown::text)
    }
}

impl Next {
    fn run(self) -> anyhow::Result<()> {
        let cluster = Cluster::open(&self.dir)?;
        let network = input::network_id(&cluster.network);
        let chain = cluster.roster()?;
        let mut roster = chain.current().clone();
        roster.number = roster
            .number
            .checked_add(1)
            .context("no roster number is left")?;
        roster.previous = Some(chain.hash());
        for name in &self.remove {
            remove(&mut roster, name)?;
        }
        for path in &self.cards {
            let (card, words) = Card::open(network, &input::bytes(path, 4096)?)
                .with_context(|| format!("the card {} is refused", path.display()))?;
            output::note(&format!("{}: {} ({words})", path.display(), card.name()));
            if let Card::Member(member) = &card
                && chain
                    .owner_of(member.index)
                    .is_some_and(|owner| *owner != member.identity)
            {
                bail!(
                    "share index {} belonged to another identity key; an index is never reused",
                    member.index
                );
            }
            init::add(&mut roster, card)?;
        }
        if let Some(quorum) = self.quorum {
            roster.guardian_quorum = quorum;
        }
        init::sort(&mut roster);
        roster.check().context("these changes make no roster")?;
        let hash = roster.hash(network);
        let draft = SignedRoster::new(network, roster);
        symbolon_daemon::files::write_atomic(&cluster.draft_path(), &draft.to_bytes())?;
        output::print(&format!(
            "{}\n  words to compare: {}\n",
            cluster.draft_path().display(),
            words(&hash, 8)
        ))
    }
}

fn remove(roster: &mut RosterList, name: &str) -> anyhow::Result<()> {
    let count = |r: &RosterList| r.members.len() + r.clients.len() + r.guardians.len();
    let before = count(roster);
    roster.members.retain(|member| member.name != name);
    roster.clients.retain(|client| client.name != name);
    roster.guardians.retain(|guardian| guardian.name != name);
    if count(roster) == before {
        bail!("nobody in the roster is called {name:?}");
    }
    Ok(())
}
