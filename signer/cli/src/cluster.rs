//! The operator's folder of one cluster.
//!
//! ```text
//! cluster.toml      network, pin of the first roster
//! roster.draft      a roster that gathers guardian signatures
//! roster.cbor       the verified chain in force
//! operator/         identity.key, identity.crt
//! groups/           one descriptor a key group
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use symbolon_duties::Network;
use symbolon_protocol::roster::RosterChain;

use crate::input;

pub(crate) const MAX_ROSTER_CHAIN: u64 = 4 * 1024 * 1024;

/// An opened folder.
pub(crate) struct Cluster {
    /// The folder.
    pub(crate) dir: PathBuf,
    /// The chain that the cluster works for.
    pub(crate) network: Network,
    file: ClusterFile,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterFile {
    network: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roster_pin: Option<String>,
}

impl Cluster {
    /// Makes a folder for a new cluster.
    pub(crate) fn create(dir: &Path, network: &str) -> anyhow::Result<Self> {
        let parsed = input::network(network)?;
        std::fs::create_dir_all(dir.join("groups"))
            .with_context(|| format!("cannot create {}", dir.display()))?;
        let network = if Network::named(network).is_some() {
            network.to_owned()
        } else {
            let copy = dir.join("network.yaml");
            let text = input::text(Path::new(network), symbolon_duties::MAX_CONFIG_BYTES as u64)?;
            symbolon_daemon::files::write_atomic(&copy, text.as_bytes())
                .with_context(|| format!("cannot write {}", copy.display()))?;
            "network.yaml".to_owned()
        };
        let file = ClusterFile {
            network,
            roster_pin: None,
        };
        let cluster = Self {
            dir: dir.to_path_buf(),
            network: parsed,
            file,
        };
        if cluster.file_path().exists() {
            bail!(
                "{} exists already: this folder holds a cluster",
                cluster.file_path().display()
            );
        }
        cluster.write()?;
        Ok(cluster)
    }

    /// Opens the folder of a cluster.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join("cluster.toml");
        let text = input::text(&path, 64 * 1024).with_context(|| {
            format!(
                "{} is not a cluster folder (symbolon init makes one)",
                dir.display()
            )
        })?;
        let file: ClusterFile =
            toml::from_str(&text).with_context(|| format!("{} does not parse", path.display()))?;
        let network = match Network::named(&file.network) {
            Some(network) => network,
            None => input::network(&dir.join(&file.network).to_string_lossy())?,
        };
        Ok(Self {
            dir: dir.to_path_buf(),
            network,
            file,
        })
    }

    /// The verified roster chain, against the pin kept in the folder.
    pub(crate) fn roster(&self) -> anyhow::Result<RosterChain> {
        let path = self.roster_path();
        let bytes = input::bytes(&path, MAX_ROSTER_CHAIN).context(
            "there is no roster in force yet; guardians sign it with: symbolon roster sign",
        )?;
        let pin = self.pin()?;
        RosterChain::from_bytes(input::network_id(&self.network), &bytes, pin.as_ref())
            .with_context(|| format!("{} is refused", path.display()))
    }

    /// The first roster's hash, once one is in force.
    pub(crate) fn pin(&self) -> anyhow::Result<Option<[u8; 32]>> {
        let Some(text) = &self.file.roster_pin else {
            return Ok(None);
        };
        let mut pin = [0; 32];
        hex::decode_to_slice(text, &mut pin).with_context(|| {
            format!(
                "roster_pin in {} is not 64 hexadecimal digits",
                self.file_path().display()
            )
        })?;
        Ok(Some(pin))
    }

    /// Stores a chain as the one in force, and the pin with the first.
    pub(crate) fn install(&mut self, chain: &RosterChain) -> anyhow::Result<()> {
        symbolon_daemon::files::write_atomic(&self.roster_path(), &chain.to_bytes())
            .with_context(|| format!("cannot write {}", self.roster_path().display()))?;
        if self.file.roster_pin.is_none() {
            self.file.roster_pin = Some(hex::encode(chain.first_hash()));
            self.write()?;
        }
        Ok(())
    }

    /// Where the chain in force lies.
    pub(crate) fn roster_path(&self) -> PathBuf {
        self.dir.join("roster.cbor")
    }

    /// Where a roster waits for signatures.
    pub(crate) fn draft_path(&self) -> PathBuf {
        self.dir.join("roster.draft")
    }

    fn file_path(&self) -> PathBuf {
        self.dir.join("cluster.toml")
    }

    fn write(&self) -> anyhow::Result<()> {
        let text = toml::to_string(&self.file)?;
        symbolon_daemon::files::write_atomic(&self.file_path(), text.as_bytes())
            .with_context(|| format!("cannot write {}", self.file_path().display()))
    }
}
