//! t of n sign as the whole key does; fewer, foreign or doubled signers do not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;

use common::{Group, index, root, subsets};
use proptest::prelude::*;
use symbolon_threshold::{
    CombineError, HashedRoot, LagrangeCache, PartialSignature, Scale, SignerSet, Threshold,
    VerifyError, combine, lagrange_at_zero, sign_batch,
};

fn cache(group: &Group) -> LagrangeCache {
    LagrangeCache::new(&group.indices, group.threshold, group.scale).unwrap()
}

fn assert_subset_signs(group: &Group, signers: &[u64], root: &HashedRoot) {
    let partials: Vec<_> = signers
        .iter()
        .map(|number| group.share(*number).sign(root))
        .collect();
    let combined = cache(group).combine(&partials).unwrap();
    let signature = combined.verify(&group.key, root).unwrap();
    assert_eq!(
        signature,
        group.whole.sign(root),
        "{signers:?} in {:?}",
        group.scale
    );
}

#[test]
fn every_subset_signs_as_the_whole_key() {
    let root = HashedRoot::new(&root(1));
    for (t, n) in [(1, 1), (1, 3), (2, 3), (3, 5), (4, 5), (5, 7)] {
        let numbers: Vec<u64> = (1..=n).collect();
        for group in [Group::of(t, n, t), Group::of(t, n, t).scaled()] {
            for signers in subsets(&numbers, t as usize) {
                assert_subset_signs(&group, &signers, &root);
            }
        }
    }
}

