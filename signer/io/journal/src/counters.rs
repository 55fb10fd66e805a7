//! What a journal has done since it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default, Debug)]
pub(crate) struct Counters {
    flushes: AtomicU64,
    frames: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    segments: AtomicU64,
    snapshots: AtomicU64,
}

impl Counters {
    /// One frame reached the disk by one flush.
    pub(crate) fn frame(&self, records: u32, bytes: u64) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.records
            .fetch_add(u64::from(records), Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn segment(&self) {
        self.segments.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) {
        self.snapshots.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn values(&self) -> CounterValues {
        CounterValues {
            flushes: self.flushes.load(Ordering::Relaxed),
            frames: self.frames.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            segments: self.segments.load(Ordering::Relaxed),
            snapshots: self.snapshots.load(Ordering::Relaxed),
        }
    }
}

/// A reading of the counters; all start at 0 when the journal is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct CounterValues {
    /// Flushes (`fdatasync`) of a segment for a frame.
    pub flushes: u64,
    /// Frames on disk, opening and closing frames included.
    pub frames: u64,
    /// Records on disk.
    pub records: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    /// Segments begun.
    pub segments: u64,
    /// Snapshots taken.
    pub snapshots: u64,
}
