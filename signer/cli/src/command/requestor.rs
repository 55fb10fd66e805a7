//! `symbolon requestor`: set up a requestor.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use symbolon_protocol::roster::ClientKind;

use super::card;
use super::setup::{self, Installed};
use crate::{identity_file, input, output};

/// Requestors.
#[derive(Debug, Subcommand)]
pub(crate) enum Requestor {
    /// Make a requestor's key, certificate, card and configuration.
    Init(Init),
}

/// Make a requestor's key, certificate, card and configuration.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The requestor's folder; it is made.
    #[arg(long)]
    dir: PathBuf,
    /// Its name in the roster: a-z, 0-9 and -.
    #[arg(long)]
    name: String,
    /// The provider that it belongs to.
    #[arg(long, default_value = "")]
    provider: String,
    /// The network's name, or a config.yaml with GENESIS_VALIDATORS_ROOT.
    #[arg(long)]
    network: String,
    /// Where validator clients reach it (plain HTTP only on loopback).
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: String,
    /// Where metrics and health are served.
    #[arg(long, default_value = "127.0.0.1:9100")]
    metrics: String,
    #[command(flatten)]
    installed: Installed,
}

impl Requestor {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::Init(init) = self;
        let network = input::network(&init.network)?;
        for folder in ["groups", "evidence"] {
            let path = init.dir.join(folder);
            std::fs::create_dir_all(&path)
                .with_context(|| format!("cannot create {}", path.display()))?;
        }
        card::client(
            &init.dir,
            &network,
            &init.name,
            ClientKind::Requestor,
            &init.provider,
        )?;
        let network = setup::network_for(&init.dir, &init.network)?;
        let text = format!(
            "# Requestor {name}; reload with SIGHUP.\n\
             name = {name}\n\
             listen = {listen}\n\
             metrics = {metrics}\n\
             network = {network}\n\
             roster = \"roster.cbor\"\n\
             {pin}\
             identity_key = \"identity.key\"\n\
             identity_cert = \"identity.crt\"\n\
             groups_dir = \"groups\"\n\
             evidence_dir = \"evidence\"\n",
            name = setup::quoted(&init.name),
            listen = setup::quoted(&init.listen),
            metrics = setup::quoted(&init.metrics),
            network = setup::quoted(&network),
            pin = init.installed.pin_line(),
        );
        let path = init.dir.join("requestor.toml");
        identity_file::write_new(&path, text.as_bytes())?;
        init.installed.copy_roster(&init.dir)?;
        output::print(&format!("{}\n", path.display()))
    }
}
