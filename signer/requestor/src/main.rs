//! `symbolon-requestor --config requestor.toml`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use symbolon_daemon::hardening::harden;
use symbolon_daemon::shutdown::Shutdown;
use symbolon_daemon::telemetry::{self, LogFormat};
use symbolon_requestor::{Config, Requestor, StartError};

/// Answers validator clients over the Web3Signer interface with signatures of threshold servers.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// How log lines look: text or json.
    #[arg(long, default_value = "text", value_parser = str::parse::<LogFormat>)]
    log: LogFormat,
    /// Which lines are logged: a level with exceptions, as info,symbolon_requestor=debug.
    #[arg(long, default_value = "info", env = "SYMBOLON_LOG")]
    log_filter: String,
    /// Only reads the configuration and everything it names, and says what is wrong with it.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let hardening = harden();
    let arguments = Arguments::parse();
    if let Err(error) = telemetry::init(arguments.log, &arguments.log_filter) {
        return usage(&error);
    }
    if !hardening.is_complete() {
        tracing::warn!(%hardening, "not everything is hardened");
    }
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => return usage(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(config, arguments.check));
    // A batch that waits for a silent server must not hold the process.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(
            error @ (StartError::Listen { .. } | StartError::Signals(_) | StartError::Status(_)),
        ) => {
            tracing::error!(%error, "not started");
            ExitCode::FAILURE
        }
        Err(error) => usage(&error),
    }
}

async fn run(config: Config, check: bool) -> Result<(), StartError> {
    let stop = Shutdown::on_signals().map_err(StartError::Signals)?;
    let requestor = Requestor::bind(config).await?;
    if check {
        return Ok(());
    }
    requestor.run(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Exit code 2: usage or configuration.
fn usage(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!("{error}");
    ExitCode::from(2)
}
