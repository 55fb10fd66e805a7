//! What a laboratory shall be.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use crate::error::LabError;

/// What a laboratory shall be.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// Its folder; a temporary one, removed with it, if not given.
    pub dir: Option<PathBuf>,
    /// How many servers.
    pub servers: u16,
    /// Partial signatures that a signature needs.
    pub threshold: u16,
    /// Where its keys come from.
    pub keys: KeySource,
    /// Name or configuration file of the chain; one of its own, if not given.
    pub network: Option<String>,
    /// Where the requestor listens; a free port of 127.0.0.1, if not given.
    pub listen: Option<SocketAddr>,
    /// Lines of `[signing]` in every server's configuration.
    pub server_signing: Vec<String>,
    /// Lines of `[signing]` in the requestor's configuration.
    pub requestor_signing: Vec<String>,
    /// When the device opens the data key.
    pub dek_residency: DekResidency,
    /// Starts every server as the program that can lie, so that switching a fault restarts nothing.
    pub all_can_lie: bool,
    /// Which log lines the servers and the requestor write (as for `SYMBOLON_LOG`).
    pub log_filter: String,
}

/// Where keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// There are none at first.
    None,
    /// A ceremony makes them.
    Ceremony {
        /// How many.
        keys: usize,
    },
    /// Keystores are split over the servers.
    Keystores {
        /// Folder of the keystores.
        keystores: PathBuf,
        /// Folder of their passwords.
        passwords: PathBuf,
    },
}

/// When the device opens the data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DekResidency {
    /// Once, at start.
    #[default]
    Resident,
    /// For each batch.
    PerBatch,
}

impl Default for LabOptions {
    /// 3 of 5 servers with one key on a chain of their own.
    fn default() -> Self {
        Self {
            dir: None,
            servers: 5,
            threshold: 3,
            keys: KeySource::Ceremony { keys: 1 },
            network: None,
            listen: None,
            server_signing: Vec::new(),
            requestor_signing: Vec::new(),
            dek_residency: DekResidency::Resident,
            all_can_lie: false,
            log_filter: "info".to_owned(),
        }
    }
}

impl LabOptions {
    /// Refuses at once what would fail after minutes of work.
    pub(crate) fn check(&self) -> Result<(), LabError> {
        let (n, t) = (self.servers, self.threshold);
        if !(MIN_SERVERS..=MAX_SERVERS).contains(&n) {
            return Err(LabError::Options(format!(
                "--servers: expected {MIN_SERVERS} to {MAX_SERVERS}, got {n}"
            )));
        }
        if t > n || u32::from(t) * 2 <= u32::from(n) {
            let least = n / 2 + 1;
            return Err(LabError::Options(format!(
                "--threshold: {t} of {n} servers is refused for keys that sign all the time: two \
                 disjoint sets could sign conflicting duties; expected {least} to {n}"
            )));
        }
        if self.keys == (KeySource::Ceremony { keys: 0 }) {
            return Err(LabError::Options("--keys: expected 1 or more".to_owned()));
        }
        if let Some(address) = self.listen {
            check_listen(address)?;
        }
        if let KeySource::Keystores {
            keystores,
            passwords,
        } = &self.keys
        {
            for folder in [keystores, passwords] {
                if !folder.is_dir() {
                    return Err(LabError::Options(format!(
                        "{} is no folder",
                        folder.display()
                    )));
                }
            }
        }
        Ok(())
    }
}

/// The requestor would say the same, but only after everything else was set up.
fn check_listen(address: SocketAddr) -> Result<(), LabError> {
    if !address.ip().is_loopback() {
        return Err(LabError::Options(format!(
            "--listen {address}: a laboratory's requestor speaks plain HTTP, so it listens on \
             loopback only"
        )));
    }
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => Err(LabError::Options(format!("--listen {address}: {error}"))),
    }
}

const MIN_SERVERS: u16 = 2;
const MAX_SERVERS: u16 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_at_once() {
        let with = |servers, threshold| LabOptions {
            servers,
            threshold,
            ..LabOptions::default()
        };
        for (servers, threshold) in [(5, 3), (3, 2), (16, 11), (2, 2), (7, 7)] {
            with(servers, threshold).check().unwrap();
        }
        for (servers, threshold) in [(0, 0), (1, 1), (5, 6), (5, 2), (4, 2), (100, 60), (3, 0)] {
            assert!(
                with(servers, threshold).check().is_err(),
                "{threshold} of {servers}"
            );
        }
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        for listen in ["0.0.0.0:0".parse().unwrap(), taken.local_addr().unwrap()] {
            let options = LabOptions {
                listen: Some(listen),
                ..LabOptions::default()
            };
            assert!(options.check().is_err(), "{listen}");
        }
        let none = LabOptions {
            keys: KeySource::Ceremony { keys: 0 },
            ..LabOptions::default()
        };
        assert!(none.check().is_err());
        let nowhere = KeySource::Keystores {
            keystores: "/no".into(),
            passwords: "/no".into(),
        };
        let nowhere = LabOptions {
            keys: nowhere,
            ..LabOptions::default()
        };
        assert_eq!(nowhere.check().unwrap_err().to_string(), "/no is no folder");
    }
}
