//! Wrong partials: caught by verification, and the right member named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;
#[path = "common/points.rs"]
mod points;

use std::cell::Cell;

use common::{Group, forged, index, root, subsets};
use symbolon_threshold::{
    Combined, G2Point, HashedRoot, LagrangeCache, PartialSignature, PublicShare, Signature,
    SubgroupCheck, VerifyError, blame, blame_batch, check_batch, fast_aggregate_verify,
    verify_batch,
};

const SEED: [u8; 32] = [0x5e; 32];

fn cache(group: &Group) -> LagrangeCache {
    LagrangeCache::new(&group.indices, group.threshold, group.scale).unwrap()
}

/// The partial with the point `bytes` added to it.
fn tampered(partial: &PartialSignature, bytes: &[u8; 192]) -> PartialSignature {
    forged(
        partial.index(),
        &points::add(&partial.to_uncompressed(), bytes),
    )
}

/// A signature with the point `bytes` added to it, as an unverified combination.
fn tampered_combined(signature: &Signature, bytes: &[u8; 192]) -> Combined {
    let one = Group::of(1, 1, 1);
    let point = points::add(&signature.point().to_uncompressed(), bytes);
    cache(&one).combine(&[forged(index(1), &point)]).unwrap()
}

#[test]
fn every_kind_of_wrong_partial_is_named() {
    let (root, other_root) = (HashedRoot::new(&root(1)), HashedRoot::new(&root(2)));
    let (group, stranger) = (Group::of(3, 5, 10).scaled(), Group::of(3, 5, 11).scaled());
    let honest: Vec<_> = group.shares.iter().map(|share| share.sign(&root)).collect();
    let wrong = |at: usize| {
        let own = group.indices[at];
        [
            ("another root", group.shares[at].sign(&other_root)),
            ("another key", stranger.shares[at].sign(&root)),
            (
                "another member's",
                forged(own, &honest[(at + 1) % 5].to_uncompressed()),
            ),
            (
                "negated",
                forged(own, &points::negate(&honest[at].to_uncompressed())),
            ),
            ("torsion added", tampered(&honest[at], &points::torsion(0))),
            ("torsion only", forged(own, &points::torsion(1))),
        ]
    };
    for at in 0..5 {
        for (kind, partial) in wrong(at) {
            let mut partials = honest.clone();
            partials[at] = partial;
            assert_eq!(
                blame(&partials, &group.public, &root),
                [group.indices[at]],
                "{kind}"
            );
            for signers in subsets(&partials, 3) {
                let verified = cache(&group)
                    .combine(&signers)
                    .unwrap()
                    .verify(&group.key, &root);
                let touched = signers
                    .iter()
                    .any(|signer| signer.index() == group.indices[at]);
                assert_eq!(verified.is_err(), touched, "{kind}");
            }
        }
    }
    assert_eq!(blame(&honest, &group.public, &root), []);
    // Two liars at once, and a signer without a public share.
    let mut partials = honest.clone();
    (partials[1], partials[4]) = (wrong(1)[0].1, wrong(4)[3].1);
    assert_eq!(blame(&partials, &group.public, &root), [2, 5].map(index));
    assert_eq!(
        blame(&partials, &group.public[1..], &root),
        [1, 2, 5].map(index)
    );
}

#[test]
fn torsion_is_refused_on_the_combined_signature() {
    let root = HashedRoot::new(&root(3));
    let group = Group::of(2, 3, 20).scaled();
    let partials = [1, 3].map(|number| group.share(number).sign(&root));
    for number in 0..6 {
        let torsion = points::torsion(number);
        let signers = [tampered(&partials[0], &torsion), partials[1]];
        let combined = cache(&group).combine(&signers).unwrap();
        assert_eq!(
            combined.verify(&group.key, &root),
            Err(VerifyError::NotInSubgroup)
        );
        assert!(!signers[0].in_subgroup() && signers[1].in_subgroup());
        let verified = signers[0].verify(group.public(1), &root);
        assert_eq!(verified, Err(VerifyError::NotInSubgroup));
    }
}

#[test]
fn torsion_is_never_randomised_away_in_a_batch() {
    // A factor divisible by 13 removes the component from a sum; the subgroup check sees it.
    let root = HashedRoot::new(&root(4));
    let group = Group::of(1, 1, 21);
    let signature = group.whole.sign(&root);
    let good = Combined::from(signature);
    let bad = tampered_combined(&signature, &points::torsion(2));
    let items = [(&group.key, &root, &good), (&group.key, &root, &bad)];
    for seed in 0..64 {
        let failure = verify_batch(&items, [seed; 32]).unwrap_err();
        assert_eq!(failure.bad, [1]);
        assert_eq!(failure.outside_subgroup, [1]);
        assert_eq!(failure.good, [(0, signature)]);
        assert_eq!(
            check_batch(&items, [seed; 32])
                .unwrap_err()
                .outside_subgroup,
            [1]
        );
    }
}

