//! Who holds a share and how many are needed.

use std::fmt;

/// The evaluation point of one member's share: 1..=65535, bound to one member for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareIndex(u16);

/// t of n: `t` partial signatures are needed, `n` members hold shares; 1 <= t <= n <= 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Threshold {
    t: u8,
    n: u8,
}

/// Distinct share indices in ascending order, one to 255 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerSet(Vec<ShareIndex>);

/// An index, or a set of them, is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Index 0 is the secret itself; more than 16 bit never occur.
    #[error("share index {got} is not in 1..=65535")]
    OutOfRange {
        /// The number given.
        got: u64,
    },
    /// Two shares at one point.
    #[error("share index {index} occurs more than once")]
    Duplicate {
        /// The index.
        index: ShareIndex,
    },
    /// No index, or more than 255.
    #[error("a set of signers has 1 to 255 members, got {got}")]
    Count {
        /// Indices given.
        got: usize,
    },
}

/// t of n is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("threshold {t} of {n} is not 1 <= t <= n <= 255")]
pub struct ThresholdError {
    /// Partials needed.
    pub t: u64,
    /// Members.
    pub n: u64,
}

impl ShareIndex {
    /// The index as a number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u64> for ShareIndex {
    type Error = IndexError;

    fn try_from(number: u64) -> Result<Self, IndexError> {
        match u16::try_from(number) {
            Ok(index) if index != 0 => Ok(Self(index)),
            _ => Err(IndexError::OutOfRange { got: number }),
        }
    }
}

impl From<ShareIndex> for u64 {
    fn from(index: ShareIndex) -> Self {
        index.0.into()
    }
}

impl fmt::Display for ShareIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Threshold {
    /// `t` of `n`.
    ///
    /// # Errors
    ///
    /// Unless 1 <= t <= n <= 255.
    pub fn new(t: u64, n: u64) -> Result<Self, ThresholdError> {
        match (u8::try_from(t), u8::try_from(n)) {
            (Ok(small_t), Ok(small_n)) if 1 <= small_t && small_t <= small_n => Ok(Self {
                t: small_t,
                n: small_n,
            }),
            _ => Err(ThresholdError { t, n }),
        }
    }

    /// Partial signatures needed.
    #[must_use]
    pub fn t(self) -> usize {
        self.t.into()
    }

    /// Members that hold a share.
    #[must_use]
    pub fn n(self) -> usize {
        self.n.into()
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-of-{}", self.t, self.n)
    }
}

impl SignerSet {
    /// A set of indices given in any order.
    ///
    /// # Errors
    ///
    /// [`IndexError::Count`] for none or more than 255, [`IndexError::Duplicate`].
    pub fn new(indices: impl IntoIterator<Item = ShareIndex>) -> Result<Self, IndexError> {
        let mut indices: Vec<ShareIndex> = indices.into_iter().take(MAX_SIGNERS + 1).collect();
        if indices.is_empty() || indices.len() > MAX_SIGNERS {
            return Err(IndexError::Count { got: indices.len() });
        }
        indices.sort_unstable();
        if let Some([index, _]) = indices.array_windows().find(|[a, b]| a == b) {
            return Err(IndexError::Duplicate { index: *index });
        }
        Ok(Self(indices))
    }

    /// The indices, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[ShareIndex] {
        &self.0
    }

    /// The indices, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ShareIndex> + '_ {
        self.0.iter().copied()
    }

    /// Number of signers.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a set of signers is never empty"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `index` is one of them.
    #[must_use]
    pub fn contains(&self, index: ShareIndex) -> bool {
        self.0.binary_search(&index).is_ok()
    }
}

const MAX_SIGNERS: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn index(number: u64) -> ShareIndex {
        ShareIndex::try_from(number).unwrap()
    }

    #[test]
    fn index_has_a_range() {
        for bad in [0, 65_536, u64::MAX] {
            assert_eq!(
                ShareIndex::try_from(bad),
                Err(IndexError::OutOfRange { got: bad })
            );
        }
        assert_eq!(index(1).get(), 1);
        assert_eq!(u64::from(index(65_535)), 65_535);
    }

    #[test]
    fn threshold_is_bounded() {
        for (t, n) in [(0, 0), (0, 3), (4, 3), (1, 256), (256, 256), (257, 300)] {
            assert_eq!(Threshold::new(t, n), Err(ThresholdError { t, n }));
        }
        let threshold = Threshold::new(255, 255).unwrap();
        assert_eq!((threshold.t(), threshold.n()), (255, 255));
    }

    #[test]
    fn signers_are_sorted_and_distinct() {
        let set = SignerSet::new([5, 2, 9].map(index)).unwrap();
        assert_eq!(set.as_slice(), [2, 5, 9].map(index));
        assert!(set.contains(index(9)) && !set.contains(index(3)));
        let twice = SignerSet::new([5, 2, 5].map(index));
        assert_eq!(twice, Err(IndexError::Duplicate { index: index(5) }));
        assert_eq!(SignerSet::new([]), Err(IndexError::Count { got: 0 }));
        assert_eq!(
            SignerSet::new((1..=300).map(index)),
            Err(IndexError::Count { got: 256 })
        );
        assert_eq!(SignerSet::new((1..=255).map(index)).unwrap().len(), 255);
    }
}