#[test]
fn larger_groups_sign_as_the_whole_key() {
    let root = HashedRoot::new(&root(2));
    let group = Group::of(11, 16, 3);
    for signers in subsets(&(1..=16).collect::<Vec<u64>>(), 11)
        .iter()
        .step_by(509)
    {
        assert_subset_signs(&group, signers, &root);
    }
    // Coefficients too long for integers, first in few and then in many bucket sums.
    let sparse: Vec<u64> = (1..=12).map(|number| number * 5003 % 65_536).collect();
    assert_subset_signs(&Group::new(12, &sparse, 4), &sorted(sparse.clone()), &root);
    assert_subset_signs(&Group::of(80, 80, 5), &(1..=80).collect::<Vec<_>>(), &root);
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

#[test]
fn fewer_than_t_do_not_sign() {
    let root = HashedRoot::new(&root(3));
    for (t, n) in [(2, 3), (3, 5), (4, 5), (5, 7), (11, 16)] {
        let group = Group::of(t, n, 40 + t);
        let partials = sign_batch(&group.shares[1..t as usize], &root);
        let (expected, got) = (t as usize, t as usize - 1);
        let error = cache(&group).combine(&partials).unwrap_err();
        assert_eq!(error, CombineError::TooFew { expected, got });
        // Even interpolated as if one less were needed.
        let less = Threshold::new(t - 1, n).unwrap();
        let less = LagrangeCache::new(&group.indices, less, Scale::PLAIN).unwrap();
        let combined = less.combine(&partials).unwrap();
        assert_eq!(
            combined.verify(&group.key, &root),
            Err(VerifyError::Mismatch)
        );
    }
}

#[test]
fn refuses_wrong_sets_of_partials() {
    let root = HashedRoot::new(&root(4));
    let group = Group::of(3, 5, 50);
    let foreign = Group::new(3, &[1, 2, 9], 51);
    let cache = cache(&group);
    let of = |numbers: &[u64]| -> Vec<PartialSignature> {
        numbers
            .iter()
            .map(|number| group.share(*number).sign(&root))
            .collect()
    };
    let refused = |partials: &[PartialSignature]| cache.combine(partials).unwrap_err();

    assert_eq!(
        refused(&[]),
        CombineError::TooFew {
            expected: 3,
            got: 0
        }
    );
    assert_eq!(
        refused(&of(&[1, 2, 3, 4])),
        CombineError::TooMany {
            expected: 3,
            got: 4
        }
    );
    assert_eq!(
        refused(&of(&[1, 2, 2])),
        CombineError::Duplicate { index: index(2) }
    );
    assert_eq!(
        refused(&of(&[1, 4, 2])),
        CombineError::Unordered { index: index(2) }
    );
    let mixed = [of(&[1, 2]), vec![foreign.share(9).sign(&root)]].concat();
    assert_eq!(refused(&mixed), CombineError::Foreign { index: index(9) });

    // The same at the lower level, where the coefficients are given.
    let signers = SignerSet::new([1, 3, 5].map(index)).unwrap();
    let coefficients = cache.coefficients(&signers).unwrap();
    let refused = |numbers: &[u64]| combine(&coefficients, &of(numbers)).unwrap_err();
    assert_eq!(
        refused(&[1, 3]),
        CombineError::TooFew {
            expected: 3,
            got: 2
        }
    );
    assert_eq!(
        refused(&[1, 3, 4]),
        CombineError::Foreign { index: index(4) }
    );
    assert_eq!(
        refused(&[3, 1, 5]),
        CombineError::Unordered { index: index(1) }
    );
    assert_eq!(
        refused(&[1, 1, 5]),
        CombineError::Duplicate { index: index(1) }
    );
    let wide = SignerSet::new([1, 2, 3, 4].map(index)).unwrap();
    let error = cache.coefficients(&wide).unwrap_err();
    assert_eq!(
        error,
        CombineError::TooMany {
            expected: 3,
            got: 4
        }
    );
}

#[test]
fn scales_do_not_mix() {
    let root = HashedRoot::new(&root(5));
    let (plain, scaled) = (Group::of(3, 5, 60), Group::of(3, 5, 60).scaled());
    let partials = [plain.share(1), plain.share(2), scaled.share(3)].map(|share| share.sign(&root));
    for group in [&plain, &scaled] {
        let combined = cache(group).combine(&partials).unwrap();
        assert_eq!(
            combined.verify(&plain.key, &root),
            Err(VerifyError::Mismatch)
        );
    }
    assert_eq!(
        partials[0].verify(scaled.public(1), &root),
        Err(VerifyError::Mismatch)
    );
    assert_eq!(partials[2].verify(scaled.public(3), &root), Ok(()));
}

#[test]
fn scale_is_reversible() {
    let (plain, scaled) = (Group::of(3, 5, 61), Group::of(3, 5, 61).scaled());
    for number in 1..=5 {
        let (plain_share, scaled_share) = (plain.share(number), scaled.share(number));
        assert!(!plain_share.scalar().ct_eq(scaled_share.scalar()));
        let back = scaled_share.scaled(Scale::PLAIN);
        assert!(back.scalar().ct_eq(plain_share.scalar()) && back.scale().is_plain());
        assert!(
            scaled_share
                .scaled(scaled.scale)
                .scalar()
                .ct_eq(scaled_share.scalar())
        );
        assert_eq!(&scaled_share.public_share(), scaled.public(number));
        assert_eq!(
            &scaled.public(number).scaled(Scale::PLAIN),
            plain.public(number)
        );
    }
}

#[test]
fn batch_signing_equals_single_signing() {
    let root = HashedRoot::new(&root(6));
    let group = Group::of(5, 7, 70).scaled();
    let single: Vec<_> = group.shares.iter().map(|share| share.sign(&root)).collect();
    assert_eq!(sign_batch(&group.shares, &root), single);
    assert_eq!(sign_batch([], &root), []);
    for (partial, public) in single.iter().zip(&group.public) {
        assert_eq!(partial.verify(public, &root), Ok(()));
    }
}

#[test]
fn signs_from_many_threads_with_one_cache() {
    let root = HashedRoot::new(&root(7));
    let group = Group::of(3, 5, 80).scaled();
    let cache = cache(&group);
    let expected = group.whole.sign(&root);
    let partials = sign_batch(&group.shares, &root);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for signers in subsets(&partials, 3) {
                    let combined = cache.combine(&signers).unwrap();
                    assert_eq!(combined.verify(&group.key, &root), Ok(expected));
                }
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_indices_and_any_signers_sign(
        numbers in proptest::collection::btree_set(1u64..=65_535, 2..9),
        pick in any::<u64>(),
        seed in 1000u64..,
    ) {
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let t = 1 + pick % numbers.len() as u64;
        let root = HashedRoot::new(&root(seed));
        let sets = subsets(&numbers, t as usize);
        let signers = &sets[pick as usize % sets.len()];
        for group in [Group::new(t, &numbers, seed), Group::new(t, &numbers, seed).scaled()] {
            assert_subset_signs(&group, signers, &root);
        }
    }

    #[test]
    fn coefficients_sum_to_one(numbers in proptest::collection::btree_set(1u64..=65_535, 1..20)) {
        // The polynomial 1 is interpolated from ones.
        let signers = SignerSet::new(numbers.into_iter().map(index)).unwrap();
        let mut bytes = [0; 32];
        bytes[31] = 1;
        let one = symbolon_threshold::SecretScalar::take_from(&mut bytes).unwrap();
        let terms = lagrange_at_zero(&signers).into_iter().map(|factor| (factor, &one));
        let sum = symbolon_threshold::SecretScalar::weighted_sum(terms).unwrap();
        prop_assert!(sum.ct_eq(&one));
    }
}
