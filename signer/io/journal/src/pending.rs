//! A value that may be shown only after its records are on disk.

use std::fmt;

use thiserror::Error;

use crate::error::BatchError;
use crate::receipt::Receipt;
use crate::record::{Batch, Record, Sequence};

/// Records to write, and what waits for them.
///
/// ```
/// # use symbolon_journal::{Journal, JournalKey, Options, Pending, Record, RecordKind};
/// # let dir = tempfile::tempdir()?;
/// # let key = JournalKey::derive(&[7; 32], "example");
/// # let options = Options { create: true, ..Options::default() };
/// # let (mut journal, _) = Journal::open(dir.path(), &key, &options)?;
/// let mark = Record::new(RecordKind(1), b"slot 7".to_vec());
/// let pending = Pending::new(&[mark], "permit")?;
/// let receipt = journal.append(pending.batch())?;
/// assert_eq!(pending.release(&receipt)?, "permit");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is written until the batch of a pending value is appended"]
pub struct Pending<T> {
    batch: Batch,
    value: T,
}

impl<T> Pending<T> {
    /// Lets `value` wait for `records`.
    ///
    /// # Errors
    ///
    /// [`BatchError`] if the records cannot form a batch.
    pub fn new(records: &[Record], value: T) -> Result<Self, BatchError> {
        Ok(Self {
            batch: Batch::new(records)?,
            value,
        })
    }

    /// What to append.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Gives the value out against the receipt of exactly this batch.
    ///
    /// # Errors
    ///
    /// [`ReceiptMismatch`] for the receipt of any other batch, even one with equal records; the
    /// value is dropped.
    pub fn release(self, receipt: &Receipt) -> Result<T, ReceiptMismatch> {
        if receipt.is_for(&self.batch) {
            Ok(self.value)
        } else {
            Err(ReceiptMismatch {
                first: receipt.first(),
                last: receipt.last(),
            })
        }
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({:?})", self.batch)
    }
}

/// A receipt was shown for a value that waits for other records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "the receipt of records {first} to {last} is not for the records that this value waits for"
)]
pub struct ReceiptMismatch {
    first: Sequence,
    last: Sequence,
}
