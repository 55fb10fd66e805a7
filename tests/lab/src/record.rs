//! `lab.json`: what a laboratory consists of, for scripts and for its own commands.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use symbolon_daemon::files;
use symbolon_duties::Network;

use crate::error::LabError;
use crate::network::LabNetwork;
use crate::process::ProcessId;

/// Everything about a laboratory; paths are absolute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabRecord {
    /// Where validator clients send their requests.
    pub requestor_url: String,
    /// The validators' public keys, `0x...`.
    pub public_keys: Vec<String>,
    /// Partial signatures that a signature needs.
    pub threshold: u16,
    /// Whether nobody ever held the keys whole.
    pub born_in_ceremony: bool,
    /// How long the ceremony or the import took, in seconds.
    pub ceremony_seconds: f64,
    /// The chain.
    pub network: NetworkRecord,
    /// The servers, by index.
    pub servers: Vec<ServerRecord>,
    /// The requestor.
    pub requestor: RequestorRecord,
    /// Folder of the laboratory.
    pub dir: PathBuf,
    /// The operator's folder of the cluster (`symbolon ... --dir`).
    pub cluster: PathBuf,
    /// Folder of the guardian's key and passphrase.
    pub guardian: PathBuf,
    /// Folder of the programs that it runs.
    pub programs: PathBuf,
    /// Whether all servers are the program that can lie.
    pub all_can_lie: bool,
    /// Which log lines the processes write.
    pub log_filter: String,
}

/// The chain of a laboratory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NetworkRecord {
    /// Its name.
    pub name: String,
    /// What the programs are given: a built-in name or a file.
    pub argument: String,
    /// When slot 0 began (unix seconds), where known.
    pub genesis_time: Option<u64>,
    /// Seconds of a slot.
    pub seconds_per_slot: u64,
    /// Slots of an epoch.
    pub slots_per_epoch: u64,
    /// `0x...`
    pub genesis_validators_root: String,
}

/// One server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerRecord {
    /// Its name in the roster.
    pub name: String,
    /// Its share index.
    pub index: u16,
    /// Its process, `null` when it was killed by the laboratory.
    pub pid: Option<u32>,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Where its metrics are.
    pub metrics: SocketAddr,
    /// Its folder.
    pub dir: PathBuf,
    /// Label of its token.
    pub token: String,
    /// Its log.
    pub log: PathBuf,
    /// How it lies; `none` for the true program.
    pub fault: String,
    /// What tells its process from others.
    pub process: Option<ProcessId>,
}

/// The requestor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestorRecord {
    /// Its name in the roster.
    pub name: String,
    /// Its process, `null` when it was killed by the laboratory.
    pub pid: Option<u32>,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Where its metrics are.
    pub metrics: SocketAddr,
    /// Its folder.
    pub dir: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// What tells its process from others.
    pub process: Option<ProcessId>,
}

impl LabRecord {
    /// The file of a laboratory in `dir`.
    #[must_use]
    pub fn path(dir: &Path) -> PathBuf {
        dir.join("lab.json")
    }

    /// The file of a laboratory that is being set up.
    pub(crate) fn starting_path(dir: &Path) -> PathBuf {
        dir.join("starting.json")
    }

    /// Reads the record of a finished laboratory.
    ///
    /// # Errors
    ///
    /// There is none, or it does not parse.
    pub fn read(dir: &Path) -> Result<Self, LabError> {
        Self::read_file(&Self::path(dir), dir)
    }

    /// Reads the record, also of one that never came to its end.
    pub(crate) fn read_any(dir: &Path) -> Result<Self, LabError> {
        match Self::read(dir) {
            Err(LabError::NoLab { .. }) => Self::read_file(&Self::starting_path(dir), dir),
            other => other,
        }
    }

    fn read_file(path: &Path, dir: &Path) -> Result<Self, LabError> {
        if !path.exists() {
            return Err(LabError::NoLab {
                dir: dir.to_owned(),
            });
        }
        let bytes = files::read_bounded(path, MAX_RECORD)?;
        serde_json::from_slice(&bytes).map_err(|cause| LabError::Record {
            path: path.to_owned(),
            cause,
        })
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), LabError> {
        let mut text = serde_json::to_string_pretty(self).map_err(|cause| LabError::Record {
            path: path.to_owned(),
            cause,
        })?;
        text.push('\n');
        Ok(files::write_atomic(path, text.as_bytes())?)
    }

    /// All processes that it says run.
    pub fn processes(&self) -> impl Iterator<Item = (&str, &ProcessId)> {
        let servers = self
            .servers
            .iter()
            .map(|server| (server.name.as_str(), &server.process));
        let requestor = (self.requestor.name.as_str(), &self.requestor.process);
        servers
            .chain([requestor])
            .filter_map(|(name, process)| process.as_ref().map(|process| (name, process)))
    }

    /// Whether any of its processes runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.processes().any(|(_, process)| process.is_running())
    }
}

impl NetworkRecord {
    pub(crate) fn of(lab: &LabNetwork) -> Self {
        let network: &Network = &lab.network;
        Self {
            name: network.name().to_owned(),
            argument: lab.argument.clone(),
            genesis_time: network.genesis_time(),
            seconds_per_slot: network.seconds_per_slot(),
            slots_per_epoch: network.preset().slots_per_epoch(),
            genesis_validators_root: network.genesis_validators_root().to_string(),
        }
    }
}

impl ServerRecord {
    pub(crate) fn set_process(&mut self, process: Option<ProcessId>) {
        self.pid = process.as_ref().map(|process| process.pid);
        self.process = process;
    }

    /// Where its lies are switched.
    pub(crate) fn control(&self) -> PathBuf {
        self.dir.join("fault")
    }
}

impl RequestorRecord {
    pub(crate) fn set_process(&mut self, process: Option<ProcessId>) {
        self.pid = process.as_ref().map(|process| process.pid);
        self.process = process;
    }
}

/// Removes a record that is no longer true.
pub(crate) fn forget(path: &Path) -> Result<(), LabError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LabError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

const MAX_RECORD: u64 = 64 * 1024 * 1024;
