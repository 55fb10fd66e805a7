//! What callers write and read back.

use std::fmt;
use std::sync::Arc;

use crate::error::BatchError;

/// Position of a record in its journal: 1, 2, 3 and so on, over all segments.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Sequence(pub u64);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The caller's own number for a kind of record; the journal gives it no meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordKind(pub u16);

/// One thing to remember.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The caller's kind.
    pub kind: RecordKind,
    /// At most [`MAX_PAYLOAD_BYTES`].
    pub payload: Vec<u8>,
}

impl Record {
    /// A record of `kind`; its size is checked when it joins a [`Batch`].
    #[must_use]
    pub fn new(kind: RecordKind, payload: Vec<u8>) -> Self {
        Self { kind, payload }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({}, {} bytes)", self.kind.0, self.payload.len())
    }
}

/// A record as replay gives it back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its position.
    pub sequence: Sequence,
    /// What was written.
    pub record: Record,
}

/// Records that reach the disk together or not at all; checked and encoded once.
///
/// A clone is the same batch: [`Pending`](crate::Pending) recognises its own by identity.
#[derive(Clone)]
pub struct Batch(Arc<Encoded>);

struct Encoded {
    count: u32,
    body: Vec<u8>,
}

impl Batch {
    /// Checks sizes and encodes.
    ///
    /// # Errors
    ///
    /// [`BatchError`] if there is no record, a payload is above [`MAX_PAYLOAD_BYTES`], or the
    /// whole is above [`MAX_BATCH_BYTES`].
    pub fn new(records: &[Record]) -> Result<Self, BatchError> {
        if records.is_empty() {
            return Err(BatchError::Empty);
        }
        let mut total = 0_usize;
        for (index, record) in records.iter().enumerate() {
            let got = record.payload.len();
            if got > MAX_PAYLOAD_BYTES {
                return Err(BatchError::Payload {
                    index,
                    got,
                    limit: MAX_PAYLOAD_BYTES,
                });
            }
            total = total.saturating_add(got).saturating_add(RECORD_HEADER_LEN);
        }
        if total > MAX_BATCH_BYTES {
            return Err(BatchError::Total {
                got: total,
                limit: MAX_BATCH_BYTES,
            });
        }
        let mut body = Vec::with_capacity(total);
        let mut count = 0_u32;
        for record in records {
            let Ok(length) = u32::try_from(record.payload.len()) else {
                return Err(BatchError::Total {
                    got: total,
                    limit: MAX_BATCH_BYTES,
                });
            };
            body.extend_from_slice(&record.kind.0.to_be_bytes());
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(&record.payload);
            count = count.saturating_add(1);
        }
        Ok(Self(Arc::new(Encoded { count, body })))
    }

    /// How many records.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> u32 {
        self.0.count
    }

    /// Bytes that the batch takes in a frame.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.body.len()
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.0.body
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} records, {} bytes)", self.len(), self.bytes())
    }
}

/// Splits a verified body again; `None` where it is not exactly `count` records.
pub(crate) fn split(count: u32, mut body: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::with_capacity((count as usize).min(body.len() / RECORD_HEADER_LEN));
    while let Some((kind, rest)) = body.split_first_chunk::<2>() {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if length > MAX_PAYLOAD_BYTES {
            return None;
        }
        let (payload, rest) = rest.split_at_checked(length)?;
        records.push(Record::new(
            RecordKind(u16::from_be_bytes(*kind)),
            payload.to_vec(),
        ));
        body = rest;
    }
    (body.is_empty() && records.len() == count as usize).then_some(records)
}

/// Longest payload of one record.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// Longest batch, record headers (6 bytes each) included.
pub const MAX_BATCH_BYTES: usize = 8 << 20;

const RECORD_HEADER_LEN: usize = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_empty_and_oversize() {
        assert!(matches!(Batch::new(&[]), Err(BatchError::Empty)));
        let big = Record::new(RecordKind(1), vec![0; MAX_PAYLOAD_BYTES + 1]);
        assert!(matches!(
            Batch::new(&[big]),
            Err(BatchError::Payload { index: 0, .. })
        ));
        let full = Record::new(RecordKind(1), vec![0; MAX_PAYLOAD_BYTES]);
        assert!(Batch::new(std::slice::from_ref(&full)).is_ok());
        assert!(matches!(
            Batch::new(&vec![full; 8]),
            Err(BatchError::Total { .. })
        ));
    }

    proptest! {
        #[test]
        fn split_gives_back_what_was_joined(
            records in proptest::collection::vec(
                (any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 1..20)
        ) {
            let records: Vec<_> =
                records.into_iter().map(|(k, p)| Record::new(RecordKind(k), p)).collect();
            let batch = Batch::new(&records).unwrap();
            prop_assert_eq!(split(batch.len(), batch.body()), Some(records));
        }

        #[test]
        fn split_never_panics(count: u32, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(records) = split(count, &body) {
                prop_assert_eq!(records.len(), count as usize);
            }
        }
    }
}
