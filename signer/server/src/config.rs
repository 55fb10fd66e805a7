//! `server.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use symbolon_daemon::{files, settings};
use symbolon_duties::{MAX_CONFIG_BYTES, Network};
use symbolon_protocol::sign::MAX_BATCH;
use symbolon_signing::Window;

use crate::error::StartError;

/// Everything that the file of one server says, with absolute paths and the parsed network.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Share index of this member in the roster.
    pub member: u16,
    /// Where gRPC is served.
    pub listen: SocketAddr,
    /// Where metrics and health are served, in plain.
    pub metrics: SocketAddr,
    /// Folder of journal, shares, sealed data key and ceremonies.
    pub data_dir: PathBuf,
    /// The chain.
    pub network: Network,
    /// File of the roster chain.
    pub roster: PathBuf,
    /// Hash of the first roster, as people compared it.
    pub roster_pin: [u8; 32],
    /// File of the permissions.
    pub permissions: PathBuf,
    /// File of the TLS key.
    pub tls_key: PathBuf,
    /// File of the TLS certificate.
    pub tls_cert: PathBuf,
    /// The device.
    pub hsm: HsmConfig,
    /// What is signed, and how much at once.
    pub signing: SigningConfig,
}

/// How the device is reached.
#[derive(Debug, Clone)]
pub struct HsmConfig {
    /// The worker program.
    pub worker: PathBuf,
    /// The vendor's PKCS#11 module.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// Serial number of the token, where labels are not distinct.
    pub token_serial: Option<String>,
    /// File of the PIN; only the worker reads it.
    pub pin_file: PathBuf,
    /// How long the data key stays in memory.
    pub residency: Residency,
    /// Environment of the worker. A value that is the relative path of a file in the
    /// configuration's folder was made absolute.
    pub env: BTreeMap<String, String>,
}

/// How long the data key, and with it the shares, stay in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Residency {
    /// Opened once at start, kept in locked memory.
    #[default]
    Resident,
    /// Opened by the device for each batch, wiped after it.
    PerBatch,
}

/// What is signed, and how much at once.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SigningConfig {
    /// Accepted slots before the running one.
    pub past_slots: u64,
    /// Accepted slots after the running one.
    pub future_slots: u64,
    /// Most duties of one batch.
    pub max_batch: usize,
    /// Most duties that wait for their answer at once; more are refused.
    pub max_waiting: usize,
    /// Whether shares may lie in memory that the system refused to lock.
    pub allow_unlocked_memory: bool,
}

impl Default for SigningConfig {
    fn default() -> Self {
        Self {
            past_slots: 64,
            future_slots: 64,
            max_batch: MAX_BATCH,
            max_waiting: 4096,
            allow_unlocked_memory: false,
        }
    }
}

impl SigningConfig {
    /// The window of accepted slots.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window {
            past_slots: self.past_slots,
            future_slots: self.future_slots,
        }
    }
}

