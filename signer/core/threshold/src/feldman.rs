//! Many shares against many commitments in one equation.

use std::collections::BTreeMap;

use blst::{blst_p1, blst_p1_affine};

use crate::bls::pairing;
use crate::bls::raw::{self, Fr};
use crate::commitment::{Commitment, horner};
use crate::index::ShareIndex;
use crate::point::G1Point;
use crate::randomizer::{Purpose, factors};
use crate::scale::Scale;
use crate::share::SecretShare;

/// Shares that do not fit their commitments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} shares do not fit their commitments", bad.len())]
pub struct BadShares {
    /// Positions of the wrong pairs, ascending.
    pub bad: Vec<usize>,
}

/// Checks each share against its commitment, all in one random linear combination.
///
/// On failure each pair is checked on its own. `seed` must be fresh and unknown to the dealers.
///
/// # Errors
///
/// [`BadShares`] names the wrong pairs by position.
pub fn verify_shares(
    pairs: &[(&Commitment, &SecretShare)],
    seed: [u8; 32],
) -> Result<(), BadShares> {
    if combination_holds(pairs, &seed) {
        return Ok(());
    }
    let wrong = |(_, (commitment, share)): &(usize, &(&Commitment, &SecretShare))| {
        commitment.verify_share(share).is_err()
    };
    Err(BadShares {
        bad: pairs
            .iter()
            .enumerate()
            .filter(wrong)
            .map(|(at, _)| at)
            .collect(),
    })
}

fn combination_holds(pairs: &[(&Commitment, &SecretShare)], seed: &[u8; 32]) -> bool {
    let factors = factors(Purpose::Shares, seed, pairs.len());
    let secret = pairs
        .iter()
        .zip(&factors)
        .fold(Fr::zero(), |sum, ((_, share), factor)| {
            let plain = share
                .scalar()
                .to_fr()
                .mul(&share.scale().ratio_to(Scale::PLAIN));
            sum.add(&plain.mul(&from_factor(factor)))
        });
    // Commitments evaluated at one index are summed by coefficient first, so that the powers of
    // the index are multiplied in once.
    let mut by_index: BTreeMap<ShareIndex, Vec<(&Commitment, [u8; 16])>> = BTreeMap::new();
    for ((commitment, share), factor) in pairs.iter().zip(factors) {
        by_index
            .entry(share.index())
            .or_default()
            .push((commitment, factor));
    }
    let expected = by_index
        .into_iter()
        .fold(blst_p1::default(), |sum, (index, group)| {
            raw::p1_add(&sum, &evaluate_sum(&group, index))
        });
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    secret.write_be_bytes(&mut bytes);
    raw::p1_to_affine(&raw::public_key(&bytes)) == raw::p1_to_affine(&expected)
}

/// The sum of commitments times factors, evaluated at `index`.
fn evaluate_sum(group: &[(&Commitment, [u8; 16])], index: ShareIndex) -> blst_p1 {
    let mut by_degree: Vec<Vec<(blst_p1_affine, [u8; 16])>> = Vec::new();
    for (commitment, factor) in group {
        if by_degree.len() < commitment.t() {
            by_degree.resize_with(commitment.t(), Vec::new);
        }
        for (column, point) in by_degree
            .iter_mut()
            .zip(commitment.points().map(G1Point::raw))
        {
            column.push((*point, *factor));
        }
    }
    let sums: Vec<blst_p1> = by_degree
        .into_iter()
        .map(|column| pairing::p1_sum_128(column.into_iter()))
        .collect();
    horner(sums.iter(), index, blst_p1::default(), raw::p1_add)
}

fn from_factor(factor: &[u8; 16]) -> Fr {
    let mut wide = [0; 48];
    wide[32..].copy_from_slice(factor);
    wide[32..].reverse();
    Fr::from_wide_be_bytes(&wide)
}
