//! The worker process: all vendor code lives here, so that a crash or a hang stays here.
//!
//! It takes no arguments and reads no configuration: its parent tells it over standard input which
//! module and token to open, and with which PIN. It ends when standard input does. Its log goes to
//! standard error, at the level that `SYMBOLON_LOG` names (`info` without it).
#![forbid(unsafe_code)]

use anyhow::{Context, bail};
use hsm_api::run_worker;
use hsm_pkcs11::Pkcs11Opener;
use tracing_subscriber::EnvFilter;

fn main() -> anyhow::Result<()> {
    if std::env::args_os().len() > 1 {
        bail!("symbolon-hsm-worker takes no arguments; symbolon-server starts it and talks to it");
    }
    let level = EnvFilter::try_from_env("SYMBOLON_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!("log: {error}"))?;
    run_worker(&Pkcs11Opener).context("the system refuses to harden the worker")
}
