//! One process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::OpenError;

/// Holds the advisory lock (`flock`) of a directory until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct DirLock {
    file: File,
}

impl DirLock {
    pub(crate) fn acquire(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(NAME);
        let io = |doing, source| OpenError::Io {
            doing,
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| io("open", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&file);
                return Err(OpenError::Locked {
                    dir: dir.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(io("lock", source)),
        }
        write_name(&mut file).map_err(|source| io("write", source))?;
        Ok(Self { file })
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        // Closing alone would keep the lock while a child is between fork and exec.
        drop(self.file.unlock());
    }
}

/// Leaves name and process id for the message that the next one gets.
fn write_name(file: &mut File) -> io::Result<()> {
    let name = std::env::current_exe()
        .ok()
        .and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| "unnamed".to_owned());
    file.set_len(0)?;
    writeln!(file, "{name} (process {})", std::process::id())
}

/// What the holder wrote, reduced to one short line of printable characters.
fn holder(file: &File) -> String {
    let mut bytes = Vec::new();
    let read = file.take(HOLDER_LIMIT).read_to_end(&mut bytes);
    let name: String = String::from_utf8_lossy(&bytes)
        .trim()
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .collect();
    if read.is_err() || name.is_empty() {
        "another process".to_owned()
    } else {
        name
    }
}

/// Name of the lock file.
pub(crate) const NAME: &str = "lock";

const HOLDER_LIMIT: u64 = 200;
