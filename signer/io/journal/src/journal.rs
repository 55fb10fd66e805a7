//! The journal itself, for one writer.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::counters::{CounterValues, Counters};
use crate::disk::{Disk, RealDisk};
use crate::error::{AppendError, OpenError, SnapshotError};
use crate::frame::{FrameKind, encode, frame_len};
use crate::key::{JournalKey, Tag};
use crate::lock::DirLock;
use crate::options::Options;
use crate::receipt::{Head, Receipt};
use crate::record::{Batch, MAX_BATCH_BYTES, Record, Sequence};
use crate::recover::{Layout, Recovered, io_error, recover};
use crate::replay::{Replay, TornTail};
use crate::segment::{
    self, Failure, HEADER_LEN, JournalId, Link, SEAL_LEN, SEGMENT_BYTES, SegmentHeader,
    SegmentWriter, seal,
};
use crate::snapshot::{self, MAX_SNAPSHOT_BYTES, Snapshot};
use crate::spare::{self, Spare};

/// An open journal. Dropped without [`close`](Self::close) it counts as an unclean end.
pub struct Journal {
    disk: Arc<dyn Disk>,
    key: JournalKey,
    id: JournalId,
    segment_bytes: u64,
    segment: SegmentWriter,
    link: Link,
    head: Head,
    spare: Spare,
    buffer: Vec<u8>,
    counters: Arc<Counters>,
    poison: Option<AppendError>,
    // Last field: released after everything that may still write.
    _lock: Option<DirLock>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("dir", &self.disk.dir())
            .field("segment", &self.segment.number)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Locks, checks and reads the journal in `dir`, mends what a crash explains, and writes an
    /// opening frame.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; on [`OpenError::Damaged`] nothing on disk was changed.
    pub fn open(
        dir: &Path,
        key: &JournalKey,
        options: &Options,
    ) -> Result<(Self, Replay), OpenError> {
        let io = |doing, source| OpenError::Io {
            doing,
            path: dir.to_owned(),
            source,
        };
        if options.create {
            RealDisk::create_dir(dir).map_err(|source| io("create", source))?;
        } else if !dir.try_exists().map_err(|source| io("look into", source))? {
            return Err(OpenError::Absent {
                dir: dir.to_owned(),
            });
        }
        let lock = DirLock::acquire(dir)?;
        Self::open_on(Arc::new(RealDisk::new(dir)), Some(lock), key, options)
    }

    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        lock: Option<DirLock>,
        key: &JournalKey,
        options: &Options,
    ) -> Result<(Self, Replay), OpenError> {
        if !SEGMENT_BYTES.contains(&options.segment_bytes) {
            return Err(OpenError::SegmentBytes {
                got: options.segment_bytes,
                min: *SEGMENT_BYTES.start(),
                max: *SEGMENT_BYTES.end(),
            });
        }
        let (mut journal, replay) = match recover(disk.as_ref(), key)? {
            Some(recovered) => Self::resume(disk, lock, key, options, recovered)?,
            None if options.create => Self::create(disk, lock, key, options)?,
            None => {
                return Err(OpenError::Absent {
                    dir: disk.dir().to_owned(),
                });
            }
        };
        let opened = replay.torn_tail.map(TornTail::body).unwrap_or_default();
        journal.write(FrameKind::Opened, 0, &[&opened])?;
        Ok((journal, replay))
    }

    fn create(
        disk: Arc<dyn Disk>,
        lock: Option<DirLock>,
        key: &JournalKey,
        options: &Options,
    ) -> Result<(Self, Replay), OpenError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| {
            io_error(
                disk.as_ref(),
                "draw the identity of",
                None,
                io::Error::other(error),
            )
        })?;
        let file_len = options.segment_bytes;
        let header = SegmentHeader {
            id: JournalId(id),
            number: 1,
            file_len,
            snapshot: None,
        };
        let mut spare = Spare::new(file_len);
        let (segment, link) = spare
            .take(disk.as_ref())
            .and_then(|file| {
                segment::start(
                    disk.as_ref(),
                    key,
                    &header,
                    Link::GENESIS,
                    (spare::NAME, file),
                )
            })
            .map_err(|failure| io_error(disk.as_ref(), failure.doing, None, failure.source))?;
        let head = Head {
            sequence: Sequence(0),
            tag: Tag::ZERO,
        };
        let replay = Replay {
            snapshot: None,
            entries: Vec::new(),
            created: true,
            clean: false,
            torn_tail: None,
            head,
            heads: vec![head],
        };
        let journal = Self::assemble(disk, lock, key, options, header.id, segment, link, head);
        journal.counters.segment();
        Ok((journal, replay))
    }

    fn resume(
        disk: Arc<dyn Disk>,
        lock: Option<DirLock>,
        key: &JournalKey,
        options: &Options,
        found: Recovered,
    ) -> Result<(Self, Replay), OpenError> {
        let segment = mend(disk.as_ref(), &found)?;
        let replay = Replay {
            snapshot: found.snapshot,
            entries: found.entries,
            created: false,
            clean: found.clean,
            torn_tail: found.torn,
            head: found.head,
            heads: found.heads,
        };
        let (link, head) = (found.link, found.head);
        let journal = Self::assemble(disk, lock, key, options, found.id, segment, link, head);
        Ok((journal, replay))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "private: the two ways to get a journal meet here"
    )]
    fn assemble(
        disk: Arc<dyn Disk>,
        lock: Option<DirLock>,
        key: &JournalKey,
        options: &Options,
        id: JournalId,
        segment: SegmentWriter,
        link: Link,
        head: Head,
    ) -> Self {
        Self {
            disk,
            key: key.clone(),
            id,
            segment_bytes: options.segment_bytes,
            segment,
            link,
            head,
            spare: Spare::new(options.segment_bytes),
            buffer: Vec::new(),
            counters: Arc::default(),
            poison: None,
            _lock: lock,
        }
    }

    /// Writes `records` in one frame with one flush.
    ///
    /// # Errors
    ///
    /// [`AppendError`]; after [`AppendError::Poisoned`] the journal takes nothing more.
    pub fn append_batch(&mut self, records: &[Record]) -> Result<Receipt, AppendError> {
        self.append(&Batch::new(records)?)
    }

    /// As [`append_batch`](Self::append_batch), for a batch that was built before.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn append(&mut self, batch: &Batch) -> Result<Receipt, AppendError> {
        self.check_size(batch)?;
        let first = self.head.sequence.0.saturating_add(1);
        self.write(FrameKind::Data, batch.len(), &[batch.body()])?;
        Ok(self.receipt(batch, first))
    }

    /// Writes several batches in one frame with one flush; together they must fit into `capacity`.
    pub(crate) fn append_group(&mut self, batches: &[Batch]) -> Result<Vec<Receipt>, AppendError> {
        let mut first = self.head.sequence.0.saturating_add(1);
        let count = batches.iter().map(Batch::len).fold(0, u32::saturating_add);
        let bodies: Vec<_> = batches.iter().map(Batch::body).collect();
        self.write(FrameKind::Data, count, &bodies)?;
        let mut receipts = Vec::with_capacity(batches.len());
        for batch in batches {
            receipts.push(self.receipt(batch, first));
            first = first.saturating_add(u64::from(batch.len()));
        }
        Ok(receipts)
    }

    /// Replaces everything up to `covers` by `state`: later starts read the state and go on from
    /// there. The generation before is kept, older files are deleted.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]; `covers` must be the last record of the journal.
    pub fn snapshot(&mut self, covers: Sequence, state: Vec<u8>) -> Result<(), SnapshotError> {
        if covers != self.head.sequence {
            return Err(SnapshotError::Stale {
                covers,
                last: self.head.sequence,
            });
        }
        if state.len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge {
                got: state.len(),
                limit: MAX_SNAPSHOT_BYTES,
            });
        }
        self.check_poison()?;
        self.rotate(Some(state))
            .map_err(|failure| self.poison_with(failure))?;
        self.counters.snapshot();
        // A file too many does no harm, and the next snapshot tries again.
        drop(self.prune());
        Ok(())
    }

    /// Writes the closing frame, which makes the next start a clean one.
    ///
    /// # Errors
    ///
    /// [`AppendError`] if it cannot be written.
    pub fn close(mut self) -> Result<(), AppendError> {
        self.write(FrameKind::Closed, 0, &[])
    }

    /// The last record.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Whether a write failed. Once true it stays so, and the process must stop.
    #[must_use]
    pub fn poisoned(&self) -> bool {
        self.poison.is_some()
    }

    /// What was done since the journal was opened.
    #[must_use]
    pub fn counters(&self) -> CounterValues {
        self.counters.values()
    }

    pub(crate) fn shared_counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Most body bytes of one frame.
    pub(crate) fn capacity(&self) -> usize {
        let overhead = HEADER_LEN + frame_len(0) + SEAL_LEN;
        let segment = usize::try_from(self.segment_bytes).unwrap_or(usize::MAX);
        segment.saturating_sub(overhead).min(MAX_BATCH_BYTES)
    }

    /// Begins to make the next segment ahead of time: a snapshot may need it at any moment.
    pub(crate) fn prepare_next(&mut self) {
        self.spare.prepare(&self.disk);
    }

    fn check_size(&self, batch: &Batch) -> Result<(), AppendError> {
        let (got, limit) = (batch.bytes(), self.capacity());
        if got > limit {
            Err(AppendError::Segment { got, limit })
        } else {
            Ok(())
        }
    }

    fn check_poison(&self) -> Result<(), AppendError> {
        self.poison.clone().map_or(Ok(()), Err)
    }

    fn receipt(&self, batch: &Batch, first: u64) -> Receipt {
        let last = first
            .saturating_add(u64::from(batch.len()))
            .saturating_sub(1);
        let batch = batch.clone();
        Receipt {
            batch,
            first: Sequence(first),
            last: Sequence(last),
            head: self.head,
        }
    }

    fn write(&mut self, kind: FrameKind, count: u32, body: &[&[u8]]) -> Result<(), AppendError> {
        self.check_poison()?;
        self.try_write(kind, count, body)
            .map_err(|failure| self.poison_with(failure))
    }

    fn try_write(&mut self, kind: FrameKind, count: u32, body: &[&[u8]]) -> Result<(), Failure> {
        let len = frame_len(body.iter().map(|part| part.len()).sum());
        if !self.segment.fits(len) {
            self.rotate(None)?;
        }
        self.buffer.clear();
        let heading = self.link.heading(kind, count);
        let tag = encode(
            &self.key,
            self.segment.place(),
            &heading,
            body,
            &mut self.buffer,
        );
        self.segment.append(&self.buffer)?;
        self.link = self.link.after(count, tag);
        if kind == FrameKind::Data {
            self.head = Head {
                sequence: Sequence(self.link.next.saturating_sub(1)),
                tag,
            };
        }
        self.counters.frame(count, len as u64);
        Ok(())
    }

    /// Starts the next segment, after a snapshot if there is one, then seals this one. In this
    /// order a crash in between leaves a successor whose header names the seal that is missing;
    /// the other way round it could not be told from a deleted segment.
    fn rotate(&mut self, state: Option<Vec<u8>>) -> Result<(), Failure> {
        let number = self.segment.number.saturating_add(1);
        let (seal, link) = seal(&self.key, self.segment.place(), self.link);
        let disk = self.disk.as_ref();
        let snapshot = state
            .map(|state| {
                let (id, head) = (self.id, self.head.tag);
                Snapshot {
                    id,
                    segment: number,
                    link,
                    head,
                    state,
                }
                .store(disk, &self.key)
            })
            .transpose()?;
        let header = SegmentHeader {
            id: self.id,
            number,
            file_len: self.segment_bytes,
            snapshot,
        };
        let file = self.spare.take(disk)?;
        let (next, link) = segment::start(disk, &self.key, &header, link, (spare::NAME, file))?;
        self.segment.append(&seal)?;
        self.segment = next;
        self.link = link;
        self.counters.segment();
        Ok(())
    }

    /// Deletes what is older than the snapshot before the newest one.
    fn prune(&self) -> io::Result<()> {
        let disk = self.disk.as_ref();
        let layout = Layout::read(disk)?;
        let Some(keep) = layout.kept_generation() else {
            return Ok(());
        };
        // Oldest segments first, and snapshots last: what is left after an interruption then has no
        // gap, and no segment without its snapshot.
        for number in layout.segments.range(..keep) {
            disk.remove(&segment::name(*number))?;
        }
        for number in layout.snapshots.range(..keep) {
            disk.remove(&snapshot::name(*number))?;
        }
        disk.sync_dir()
    }

    fn poison_with(&mut self, failure: Failure) -> AppendError {
        let source = Arc::new(failure.source);
        let error = AppendError::Poisoned {
            doing: failure.doing,
            source,
        };
        self.poison = Some(error.clone());
        error
    }
}

