//! Keys and cards of people: guardians and operators.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use symbolon_protocol::card::Card;
use symbolon_protocol::roster::{Client, ClientKind, Guardian as GuardianEntry, TlsPin};
use symbolon_protocol::{IdentitySigner as _, SoftIdentity, Unsigned};

use crate::{identity_file, input, output};

/// Guardians.
#[derive(Debug, Subcommand)]
pub(crate) enum Guardian {
    /// Make an order key, encrypted under a passphrase, and its card.
    New(NewGuardian),
}

/// Make an order key, encrypted under a passphrase, and its card.
#[derive(Debug, Args)]
pub(crate) struct NewGuardian {
    /// The guardian's name: a-z, 0-9 and -.
    #[arg(long)]
    name: String,
    /// The network's name, or a config.yaml with GENESIS_VALIDATORS_ROOT.
    #[arg(long)]
    network: String,
    /// Folder for NAME.key and NAME.card.
    #[arg(long)]
    out: PathBuf,
    /// File that holds the passphrase; without it the terminal is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

/// Operators.
#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// Make an operator's key, certificate and card.
    Init(InitOperator),
}

/// Make an operator's key, certificate and card.
#[derive(Debug, Args)]
pub(crate) struct InitOperator {
    /// The operator's name: a-z, 0-9 and -.
    #[arg(long)]
    name: String,
    /// The network's name, or a config.yaml with GENESIS_VALIDATORS_ROOT.
    #[arg(long)]
    network: String,
    /// Folder for identity.key, identity.crt and client.card.
    #[arg(long)]
    dir: PathBuf,
}

impl Guardian {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::New(new) = self;
        let network = input::network(&new.network)?;
        let passphrase = input::passphrase(
            new.passphrase_file.as_deref(),
            "new passphrase for the order key",
        )?;
        let key = identity_file::generate()?;
        let identity = identity_file::identity(&key)?;
        let entry = GuardianEntry {
            name: new.name.clone(),
            key: identity.public(),
        };
        make_folder(&new.out)?;
        let key_path = new.out.join(format!("{}.key", new.name));
        identity_file::write_encrypted(&key_path, &key, &passphrase)?;
        let card_path = new.out.join(format!("{}.card", new.name));
        write_card(&card_path, &network, Card::Guardian(entry), &identity)
    }
}

impl Operator {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::Init(init) = self;
        let network = input::network(&init.network)?;
        client(&init.dir, &network, &init.name, ClientKind::Operator, "")
    }
}

/// Makes identity.key, identity.crt and client.card in `dir`.
pub(crate) fn client(
    dir: &Path,
    network: &symbolon_duties::Network,
    name: &str,
    kind: ClientKind,
    provider: &str,
) -> anyhow::Result<()> {
    make_folder(dir)?;
    let (identity, pin) = software_identity(dir, "identity", name)?;
    let entry = Client {
        name: name.to_owned(),
        kind,
        identity: identity.public(),
        tls_pin: pin,
        provider: provider.to_owned(),
    };
    write_card(
        &dir.join("client.card"),
        network,
        Card::Client(entry),
        &identity,
    )
}

/// Makes STEM.key and STEM.crt: one P-256 key that is identity and TLS key at once.
pub(crate) fn software_identity(
    dir: &Path,
    stem: &str,
    name: &str,
) -> anyhow::Result<(SoftIdentity, TlsPin)> {
    let tls = symbolon_rpc::TlsIdentity::generate(name).context("cannot make a certificate")?;
    let key_path = dir.join(format!("{stem}.key"));
    let certificate_path = dir.join(format!("{stem}.crt"));
    tls.write_new(&certificate_path, &key_path)
        .with_context(|| format!("cannot write the key into {}", dir.display()))?;
    let identity = identity_file::read(&key_path, || anyhow::bail!("no passphrase"))?;
    Ok((identity, TlsPin(tls.pin())))
}

/// Signs a card, writes it, and says its words.
pub(crate) fn write_card(
    path: &Path,
    network: &symbolon_duties::Network,
    card: Card,
    identity: &SoftIdentity,
) -> anyhow::Result<()> {
    let id = input::network_id(network);
    let signed = Unsigned::new(id, card).sign(identity)?.to_bytes();
    let (card, words) = Card::open(id, &signed)?;
    identity_file::write_new(path, &signed)?;
    output::print(&format!(
        "{}\n  card of {} for {}; words to compare: {words}\n",
        path.display(),
        card.name(),
        network.name(),
    ))
}

fn make_folder(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))
}