#[test]
fn forgeries_that_cancel_in_a_plain_sum_are_caught() {
    let message = root(5);
    let root = HashedRoot::new(&message);
    let groups = [
        Group::of(1, 1, 30),
        Group::of(1, 1, 31),
        Group::of(1, 1, 32),
    ];
    let signatures = groups.each_ref().map(|group| group.whole.sign(&root));
    let delta = Group::of(1, 1, 33)
        .whole
        .sign(&root)
        .point()
        .to_uncompressed();
    let forged = [
        tampered_combined(&signatures[0], &delta),
        tampered_combined(&signatures[1], &points::negate(&delta)),
        Combined::from(signatures[2]),
    ];
    // The plain sum does not notice.
    let plain = points::add(
        &points::add(&signatures[0].point().to_uncompressed(), &delta),
        &points::add(
            &signatures[1].point().to_uncompressed(),
            &points::negate(&delta),
        ),
    );
    let plain = points::add(&plain, &signatures[2].point().to_uncompressed());
    let plain = Signature::from(G2Point::from_uncompressed(&plain).unwrap());
    let keys = groups.each_ref().map(|group| group.key);
    assert_eq!(fast_aggregate_verify(&keys, &message, &plain), Ok(()));

    let items: Vec<_> = groups
        .iter()
        .zip(&forged)
        .map(|(group, forged)| (&group.key, &root, forged))
        .collect();
    for seed in 0..16 {
        let failure = verify_batch(&items, [seed; 32]).unwrap_err();
        assert_eq!(
            (failure.bad, failure.outside_subgroup),
            (vec![0, 1], vec![])
        );
        assert_eq!(failure.good, [(2, signatures[2])]);
        assert!(
            check_batch(&items, [seed; 32])
                .unwrap_err()
                .outside_subgroup
                .is_empty()
        );
    }
}

#[test]
fn infinity_is_refused_on_the_combined_signature() {
    // Two members of a 1-of-2 group are not combined, so cancel inside one 2-of-2 combination:
    // coefficients of {1, 2} are 2 and -1.
    let root = HashedRoot::new(&root(6));
    let group = Group::of(2, 2, 40);
    let first = group.share(1).sign(&root);
    let twice = points::add(&first.to_uncompressed(), &first.to_uncompressed());
    let combined = cache(&group)
        .combine(&[first, forged(index(2), &twice)])
        .unwrap();
    assert_eq!(
        combined.verify(&group.key, &root),
        Err(VerifyError::Infinity)
    );
    let failure = verify_batch(&[(&group.key, &root, &combined)], SEED).unwrap_err();
    assert_eq!(failure.bad, [0]);
}

#[test]
fn batches_of_any_shape_name_all_wrong_signatures() {
    let roots: Vec<_> = (0..4)
        .map(|number| HashedRoot::new(&root(number)))
        .collect();
    let groups: Vec<_> = (0..40).map(|seed| Group::of(1, 1, 100 + seed)).collect();
    let delta = groups[0].whole.sign(&roots[0]).point().to_uncompressed();
    for (size, distinct) in [
        (0, 1),
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 2),
        (17, 1),
        (40, 1),
        (40, 4),
    ] {
        let root_of = |at: usize| &roots[at % distinct];
        let signatures: Vec<_> = (0..size)
            .map(|at| groups[at].whole.sign(root_of(at)))
            .collect();
        for wrong in [
            vec![],
            vec![0],
            vec![size / 2],
            vec![1, size - size.min(1)],
            (0..size).collect(),
        ] {
            let wrong: Vec<usize> = wrong.into_iter().filter(|at| *at < size).collect();
            let combined: Vec<_> = (0..size)
                .map(|at| match wrong.contains(&at) {
                    true => tampered_combined(&signatures[at], &delta),
                    false => Combined::from(signatures[at]),
                })
                .collect();
            let items: Vec<_> = (0..size)
                .map(|at| (&groups[at].key, root_of(at), &combined[at]))
                .collect();
            let checked = check_batch(&items, SEED);
            match verify_batch(&items, SEED) {
                Ok(verified) => {
                    assert!(wrong.is_empty());
                    assert_eq!(verified, signatures);
                    assert_eq!(checked, Ok(verified));
                }
                Err(failure) => {
                    let distinct: std::collections::BTreeSet<_> = wrong.iter().copied().collect();
                    assert_eq!(failure.bad, distinct.into_iter().collect::<Vec<_>>());
                    assert_eq!(failure.good.len(), size - failure.bad.len());
                    assert!(
                        failure
                            .good
                            .iter()
                            .all(|(at, good)| *good == signatures[*at])
                    );
                    assert!(checked.is_err());
                }
            }
        }
    }
}

