//! Ctrl-C while a cluster comes up: what was started is ended.

use std::path::PathBuf;
use std::thread;

use symbolon_lab::Lab;
use tokio::signal::unix::{SignalKind, signal};

/// From now on SIGINT and SIGTERM end this process and every process of the laboratory in `dir`.
pub(crate) fn end_lab_on_signal(dir: PathBuf) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            // The laboratory's own thread holds the folder's lock; its record is read without.
            if let Err(error) = Lab::abandon(&dir) {
                crate::cli::complain(&format!("interrupted; {error}"));
            }
            std::process::exit(INTERRUPTED);
        })?;
    Ok(())
}

/// As shells report an interrupt.
const INTERRUPTED: i32 = 130;
