//! Reading roster and permissions again while running.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon_daemon::files;
use symbolon_signing::{MAX_PERMISSIONS_BYTES, Permissions};

use crate::engine::Engine;
use crate::error::StartError;
use crate::parties::Parties;

/// What a reload reads and where it goes.
#[derive(Debug)]
pub(crate) struct Reloader {
    pub(crate) parties: Arc<Parties>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) permissions: PathBuf,
}

impl Reloader {
    /// Reads all files, then puts all of them in force, or nothing. Blocks on the disk.
    pub(crate) fn reload(&self) -> Result<String, StartError> {
        let permissions = read_permissions(&self.permissions)?;
        let roster = self.parties.reload()?;
        let grants = permissions.len();
        self.engine.permissions.store(Arc::new(permissions));
        Ok(format!(
            "roster {roster} and {grants} grants of permission are in force"
        ))
    }

    /// As [`Reloader::reload`], with the outcome in the log.
    pub(crate) fn reload_and_log(&self) {
        match self.reload() {
            Ok(done) => tracing::info!("reloaded: {done}"),
            Err(error) => tracing::error!(%error, "nothing was reloaded"),
        }
    }
}

pub(crate) fn read_permissions(path: &Path) -> Result<Permissions, StartError> {
    let config = |cause: String| StartError::Config {
        path: path.to_owned(),
        cause,
    };
    let max = u64::try_from(MAX_PERMISSIONS_BYTES).unwrap_or(u64::MAX);
    let bytes = files::read_bounded(path, max)?;
    let text = String::from_utf8(bytes).map_err(|_| config("is not UTF-8 text".into()))?;
    Permissions::parse(&text).map_err(|cause| StartError::Permissions {
        path: path.to_owned(),
        cause,
    })
}
