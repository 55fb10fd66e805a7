//! Factors of random linear combinations.

use sha2::{Digest, Sha256};

/// `count` factors of 128 bit, little-endian, never zero, expanded from a seed.
///
/// A batch that holds a wrong equation passes with probability 2^-128 when the seed was unknown
/// while the equations were made, so seeds come fresh from a cryptographic source afterwards.
pub(crate) fn factors(purpose: Purpose, seed: &[u8; 32], count: usize) -> Vec<[u8; 16]> {
    let mut factors = Vec::with_capacity(count + 1);
    let mut counter = 0u64;
    while factors.len() < count {
        let block = Sha256::new()
            .chain_update(TAG)
            .chain_update([purpose as u8])
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize();
        factors.extend(
            block
                .as_chunks::<16>()
                .0
                .iter()
                .filter(|factor| **factor != [0; 16]),
        );
        counter += 1;
    }
    factors.truncate(count);
    factors
}

/// What the factors are for, so that a seed used twice gives unrelated factors.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Signatures = 1,
    Partials = 2,
    Shares = 3,
    Possession = 4,
}

const TAG: &[u8] = b"symbolon/v1/batch-factors";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_differ_by_seed_purpose_and_position() {
        let mut all = Vec::new();
        for seed in [[1; 32], [2; 32]] {
            for purpose in [Purpose::Signatures, Purpose::Partials, Purpose::Possession] {
                all.extend(factors(purpose, &seed, 7));
            }
        }
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (42, 42));
        assert!(factors(Purpose::Shares, &[0; 32], 0).is_empty());
    }
}
