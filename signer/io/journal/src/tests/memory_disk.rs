//! A directory in memory: what was flushed, what was only written, and faults at chosen operations.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::disk::{Disk, DiskFile};

/// Clones share the directory.
#[derive(Clone, Default)]
pub(super) struct MemoryDisk(Arc<(Mutex<Inner>, Condvar)>);

/// What happens at one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It fails without effect, later ones work.
    Error,
    /// A write writes half and fails; another operation fails without effect.
    HalfThenError,
    /// A write writes half and says so; another operation works.
    Half,
    /// A write writes nothing and says so; another operation fails.
    Nothing,
    /// The power goes: it has its effect in memory, but it and all later ones fail.
    PowerCut,
}

#[derive(Default)]
struct Inner {
    files: Vec<File>,
    live: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// Changes of names since the directory was flushed, in order.
    changes: Vec<BTreeMap<String, usize>>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    dead: bool,
    syncs_blocked: bool,
    blocked: usize,
}

#[derive(Clone, Default)]
struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    unflushed: Vec<(usize, Vec<u8>)>,
}

impl MemoryDisk {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.0.lock().unwrap()
    }

    /// Lets the operation with this number (from 0) go wrong.
    pub(super) fn fault_at(&self, operation: u64, fault: Fault) {
        self.lock().fault = Some((operation, fault));
    }

    pub(super) fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Makes flushes wait, or lets them go.
    pub(super) fn block_syncs(&self, blocked: bool) {
        self.lock().syncs_blocked = blocked;
        self.0.1.notify_all();
    }

    /// Waits until a flush waits.
    pub(super) fn wait_for_blocked_sync(&self) {
        let mut inner = self.lock();
        while inner.blocked == 0 {
            inner = self.0.1.wait(inner).unwrap();
        }
    }

    /// The files as a new process sees them after the old one was killed.
    pub(super) fn after_kill(&self) -> Self {
        let inner = self.lock();
        let files = inner
            .live
            .iter()
            .map(|(name, id)| (name, inner.files[*id].live.clone()));
        Self::of(files)
    }

    /// The files after the power went: of what was not flushed, any sectors and the first few
    /// changes of names, as `seed` says.
    pub(super) fn after_power_cut(&self, seed: u64) -> Self {
        let inner = self.lock();
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = move |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % below as u64).unwrap()
        };
        let kept = draw(inner.changes.len() + 1);
        let names = if kept == 0 {
            &inner.durable
        } else {
            &inner.changes[kept - 1]
        };
        let mut files = BTreeMap::new();
        for (name, id) in names {
            let file = &inner.files[*id];
            let mut bytes = file.durable.clone();
            for (offset, written) in &file.unflushed {
                for (index, sector) in written.chunks(SECTOR).enumerate() {
                    if draw(2) == 0 {
                        put(&mut bytes, offset + index * SECTOR, sector);
                    }
                }
            }
            files.insert(name, bytes);
        }
        Self::of(files.into_iter())
    }

    fn of<'a>(files: impl Iterator<Item = (&'a String, Vec<u8>)>) -> Self {
        let disk = Self::default();
        for (name, bytes) in files {
            disk.put(name, bytes);
        }
        disk
    }

    /// A copy that shares nothing.
    pub(super) fn copy(&self) -> Self {
        self.after_kill()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.lock().live.keys().cloned().collect()
    }

    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        let inner = self.lock();
        inner.files[inner.live[name]].live.clone()
    }

    /// Puts a durable file there.
    pub(super) fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut inner = self.lock();
        let id = inner.files.len();
        inner.files.push(File {
            live: bytes.clone(),
            durable: bytes,
            unflushed: Vec::new(),
        });
        inner.live.insert(name.to_owned(), id);
        inner.durable = inner.live.clone();
    }

    pub(super) fn delete(&self, name: &str) {
        let mut inner = self.lock();
        inner.live.remove(name).unwrap();
        inner.durable = inner.live.clone();
    }
}

impl Inner {
    /// Counts an operation; the fault if it is its turn.
    fn step(&mut self) -> io::Result<Option<Fault>> {
        if self.dead {
            return Err(io::Error::other("no power"));
        }
        let number = self.operations;
        self.operations += 1;
        Ok(self
            .fault
            .filter(|(at, _)| *at == number)
            .map(|(_, fault)| fault))
    }

    /// As [`step`](Self::step), for what either happens or does not.
    fn plain(&mut self) -> io::Result<()> {
        match self.step()? {
            None | Some(Fault::Half) => Ok(()),
            Some(Fault::PowerCut) => {
                self.dead = true;
                Err(io::Error::other("no power"))
            }
            Some(_) => Err(io::Error::other("injected")),
        }
    }

    fn renamed(&mut self) {
        let names = self.live.clone();
        self.changes.push(names);
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset + written.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[offset..end].copy_from_slice(written);
}

impl Disk for MemoryDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut inner = self.lock();
        inner.plain()?;
        Ok(inner.live.keys().cloned().collect())
    }

    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut inner = self.lock();
        inner.plain()?;
        let id = *inner.live.get(name).ok_or(io::ErrorKind::NotFound)?;
        let bytes = inner.files[id].live.clone();
        if bytes.len() as u64 > limit {
            Err(io::ErrorKind::FileTooLarge.into())
        } else {
            Ok(bytes)
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.lock();
        inner.plain()?;
        let id = *inner.live.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(MemoryFile {
            disk: self.clone(),
            id,
        }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.lock();
        let result = inner.plain();
        if result.is_err() && !inner.dead {
            result?;
        }
        let id = inner.files.len();
        inner.files.push(File::default());
        inner.live.insert(name.to_owned(), id);
        inner.renamed();
        Ok(Box::new(MemoryFile {
            disk: self.clone(),
            id,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let result = inner.plain();
        if result.is_ok() || inner.dead {
            let id = inner.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
            inner.live.insert(to.to_owned(), id);
            inner.renamed();
        }
        result
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let result = inner.plain();
        if result.is_ok() || inner.dead {
            inner.live.remove(name).ok_or(io::ErrorKind::NotFound)?;
            inner.renamed();
        }
        result
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.plain()?;
        inner.durable = inner.live.clone();
        inner.changes.clear();
        Ok(())
    }

    fn dir(&self) -> &Path {
        Path::new("memory")
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    id: usize,
}

impl DiskFile for MemoryFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut inner = self.disk.lock();
        let half = bytes.len().div_ceil(2);
        let (written, result) = match inner.step()? {
            None => (bytes.len(), Ok(bytes.len())),
            Some(Fault::Error) => (0, Err(io::Error::other("injected"))),
            Some(Fault::HalfThenError) => (half, Err(io::Error::other("injected"))),
            Some(Fault::Half) => (half, Ok(half)),
            Some(Fault::Nothing) => (0, Ok(0)),
            Some(Fault::PowerCut) => {
                inner.dead = true;
                (bytes.len(), Err(io::Error::other("no power")))
            }
        };
        let offset = usize::try_from(offset).unwrap();
        let file = &mut inner.files[self.id];
        put(&mut file.live, offset, &bytes[..written]);
        file.unflushed.push((offset, bytes[..written].to_vec()));
        result
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.lock();
        inner.blocked += 1;
        self.disk.0.1.notify_all();
        while inner.syncs_blocked {
            inner = self.disk.0.1.wait(inner).unwrap();
        }
        inner.blocked -= 1;
        inner.plain()?;
        let file = &mut inner.files[self.id];
        file.durable = file.live.clone();
        file.unflushed.clear();
        Ok(())
    }
}

const SECTOR: usize = 128;
