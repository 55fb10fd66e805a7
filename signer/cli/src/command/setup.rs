//! What setting up a server and a requestor have in common.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use symbolon_duties::Network;

use crate::input;

/// The roster, where it is there already.
#[derive(Debug, Args)]
pub(crate) struct Installed {
    /// A roster chain to copy into the folder.
    #[arg(long)]
    roster: Option<PathBuf>,
    /// The first roster's hash, as people compared it (64 hexadecimal digits).
    #[arg(long)]
    roster_pin: Option<String>,
}

impl Installed {
    /// The line of the configuration; a comment where the pin is not known yet.
    pub(crate) fn pin_line(&self) -> String {
        match &self.roster_pin {
            Some(pin) => format!("roster_pin = {}\n", quoted(pin)),
            None => "# roster_pin = \"...\"  # set it with: symbolon roster install\n".to_owned(),
        }
    }

    /// Copies the roster into `dir`.
    pub(crate) fn copy_roster(&self, dir: &Path) -> anyhow::Result<()> {
        let Some(from) = &self.roster else {
            return Ok(());
        };
        let to = dir.join("roster.cbor");
        let bytes = input::bytes(from, crate::cluster::MAX_ROSTER_CHAIN)?;
        symbolon_daemon::files::write_atomic(&to, &bytes)
            .with_context(|| format!("cannot write {}", to.display()))
    }
}

/// The network's value in a configuration in `dir`: its name, or a copy of the file.
pub(crate) fn network_for(dir: &Path, network: &str) -> anyhow::Result<String> {
    if Network::named(network).is_some() {
        return Ok(network.to_owned());
    }
    let text = input::text(Path::new(network), symbolon_duties::MAX_CONFIG_BYTES as u64)?;
    let to = dir.join("network.yaml");
    symbolon_daemon::files::write_atomic(&to, text.as_bytes())
        .with_context(|| format!("cannot write {}", to.display()))?;
    Ok("network.yaml".to_owned())
}

/// A TOML string.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
