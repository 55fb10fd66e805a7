//! Real tokens for tests: SoftHSM in a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use hsm_api::{PinSource, TokenSelector, WorkerConfig};
use symbolon_secmem::SecretBytes;

/// A token of SoftHSM in a folder of its own.
#[derive(Clone, Debug)]
pub struct SoftHsmToken {
    /// The PKCS#11 module.
    pub module: PathBuf,
    /// The module's configuration, for the variable `SOFTHSM2_CONF`.
    pub config: PathBuf,
    /// The token's label.
    pub label: String,
    /// The user PIN.
    pub pin: String,
}

impl SoftHsmToken {
    /// Makes a token; several may share a folder.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::NotInstalled`] says which package to install.
    pub fn create(folder: &Path, label: &str, pin: &str) -> Result<Self, SoftHsmError> {
        let module = module()?;
        let tokens = folder.join("tokens");
        fs::create_dir_all(&tokens)?;
        let config = folder.join("softhsm2.conf");
        fs::write(
            &config,
            format!(
                "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
                tokens.display()
            ),
        )?;
        let output = Command::new("softhsm2-util")
            .args([
                "--init-token",
                "--free",
                "--label",
                label,
                "--so-pin",
                SO_PIN,
                "--pin",
                pin,
            ])
            .env("SOFTHSM2_CONF", &config)
            .output()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => SoftHsmError::NotInstalled,
                _ => SoftHsmError::Io(error),
            })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(SoftHsmError::Refused { said });
        }
        Ok(Self {
            module,
            config,
            label: label.to_owned(),
            pin: pin.to_owned(),
        })
    }

    /// Settings for a worker on this token.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::Pin`] when the PIN is longer than any secret may be.
    pub fn worker_config(&self, program: PathBuf) -> Result<WorkerConfig, SoftHsmError> {
        let selector = TokenSelector {
            label: self.label.clone(),
            serial: None,
        };
        let pin = SecretBytes::from_string(self.pin.clone()).map_err(|_| SoftHsmError::Pin)?;
        let mut config = WorkerConfig::new(
            program,
            self.module.clone(),
            selector,
            PinSource::Given(pin),
        );
        config.env.insert(
            "SOFTHSM2_CONF".to_owned(),
            self.config.display().to_string(),
        );
        Ok(config)
    }
}

/// Where the module is: `SOFTHSM2_MODULE`, or the places where distributions put it.
fn module() -> Result<PathBuf, SoftHsmError> {
    std::env::var_os("SOFTHSM2_MODULE")
        .map(PathBuf::from)
        .into_iter()
        .chain(PLACES.iter().map(PathBuf::from))
        .find(|place| place.is_file())
        .ok_or(SoftHsmError::NotInstalled)
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SoftHsmError {
    /// SoftHSM is not there.
    #[error(
        "SoftHSM is not installed: run apt-get install -y softhsm2 (or point SOFTHSM2_MODULE at libsofthsm2.so)"
    )]
    NotInstalled,
    /// The tool refused.
    #[error("softhsm2-util made no token: {said}")]
    Refused {
        /// What it printed.
        said: String,
    },
    /// The PIN is too long.
    #[error("the PIN is too long")]
    Pin,
    /// A file could not be written.
    #[error("SoftHSM folder: {0}")]
    Io(#[from] io::Error),
}

const SO_PIN: &str = "12345678";
const PLACES: [&str; 6] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];