/// Does what recovery found necessary; every step may be interrupted and is found again.
fn mend(disk: &dyn Disk, found: &Recovered) -> Result<SegmentWriter, OpenError> {
    let fail =
        |name: &str, failure: Failure| io_error(disk, failure.doing, Some(name), failure.source);
    for name in &found.remove {
        disk.remove(name)
            .map_err(|source| io_error(disk, "remove", Some(name), source))?;
    }
    if !found.remove.is_empty() {
        disk.sync_dir()
            .map_err(|source| io_error(disk, "flush", None, source))?;
    }
    let open = |number: u64, file_len: u64, end: u64| {
        let name = segment::name(number);
        disk.open(&name)
            .map(|file| SegmentWriter::new(number, file_len, end, file))
            .map_err(|source| io_error(disk, "open", Some(&name), source))
    };
    if let Some(unsealed) = &found.unsealed {
        open(unsealed.number, unsealed.file_len, unsealed.end)?
            .append(&unsealed.seal)
            .map_err(|failure| fail(&segment::name(unsealed.number), failure))?;
    }
    let mut segment = open(found.segment, found.file_len, found.end)?;
    if let Some(dirty_end) = found.cut {
        segment
            .cut(dirty_end)
            .map_err(|failure| fail(&segment::name(found.segment), failure))?;
    }
    Ok(segment)
}
