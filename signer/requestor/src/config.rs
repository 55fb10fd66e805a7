//! `requestor.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use symbolon_daemon::{files, settings};
use symbolon_duties::{MAX_CONFIG_BYTES, Network};
use symbolon_protocol::sign::MAX_BATCH;

use crate::error::StartError;

/// Everything that the file says, with absolute paths and the parsed network.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Name of this requestor in the roster.
    pub name: String,
    /// Where validator clients reach it.
    pub listen: SocketAddr,
    /// Where metrics and health are served, in plain.
    pub metrics: SocketAddr,
    /// The chain.
    pub network: Network,
    /// File of the roster chain.
    pub roster: PathBuf,
    /// Hash of the first roster, as people compared it.
    pub roster_pin: [u8; 32],
    /// File of the identity key, the TLS key towards the servers too.
    pub identity_key: PathBuf,
    /// File of its certificate.
    pub identity_cert: PathBuf,
    /// Folder of group descriptors.
    pub groups_dir: PathBuf,
    /// Folder where evidence of wrong answers is kept.
    pub evidence_dir: PathBuf,
    /// TLS towards validator clients; none only on loopback.
    pub front_tls: Option<FrontTls>,
    /// How long, how many at once.
    pub signing: SigningConfig,
}

/// TLS towards validator clients.
#[derive(Debug, Clone)]
pub struct FrontTls {
    /// File of the certificate chain.
    pub cert: PathBuf,
    /// File of the key.
    pub key: PathBuf,
    /// SHA-256 of the SubjectPublicKeyInfo of each client certificate that is let in.
    pub client_pins: Vec<[u8; 32]>,
}

/// How long, how many at once.
#[derive(Debug, Clone, Copy)]
pub struct SigningConfig {
    /// By then a validator client has its answer, whatever the servers do.
    pub deadline: Duration,
    /// Most duties in one batch.
    pub max_batch: usize,
    /// Most requests that wait for their answer at once; more are refused.
    pub max_waiting: usize,
}

