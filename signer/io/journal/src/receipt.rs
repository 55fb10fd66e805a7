//! Proof that records are on disk.

use crate::key::Tag;
use crate::record::{Batch, Sequence};

/// The end of the chain: compare it with an anchor outside the disk to notice a rollback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The last record; 0 before the first.
    pub sequence: Sequence,
    /// Tag of the last frame.
    pub tag: Tag,
}

/// Proof that one batch is durable. Only the journal makes one, after the flush returned.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub(crate) batch: Batch,
    pub(crate) first: Sequence,
    pub(crate) last: Sequence,
    pub(crate) head: Head,
}

impl Receipt {
    /// The first record of the batch.
    #[must_use]
    pub fn first(&self) -> Sequence {
        self.first
    }

    /// The last record of the batch.
    #[must_use]
    pub fn last(&self) -> Sequence {
        self.last
    }

    /// The chain after the frame that holds the batch.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Whether this is the receipt of `batch`.
    #[must_use]
    pub fn is_for(&self, batch: &Batch) -> bool {
        self.batch.is(batch)
    }
}
