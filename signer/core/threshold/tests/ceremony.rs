//! Polynomials, commitments and proofs, as dealers and receivers use them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;

use common::{Group, index, root, source, whole_key};
use proptest::prelude::*;
use symbolon_threshold::whole::{SplitError, WholeSecretKey};
use symbolon_threshold::{
    Commitment, CommitmentError, G1Point, HashedRoot, IndexError, LagrangeCache, POP_DST,
    Polynomial, PolynomialError, PossessionClaim, ProofOfPossession, ScalarError, Scale,
    ScaleError, SecretScalar, SecretShare, Signature, SignerSet, Threshold, VerifyError,
    lagrange_at_zero, verify_proofs, verify_shares,
};

const SEED: [u8; 32] = [0xce; 32];

fn scalar(number: u64) -> SecretScalar {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    SecretScalar::take_from(&mut bytes).unwrap()
}

fn polynomial(t: u64, n: u64, label: &str) -> (Threshold, Polynomial) {
    let threshold = Threshold::new(t, n).unwrap();
    (
        threshold,
        Polynomial::from_source(threshold, source(label)).unwrap(),
    )
}

/// A source whose coefficients are the given small numbers.
fn small(coefficients: &[u64]) -> impl FnMut(usize, &mut [u8; 48]) {
    move |degree, wide| {
        wide.fill(0);
        wide[40..].copy_from_slice(&coefficients[degree].to_be_bytes());
    }
}

#[test]
fn polynomial_is_evaluated_exactly() {
    let threshold = Threshold::new(3, 5).unwrap();
    let polynomial = Polynomial::from_source(threshold, small(&[7, 5, 3])).unwrap();
    for x in [1, 2, 9, 65_535] {
        let share = polynomial.share(index(x)).unwrap();
        assert!(share.scalar().ct_eq(&scalar(7 + 5 * x + 3 * x * x)));
        assert_eq!(share.index(), index(x));
    }
    assert!(polynomial.constant().ct_eq(&scalar(7)));
}

#[test]
fn same_source_gives_the_same_polynomial() {
    let (_, one) = polynomial(3, 5, "same");
    let (_, two) = polynomial(3, 5, "same");
    let (_, other) = polynomial(3, 5, "other");
    assert_eq!(one.commitment(), two.commitment());
    assert_ne!(one.commitment(), other.commitment());
}

#[test]
fn zero_coefficients_and_zero_shares_are_refused() {
    let threshold = Threshold::new(3, 5).unwrap();
    for degree in 0..3 {
        let mut coefficients = [1, 1, 1];
        coefficients[degree] = 0;
        let error = Polynomial::from_source(threshold, small(&coefficients)).unwrap_err();
        assert_eq!(
            error,
            PolynomialError::Coefficient {
                degree,
                source: ScalarError::Zero
            }
        );
    }
    // x - 4 is zero at 4: the constant is r - 4.
    let minus_four = "73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffefffffffd";
    let minus_four = SecretScalar::take_from(&mut hex::decode(minus_four).unwrap()).unwrap();
    let line = Threshold::new(2, 3).unwrap();
    let polynomial = Polynomial::with_constant(&minus_four, line, small(&[0, 1])).unwrap();
    let error = polynomial.share(index(4)).unwrap_err();
    assert_eq!(error, PolynomialError::ZeroShare { index: index(4) });
    let error = polynomial.commitment().evaluate(index(4)).unwrap_err();
    assert_eq!(error, CommitmentError::ZeroShare { index: index(4) });
    assert!(
        polynomial
            .share(index(5))
            .unwrap()
            .scalar()
            .ct_eq(&scalar(1))
    );
}

#[test]
fn constant_of_an_import_is_kept() {
    let whole = whole_key(5);
    let threshold = Threshold::new(2, 3).unwrap();
    let members = [9, 4, 7].map(index);
    let split = whole.split(threshold, &members, source("split")).unwrap();
    assert_eq!(split.commitment.group_public_key(), whole.public_key());
    assert_eq!(
        split
            .shares
            .iter()
            .map(SecretShare::index)
            .collect::<Vec<_>>(),
        members
    );
    for share in &split.shares {
        assert_eq!(split.commitment.verify_share(share), Ok(()));
    }
    let refused = |members: &[_]| {
        whole
            .split(threshold, members, source("split"))
            .unwrap_err()
    };
    let count = ScaleError::Count {
        expected: 3,
        got: 2,
    };
    assert_eq!(refused(&members[..2]), SplitError::Members(count));
    let twice = IndexError::Duplicate { index: index(4) };
    assert_eq!(
        refused(&[4, 4, 7].map(index)),
        SplitError::Members(ScaleError::Index(twice))
    );
}

