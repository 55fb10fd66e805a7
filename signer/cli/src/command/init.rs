//! `symbolon init`: a folder and a first roster from cards.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use symbolon_protocol::card::Card;
use symbolon_protocol::roster::{ClusterId, Roster, SignedRoster};
use symbolon_protocol::words;

use crate::cluster::Cluster;
use crate::{input, output};

/// Start a cluster: a folder, and a first roster from the parties' cards.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The cluster's folder; it is made.
    #[arg(long)]
    dir: PathBuf,
    /// The cluster's name: a-z, 0-9 and -.
    #[arg(long)]
    name: String,
    /// The network's name, or a config.yaml with GENESIS_VALIDATORS_ROOT.
    #[arg(long)]
    network: String,
    /// Cards of all members, clients and guardians.
    #[arg(long = "card", required = true, num_args = 1..)]
    cards: Vec<PathBuf>,
    /// How many guardians an order needs.
    #[arg(long, default_value_t = 1)]
    quorum: u16,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut cluster = [0; 32];
        getrandom::fill(&mut cluster)
            .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
        let mut roster = Roster {
            cluster: ClusterId(cluster),
            name: self.name,
            number: 1,
            previous: None,
            members: Vec::new(),
            clients: Vec::new(),
            guardians: Vec::new(),
            guardian_quorum: self.quorum,
        };
        let network = input::network(&self.network)?;
        let id = input::network_id(&network);
        for path in &self.cards {
            let bytes = input::bytes(path, 4096)?;
            let (card, words) = Card::open(id, &bytes)
                .with_context(|| format!("the card {} is refused", path.display()))?;
            output::note(&format!("{}: {} ({words})", path.display(), card.name()));
            add(&mut roster, card)?;
        }
        sort(&mut roster);
        roster.check().context("these cards make no roster")?;
        let hash = roster.hash(id);
        let cluster = Cluster::create(&self.dir, &self.network)?;
        let draft = SignedRoster::new(id, roster);
        symbolon_daemon::files::write_atomic(&cluster.draft_path(), &draft.to_bytes())?;
        output::print(&format!(
            "{}\n  roster 1, words to compare: {}\n  next: each guardian runs\n    symbolon roster sign --dir {} --guardian NAME --key FILE\n",
            cluster.draft_path().display(),
            words(&hash, 8),
            self.dir.display(),
        ))
    }
}

/// Adds a card's entry; replaces nothing.
pub(crate) fn add(roster: &mut Roster, card: Card) -> anyhow::Result<()> {
    match card {
        Card::Member(member) => {
            if let Some(old) = roster.member(member.index) {
                bail!("share index {} is {}'s already", member.index, old.name);
            }
            roster.members.push(member);
        }
        Card::Client(client) => roster.clients.push(client),
        Card::Guardian(guardian) => roster.guardians.push(guardian),
    }
    Ok(())
}

/// Puts the lists in the order that a roster must have.
pub(crate) fn sort(roster: &mut Roster) {
    roster.members.sort_by_key(|member| member.index);
    roster.clients.sort_by(|a, b| a.name.cmp(&b.name));
    roster.guardians.sort_by(|a, b| a.name.cmp(&b.name));
}
