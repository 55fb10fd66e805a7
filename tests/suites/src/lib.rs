//! What the tests of real processes share.
//!
//! Each test starts a laboratory of its own: SoftHSM tokens, the shipped programs as processes,
//! TLS between them. Nothing here is a model of anything.
#![forbid(unsafe_code)]

mod message;

use std::path::{Path, PathBuf};

use symbolon_lab::{
    Audience, KeySource, Lab, LabError, LabOptions, Story, write_interop_keystores,
};

pub use message::{attestation, block};

/// A folder of test data beside the repository; `None`, said aloud, where it is not there. In CI it
/// must be.
///
/// # Errors
///
/// Missing in CI.
pub fn shared(name: &str) -> Result<Option<PathBuf>, String> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(name);
    if path.is_dir() {
        return Ok(Some(path));
    }
    if std::env::var_os("CI").is_some() {
        return Err(format!("the test data {name} is not beside the repository"));
    }
    eprintln!("left out: the test data {name} is not beside the repository");
    Ok(None)
}

/// A cluster of `servers` with the interop keys 0 to `keys` - 1, split by an import.
///
/// # Errors
///
/// It does not come up.
pub fn interop_lab(
    servers: u16,
    threshold: u16,
    keys: u64,
    network: Option<String>,
    folder: &Path,
) -> Result<Lab, LabError> {
    let (keystores, passwords) = (folder.join("keystores"), folder.join("passwords"));
    write_interop_keystores(0..keys, &keystores, &passwords)?;
    let options = LabOptions {
        servers,
        threshold,
        keys: KeySource::Keystores {
            keystores,
            passwords,
        },
        network,
        ..LabOptions::default()
    };
    Lab::up(&options, &quiet())
}

/// A story that nobody hears.
#[must_use]
pub fn quiet() -> Story {
    Story::begin(Audience::Nobody)
}

/// Writes the configuration of a chain without a clock, all forks up to Capella at epoch 0; gives
/// its path.
///
/// # Errors
///
/// The file cannot be written.
pub fn timeless_network(
    folder: &Path,
    genesis_validators_root: &str,
) -> Result<String, std::io::Error> {
    let path = folder.join("network.yaml");
    let mut text = "PRESET_BASE: 'mainnet'\nCONFIG_NAME: 'timeless'\nMIN_GENESIS_TIME: 0\n\
                    SECONDS_PER_SLOT: 12\nGENESIS_FORK_VERSION: 0x00000001\n"
        .to_owned();
    for (number, fork) in ["ALTAIR", "BELLATRIX", "CAPELLA"].iter().enumerate() {
        let version = number.saturating_add(1);
        text.push_str(&format!(
            "{fork}_FORK_VERSION: 0x0{version}000001\n{fork}_FORK_EPOCH: 0\n"
        ));
    }
    text.push_str(&format!(
        "GENESIS_VALIDATORS_ROOT: {genesis_validators_root}\n"
    ));
    std::fs::write(&path, text)?;
    Ok(path.to_string_lossy().into_owned())
}
