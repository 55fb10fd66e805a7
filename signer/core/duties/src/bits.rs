//! Bit fields and bounded lists of SSZ, from their serialized form.

use crate::ssz::{TreeRoot, merkleize, mix_in_length, pack};
use crate::units::Root;

/// Why bytes or elements are not the SSZ value that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SszError {
    /// The last byte of a bitlist must hold the bit that marks its end.
    #[error("the bit list has no end mark: its last byte must not be 0 or missing")]
    NoEndMark,
    /// More bits or elements than the specification allows.
    #[error("got {got} entries, more than the {limit} that the specification allows")]
    TooMany {
        /// How many there are.
        got: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A bit vector or vector of another size.
    #[error("got {got} bytes or entries, expected exactly {expected}")]
    Length {
        /// How many there are.
        got: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A bit beyond the end of a bit vector is set.
    #[error("a bit beyond the {bits} of the bit vector is set")]
    SpareBit {
        /// The bits of the vector.
        bits: usize,
    },
}

/// An SSZ `Bitlist[limit]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitlist {
    /// The bits without the end mark, eight a byte, lowest first.
    bytes: Vec<u8>,
    bits: usize,
    limit: usize,
}

impl Bitlist {
    /// Reads the serialized form, in which one bit behind the last marks the end.
    ///
    /// # Errors
    ///
    /// No end mark; more than `limit` bits.
    pub fn from_ssz(serialized: &[u8], limit: usize) -> Result<Self, SszError> {
        let Some((&last, whole)) = serialized.split_last() else {
            return Err(SszError::NoEndMark);
        };
        let Some(mark) = last.checked_ilog2() else {
            return Err(SszError::NoEndMark);
        };
        let bits = whole.len().saturating_mul(8).saturating_add(mark as usize);
        if bits > limit {
            return Err(SszError::TooMany { got: bits, limit });
        }
        let mut bytes = whole.to_vec();
        if mark > 0 {
            bytes.push(last ^ (1 << mark));
        }
        Ok(Self { bytes, bits, limit })
    }
}

impl TreeRoot for Bitlist {
    fn tree_root(&self) -> Root {
        let root = merkleize(pack(&self.bytes), self.limit.div_ceil(256));
        mix_in_length(&root, self.bits)
    }
}

/// An SSZ `Bitvector[bits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitvector {
    bytes: Vec<u8>,
}

impl Bitvector {
    /// Reads the serialized form.
    ///
    /// # Errors
    ///
    /// Another length than `bits` need; a bit set beyond the last.
    pub fn from_ssz(serialized: &[u8], bits: usize) -> Result<Self, SszError> {
        let expected = bits.div_ceil(8);
        if serialized.len() != expected {
            return Err(SszError::Length {
                got: serialized.len(),
                expected,
            });
        }
        let used = bits % 8;
        let last = serialized.last().copied().unwrap_or_default();
        if used != 0 && last >> used != 0 {
            return Err(SszError::SpareBit { bits });
        }
        Ok(Self {
            bytes: serialized.to_vec(),
        })
    }
}

impl TreeRoot for Bitvector {
    fn tree_root(&self) -> Root {
        merkleize(pack(&self.bytes), self.bytes.len().div_ceil(32))
    }
}

/// An SSZ `List[T, LIMIT]` of composite elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const LIMIT: usize>(Vec<T>);

impl<T, const LIMIT: usize> TryFrom<Vec<T>> for List<T, LIMIT> {
    type Error = SszError;

    fn try_from(elements: Vec<T>) -> Result<Self, SszError> {
        if elements.len() > LIMIT {
            return Err(SszError::TooMany {
                got: elements.len(),
                limit: LIMIT,
            });
        }
        Ok(Self(elements))
    }
}

impl<T: TreeRoot, const LIMIT: usize> TreeRoot for List<T, LIMIT> {
    fn tree_root(&self) -> Root {
        let roots = self.0.iter().map(TreeRoot::tree_root).collect();
        mix_in_length(&merkleize(roots, LIMIT), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_mark_of_a_bit_list_is_not_a_bit() {
        let list = Bitlist::from_ssz(&[0b0000_0011], 2048).unwrap();
        assert_eq!((list.bytes.as_slice(), list.bits), ([1].as_slice(), 1));
        let list = Bitlist::from_ssz(&[0xff, 1], 2048).unwrap();
        assert_eq!((list.bytes.as_slice(), list.bits), ([0xff].as_slice(), 8));
        let empty = Bitlist::from_ssz(&[1], 2048).unwrap();
        assert_eq!((empty.bytes.len(), empty.bits), (0, 0));
    }

    #[test]
    fn a_bit_list_without_end_mark_or_beyond_its_limit_is_refused() {
        assert_eq!(Bitlist::from_ssz(&[], 8).unwrap_err(), SszError::NoEndMark);
        assert_eq!(
            Bitlist::from_ssz(&[1, 0], 8).unwrap_err(),
            SszError::NoEndMark
        );
        assert!(Bitlist::from_ssz(&[0xff, 1], 8).is_ok());
        let error = Bitlist::from_ssz(&[0xff, 2], 8).unwrap_err();
        assert_eq!(error, SszError::TooMany { got: 9, limit: 8 });
    }

    #[test]
    fn a_bit_vector_has_exactly_its_bits() {
        assert!(Bitvector::from_ssz(&[0x0f], 4).is_ok());
        let error = Bitvector::from_ssz(&[0x10], 4).unwrap_err();
        assert_eq!(error, SszError::SpareBit { bits: 4 });
        let error = Bitvector::from_ssz(&[0; 8], 512).unwrap_err();
        assert_eq!(
            error,
            SszError::Length {
                got: 8,
                expected: 64
            }
        );
    }

    #[test]
    fn a_list_holds_at_most_its_limit() {
        assert!(List::<u64, 2>::try_from(vec![1, 2]).is_ok());
        let error = List::<u64, 2>::try_from(vec![1, 2, 3]).unwrap_err();
        assert_eq!(error, SszError::TooMany { got: 3, limit: 2 });
    }
}
