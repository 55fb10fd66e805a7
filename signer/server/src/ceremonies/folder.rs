//! Where the files of ceremonies lie: one folder for each, public messages and sealed secrets.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use symbolon_ceremony::{CeremonyId, FileName};
use symbolon_daemon::files::{self, FileError};

/// The folder of all ceremonies.
#[derive(Debug, Clone)]
pub(crate) struct CeremonyFolder {
    path: PathBuf,
}

impl CeremonyFolder {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn read(&self, ceremony: CeremonyId, name: FileName) -> Result<Vec<u8>, FileError> {
        files::read_bounded(&self.of(ceremony).join(name.to_string()), MAX_FILE)
    }

    pub(super) fn write(
        &self,
        ceremony: CeremonyId,
        name: FileName,
        bytes: &[u8],
    ) -> Result<(), FileError> {
        files::write_atomic(&self.make(ceremony)?.join(name.to_string()), bytes)
    }

    /// A sealed secret; `None` where there is none.
    pub(super) fn read_sealed(
        &self,
        ceremony: CeremonyId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let path = self.of(ceremony).join(name);
        if !path.exists() {
            return Ok(None);
        }
        files::read_bounded(&path, MAX_FILE).map(Some)
    }

    pub(super) fn write_sealed(
        &self,
        ceremony: CeremonyId,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), FileError> {
        files::write_atomic(&self.make(ceremony)?.join(name), bytes)
    }

    pub(super) fn erase_sealed(&self, ceremony: CeremonyId, name: &str) -> Result<(), FileError> {
        erase(&self.of(ceremony).join(name))
    }

    fn of(&self, ceremony: CeremonyId) -> PathBuf {
        self.path.join(ceremony.to_string())
    }

    fn make(&self, ceremony: CeremonyId) -> Result<PathBuf, FileError> {
        let path = self.of(ceremony);
        make_folder(&path)?;
        Ok(path)
    }
}

/// Makes a folder, and those above it, durably.
pub(crate) fn make_folder(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Ok(());
    }
    let failed = |action| {
        move |cause| FileError::Io {
            action,
            path: path.to_owned(),
            cause,
        }
    };
    fs::create_dir_all(path).map_err(failed("create"))?;
    sync_parent(path).map_err(failed("sync the folder of"))
}

/// Removes a file durably; one that is not there is gone already.
pub(super) fn erase(path: &Path) -> Result<(), FileError> {
    let failed = |action| {
        move |cause| FileError::Io {
            action,
            path: path.to_owned(),
            cause,
        }
    };
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path).map_err(failed("sync the folder of")),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(failed("remove")(cause)),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// The largest deal has about 1.3 MB, the largest descriptor 4 MiB.
const MAX_FILE: u64 = 16 * 1024 * 1024;
