//! A hash-chained, append-only log with group commit, snapshots and strict recovery.
//!
//! One directory holds one journal: marks, leases, lock-outs, ceremony states, audit lines. What
//! it promises: a [`Receipt`] exists only after the records are on disk; damage is refused with
//! its place, never skipped; and a start after which something may be missing says so.
//!
//! # Files
//!
//! * `segment-NNNNNNNN.log`: pre-written zeros, filled from the front with frames.
//! * `snapshot-NNNNNNNN.snap`: the caller's state before the first record of segment N.
//! * `lock`: held by the one process that has the journal open.
//!
//! # Frame
//!
//! All numbers big-endian: magic `SYJ1`, kind (u8), three zero bytes, body length (u32), record
//! count (u32), sequence number of the first record (u64), tag of the previous frame (32 bytes),
//! body, tag (32 bytes). The tag is HMAC-SHA256 over segment number, offset and all of the frame
//! before it, so that a frame is valid in one place and after one predecessor only. In the body
//! each record is kind (u16), length (u32), payload.
//!
//! One flush writes one frame. Thus a crash can break the last frame only, and a broken frame
//! with anything valid after it is damage.
//!
//! # Recovery
//!
//! | found | answer |
//! | --- | --- |
//! | last frame of the last segment broken | cut, [`Replay::torn_tail`] set: the caller applies a floor |
//! | broken frame with a valid one after it, wrong link, missing or shortened file | refused |
//! | no closing frame | [`Replay::clean`] is false: the caller applies a floor |
//! | whole frames lost at the end | not visible from inside: compare [`Head`] with an anchor |
//!
//! # Example
//!
//! ```
//! use symbolon_journal::{Journal, JournalKey, Options, Record, RecordKind};
//!
//! # let dir = tempfile::tempdir()?;
//! let key = JournalKey::derive(&[7; 32], "example");
//! let options = Options { create: true, ..Options::default() };
//! let (mut journal, replay) = Journal::open(dir.path(), &key, &options)?;
//! assert!(replay.created);
//! let receipt = journal.append_batch(&[Record::new(RecordKind(1), b"mark".to_vec())])?;
//! assert_eq!(receipt.first(), receipt.last());
//! journal.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod counters;
mod disk;
mod error;
mod frame;
mod inspect;
mod journal;
mod key;
mod lock;
mod options;
mod pending;
mod queue;
mod receipt;
mod record;
mod recover;
mod replay;
mod segment;
mod snapshot;
mod spare;
mod ticket;
mod walk;
mod writer;

pub use counters::CounterValues;
pub use error::{AppendError, BatchError, Damage, FrameFault, OpenError, SnapshotError};
pub use inspect::{Dump, Report, SegmentReport, SnapshotReport, dump, verify};
pub use journal::Journal;
pub use key::{JournalKey, Tag};
pub use options::Options;
pub use pending::{Pending, ReceiptMismatch};
pub use queue::QueueLimits;
pub use receipt::{Head, Receipt};
pub use record::{Batch, Entry, MAX_BATCH_BYTES, MAX_PAYLOAD_BYTES, Record, RecordKind, Sequence};
pub use replay::{Replay, TornTail};
pub use snapshot::MAX_SNAPSHOT_BYTES;
pub use ticket::Ticket;
pub use writer::Writer;

#[cfg(test)]
mod tests;