#[test]
fn commitment_has_exactly_t_points() {
    let (threshold, polynomial) = polynomial(3, 5, "length");
    let points: Vec<G1Point> = polynomial.commitment().points().copied().collect();
    assert_eq!(
        Commitment::new(points.clone(), threshold),
        Ok(polynomial.commitment())
    );
    for wrong in [
        &points[..0],
        &points[..2],
        &[points.clone(), points.clone()].concat(),
    ] {
        let error = Commitment::new(wrong.to_vec(), threshold).unwrap_err();
        assert_eq!(
            error,
            CommitmentError::Length {
                expected: 3,
                got: wrong.len()
            }
        );
    }
}

#[test]
fn wrong_share_is_refused() {
    let (_, polynomial) = polynomial(3, 5, "share");
    let commitment = polynomial.commitment();
    let share = polynomial.share(index(2)).unwrap();
    assert_eq!(commitment.verify_share(&share), Ok(()));
    assert_eq!(
        share.public_share(),
        commitment.public_share(index(2)).unwrap()
    );
    let scaled = share.scaled(Scale::from_u64(24).unwrap());
    assert_eq!(commitment.verify_share(&scaled), Ok(()));
    let error = CommitmentError::WrongShare { index: index(2) };
    let altered = SecretShare::new(index(2), share.scalar().add(&scalar(1)).unwrap());
    assert_eq!(commitment.verify_share(&altered), Err(error));
    let others = polynomial
        .share(index(3))
        .unwrap()
        .scalar()
        .mul(&1.into())
        .unwrap();
    assert_eq!(
        commitment.verify_share(&SecretShare::new(index(2), others)),
        Err(error)
    );
}

#[test]
fn batch_of_shares_names_the_wrong_ones() {
    // Different thresholds, receivers and scales in one batch.
    let dealt: Vec<_> = (0..12)
        .map(|number: u64| {
            let (_, polynomial) = polynomial(1 + number % 4, 6, &format!("deal {number}"));
            let share = polynomial.share(index(1 + number % 3)).unwrap();
            let scale = Scale::from_u64(if number == 6 { 60 } else { 1 }).unwrap();
            (polynomial.commitment(), share.scaled(scale))
        })
        .collect();
    let altered: Vec<_> = dealt
        .iter()
        .map(|(_, share)| {
            let plain = share.scaled(Scale::PLAIN);
            SecretShare::new(plain.index(), plain.scalar().add(&scalar(1)).unwrap())
        })
        .collect();
    assert_eq!(verify_shares(&[], SEED), Ok(()));
    for wrong in [vec![], vec![0], vec![6, 11], (0..12).collect()] {
        let pairs: Vec<_> = (0..12)
            .map(|at| {
                (
                    &dealt[at].0,
                    if wrong.contains(&at) {
                        &altered[at]
                    } else {
                        &dealt[at].1
                    },
                )
            })
            .collect();
        let bad = verify_shares(&pairs, SEED).map_err(|error| error.bad);
        assert_eq!(bad, if wrong.is_empty() { Ok(()) } else { Err(wrong) });
    }
}

#[test]
fn errors_of_shares_that_cancel_in_a_sum_are_caught() {
    let (_, one) = polynomial(2, 3, "cancel one");
    let (_, two) = polynomial(2, 3, "cancel two");
    let (commitment_one, commitment_two) = (one.commitment(), two.commitment());
    let (first, second) = (one.share(index(1)).unwrap(), two.share(index(1)).unwrap());
    let minus_one = {
        let minus_one = hex::decode(concat!(
            "73eda753299d7d483339d80809a1d805",
            "53bda402fffe5bfeffffffff00000000"
        ));
        SecretScalar::take_from(&mut minus_one.unwrap()).unwrap()
    };
    let raised = SecretShare::new(index(1), first.scalar().add(&scalar(1)).unwrap());
    let lowered = SecretShare::new(index(1), second.scalar().add(&minus_one).unwrap());
    let pairs = [(&commitment_one, &raised), (&commitment_two, &lowered)];
    for seed in 0..16 {
        assert_eq!(verify_shares(&pairs, [seed; 32]).unwrap_err().bad, [0, 1]);
    }
}