#[test]
fn swapped_keys_and_roots_fail_a_batch() {
    let roots = [0, 1].map(|number| HashedRoot::new(&root(number)));
    let groups = [Group::of(1, 1, 200), Group::of(1, 1, 201)];
    let signatures = [0, 1].map(|at| Combined::from(groups[at].whole.sign(&roots[at])));
    let keys = groups.each_ref().map(|group| &group.key);
    let bad = |items: &[_]| verify_batch(items, SEED).map_err(|failure| failure.bad);
    assert!(
        bad(&[
            (keys[0], &roots[0], &signatures[0]),
            (keys[1], &roots[1], &signatures[1])
        ])
        .is_ok()
    );
    for items in [
        [
            (keys[1], &roots[0], &signatures[0]),
            (keys[0], &roots[1], &signatures[1]),
        ],
        [
            (keys[0], &roots[1], &signatures[0]),
            (keys[1], &roots[0], &signatures[1]),
        ],
        [
            (keys[0], &roots[0], &signatures[1]),
            (keys[1], &roots[1], &signatures[0]),
        ],
    ] {
        assert_eq!(bad(&items), Err(vec![0, 1]));
    }
}

#[test]
fn a_lying_server_is_found_in_a_burst() {
    let roots = [10, 11].map(|number| HashedRoot::new(&root(number)));
    let groups: Vec<_> = (0..24)
        .map(|seed| Group::of(2, 3, 300 + seed).scaled())
        .collect();
    let root_of = |at: usize| &roots[usize::from(at % 8 == 7)];
    let honest: Vec<_> = (0..24)
        .map(|at| groups[at].share(2).sign(root_of(at)))
        .collect();
    let delta = groups[0].share(1).sign(&roots[0]).to_uncompressed();
    let found = |partials: &[PartialSignature], check, limit| {
        let items: Vec<_> = (0..24)
            .map(|at| (groups[at].public(2), root_of(at), &partials[at]))
            .collect();
        blame_batch(&items, SEED, check, limit)
    };
    for check in [SubgroupCheck::Skip, SubgroupCheck::EachPartial] {
        assert_eq!(found(&honest, check, usize::MAX), Vec::<usize>::new());
        for liars in [vec![0], vec![23], vec![7, 8], (0..24).collect()] {
            let mut partials = honest.clone();
            liars
                .iter()
                .for_each(|at| partials[*at] = tampered(&honest[*at], &delta));
            assert_eq!(found(&partials, check, usize::MAX), liars);
            assert_eq!(found(&partials, check, 1), liars[..1]);
            assert!(found(&partials, check, 0).is_empty());
        }
    }
    // Torsion alone is for the subgroup check to find, never for chance.
    let mut partials = honest.clone();
    partials[5] = tampered(&honest[5], &points::torsion(3));
    assert_eq!(
        found(&partials, SubgroupCheck::EachPartial, usize::MAX),
        [5]
    );
    let skipped = found(&partials, SubgroupCheck::Skip, usize::MAX);
    assert!(
        skipped.is_empty() || skipped == [5],
        "an honest partial was blamed: {skipped:?}"
    );
    // A partial under another index is wrong, even where the point would fit.
    let renamed = PublicShare::new(index(1), *groups[0].public(2).point());
    assert_eq!(
        honest[0].verify(&renamed, &roots[0]),
        Err(VerifyError::Mismatch)
    );
    let items = [(&renamed, &roots[0], &honest[0])];
    assert_eq!(blame_batch(&items, SEED, SubgroupCheck::Skip, 9), [0]);
}

#[test]
fn torsion_never_shifts_blame() {
    // Outside the subgroup the pairing is not bilinear, so equations of sums may contradict each
    // other: whatever they say, only the member at fault is named.
    let root = HashedRoot::new(&root(12));
    let groups: Vec<_> = (0..6).map(|seed| Group::of(1, 1, 400 + seed)).collect();
    let honest: Vec<_> = groups
        .iter()
        .map(|group| group.share(1).sign(&root))
        .collect();
    let tries = Cell::new(0);
    for liar in 0..6 {
        let mut partials = honest.clone();
        partials[liar] = tampered(&honest[liar], &points::torsion(liar as u8));
        let items: Vec<_> = (0..6)
            .map(|at| (groups[at].public(1), &root, &partials[at]))
            .collect();
        for seed in 0..8 {
            let found = blame_batch(&items, [seed; 32], SubgroupCheck::Skip, usize::MAX);
            assert!(found.is_empty() || found == [liar], "{found:?} for {liar}");
            tries.set(tries.get() + found.len());
        }
    }
    assert!(
        tries.get() > 24,
        "the equations noticed only {} of 48",
        tries.get()
    );
}
