//! How to open a journal.

/// How to open a journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Bytes of each new segment: 1 KiB to 1 GiB. A batch must fit into one.
    pub segment_bytes: u64,
    /// Whether an empty or missing directory becomes a new journal. Set it for the first start of a
    /// new member only: a disk that was not mounted looks the same.
    pub create: bool,
}

impl Default for Options {
    /// 16 MiB, and the journal must exist.
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            create: false,
        }
    }
}