#[test]
fn joint_key_of_several_dealers_signs() {
    let root = HashedRoot::new(&root(9));
    let dealers: Vec<_> = (0..5)
        .map(|n| polynomial(3, 5, &format!("dealer {n}")).1)
        .collect();
    let joint: Vec<_> = dealers.iter().map(Polynomial::commitment).collect();
    let joint = Commitment::sum(&joint).unwrap();
    let members: Vec<_> = (1..=5).map(index).collect();
    let shares: Vec<_> = members
        .iter()
        .map(|member| {
            let parts: Vec<_> = dealers.iter().map(|d| d.share(*member).unwrap()).collect();
            let sum = SecretScalar::sum(parts.iter().map(SecretShare::scalar)).unwrap();
            SecretShare::new(*member, sum)
        })
        .collect();
    for share in &shares {
        assert_eq!(joint.verify_share(share), Ok(()));
    }
    let threshold = Threshold::new(3, 5).unwrap();
    let cache = LagrangeCache::new(&members, threshold, Scale::PLAIN).unwrap();
    let partials: Vec<_> = shares[1..4].iter().map(|share| share.sign(&root)).collect();
    let signature = cache
        .combine(&partials)
        .unwrap()
        .verify(&joint.group_public_key(), &root);
    let whole = SecretScalar::sum(dealers.iter().map(Polynomial::constant)).unwrap();
    assert_eq!(signature, Ok(WholeSecretKey::from(whole).sign(&root)));
}

#[test]
fn reshared_key_is_the_same_key() {
    // 3-of-5 to 4-of-6 with other members, dealt by members 1, 3 and 4.
    let root = HashedRoot::new(&root(10));
    let old = Group::of(3, 5, 70);
    let dealers = SignerSet::new([1, 3, 4].map(index)).unwrap();
    let factors = lagrange_at_zero(&dealers);
    let threshold = Threshold::new(4, 6).unwrap();
    let deals: Vec<_> = dealers
        .iter()
        .map(|dealer| {
            let share = old.share(dealer.into()).scalar();
            let deal = Polynomial::with_constant(share, threshold, source(&format!("re {dealer}")));
            deal.unwrap()
        })
        .collect();
    let commitments: Vec<_> = deals.iter().map(Polynomial::commitment).collect();
    for (dealer, commitment) in dealers.iter().zip(&commitments) {
        assert_eq!(commitment.constant(), old.public(dealer.into()).point());
    }
    let terms = factors.iter().copied().zip(&commitments);
    let joint = Commitment::weighted_sum(terms).unwrap();
    assert_eq!(joint.group_public_key(), old.key);

    let members: Vec<_> = [2, 5, 6, 7, 8, 9].into_iter().map(index).collect();
    let shares: Vec<_> = members
        .iter()
        .map(|member| {
            let parts: Vec<_> = deals
                .iter()
                .map(|deal| deal.share(*member).unwrap())
                .collect();
            let terms = factors
                .iter()
                .copied()
                .zip(parts.iter().map(SecretShare::scalar));
            SecretShare::new(*member, SecretScalar::weighted_sum(terms).unwrap())
        })
        .collect();
    for share in &shares {
        assert_eq!(joint.verify_share(share), Ok(()));
    }
    let cache = LagrangeCache::new(&members, threshold, Scale::PLAIN).unwrap();
    let partials: Vec<_> = shares[2..].iter().map(|share| share.sign(&root)).collect();
    let signature = cache.combine(&partials).unwrap().verify(&old.key, &root);
    assert_eq!(signature, Ok(old.whole.sign(&root)));
    // An old share among new ones does not.
    let mixed: Vec<_> = [vec![old.share(2).sign(&root)], partials[1..].to_vec()].concat();
    let verified = cache.combine(&mixed).unwrap().verify(&old.key, &root);
    assert_eq!(verified, Err(VerifyError::Mismatch));
}

