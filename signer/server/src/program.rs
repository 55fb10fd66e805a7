//! The program around a server: arguments, hardening, logs, signals, exit codes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use symbolon_daemon::hardening::harden;
use symbolon_daemon::shutdown::Shutdown;
use symbolon_daemon::telemetry::{self, LogFormat};

use crate::config::Config;
use crate::error::StartError;
use crate::hooks::Hooks;
use crate::server::Server;

/// What the program is told.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// The configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// How log lines look: text or json.
    #[arg(long, default_value = "text", value_parser = str::parse::<LogFormat>)]
    pub log: LogFormat,
    /// Which lines are logged: a level with exceptions, as info,symbolon_server=debug.
    #[arg(long, default_value = "info", env = "SYMBOLON_LOG")]
    pub log_filter: String,
}

/// Runs a server until SIGTERM or SIGINT. Exit codes: 0 ok, 1 failed, 2 usage or configuration.
#[must_use]
pub fn run(arguments: &Arguments, hooks: Hooks) -> ExitCode {
    let hardening = harden();
    if let Err(error) = telemetry::init(arguments.log, &arguments.log_filter) {
        return usage(&error);
    }
    if hardening.is_complete() {
        tracing::debug!(%hardening, "hardened");
    } else {
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
    let ended = runtime.block_on(serve(config, hooks));
    // A call to the device that hangs must not hold the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_configuration() => usage(&error),
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config, hooks: Hooks) -> Result<(), StartError> {
    let stop = Shutdown::on_signals().map_err(|cause| StartError::System {
        doing: "listen for signals",
        cause,
    })?;
    let starting = Server::start(config, hooks);
    tokio::select! {
        started = starting => started?.run(stop).await?,
        () = stop.requested() => {}
    }
    tracing::info!("stopped");
    Ok(())
}

fn usage(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!("{error}");
    ExitCode::from(2)
}
