//! Bytes from outside: refused by name or read canonically, and never a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;
#[path = "common/points.rs"]
mod points;

use common::{Group, index, root};
use proptest::prelude::*;
use symbolon_threshold::whole::WholeSecretKey;
use symbolon_threshold::{
    G1Point, G2Point, HashedRoot, PartialSignature, PointError, Polynomial, ProofOfPossession,
    PublicScalar, Scale, SecretScalar, SecretShare, Signature,
};

/// Fails to compile when the type implements the trait: with it, `absent` would be ambiguous.
macro_rules! assert_absent {
    ($($name:ident: $secret:ty),+ $(,)?) => {$(
        #[test]
        fn $name() {
            macro_rules! absent {
                ($bound:path) => {{
                    trait Absent<Marker> {
                        fn absent() {}
                    }
                    struct Present;
                    impl<T: ?Sized> Absent<()> for T {}
                    impl<T: ?Sized + $bound> Absent<Present> for T {}
                    <$secret as Absent<_>>::absent();
                }};
            }
            absent!(Clone);
            absent!(PartialEq);
            absent!(std::fmt::Display);
            absent!(serde::Serialize);
        }
    )+};
}

assert_absent! {
    scalar_is_neither_copied_nor_written: SecretScalar,
    share_is_neither_copied_nor_written: SecretShare,
    polynomial_is_neither_copied_nor_written: Polynomial,
    whole_key_is_neither_copied_nor_written: WholeSecretKey,
}

#[test]
fn debug_shows_no_secret() {
    let group = Group::of(2, 3, 1);
    let hidden = format!("{:?} {:?}", group.whole, group.share(1).scalar());
    assert_eq!(hidden, "[redacted] [redacted]");
    let share = format!("{:?}", group.share(1));
    assert_eq!(
        share,
        "SecretShare { index: ShareIndex(1), scale: Scale(1), .. }"
    );
}

#[test]
fn infinity_is_refused_everywhere() {
    let compressed = |length: usize| {
        let mut bytes = vec![0; length];
        bytes[0] = 0xc0;
        bytes
    };
    let uncompressed = |length: usize| {
        let mut bytes = vec![0; length];
        bytes[0] = 0x40;
        bytes
    };
    let infinity = Err(PointError::Infinity);
    assert_eq!(
        G1Point::from_compressed(&compressed(48).try_into().unwrap()),
        infinity
    );
    assert_eq!(
        G1Point::from_uncompressed(&uncompressed(96).try_into().unwrap()),
        infinity
    );
    let wide = uncompressed(192).try_into().unwrap();
    assert_eq!(
        G2Point::from_compressed(&compressed(96).try_into().unwrap()),
        Err(PointError::Infinity)
    );
    assert_eq!(G2Point::from_uncompressed(&wide), Err(PointError::Infinity));
    let partial = PartialSignature::from_uncompressed(index(1), &wide);
    assert_eq!(partial, Err(PointError::Infinity));
    // A sum cancels to it.
    let point = Group::of(1, 1, 2).key;
    let minus_one = hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
    let minus_one = PublicScalar::from_be_bytes(&minus_one.unwrap().try_into().unwrap()).unwrap();
    let terms = [(1.into(), point.point()), (minus_one, point.point())];
    assert_eq!(G1Point::weighted_sum(terms), Err(PointError::Infinity));
    assert_eq!(G1Point::sum([]), Err(PointError::Infinity));
}

#[test]
fn points_outside_the_subgroup_are_refused() {
    let outside = points::outside_g2();
    assert_eq!(
        G2Point::from_compressed(&outside),
        Err(PointError::NotInSubgroup)
    );
    assert_eq!(
        Signature::from_compressed(&outside),
        Err(PointError::NotInSubgroup)
    );
    assert_eq!(
        ProofOfPossession::from_compressed(&outside),
        Err(PointError::NotInSubgroup)
    );
    for number in 0..4 {
        let torsion = points::torsion(number);
        assert_eq!(
            G2Point::from_uncompressed(&torsion),
            Err(PointError::NotInSubgroup)
        );
        // A partial may be outside; it is known to be.
        let partial = PartialSignature::from_uncompressed(index(1), &torsion).unwrap();
        assert!(!partial.in_subgroup());
        assert_eq!(partial.to_uncompressed(), torsion);
    }
    // G1: the first points of the curve by their x.
    let mut outside = 0;
    for x in 0..40u8 {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        match G1Point::from_compressed(&bytes) {
            Err(PointError::NotInSubgroup) => outside += 1,
            Err(PointError::NotOnCurve) => {}
            other => panic!("x = {x} gives {other:?}"),
        }
    }
    assert!(outside > 10);
}

