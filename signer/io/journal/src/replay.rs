//! What opening a journal gives back.

use crate::receipt::Head;
use crate::record::{Entry, Sequence};

/// What a journal held when it was opened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Replay {
    /// The state of the newest snapshot.
    pub snapshot: Option<Vec<u8>>,
    /// All records after it.
    pub entries: Vec<Entry>,
    /// The journal was empty and has just been created.
    pub created: bool,
    /// The last process closed the journal in order. Where it is false (a new journal included) a
    /// store of slashing marks applies its floor.
    pub clean: bool,
    /// The last frame was broken and has been cut; stays set until the next record is written.
    pub torn_tail: Option<TornTail>,
    /// The last record, as found.
    pub head: Head,
    /// Before the first of `entries`, then after each frame.
    pub(crate) heads: Vec<Head>,
}

impl Replay {
    /// Whether this journal went through `head`, which was remembered elsewhere; `None` if that was
    /// before the snapshot.
    ///
    /// `Some(false)` means that records are lost or that this is another history.
    #[must_use]
    pub fn passed(&self, head: &Head) -> Option<bool> {
        let oldest = self.heads.first().map_or(Sequence(0), |head| head.sequence);
        let found = self.heads.contains(head);
        (found || head.sequence >= oldest).then_some(found)
    }
}

/// Where a broken last frame was cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TornTail {
    /// Number of the segment.
    pub segment: u64,
    /// Byte at which the broken frame began.
    pub offset: u64,
    /// Bytes up to the last one that was not zero.
    pub bytes: u64,
}

impl TornTail {
    pub(crate) fn body(self) -> Vec<u8> {
        [self.segment, self.offset, self.bytes]
            .map(u64::to_be_bytes)
            .concat()
    }

    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let (numbers, rest) = body.as_chunks::<8>();
        let [segment, offset, bytes] = *numbers else {
            return None;
        };
        let [segment, offset, bytes] = [segment, offset, bytes].map(u64::from_be_bytes);
        rest.is_empty().then_some(Self {
            segment,
            offset,
            bytes,
        })
    }
}
