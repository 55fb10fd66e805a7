//! Files: bounded reading, atomic writing, and keys that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system's refusal.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// The file is larger than such a file may be.
    #[error("{} is larger than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes allowed.
        max: u64,
    },
    /// Not a regular file.
    #[error("{} is not a regular file", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read a secret.
    #[error("{} is readable by others than its owner (mode {mode:o}): chmod 600 it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
///
/// Not there, not regular, too large.
pub fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    read(path, max, false)
}

/// As [`read_bounded`], for a file that nobody but its owner may read.
///
/// # Errors
///
/// As there, or the file is open to others.
pub fn read_secret(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    read(path, max, true)
}

fn read(path: &Path, max: u64, secret: bool) -> Result<Vec<u8>, FileError> {
    let failed = |action| {
        move |cause| FileError::Io {
            action,
            path: path.to_owned(),
            cause,
        }
    };
    // Opening a FIFO must not wait for a writer.
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default())
        .open(path)
        .map_err(failed("open"))?;
    let about = file.metadata().map_err(failed("look at"))?;
    if !about.is_file() {
        return Err(FileError::NotRegular {
            path: path.to_owned(),
        });
    }
    let mode = about.permissions().mode() & 0o777;
    if secret && mode & 0o077 != 0 {
        return Err(FileError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    if about.len() > max {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            max,
        });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default());
    (&mut file)
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed("read"))?;
    if u64::try_from(bytes.len()).map_or(true, |len| len > max) {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            max,
        });
    }
    Ok(bytes)
}

/// Writes a file so that it is there whole or not at all, also after a power cut; readable by its
/// owner only.
///
/// # Errors
///
/// The folder is not there or not writable, or the disk is full.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |action| {
        move |cause| FileError::Io {
            action,
            path: path.to_owned(),
            cause,
        }
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = folder.join(name);
    let written = write_synced(&part, bytes).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // What is left of the part is worth nothing.
        fs::remove_file(&part).ok();
    }
    written.map_err(failed("write"))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync the folder of"))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What an earlier attempt left keeps its own permissions, and a link would lead elsewhere.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_only_the_owner_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(read_secret(&path, 3).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            read_secret(&path, 3),
            Err(FileError::TooOpen { mode: 0o640, .. })
        ));
    }

    #[test]
    fn leftover_part_gives_away_neither_permissions_nor_place() {
        let folder = tempfile::tempdir().unwrap();
        let (path, part) = (folder.path().join("key"), folder.path().join("key.part"));
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&part, b"old").unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o644)).unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(read_secret(&path, 3).unwrap(), b"new");
        std::os::unix::fs::symlink(&elsewhere, &part).unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(read_secret(&path, 3).unwrap(), b"two");
        assert!(!elsewhere.exists());
    }

    #[test]
    fn too_large_and_not_regular_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomic(&path, b"1234").unwrap();
        assert!(matches!(
            read_bounded(&path, 3),
            Err(FileError::TooLarge { max: 3, .. })
        ));
        assert!(matches!(
            read_bounded(folder.path(), 3),
            Err(FileError::NotRegular { .. })
        ));
        assert!(matches!(
            read_bounded(&folder.path().join("none"), 3),
            Err(FileError::Io { action: "open", .. })
        ));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_atomic(Path::new("/nonexistent/x"), b"").unwrap_err();
        assert!(
            error.to_string().starts_with("cannot write /nonexistent/x"),
            "{error}"
        );
    }
}
