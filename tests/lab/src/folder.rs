//! The folder of a laboratory: made, locked, emptied.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::LabError;
use crate::record::LabRecord;

/// A folder that one process at a time works on; it also marks the folder as a laboratory's.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    _lock: File,
}

impl Folder {
    /// A folder for a new laboratory. What an earlier one left there, which must not run any more,
    /// is removed; any other content is left alone and refused.
    pub(crate) fn create(dir: &Path) -> Result<Self, LabError> {
        fs::create_dir_all(dir).map_err(LabError::io("create", dir))?;
        let dir = dir.canonicalize().map_err(LabError::io("look at", dir))?;
        let entries: Vec<PathBuf> = fs::read_dir(&dir)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect()
            })
            .map_err(LabError::io("look into", &dir))?;
        let mark = dir.join(MARK);
        if !entries.is_empty() && !mark.exists() {
            return Err(LabError::NotEmpty { dir });
        }
        let folder = Self::lock(dir)?;
        match LabRecord::read_any(&folder.dir) {
            Ok(record) if record.is_running() => {
                return Err(LabError::Runs { dir: folder.dir });
            }
            // What does not parse is of no use to anybody.
            Ok(_) | Err(_) => {}
        }
        for entry in entries.iter().filter(|entry| **entry != mark) {
            let removed = if entry.is_dir() {
                fs::remove_dir_all(entry)
            } else {
                fs::remove_file(entry)
            };
            removed.map_err(LabError::io("remove", entry))?;
        }
        Ok(folder)
    }

    /// The folder of a laboratory that is there.
    pub(crate) fn open(dir: &Path) -> Result<Self, LabError> {
        let none = || LabError::NoLab {
            dir: dir.to_owned(),
        };
        let dir = dir.canonicalize().map_err(|_| none())?;
        if !dir.join(MARK).exists() {
            return Err(none());
        }
        Self::lock(dir)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn lock(dir: PathBuf) -> Result<Self, LabError> {
        let mark = dir.join(MARK);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&mark)
            .map_err(LabError::io("open", &mark))?;
        let started = Instant::now();
        while let Err(error) = file.try_lock() {
            match error {
                fs::TryLockError::WouldBlock if started.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(50));
                }
                fs::TryLockError::WouldBlock => return Err(LabError::Busy { dir }),
                fs::TryLockError::Error(cause) => return Err(LabError::io("lock", &mark)(cause)),
            }
        }
        Ok(Self { dir, _lock: file })
    }
}

const MARK: &str = "lab.lock";
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_laboratorys_own_folder_is_emptied() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("new/lab");
        let folder = Folder::create(&dir).unwrap();
        fs::create_dir_all(dir.join("server-1/data")).unwrap();
        fs::write(dir.join("lab.json"), "nonsense").unwrap();
        drop(folder);
        drop(Folder::create(&dir).unwrap());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::write(outer.path().join("letter"), "dear").unwrap();
        let error = Folder::create(outer.path()).unwrap_err();
        assert!(matches!(error, LabError::NotEmpty { .. }), "{error}");
        assert!(matches!(
            Folder::open(outer.path()),
            Err(LabError::NoLab { .. })
        ));
        assert!(matches!(
            Folder::open(Path::new("/nowhere")),
            Err(LabError::NoLab { .. })
        ));
    }

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(dir.path()).unwrap();
        let other = File::open(folder.dir().join(MARK)).unwrap();
        assert!(other.try_lock().is_err());
        drop(folder);
        assert!(other.try_lock().is_ok());
    }
}
