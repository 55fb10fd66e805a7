//! Many signatures in one pairing equation.

use std::collections::BTreeMap;

use blst::{blst_p1_affine, blst_p2_affine};

use crate::bls::{pairing, raw};
use crate::combine::Combined;
use crate::hashed_root::HashedRoot;
use crate::point::G2Point;
use crate::public_key::GroupPublicKey;
use crate::randomizer::{Purpose, factors};
use crate::signature::Signature;

/// A combined signature with the key and the root that it should fit.
pub type BatchItem<'a> = (&'a GroupPublicKey, &'a HashedRoot, &'a Combined);

/// Some signatures of a batch are wrong; positions are those of the items, ascending.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} of {} signatures of the batch are wrong", bad.len(), bad.len() + good.len())]
pub struct BatchFailure {
    /// Wrong signatures.
    pub bad: Vec<usize>,
    /// Those of `bad` that are infinity or outside the subgroup; when there are none, blame may
    /// skip the subgroup checks.
    pub outside_subgroup: Vec<usize>,
    /// All others, verified.
    pub good: Vec<(usize, Signature)>,
}

/// A batch holds at least one wrong signature; nothing was done to find out which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the batch holds a wrong signature")]
pub struct BatchRejected {
    /// Signatures that are infinity or outside the subgroup; none when the equation failed.
    pub outside_subgroup: Vec<usize>,
}

