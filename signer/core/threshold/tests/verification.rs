//! A verification begun early gives the verdict of one that is not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;
#[path = "common/points.rs"]
mod points;

use common::{Group, forged, index, root};
use proptest::prelude::*;
use symbolon_threshold::{
    Combined, HashedRoot, LagrangeCache, Scale, Threshold, Verification, VerifyError,
};

/// Any point of the curve as an unverified combination.
fn combined(bytes: &[u8; 192]) -> Combined {
    let threshold = Threshold::new(1, 1).unwrap();
    let cache = LagrangeCache::new(&[index(1)], threshold, Scale::PLAIN).unwrap();
    cache.combine(&[forged(index(1), bytes)]).unwrap()
}

#[test]
fn early_verdicts_are_the_verdicts() {
    let (hashed, other) = (HashedRoot::new(&root(1)), HashedRoot::new(&root(2)));
    let (group, stranger) = (Group::of(3, 5, 1), Group::of(3, 5, 2));
    let signature = group.whole.sign(&hashed);
    let honest = signature.point().to_uncompressed();
    let early = Verification::begin(&group.key, &hashed);
    let cases = [
        ("honest", honest, Ok(signature)),
        (
            "another key",
            stranger.whole.sign(&hashed).point().to_uncompressed(),
            Err(VerifyError::Mismatch),
        ),
        (
            "another root",
            group.whole.sign(&other).point().to_uncompressed(),
            Err(VerifyError::Mismatch),
        ),
        (
            "negated",
            points::negate(&honest),
            Err(VerifyError::Mismatch),
        ),
        (
            "doubled",
            points::add(&honest, &honest),
            Err(VerifyError::Mismatch),
        ),
        (
            "torsion added",
            points::add(&honest, &points::torsion(0)),
            Err(VerifyError::NotInSubgroup),
        ),
        (
            "torsion only",
            points::torsion(1),
            Err(VerifyError::NotInSubgroup),
        ),
        // A failed verdict leaves nothing behind.
        ("honest again", honest, Ok(signature)),
    ];
    for (name, bytes, verdict) in cases {
        let combined = combined(&bytes);
        assert_eq!(early.finish(&combined), verdict, "{name}");
        assert_eq!(combined.verify(&group.key, &hashed), verdict, "{name}");
    }
    for early in [
        Verification::begin(&stranger.key, &hashed),
        Verification::begin(&group.key, &other),
    ] {
        assert_eq!(early.finish(&combined(&honest)), Err(VerifyError::Mismatch));
    }
}

#[test]
fn infinity_is_refused_early_too() {
    // The coefficients of the members 1 and 2 are 2 and -1.
    let hashed = HashedRoot::new(&root(3));
    let group = Group::of(2, 2, 3);
    let first = group.share(1).sign(&hashed);
    let twice = points::add(&first.to_uncompressed(), &first.to_uncompressed());
    let cache = LagrangeCache::new(&group.indices, group.threshold, group.scale).unwrap();
    let combined = cache.combine(&[first, forged(index(2), &twice)]).unwrap();
    let early = Verification::begin(&group.key, &hashed);
    assert_eq!(early.finish(&combined), Err(VerifyError::Infinity));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn early_equals_late(
        message in any::<[u8; 32]>(),
        seed in 1u64..,
        (other_root, other_key, torsion) in (prop::bool::weighted(0.3), prop::bool::weighted(0.3), prop::bool::weighted(0.3)),
    ) {
        let hashed = HashedRoot::new(&message);
        let signer = common::whole_key(if other_key { 0 } else { seed });
        let signed = if other_root { HashedRoot::new(&root(seed)) } else { hashed.clone() };
        let mut bytes = signer.sign(&signed).point().to_uncompressed();
        if torsion {
            bytes = points::add(&bytes, &points::torsion((seed % 5) as u8));
        }
        let (key, combined) = (common::whole_key(seed).public_key(), combined(&bytes));
        let early = Verification::begin(&key, &hashed).finish(&combined);
        prop_assert_eq!(early.is_ok(), !(other_root || other_key || torsion));
        prop_assert_eq!(early, combined.verify(&key, &hashed));
    }
}
