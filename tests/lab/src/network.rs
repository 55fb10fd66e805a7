//! The chain that a laboratory works for.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use symbolon_daemon::files;
use symbolon_duties::{MAX_CONFIG_BYTES, Network, Slot};

use crate::error::LabError;

/// A network, and how the programs are told of it.
#[derive(Debug, Clone)]
pub struct LabNetwork {
    /// A built-in name, or the path of a configuration file.
    pub argument: String,
    /// What it says.
    pub network: Network,
}

impl LabNetwork {
    /// A built-in network, or the one of a file.
    ///
    /// # Errors
    ///
    /// Neither, or the file is no configuration.
    pub fn open(name_or_file: &str) -> Result<Self, LabError> {
        if let Some(network) = Network::named(name_or_file) {
            return Ok(Self {
                argument: name_or_file.to_owned(),
                network,
            });
        }
        let path = Path::new(name_or_file);
        if !path.exists() {
            let names = Network::NAMES.join(", ");
            return Err(LabError::Options(format!(
                "--network {name_or_file:?} is neither a file nor one of {names}"
            )));
        }
        let path = std::path::absolute(path).map_err(LabError::io("look at", path))?;
        let max = u64::try_from(MAX_CONFIG_BYTES).unwrap_or(u64::MAX);
        let text = String::from_utf8_lossy(&files::read_bounded(&path, max)?).into_owned();
        let network = Network::from_config_yaml(&text)
            .map_err(|error| LabError::Options(format!("--network {}: {error}", path.display())))?;
        Ok(Self {
            argument: path.display().to_string(),
            network,
        })
    }

    /// A chain of the laboratory's own, written into `folder`: every fork up to Fulu has been, and
    /// it has run for long enough that its present slots lie in every window.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or no randomness.
    pub fn own(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join("network.yaml");
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)
            .map_err(|error| LabError::Options(format!("no randomness: {error}")))?;
        let text = own_config(unix_seconds(), &salt);
        files::write_atomic(&path, text.as_bytes())?;
        Self::open(&path.display().to_string())
    }

    /// The file of the network, if it has one.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        Network::named(&self.argument)
            .is_none()
            .then(|| PathBuf::from(&self.argument))
    }
}

/// The slot that runs now; where the genesis time is not known, one in the chain's 21st epoch.
#[must_use]
pub fn slot_now(network: &Network) -> Slot {
    let timeless = network.preset().slots_per_epoch().saturating_mul(EPOCHS);
    network.slot_at(unix_seconds()).unwrap_or(Slot(timeless))
}

/// Seconds since 1970.
#[must_use]
pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

fn own_config(now: u64, salt: &[u8; 16]) -> String {
    // Whoever finds a signature of a laboratory can use it on no other chain.
    let mut root = Sha256::new();
    root.update(b"symbolon-lab");
    root.update(salt);
    let root = hex::encode(root.finalize());
    let genesis = now.saturating_sub(EPOCHS * 32 * SECONDS_PER_SLOT);
    let mut text = format!(
        "# A chain that exists in this laboratory only.\n\
         PRESET_BASE: 'mainnet'\n\
         CONFIG_NAME: 'lab'\n\
         GENESIS_TIME: {genesis}\n\
         GENESIS_VALIDATORS_ROOT: 0x{root}\n\
         SECONDS_PER_SLOT: {SECONDS_PER_SLOT}\n\
         DEPOSIT_CHAIN_ID: 1337\n\
         GENESIS_FORK_VERSION: 0x0000006c\n"
    );
    for (number, fork) in FORKS.into_iter().enumerate() {
        let number = number + 1;
        text.push_str(&format!(
            "{fork}_FORK_VERSION: 0x{number:02x}00006c\n{fork}_FORK_EPOCH: {number}\n"
        ));
    }
    text
}

/// Epochs since the genesis of a chain of our own.
const EPOCHS: u64 = 20;
const SECONDS_PER_SLOT: u64 = 12;
const FORKS: [&str; 6] = ["ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA", "FULU"];

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_duties::ForkName;

    #[test]
    fn the_own_chain_has_run_for_twenty_epochs() {
        let folder = tempfile::tempdir().unwrap();
        let lab = LabNetwork::own(folder.path()).unwrap();
        let now = slot_now(&lab.network);
        assert!((640..645).contains(&now.0), "{now}");
        assert_eq!(
            lab.network.fork_at(lab.network.epoch_of(now)).name,
            ForkName::Fulu
        );
        assert_eq!(lab.network.forks().len(), 7);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(
            LabNetwork::own(other.path()).unwrap().network.id(),
            lab.network.id()
        );
    }

    #[test]
    fn names_and_files_are_told_apart() {
        let mainnet = LabNetwork::open("mainnet").unwrap();
        assert!(mainnet.file().is_none());
        let error = LabNetwork::open("nowhere").unwrap_err().to_string();
        assert!(
            error.contains("neither a file nor one of mainnet"),
            "{error}"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.yaml");
        std::fs::write(&path, "PRESET_BASE: 'mainnet'\n").unwrap();
        let error = LabNetwork::open(&path.display().to_string())
            .unwrap_err()
            .to_string();
        assert!(error.contains("GENESIS_FORK_VERSION is missing"), "{error}");
    }
}
