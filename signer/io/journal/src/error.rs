//! What can go wrong, where, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::record::Sequence;

/// Why records cannot form a batch.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Nothing to write.
    #[error("the batch has no record")]
    Empty,
    /// One payload is too long.
    #[error("record {index} of the batch has {got} bytes, the limit is {limit}: split it")]
    Payload {
        /// Position in the batch, from 0.
        index: usize,
        /// Its bytes.
        got: usize,
        /// Most that is allowed.
        limit: usize,
    },
    /// All together are too long.
    #[error("the batch has {got} bytes, the limit is {limit}: write it in several batches")]
    Total {
        /// Its bytes.
        got: usize,
        /// Most that is allowed.
        limit: usize,
    },
}

/// Why records were not made durable. Without a receipt nothing may be shown.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The batch is refused; the journal is as before.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The batch does not fit into one segment; the journal is as before.
    #[error("the batch has {got} bytes, a segment of this journal takes {limit}: split it")]
    Segment {
        /// Its bytes.
        got: usize,
        /// Most that a segment takes.
        limit: usize,
    },
    /// Too much is waiting; nothing of this batch was written. Refuse the request.
    #[error(
        "the journal's queue is full with {waiting} batches: the disk is too slow for the load"
    )]
    QueueFull {
        /// Batches in the queue.
        waiting: usize,
    },
    /// The journal was closed before.
    #[error("the journal is closed")]
    Closed,
    /// A write or flush failed: what is on disk is unknown, and the process must stop.
    #[error(
        "the journal failed to {doing} and takes no more records: stop the process and look at the disk"
    )]
    Poisoned {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
}

/// Why a snapshot was not taken.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The state is not that of the last record.
    #[error("the snapshot covers records up to {covers}, the journal is at {last}: build it again")]
    Stale {
        /// What the caller said.
        covers: Sequence,
        /// Where the journal is.
        last: Sequence,
    },
    /// The state is too long.
    #[error("the snapshot has {got} bytes, the limit is {limit}")]
    TooLarge {
        /// Its bytes.
        got: usize,
        /// Most that is allowed.
        limit: usize,
    },
    /// The journal cannot write.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// What is wrong with a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum FrameFault {
    /// It does not begin as a frame does.
    #[error("no frame begins here")]
    Magic,
    /// Unknown kind.
    #[error("unknown kind of frame")]
    Kind,
    /// It ends outside the file.
    #[error("its length is impossible")]
    Length,
    /// The checksum does not match.
    #[error("its checksum does not match")]
    Tag,
}

/// Damage that a crash cannot explain. Files are named by their name inside the directory.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Damage {
    /// The key is not the one that the file was written with.
    #[error("{file} was written with another key, or its first frame is damaged")]
    WrongKey {
        /// The file.
        file: String,
    },
    /// A frame is broken although it was durable.
    #[error(
        "{file} is broken at byte {offset} ({fault}), and byte {valid_after} holds a valid frame"
    )]
    Broken {
        /// The file.
        file: String,
        /// First bad frame.
        offset: u64,
        /// What is wrong with it.
        fault: FrameFault,
        /// First good frame after it.
        valid_after: u64,
    },
    /// A frame is broken in a segment that has a successor, or the header is.
    #[error("{file} is broken at byte {offset} ({fault})")]
    BrokenInside {
        /// The file.
        file: String,
        /// First bad frame.
        offset: u64,
        /// What is wrong with it.
        fault: FrameFault,
    },
    /// A valid frame does not follow the one before it.
    #[error("{file}: the frame at byte {offset} does not follow the one before it")]
    Unlinked {
        /// The file.
        file: String,
        /// The frame.
        offset: u64,
    },
    /// Something stands behind the frame that ends a segment.
    #[error("{file} goes on after its last frame, at byte {offset}")]
    Trailing {
        /// The file.
        file: String,
        /// Where.
        offset: u64,
    },
    /// A verified frame has contents that this version cannot read.
    #[error("{file}: the frame at byte {offset} has contents that this version cannot read")]
    Contents {
        /// The file.
        file: String,
        /// The frame.
        offset: u64,
    },
    /// A file is missing.
    #[error("{file} is missing, {needed_by} needs it")]
    Missing {
        /// The file.
        file: String,
        /// Who says so.
        needed_by: String,
    },
    /// A segment has not the length that its header says.
    #[error("{file} has {got} bytes, its header says {expected}")]
    Length {
        /// The file.
        file: String,
        /// By the header.
        expected: u64,
        /// On disk.
        got: u64,
    },
    /// A snapshot does not verify.
    #[error("{file} does not verify ({fault})")]
    Snapshot {
        /// The file.
        file: String,
        /// What is wrong.
        fault: FrameFault,
    },
    /// A snapshot and its segment do not belong together.
    #[error("{file} is not the snapshot that {segment} was started with")]
    SnapshotMismatch {
        /// The snapshot.
        file: String,
        /// The segment.
        segment: String,
    },
}

/// Why a journal was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is none, and creation was not allowed.
    #[error(
        "no journal in {}: mount or restore it; only a new member may start with an empty one", dir.display()
    )]
    Absent {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process has it.
    #[error("the journal in {} is in use by {holder}: stop that process first", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// Name and process id, as the holder wrote them.
        holder: String,
    },
    /// The journal is damaged; nothing was changed.
    #[error("{damage}; nothing was changed in {}; run `symbolon journal verify --config server.toml`", dir.display())]
    Damaged {
        /// The directory.
        dir: PathBuf,
        /// What and where.
        damage: Damage,
    },
    /// An option is out of range.
    #[error("segment size {got} is out of range, use {min} to {max} bytes")]
    SegmentBytes {
        /// As given.
        got: u64,
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// The system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The journal could be read but the opening frame could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
}
