//! Merkleization of SSZ values (consensus-specs `ssz/simple-serialize.md`): only what the signable
//! messages need, over SHA-256.

use sha2::{Digest, Sha256};

use crate::units::{
    BlsSignature, Epoch, ExecutionAddress, ForkVersion, Gwei, Root, Slot, ValidatorIndex,
    ValidatorPublicKey, WithdrawalCredentials,
};

/// A value with an SSZ `hash_tree_root`.
pub trait TreeRoot {
    /// `hash_tree_root(self)`.
    fn tree_root(&self) -> Root;
}

/// The root of a container whose fields have these roots, in the order of the specification.
pub(crate) fn container(fields: &[Root]) -> Root {
    merkleize(fields.to_vec(), fields.len())
}

/// The root of a `Vector` or, before its length is mixed in, of a `List` of at most `limit` leaves.
///
/// The caller guarantees `leaves.len() <= limit`.
pub(crate) fn merkleize(leaves: Vec<Root>, limit: usize) -> Root {
    let mut layer = leaves;
    let mut empty = Root([0; 32]);
    for _ in 0..limit.next_power_of_two().trailing_zeros() {
        let mut parents = Vec::with_capacity(layer.len().div_ceil(2));
        for pair in layer.chunks(2) {
            if let [left, rest @ ..] = pair {
                parents.push(hash_pair(left, rest.first().unwrap_or(&empty)));
            }
        }
        layer = parents;
        empty = hash_pair(&empty, &empty);
    }
    layer.first().copied().unwrap_or(empty)
}

/// The root of a `List`: the root of its elements and their number.
pub(crate) fn mix_in_length(root: &Root, length: usize) -> Root {
    let mut leaf = [0; 32];
    for (to, from) in leaf.iter_mut().zip(length.to_le_bytes()) {
        *to = from;
    }
    hash_pair(root, &Root(leaf))
}

/// `pack`: the bytes of basic values in chunks of 32, the last one filled up with zeros.
pub(crate) fn pack(bytes: &[u8]) -> Vec<Root> {
    let mut leaves = Vec::with_capacity(bytes.len().div_ceil(32));
    for part in bytes.chunks(32) {
        let mut leaf = [0; 32];
        for (to, from) in leaf.iter_mut().zip(part) {
            *to = *from;
        }
        leaves.push(Root(leaf));
    }
    leaves
}

fn hash_pair(left: &Root, right: &Root) -> Root {
    let mut hash = Sha256::new();
    hash.update(left.as_bytes());
    hash.update(right.as_bytes());
    Root(hash.finalize().into())
}

fn bytes_root(bytes: &[u8]) -> Root {
    merkleize(pack(bytes), bytes.len().div_ceil(32))
}

impl TreeRoot for u64 {
    fn tree_root(&self) -> Root {
        bytes_root(&self.to_le_bytes())
    }
}

impl TreeRoot for Root {
    fn tree_root(&self) -> Root {
        *self
    }
}

macro_rules! number_root {
    ($($name:ident)*) => { $(
        impl TreeRoot for $name {
            fn tree_root(&self) -> Root {
                self.0.tree_root()
            }
        }
    )* };
}

macro_rules! bytes_type_root {
    ($($name:ident)*) => { $(
        impl TreeRoot for $name {
            fn tree_root(&self) -> Root {
                bytes_root(self.as_bytes())
            }
        }
    )* };
}

number_root!(Slot Epoch ValidatorIndex Gwei);
bytes_type_root!(
    ForkVersion ValidatorPublicKey BlsSignature ExecutionAddress WithdrawalCredentials
);

#[cfg(test)]
mod tests {
    use super::*;

    fn sha(left: &[u8], right: &[u8]) -> Root {
        let mut hash = Sha256::new();
        hash.update(left);
        hash.update(right);
        Root(hash.finalize().into())
    }

    #[test]
    fn numbers_are_little_endian_and_short_bytes_are_filled_up_with_zeros() {
        let mut expected = [0; 32];
        expected[0] = 0x34;
        expected[1] = 0x12;
        assert_eq!(0x1234_u64.tree_root(), Root(expected));
        let mut expected = [0; 32];
        expected[..4].copy_from_slice(&[1, 2, 3, 4]);
        assert_eq!(ForkVersion([1, 2, 3, 4]).tree_root(), Root(expected));
    }

    #[test]
    fn an_uneven_tree_is_filled_up_with_the_roots_of_empty_trees() {
        let leaf = |byte| Root([byte; 32]);
        let zero = [0; 32];
        let left = sha(leaf(1).as_bytes(), leaf(2).as_bytes());
        let right = sha(leaf(3).as_bytes(), &zero);
        let expected = sha(left.as_bytes(), right.as_bytes());
        assert_eq!(container(&[leaf(1), leaf(2), leaf(3)]), expected);

        let empty = sha(&zero, &zero);
        assert_eq!(
            merkleize(Vec::new(), 4),
            sha(empty.as_bytes(), empty.as_bytes())
        );
        assert_eq!(merkleize(vec![leaf(1)], 1), leaf(1));
    }

    #[test]
    fn a_list_of_other_length_has_another_root() {
        let root = merkleize(Vec::new(), 16);
        assert_ne!(mix_in_length(&root, 0), mix_in_length(&root, 1));
        assert_eq!(mix_in_length(&root, 0), sha(root.as_bytes(), &[0; 32]));
    }
}
