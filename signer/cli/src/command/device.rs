//! The device options that `server init` and `hsm check` share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use hsm_api::{ObjectLabel, PinSource, TokenSelector, WorkerConfig};

use super::setup::quoted;

/// A token behind a PKCS#11 module.
#[derive(Debug, Args)]
pub(crate) struct Device {
    /// The vendor's PKCS#11 module.
    #[arg(long)]
    module: PathBuf,
    /// Label of the token.
    #[arg(long = "token", alias = "label")]
    token: String,
    /// Serial number of the token, where labels are not distinct.
    #[arg(long)]
    token_serial: Option<String>,
    /// File that holds the PIN, readable by its owner only; without it the terminal is asked.
    #[arg(long)]
    pin_file: Option<PathBuf>,
    /// Environment of the module, as NAME=VALUE (for example SOFTHSM2_CONF=...).
    #[arg(long = "module-env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// The worker program; the one beside this program, if not given.
    #[arg(long)]
    worker: Option<PathBuf>,
}

impl Device {
    /// How to start the worker.
    pub(crate) fn config(&self) -> anyhow::Result<WorkerConfig> {
        let pin = match &self.pin_file {
            Some(path) => PinSource::File(absolute(path)?),
            None => PinSource::from_terminal(&format!("PIN of the token {:?}", self.token))?,
        };
        let token = TokenSelector {
            label: self.token.clone(),
            serial: self.token_serial.clone(),
        };
        let mut config = WorkerConfig::new(self.worker()?, absolute(&self.module)?, token, pin);
        config.env = self.environment()?;
        Ok(config)
    }

    /// The lines of a server's configuration in `dir`.
    pub(crate) fn lines(&self, dir: &Path) -> anyhow::Result<String> {
        let Some(pin_file) = &self.pin_file else {
            bail!("a server that starts by itself needs --pin-file");
        };
        let mut text = String::new();
        if let Some(worker) = &self.worker {
            text.push_str(&format!(
                "worker = {}\n",
                quoted(&path_text(&absolute(worker)?)?)
            ));
        }
        text.push_str(&format!(
            "module = {}\n",
            quoted(&path_text(&absolute(&self.module)?)?)
        ));
        text.push_str(&format!("token = {}\n", quoted(&self.token)));
        if let Some(serial) = &self.token_serial {
            text.push_str(&format!("token_serial = {}\n", quoted(serial)));
        }
        let pin = absolute(pin_file)?;
        let dir = absolute(dir)?;
        let pin = pin.strip_prefix(&dir).unwrap_or(&pin);
        text.push_str(&format!("pin_file = {}\n", quoted(&path_text(pin)?)));
        let environment = self.environment()?;
        if !environment.is_empty() {
            let pairs: Vec<String> = environment
                .iter()
                .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
                .collect();
            text.push_str(&format!("env = {{ {} }}\n", pairs.join(", ")));
        }
        Ok(text)
    }

    fn worker(&self) -> anyhow::Result<PathBuf> {
        if let Some(worker) = &self.worker {
            return absolute(worker);
        }
        let this = std::env::current_exe().context("cannot find this program's own folder")?;
        let worker = this.with_file_name("symbolon-hsm-worker");
        if !worker.exists() {
            bail!(
                "there is no symbolon-hsm-worker beside {}; install it there or give --worker",
                this.display()
            );
        }
        Ok(worker)
    }

    fn environment(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut environment = BTreeMap::new();
        for pair in &self.environment {
            let Some((name, value)) = pair.split_once('=') else {
                bail!("--module-env {pair:?} is not of the form NAME=VALUE");
            };
            environment.insert(name.to_owned(), value.to_owned());
        }
        Ok(environment)
    }
}

/// The name of a member in object labels on its token.
pub(crate) fn device_label(name: &str) -> anyhow::Result<ObjectLabel> {
    ObjectLabel::parse(name).with_context(|| format!("the name {name:?} is refused"))
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("the path {} is refused", path.display()))
}

fn path_text(path: &Path) -> anyhow::Result<String> {
    match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("the path {} is not UTF-8", path.display()),
    }
}