#[test]
fn other_encodings_of_a_point_are_refused() {
    let group = Group::of(1, 1, 3);
    let root = HashedRoot::new(&root(1));
    let partial = group.share(1).sign(&root).to_uncompressed();
    let key = group.key.point().to_uncompressed();
    for flags in [0x20, 0x40, 0x60, 0x80, 0xa0, 0xc0, 0xe0] {
        let (mut partial, mut key) = (partial, key);
        partial[0] |= flags;
        key[0] |= flags;
        let refused = PartialSignature::from_uncompressed(index(1), &partial).unwrap_err();
        assert_eq!(refused, PointError::Encoding, "{flags:x}");
        assert_eq!(
            G2Point::from_uncompressed(&partial),
            Err(PointError::Encoding),
            "{flags:x}"
        );
        assert_eq!(
            G1Point::from_uncompressed(&key),
            Err(PointError::Encoding),
            "{flags:x}"
        );
    }
    // A compressed point in the place of an uncompressed one.
    let mut padded = [0; 192];
    padded[..96].copy_from_slice(&group.whole.sign(&root).to_compressed());
    let refused = PartialSignature::from_uncompressed(index(1), &padded);
    assert_eq!(refused, Err(PointError::Encoding));
    // y + 1 is on no curve; a coordinate of all ones is above the prime.
    let (mut off, mut above) = (partial, partial);
    off[191] ^= 1;
    above[96..144].fill(0xff);
    let decode = |bytes| PartialSignature::from_uncompressed(index(1), bytes);
    assert_eq!(decode(&off), Err(PointError::NotOnCurve));
    assert_eq!(decode(&above), Err(PointError::Encoding));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 192)) {
        let short = |length: usize| bytes[..length].to_vec();
        if let Ok(point) = G1Point::from_compressed(&short(48).try_into().unwrap()) {
            prop_assert_eq!(&point.to_compressed()[..], &bytes[..48]);
        }
        if let Ok(point) = G1Point::from_uncompressed(&short(96).try_into().unwrap()) {
            prop_assert_eq!(&point.to_uncompressed()[..], &bytes[..96]);
        }
        if let Ok(point) = G2Point::from_compressed(&short(96).try_into().unwrap()) {
            prop_assert_eq!(&point.to_compressed()[..], &bytes[..96]);
        }
        let all = bytes.clone().try_into().unwrap();
        prop_assert!(PartialSignature::from_uncompressed(index(1), &all).is_err());
        let scalar: [u8; 32] = short(32).try_into().unwrap();
        let public = PublicScalar::from_be_bytes(&scalar);
        let secret = SecretScalar::take_from(&mut scalar.clone());
        prop_assert_eq!(public.is_ok(), secret.is_ok());
        if let Ok(secret) = secret {
            prop_assert!(secret.expose(|bytes| *bytes == scalar));
        }
    }

    #[test]
    fn bent_encodings_are_refused_or_canonical(seed in any::<u64>(), at in 0usize..192, bit in 0u8..8) {
        let group = Group::of(1, 1, seed);
        let root = HashedRoot::new(&root(seed));
        let mut wide = group.share(1).sign(&root).to_uncompressed();
        wide[at] ^= 1 << bit;
        prop_assert!(PartialSignature::from_uncompressed(index(1), &wide).is_err());
        let mut signature = group.whole.sign(&root).to_compressed();
        signature[at % 96] ^= 1 << bit;
        if let Ok(other) = Signature::from_compressed(&signature) {
            prop_assert_eq!(other.to_compressed(), signature);
            prop_assert!(other.verify(&group.key, &root).is_err());
        }
        let mut key = group.key.to_compressed();
        key[at % 48] ^= 1 << bit;
        if let Ok(other) = G1Point::from_compressed(&key) {
            prop_assert_eq!(other.to_compressed(), key);
        }
    }

    #[test]
    fn points_survive_both_encodings(seed in any::<u64>()) {
        let group = Group::of(1, 2, seed);
        let point = *group.public(2).point();
        prop_assert_eq!(G1Point::from_compressed(&point.to_compressed()), Ok(point));
        prop_assert_eq!(G1Point::from_uncompressed(&point.to_uncompressed()), Ok(point));
        let partial = group.share(2).sign(&HashedRoot::new(&root(seed)));
        let bytes = partial.to_uncompressed();
        prop_assert_eq!(PartialSignature::from_uncompressed(index(2), &bytes), Ok(partial));
        let point = G2Point::from_uncompressed(&bytes).unwrap();
        prop_assert_eq!(G2Point::from_compressed(&point.to_compressed()), Ok(point));
        prop_assert_eq!(format!("{point}"), format!("0x{}", hex::encode(point.to_compressed())));
    }

    #[test]
    fn scale_numbers_round_trip(number in any::<u64>()) {
        match Scale::from_u64(number) {
            Ok(scale) => prop_assert_eq!(scale.to_u64(), number.max(1)),
            Err(_) => prop_assert!(number > i64::MAX as u64),
        }
    }
}