impl Config {
    /// Reads a file; relative paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// [`StartError::Settings`] and [`StartError::Config`], which name file and setting.
    pub fn load(path: &Path) -> Result<Self, StartError> {
        let raw: Raw = settings::load(path)?;
        let wrong = |cause: String| StartError::Config {
            path: path.to_owned(),
            cause,
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = std::path::absolute(folder).map_err(|error| wrong(error.to_string()))?;
        Self::resolve(raw, &folder).map_err(wrong)
    }

    /// Checks what a file that lies in `folder` says.
    fn resolve(raw: Raw, folder: &Path) -> Result<Self, String> {
        if raw.member == 0 {
            return Err("member: share indices are 1 to 65535".into());
        }
        if !(1..=MAX_BATCH).contains(&raw.signing.max_batch) {
            let got = raw.signing.max_batch;
            return Err(format!(
                "signing.max_batch: expected 1 to {MAX_BATCH}, got {got}"
            ));
        }
        if raw.signing.max_waiting < raw.signing.max_batch {
            return Err("signing.max_waiting: must not be less than signing.max_batch".into());
        }
        let mut roster_pin = [0; 32];
        hex::decode_to_slice(raw.roster_pin.trim_start_matches("0x"), &mut roster_pin)
            .map_err(|_| "roster_pin: expected the first roster's hash in 64 hex digits")?;
        let worker = match raw.hsm.worker {
            // A bare name is a program beside this one; a path is a path.
            Some(path) if path.components().count() > 1 => folder.join(path),
            Some(name) => beside(&name)?,
            None => beside(Path::new(WORKER))?,
        };
        Ok(Self {
            member: raw.member,
            listen: raw.listen,
            metrics: raw.metrics,
            data_dir: folder.join(raw.data_dir),
            network: network(&raw.network, folder)?,
            roster: folder.join(raw.roster),
            roster_pin,
            permissions: folder.join(raw.permissions),
            tls_key: folder.join(raw.tls_key),
            tls_cert: folder.join(raw.tls_cert),
            hsm: HsmConfig {
                worker,
                module: folder.join(raw.hsm.module),
                token: raw.hsm.token,
                token_serial: raw.hsm.token_serial,
                pin_file: folder.join(raw.hsm.pin_file),
                residency: raw.hsm.dek_residency,
                env: raw
                    .hsm
                    .env
                    .into_iter()
                    .map(|(name, value)| (name, in_folder(value, folder)))
                    .collect(),
            },
            signing: raw.signing,
        })
    }

    /// Folder of the journal.
    #[must_use]
    pub fn journal_dir(&self) -> PathBuf {
        self.data_dir.join("journal")
    }

    /// Folder of the sealed shares.
    #[must_use]
    pub fn shares_dir(&self) -> PathBuf {
        self.data_dir.join("shares")
    }

    /// File of the sealed data key.
    #[must_use]
    pub fn sealed_dek(&self) -> PathBuf {
        self.data_dir.join("dek.sealed")
    }
}

fn in_folder(value: String, folder: &Path) -> String {
    let path = folder.join(&value);
    match path.to_str() {
        Some(path_text) if !value.is_empty() && path.is_file() => path_text.to_owned(),
        _ => value,
    }
}

fn beside(name: &Path) -> Result<PathBuf, String> {
    let this = std::env::current_exe()
        .map_err(|error| format!("hsm.worker: this program's own place is not known: {error}"))?;
    Ok(this.with_file_name(name))
}

fn network(value: &str, folder: &Path) -> Result<Network, String> {
    if let Some(network) = Network::named(value) {
        return Ok(network);
    }
    let path = folder.join(value);
    let names = Network::NAMES.join(", ");
    if !path.exists() {
        return Err(format!(
            "network: {value:?} is neither a file nor one of {names}"
        ));
    }
    let max = u64::try_from(MAX_CONFIG_BYTES).unwrap_or(u64::MAX);
    let bytes = files::read_bounded(&path, max).map_err(|error| format!("network: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("network: {value:?} is not UTF-8"))?;
    Network::from_config_yaml(&text).map_err(|error| format!("network: {value}: {error}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    member: u16,
    listen: SocketAddr,
    metrics: SocketAddr,
    data_dir: PathBuf,
    network: String,
    roster: PathBuf,
    roster_pin: String,
    permissions: PathBuf,
    tls_key: PathBuf,
    tls_cert: PathBuf,
    hsm: RawHsm,
    #[serde(default)]
    signing: SigningConfig,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHsm {
    worker: Option<PathBuf>,
    module: PathBuf,
    token: String,
    token_serial: Option<String>,
    pin_file: PathBuf,
    #[serde(default)]
    dek_residency: Residency,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

const WORKER: &str = "symbolon-hsm-worker";

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        format!(
            "member = 1\nlisten = \"127.0.0.1:7001\"\nmetrics = \"127.0.0.1:7101\"\n\
             data_dir = \"data\"\nnetwork = \"mainnet\"\nroster = \"roster.cbor\"\n\
             roster_pin = \"{}\"\npermissions = \"permissions.toml\"\ntls_key = \"tls.key\"\n\
             tls_cert = \"tls.crt\"\n[hsm]\nmodule = \"/m.so\"\ntoken = \"t\"\n\
             pin_file = \"pin\"\nenv = {{ SOFTHSM2_CONF = \"x\" }}\n",
            "ab".repeat(32)
        )
    }

    fn parse(text: &str) -> Result<Config, StartError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn paths_are_relative_to_the_file_and_defaults_hold() {
        let raw = settings::parse(&text(), Path::new("server.toml")).unwrap();
        let config = Config::resolve(raw, Path::new("/srv/one")).unwrap();
        assert_eq!(config.journal_dir(), Path::new("/srv/one/data/journal"));
        assert_eq!(config.hsm.module, Path::new("/m.so"));
        assert_eq!(config.hsm.pin_file, Path::new("/srv/one/pin"));
        assert!(config.hsm.worker.ends_with(WORKER) && config.hsm.worker.is_absolute());
        assert_eq!(config.hsm.residency, Residency::Resident);
        assert_eq!(
            config.signing.window(),
            Window {
                past_slots: 64,
                future_slots: 64
            }
        );
        assert_eq!(
            (config.signing.max_batch, config.signing.max_waiting),
            (1024, 4096)
        );
        assert_eq!(config.roster_pin, [0xab; 32]);
    }

    #[test]
    fn errors_name_line_or_setting() {
        for (change, expected) in [
            (("member = 1", "member = 0"), "member: share indices"),
            (("member = 1", "member = 70000"), "line 1"),
            (("[hsm]", "extra = 1\n[hsm]"), "unknown field `extra`"),
            (
                ("mainnet", "nowhere"),
                "network: \"nowhere\" is neither a file nor one of mainnet",
            ),
            (("abab", "zz"), "roster_pin: expected"),
            (("token = \"t\"\n", ""), "missing field `token`"),
            (
                ("[hsm]", "[signing]\nmax_batch = 2000\n[hsm]"),
                "signing.max_batch: expected 1 to",
            ),
            (
                ("[hsm]", "[signing]\nmax_waiting = 3\n[hsm]"),
                "signing.max_waiting: must not",
            ),
        ] {
            let error = parse(&text().replacen(change.0, change.1, 1))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected) && error.contains("server.toml"),
                "{error}"
            );
        }
    }
}