#[test]
fn sums_of_commitments_must_match_and_not_cancel() {
    let three = polynomial(3, 5, "sum").1.commitment();
    let two = polynomial(2, 5, "sum").1.commitment();
    assert_eq!(Commitment::sum([]), Err(CommitmentError::Empty));
    let error = CommitmentError::Length {
        expected: 3,
        got: 2,
    };
    assert_eq!(Commitment::sum([&three, &two]), Err(error));
    let minus_one = symbolon_threshold::PublicScalar::from_be_bytes(
        &hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000")
            .unwrap()
            .try_into()
            .unwrap(),
    );
    let terms = [(1.into(), &three), (minus_one.unwrap(), &three)];
    let error = CommitmentError::Cancelled { degree: 0 };
    assert_eq!(Commitment::weighted_sum(terms), Err(error));
}

#[test]
fn proof_belongs_to_one_point_and_one_message() {
    let (secret, other) = (scalar(77), scalar(78));
    let proof = ProofOfPossession::prove(&secret, b"ceremony 1, dealer 2, key 3");
    let (point, other) = (secret.public_point(), other.public_point());
    assert_eq!(proof.verify(&point, b"ceremony 1, dealer 2, key 3"), Ok(()));
    assert_eq!(
        proof.verify(&point, b"ceremony 1, dealer 2, key 4"),
        Err(VerifyError::Mismatch)
    );
    assert_eq!(
        proof.verify(&other, b"ceremony 1, dealer 2, key 3"),
        Err(VerifyError::Mismatch)
    );
    assert_eq!(
        ProofOfPossession::from_compressed(&proof.to_compressed()),
        Ok(proof)
    );
}

#[test]
fn proof_is_no_signature_and_no_signature_is_a_proof() {
    let (secret, message) = (scalar(79), root(11));
    let point = secret.public_point();
    let proof = ProofOfPossession::prove(&secret, &message);
    let hashed = HashedRoot::new(&message);
    let as_signature = Signature::from_compressed(&proof.to_compressed()).unwrap();
    assert_eq!(
        as_signature.verify(&point.into(), &hashed),
        Err(VerifyError::Mismatch)
    );
    let signature = WholeSecretKey::from(secret).sign(&hashed);
    let as_proof = ProofOfPossession::from_compressed(&signature.to_compressed()).unwrap();
    assert_eq!(
        as_proof.verify(&point, &message),
        Err(VerifyError::Mismatch)
    );
    assert_ne!(POP_DST, symbolon_threshold::DST);
}

#[test]
fn batch_of_proofs_names_the_wrong_ones() {
    let secrets: Vec<_> = (1..=9).map(scalar).collect();
    let points: Vec<_> = secrets.iter().map(SecretScalar::public_point).collect();
    let messages: Vec<String> = (0..9).map(|at| format!("key {}", at / 2)).collect();
    let proofs: Vec<_> = secrets
        .iter()
        .zip(&messages)
        .map(|(secret, message)| ProofOfPossession::prove(secret, message.as_bytes()))
        .collect();
    assert_eq!(verify_proofs(&[], SEED), Ok(()));
    for wrong in [vec![], vec![4], vec![0, 8], (0..9).collect::<Vec<_>>()] {
        let claims: Vec<_> = (0..9)
            .map(|at| PossessionClaim {
                point: &points[at],
                message: messages[at].as_bytes(),
                proof: &proofs[if wrong.contains(&at) {
                    (at + 1) % 9
                } else {
                    at
                }],
            })
            .collect();
        let bad = verify_proofs(&claims, SEED).map_err(|error| error.bad);
        assert_eq!(bad, if wrong.is_empty() { Ok(()) } else { Err(wrong) });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn shares_fit_their_commitment(
        t in 1u64..8,
        numbers in proptest::collection::btree_set(1u64..=65_535, 8),
        label in "[a-z]{4}",
    ) {
        let (_, polynomial) = polynomial(t, 8, &label);
        let commitment = polynomial.commitment();
        let shares: Vec<_> =
            numbers.iter().map(|number| polynomial.share(index(*number)).unwrap()).collect();
        let pairs: Vec<_> = shares.iter().map(|share| (&commitment, share)).collect();
        prop_assert_eq!(verify_shares(&pairs, SEED), Ok(()));
        // t of them give the constant back.
        let signers = SignerSet::new(shares[..t as usize].iter().map(SecretShare::index)).unwrap();
        let terms = lagrange_at_zero(&signers).into_iter().zip(&shares);
        let terms = terms.map(|(factor, share)| (factor, share.scalar()));
        prop_assert!(SecretScalar::weighted_sum(terms).unwrap().ct_eq(polynomial.constant()));
    }
}
