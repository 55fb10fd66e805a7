//! The next segment's file, filled with zeros ahead of time.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::disk::{Disk, DiskFile, write_zeros};
use crate::segment::Failure;

/// Makes the file of the next segment, at once or on a thread of its own: filling 16 MiB takes
/// longer than a signing request may wait.
pub(crate) struct Spare {
    file_len: u64,
    running: Option<JoinHandle<Result<Box<dyn DiskFile>, Failure>>>,
}

impl Spare {
    pub(crate) fn new(file_len: u64) -> Self {
        Self {
            file_len,
            running: None,
        }
    }

    /// Begins to fill a file in the background unless that is done already.
    pub(crate) fn prepare(&mut self, disk: &Arc<dyn Disk>) {
        if self.running.is_none() {
            let (disk, file_len) = (Arc::clone(disk), self.file_len);
            // Where no thread can be had, `take` does the work.
            self.running = std::thread::Builder::new()
                .name("journal-spare".to_owned())
                .spawn(move || make(disk.as_ref(), file_len))
                .ok();
        }
    }

    /// The file under [`NAME`], ready to be renamed.
    pub(crate) fn take(&mut self, disk: &dyn Disk) -> Result<Box<dyn DiskFile>, Failure> {
        match self.running.take().map(JoinHandle::join) {
            Some(Ok(Ok(file))) => Ok(file),
            // What failed in the background may have passed: a disk that was full for a while.
            Some(Ok(Err(_)) | Err(_)) | None => make(disk, self.file_len),
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        // The lock of the directory must outlive every writer in it.
        if let Some(Err(panic)) = self.running.take().map(JoinHandle::join) {
            drop(panic);
        }
    }
}

fn make(disk: &dyn Disk, file_len: u64) -> Result<Box<dyn DiskFile>, Failure> {
    let file = disk
        .create(NAME)
        .map_err(Failure::doing("create a segment"))?;
    write_zeros(file.as_ref(), 0, file_len).map_err(Failure::doing("fill a segment"))?;
    file.sync().map_err(Failure::doing("flush a segment"))?;
    Ok(file)
}

/// Name of the file until it becomes a segment.
pub(crate) const NAME: &str = "segment.tmp";