/// Verifies all or nothing: one subgroup check a signature and one pairing equation.
///
/// G distinct roots cost G + 1 Miller loops, however many signatures there are. `seed` must be
/// fresh and secret until now: whoever knows it can make wrong signatures that cancel.
///
/// # Errors
///
/// [`BatchRejected`], at the price of one equation: a server that is wrong in every signature of a
/// burst is found sooner by [`blame_batch`](crate::blame_batch) than by [`verify_batch`].
pub fn check_batch(
    items: &[BatchItem<'_>],
    seed: [u8; 32],
) -> Result<Vec<Signature>, BatchRejected> {
    let (points, outside_subgroup) = affine_in_subgroup(items);
    if !outside_subgroup.is_empty() {
        return Err(BatchRejected { outside_subgroup });
    }
    if !equations(items, &points, &seed).all_hold() {
        return Err(BatchRejected { outside_subgroup });
    }
    Ok(points.into_iter().map(signature).collect())
}

/// Verifies as [`check_batch`] does and on failure bisects to the wrong signatures.
///
/// Each wrong signature costs up to 2 log2(N) further equations.
///
/// # Errors
///
/// [`BatchFailure`], which also gives the signatures that are right.
pub fn verify_batch(
    items: &[BatchItem<'_>],
    seed: [u8; 32],
) -> Result<Vec<Signature>, BatchFailure> {
    let (points, outside_subgroup) = affine_in_subgroup(items);
    let sound: Vec<usize> = (0..items.len())
        .filter(|at| outside_subgroup.binary_search(at).is_err())
        .collect();
    let mut bad = equations(items, &points, &seed).wrong_among(&sound, usize::MAX);
    if bad.is_empty() && outside_subgroup.is_empty() {
        return Ok(points.into_iter().map(signature).collect());
    }
    bad.extend_from_slice(&outside_subgroup);
    bad.sort_unstable();
    let good = points
        .into_iter()
        .enumerate()
        .filter(|(at, _)| bad.binary_search(at).is_err());
    let good = good.map(|(at, point)| (at, signature(point))).collect();
    Err(BatchFailure {
        bad,
        outside_subgroup,
        good,
    })
}

fn affine_in_subgroup(items: &[BatchItem<'_>]) -> (Vec<blst_p2_affine>, Vec<usize>) {
    let points: Vec<_> = items
        .iter()
        .map(|(_, _, combined)| *combined.raw())
        .collect();
    let points = pairing::p2_batch_affine(&points);
    let outside = points
        .iter()
        .enumerate()
        .filter(|(_, point)| raw::p2_is_infinity(point) || !raw::p2_in_group(point))
        .map(|(at, _)| at)
        .collect();
    (points, outside)
}

fn equations(items: &[BatchItem<'_>], points: &[blst_p2_affine], seed: &[u8; 32]) -> Equations {
    let claims = items
        .iter()
        .zip(points)
        .map(|((key, root, _), point)| Claim {
            key: *key.point().raw(),
            message: root.root().as_slice(),
            hash: *root.affine(),
            signature: *point,
        });
    Equations::new(claims, Purpose::Signatures, seed)
}

fn signature(point: blst_p2_affine) -> Signature {
    Signature::from(G2Point::from_raw(point))
}

/// One signature that should fit one key and one message.
pub(crate) struct Claim<'a> {
    pub(crate) key: blst_p1_affine,
    pub(crate) message: &'a [u8],
    pub(crate) hash: blst_p2_affine,
    pub(crate) signature: blst_p2_affine,
}

/// Claims with random factors, to be checked together in any selection.
pub(crate) struct Equations {
    hashes: Vec<blst_p2_affine>,
    terms: Vec<Term>,
}

struct Term {
    key: blst_p1_affine,
    /// Position in `hashes`.
    hash: usize,
    signature: blst_p2_affine,
    factor: [u8; 16],
}

impl Equations {
    pub(crate) fn new<'a>(
        claims: impl ExactSizeIterator<Item = Claim<'a>>,
        purpose: Purpose,
        seed: &[u8; 32],
    ) -> Self {
        let factors = factors(purpose, seed, claims.len());
        let mut hashes = Vec::new();
        let mut known = BTreeMap::new();
        let terms = claims
            .zip(factors)
            .map(|(claim, factor)| {
                let hash = *known.entry(claim.message).or_insert_with(|| {
                    hashes.push(claim.hash);
                    hashes.len() - 1
                });
                Term {
                    key: claim.key,
                    hash,
                    signature: claim.signature,
                    factor,
                }
            })
            .collect();
        Self { hashes, terms }
    }

    /// Whether the combination of all claims holds.
    pub(crate) fn all_hold(&self) -> bool {
        self.hold(&(0..self.terms.len()).collect::<Vec<_>>())
    }

    /// Up to `limit` positions among `positions` whose claims are wrong, ascending.
    pub(crate) fn wrong_among(&self, positions: &[usize], limit: usize) -> Vec<usize> {
        let mut wrong = Vec::new();
        if limit != 0 && !self.hold(positions) {
            self.bisect(positions, limit, &mut wrong);
        }
        wrong
    }

    /// Narrows a selection that does not hold.
    fn bisect(&self, positions: &[usize], limit: usize, wrong: &mut Vec<usize>) {
        if let [position] = positions {
            // Half of a selection is also taken as wrong when the other half holds. That is sure
            // only inside the subgroup, so no one is named without an equation of his own.
            if !self.hold(positions) {
                wrong.push(*position);
            }
            return;
        }
        let (left, right) = positions.split_at(positions.len() / 2);
        let left_holds = self.hold(left);
        if !left_holds {
            self.bisect(left, limit, wrong);
        }
        if wrong.len() < limit && (left_holds || !self.hold(right)) {
            self.bisect(right, limit, wrong);
        }
    }

    fn hold(&self, positions: &[usize]) -> bool {
        let terms: Vec<&Term> = positions
            .iter()
            .filter_map(|at| self.terms.get(*at))
            .collect();
        let hash = |term: &Term| self.hashes.get(term.hash).copied().unwrap_or_default();
        match terms.as_slice() {
            [] => true,
            [term] => pairing::equation_holds(&[(term.key, hash(term))], &term.signature),
            _ => {
                let mut by_hash: BTreeMap<usize, Vec<&Term>> = BTreeMap::new();
                for term in &terms {
                    by_hash.entry(term.hash).or_default().push(term);
                }
                let sums: Vec<_> = by_hash
                    .values()
                    .map(|group| pairing::p1_sum_128(group.iter().map(|t| (t.key, t.factor))))
                    .collect();
                let keys = pairing::p1_batch_affine(&sums);
                let hashes = by_hash
                    .values()
                    .filter_map(|group| group.first().map(|t| hash(t)));
                let pairs: Vec<_> = keys.into_iter().zip(hashes).collect();
                let signatures = terms.iter().map(|term| (term.signature, term.factor));
                let signature = raw::p2_to_affine(&pairing::p2_sum_128(signatures));
                pairing::equation_holds(&pairs, &signature)
            }
        }
    }
}