impl Config {
    /// Reads a file; relative paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// [`StartError::Settings`] or [`StartError::Config`], which name file and setting.
    pub fn load(path: &Path) -> Result<Self, StartError> {
        let raw: Raw = settings::load(path)?;
        let wrong = |cause: String| StartError::Config {
            path: path.to_owned(),
            cause,
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = std::path::absolute(folder).map_err(|error| wrong(error.to_string()))?;
        Self::check(raw, &folder).map_err(wrong)
    }

    /// Checks the settings of a file that lies in `folder`.
    fn check(raw: Raw, folder: &Path) -> Result<Self, String> {
        let front_tls = front_tls(&raw, folder)?;
        let signing = signing(&raw.signing)?;
        Ok(Self {
            roster_pin: pin("roster_pin", &raw.roster_pin)?,
            name: raw.name,
            listen: raw.listen,
            metrics: raw.metrics,
            network: network(&raw.network, folder)?,
            roster: folder.join(raw.roster),
            identity_key: folder.join(raw.identity_key),
            identity_cert: folder.join(raw.identity_cert),
            groups_dir: folder.join(raw.groups_dir),
            evidence_dir: folder.join(raw.evidence_dir),
            front_tls,
            signing,
        })
    }
}

/// Whoever reaches the port can have everything signed that the requestor may ask for.
fn front_tls(raw: &Raw, folder: &Path) -> Result<Option<FrontTls>, String> {
    match (&raw.tls_cert, &raw.tls_key, &raw.client_pins) {
        (None, None, None) if raw.listen.ip().is_loopback() => Ok(None),
        (None, None, None) => Err(format!(
            "listen: {} is not on loopback: set tls_cert, tls_key and client_pins, \
             or listen on 127.0.0.1",
            raw.listen
        )),
        (Some(cert), Some(key), Some(pins)) if !pins.is_empty() => {
            let pins = pins.iter().map(|text| pin("client_pins", text));
            let client_pins = pins.collect::<Result<_, _>>()?;
            Ok(Some(FrontTls {
                cert: folder.join(cert),
                key: folder.join(key),
                client_pins,
            }))
        }
        _ => Err("tls_cert, tls_key and client_pins go together, with one pin or more".into()),
    }
}

fn signing(raw: &RawSigning) -> Result<SigningConfig, String> {
    if !(50..=60_000).contains(&raw.deadline_ms) {
        return Err(format!(
            "signing.deadline_ms: expected 50 to 60000, got {}",
            raw.deadline_ms
        ));
    }
    if !(1..=MAX_BATCH).contains(&raw.max_batch) {
        return Err(format!(
            "signing.max_batch: expected 1 to {MAX_BATCH}, got {}",
            raw.max_batch
        ));
    }
    if !(1..=1_000_000).contains(&raw.max_waiting) {
        return Err(format!(
            "signing.max_waiting: expected 1 to 1000000, got {}",
            raw.max_waiting
        ));
    }
    Ok(SigningConfig {
        deadline: Duration::from_millis(raw.deadline_ms),
        max_batch: raw.max_batch,
        max_waiting: raw.max_waiting,
    })
}

fn pin(setting: &str, text: &str) -> Result<[u8; 32], String> {
    let mut pin = [0; 32];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut pin)
        .map_err(|_| format!("{setting}: expected a SHA-256 hash in 64 hex digits"))?;
    Ok(pin)
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
    name: String,
    listen: SocketAddr,
    metrics: SocketAddr,
    network: String,
    roster: PathBuf,
    roster_pin: String,
    identity_key: PathBuf,
    identity_cert: PathBuf,
    groups_dir: PathBuf,
    evidence_dir: PathBuf,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    client_pins: Option<Vec<String>>,
    #[serde(default)]
    signing: RawSigning,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawSigning {
    deadline_ms: u64,
    max_batch: usize,
    max_waiting: usize,
}

impl Default for RawSigning {
    fn default() -> Self {
        Self {
            deadline_ms: 4000,
            max_batch: 512,
            max_waiting: 8192,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        format!(
            "name = \"req-1\"\nlisten = \"127.0.0.1:9000\"\nmetrics = \"127.0.0.1:9100\"\n\
             network = \"mainnet\"\nroster = \"roster.cbor\"\nroster_pin = \"{}\"\n\
             identity_key = \"identity.key\"\nidentity_cert = \"identity.crt\"\n\
             groups_dir = \"groups\"\nevidence_dir = \"evidence\"\n",
            "ab".repeat(32)
        )
    }

    fn check(text: &str) -> Result<Config, String> {
        let raw = settings::parse(text, Path::new("requestor.toml")).map_err(|e| e.to_string())?;
        Config::check(raw, Path::new("/srv/req"))
    }

    fn parse(from: &str, to: &str) -> Result<Config, String> {
        let text = text();
        assert!(text.contains(from), "{from}");
        check(&text.replacen(from, to, 1))
    }

    #[test]
    fn paths_are_relative_to_the_file_and_defaults_hold() {
        let config = check(&text()).unwrap();
        assert_eq!(config.groups_dir, Path::new("/srv/req/groups"));
        assert_eq!(config.roster_pin, [0xab; 32]);
        assert!(config.front_tls.is_none());
        let signing = config.signing;
        assert_eq!(signing.deadline, Duration::from_secs(4));
        assert_eq!((signing.max_batch, signing.max_waiting), (512, 8192));
    }

    #[test]
    fn plain_http_beyond_loopback_is_refused() {
        for address in [
            "0.0.0.0:9000",
            "192.0.2.1:9000",
            "[::]:9000",
            "[2001:db8::1]:9000",
        ] {
            let error = parse("127.0.0.1:9000", address).unwrap_err();
            assert!(error.contains("not on loopback"), "{error}");
        }
        assert!(parse("127.0.0.1:9000", "[::1]:9000").is_ok());
    }

    #[test]
    fn tls_settings_go_together() {
        let pins = format!("client_pins = [\"{}\"]\n", "cd".repeat(32));
        let tls = "tls_cert = \"a\"\ntls_key = \"b\"\n";
        let config = parse("name", &format!("{tls}{pins}name")).unwrap();
        assert_eq!(config.front_tls.unwrap().client_pins, [[0xcd; 32]]);
        for part in [
            tls,
            &pins,
            "tls_cert = \"a\"\ntls_key = \"b\"\nclient_pins = []\n",
        ] {
            let error = parse("name", &format!("{part}name")).unwrap_err();
            assert!(error.contains("go together"), "{error}");
        }
    }

    #[test]
    fn errors_name_line_or_setting() {
        for (from, to, expected) in [
            ("name", "names", "line 1, names: unknown field `names`"),
            ("127.0.0.1:9100", "here", "line 3, metrics:"),
            (
                "mainnet",
                "nowhere",
                "network: \"nowhere\" is neither a file nor one of mainnet",
            ),
            ("abab", "zz", "roster_pin: expected"),
            ("roster = \"roster.cbor\"\n", "", "missing field `roster`"),
            (
                "evidence_dir",
                "[signing]\nmax_batch = 2000\nevidence_dir",
                "unknown field",
            ),
        ] {
            let error = parse(from, to).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        for (setting, expected) in [
            ("deadline_ms = 1", "signing.deadline_ms: expected 50"),
            ("max_batch = 2000", "signing.max_batch: expected 1 to 1024"),
            ("max_waiting = 0", "signing.max_waiting: expected 1"),
        ] {
            let text = format!("{}[signing]\n{setting}\n", text());
            let error = check(&text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
