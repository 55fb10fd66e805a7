//! What a member remembers of one key.

use core::cmp::Ordering;

use minicbor::{Decode, Encode};
use symbolon_duties::{Epoch, SigningRoot, Slot};

/// The protection mark of one key: low watermarks in the words of EIP-3076 ("minimal strategy").
///
/// Marks of one key form a join semilattice under [`merge`]; the default mark, under which nothing
/// was ever signed, is its least element. Canonical CBOR: maps with integer keys, absent fields left
/// out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(map)]
pub struct Mark {
    /// The highest block slot; absent where no block was ever signed.
    #[n(0)]
    pub block: Option<BlockMark>,
    /// The highest attestation epochs; absent where no attestation was ever signed.
    #[n(1)]
    pub attestation: Option<AttestationMark>,
}

/// The highest block slot of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(map)]
pub struct BlockMark {
    /// No block at or below this slot is signed, but for a repeat of `root`.
    #[n(0)]
    pub slot: Slot,
    /// Signing root of the block of `slot`; absent after a floor, a root-less import, or a merge of
    /// two different roots: then no repeat is allowed.
    #[n(1)]
    pub root: Option<SigningRoot>,
}

/// The highest attestation epochs of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(map)]
pub struct AttestationMark {
    /// No attestation with a source below this epoch is signed.
    #[n(0)]
    pub source: Epoch,
    /// No attestation with a target at or below this epoch is signed, but for a repeat of `root`.
    #[n(1)]
    pub target: Epoch,
    /// Signing root of the attestation of `target`; absent as in [`BlockMark::root`].
    #[n(2)]
    pub root: Option<SigningRoot>,
}

/// The element-wise maximum: commutative, associative, idempotent.
///
/// A root stays only with the slot or target it belongs to: where one side's is higher, that side's
/// root stays; where both are equal, a root that both sides have. A missing root at an equal value
/// wins over a known one, because that side may have signed something else there.
#[must_use]
pub fn merge(a: &Mark, b: &Mark) -> Mark {
    Mark {
        block: join(a.block, b.block, |a, b| {
            let (slot, root) = highest((a.slot, a.root), (b.slot, b.root));
            BlockMark { slot, root }
        }),
        attestation: join(a.attestation, b.attestation, |a, b| {
            let (target, root) = highest((a.target, a.root), (b.target, b.root));
            AttestationMark {
                source: a.source.max(b.source),
                target,
                root,
            }
        }),
    }
}

/// Raises a mark after a restore or an unclean start, when what this member signed last may be
/// missing from its store.
///
/// Source *and* target rise (a raised target alone permits a surround vote), and the block slot.
/// A root is dropped where the floor reaches its value; a value above the floor keeps the root that
/// the current store holds for it. The same as a merge with a mark without roots.
#[must_use]
pub fn raise_to_floor(mark: &Mark, source: Epoch, target: Epoch, slot: Slot) -> Mark {
    let floor = Mark {
        block: Some(BlockMark { slot, root: None }),
        attestation: Some(AttestationMark {
            source,
            target,
            root: None,
        }),
    };
    merge(mark, &floor)
}

fn join<T>(a: Option<T>, b: Option<T>, both: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(both(a, b)),
        (a, b) => a.or(b),
    }
}

fn highest<V: Ord>(
    a: (V, Option<SigningRoot>),
    b: (V, Option<SigningRoot>),
) -> (V, Option<SigningRoot>) {
    match a.0.cmp(&b.0) {
        Ordering::Less => b,
        Ordering::Greater => a,
        Ordering::Equal if a.1 == b.1 => a,
        Ordering::Equal => (a.0, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const R: SigningRoot = SigningRoot([0xaa; 32]);

    fn mark(slot: u64, source: u64, target: u64, root: Option<SigningRoot>) -> Mark {
        Mark {
            block: Some(BlockMark {
                slot: Slot(slot),
                root,
            }),
            attestation: Some(AttestationMark {
                source: Epoch(source),
                target: Epoch(target),
                root,
            }),
        }
    }

    #[test]
    fn encoding_is_fixed() {
        assert_eq!(minicbor::to_vec(Mark::default()).unwrap(), [0xa0]);
        let bytes = minicbor::to_vec(mark(300, 5, 6, None)).unwrap();
        assert_eq!(hex::encode(bytes), "a200a10019012c01a200050106");
        let bytes = minicbor::to_vec(mark(300, 5, 6, Some(R))).unwrap();
        let root = format!("5820{}", "aa".repeat(32));
        assert_eq!(
            hex::encode(bytes),
            format!("a200a20019012c01{root}01a30005010602{root}")
        );
    }

    #[test]
    fn a_floor_raises_source_target_and_slot_and_drops_the_roots_it_reaches() {
        let raised = raise_to_floor(&mark(300, 5, 6, Some(R)), Epoch(9), Epoch(9), Slot(320));
        assert_eq!(raised, mark(320, 9, 9, None));
        let equal = raise_to_floor(&mark(300, 5, 6, Some(R)), Epoch(5), Epoch(6), Slot(300));
        assert_eq!(equal, mark(300, 5, 6, None));
        let above = raise_to_floor(&mark(300, 5, 6, Some(R)), Epoch(4), Epoch(4), Slot(200));
        assert_eq!(above, mark(300, 5, 6, Some(R)));
    }

    #[test]
    fn a_floor_under_a_key_that_never_signed_is_a_mark_without_roots() {
        let raised = raise_to_floor(&Mark::default(), Epoch(1), Epoch(2), Slot(64));
        assert_eq!(raised, mark(64, 1, 2, None));
    }

    #[test]
    fn merge_keeps_a_root_only_with_the_value_it_belongs_to() {
        let other = SigningRoot([0xbb; 32]);
        let low = mark(10, 1, 2, Some(R));
        let high = mark(11, 1, 3, Some(other));
        assert_eq!(merge(&low, &high), high);
        assert_eq!(
            merge(&low, &mark(10, 1, 2, Some(other))),
            mark(10, 1, 2, None)
        );
        assert_eq!(merge(&low, &mark(10, 1, 2, None)), mark(10, 1, 2, None));
        assert_eq!(
            merge(&low, &mark(9, 2, 1, Some(other))),
            mark(10, 2, 2, Some(R))
        );
    }
}
