//! Which partial signatures are wrong.

use crate::batch::{Claim, Equations};
use crate::hashed_root::HashedRoot;
use crate::index::ShareIndex;
use crate::partial::PartialSignature;
use crate::randomizer::Purpose;
use crate::share::PublicShare;

/// A partial signature with the public share and the root that it should fit.
pub type BatchPartial<'a> = (&'a PublicShare, &'a HashedRoot, &'a PartialSignature);

/// Whether [`blame_batch`] checks the subgroup of each partial (45 us each).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubgroupCheck {
    /// When a combined signature was outside the subgroup.
    EachPartial,
    /// When all combined signatures were inside: then the equations show every wrong partial.
    Skip,
}

/// Names the signers whose partials over one root are wrong: outside the subgroup, not under
/// their public share, or of no share in `shares` (670 us each).
///
/// Partials and public shares must be in the same [`Scale`](crate::Scale).
#[must_use]
pub fn blame(
    partials: &[PartialSignature],
    shares: &[PublicShare],
    root: &HashedRoot,
) -> Vec<ShareIndex> {
    let right = |partial: &PartialSignature| {
        shares
            .iter()
            .find(|share| share.index() == partial.index())
            .is_some_and(|share| partial.verify(share, root).is_ok())
    };
    partials
        .iter()
        .filter(|partial| !right(partial))
        .map(PartialSignature::index)
        .collect()
}

/// Finds up to `limit` wrong partials in a burst of one server (or of several): one equation when
/// all are right, else bisection; returns positions in `items`, ascending.
///
/// A server is a liar after one wrong partial, so a small limit saves time; everything it sent in
/// the burst is then left out. `seed` must be fresh, as for [`check_batch`](crate::check_batch).
#[must_use]
pub fn blame_batch(
    items: &[BatchPartial<'_>],
    seed: [u8; 32],
    subgroup: SubgroupCheck,
    limit: usize,
) -> Vec<usize> {
    let malformed = |(share, _, partial): &BatchPartial<'_>| {
        share.index() != partial.index()
            || (subgroup == SubgroupCheck::EachPartial && !partial.in_subgroup())
    };
    let (mut wrong, rest): (Vec<usize>, Vec<usize>) =
        (0..items.len()).partition(|at| items.get(*at).is_some_and(malformed));
    wrong.truncate(limit);
    let claims = items.iter().map(|(share, root, partial)| Claim {
        key: *share.point().raw(),
        message: root.root().as_slice(),
        hash: *root.affine(),
        signature: *partial.raw(),
    });
    let equations = Equations::new(claims, Purpose::Partials, &seed);
    wrong.extend(equations.wrong_among(&rest, limit - wrong.len()));
    wrong.sort_unstable();
    wrong
}
