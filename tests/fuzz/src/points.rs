//! Encodings of curve points and scalars.

use symbolon_threshold::{
    G1Point, G2Point, GroupPublicKey, PartialSignature, PointError, ProofOfPossession,
    PublicScalar, Scale, ScalarError, SecretScalar, ShareIndex, Signature, Threshold,
};

use crate::Seed;
use crate::fixture::identity;
use crate::reader::Reader;

/// A choice and the longest encoding.
pub const MAX_LEN: usize = 193;

/// Accepted bytes are the only encoding of their value in that form, and both forms agree.
pub fn check(data: &[u8]) {
    let mut reader = Reader(data);
    match reader.byte() % 6 {
        0 => g1_compressed(&reader.array()),
        1 => g1_uncompressed(&reader.array()),
        2 => g2_compressed(&reader.array()),
        3 => g2_uncompressed(&reader.array()),
        4 => scalars(&reader.array(), &reader.array()),
        _ => numbers(
            u64::from_be_bytes(reader.array()),
            u64::from_be_bytes(reader.array()),
        ),
    }
}

fn g1_compressed(bytes: &[u8; 48]) {
    let key = GroupPublicKey::from_compressed(bytes);
    let point = G1Point::from_compressed(bytes);
    assert_eq!(key.is_ok(), point.is_ok());
    let Ok(point) = point else { return };
    assert_eq!(point.to_compressed(), *bytes);
    assert_eq!(G1Point::from_uncompressed(&point.to_uncompressed()), Ok(point));
}

fn g1_uncompressed(bytes: &[u8; 96]) {
    let Ok(point) = G1Point::from_uncompressed(bytes) else {
        return;
    };
    assert_eq!(point.to_uncompressed(), *bytes);
    assert_eq!(G1Point::from_compressed(&point.to_compressed()), Ok(point));
}

fn g2_compressed(bytes: &[u8; 96]) {
    let signature = Signature::from_compressed(bytes);
    let proof = ProofOfPossession::from_compressed(bytes);
    let point = G2Point::from_compressed(bytes);
    assert_eq!(signature.is_ok(), point.is_ok());
    assert_eq!(proof.is_ok(), point.is_ok());
    let Ok(point) = point else { return };
    assert_eq!(point.to_compressed(), *bytes);
    assert_eq!(G2Point::from_uncompressed(&point.to_uncompressed()), Ok(point));
}

/// A partial is on the curve; it is in the subgroup exactly when a point is made of it.
fn g2_uncompressed(bytes: &[u8; 192]) {
    let index = ShareIndex::try_from(1).unwrap();
    let point = G2Point::from_uncompressed(bytes);
    let partial = match PartialSignature::from_uncompressed(index, bytes) {
        Ok(partial) => partial,
        Err(error) => {
            assert_eq!(point.err(), Some(error));
            return;
        }
    };
    assert_eq!(partial.to_uncompressed(), *bytes);
    assert_eq!(partial.in_subgroup(), point.is_ok());
    match point {
        Ok(point) => {
            assert_eq!(point.to_uncompressed(), *bytes);
            assert_eq!(G2Point::from_compressed(&point.to_compressed()), Ok(point));
        }
        Err(error) => assert_eq!(error, PointError::NotInSubgroup),
    }
}

fn scalars(bytes: &[u8; 32], wide: &[u8; 48]) {
    let public = PublicScalar::from_be_bytes(bytes);
    let mut source = *bytes;
    let secret = SecretScalar::take_from(&mut source);
    assert_eq!(source, [0; 32]);
    match (secret, public) {
        (Ok(secret), Ok(public)) => {
            assert_eq!(public.to_be_bytes(), *bytes);
            assert!(secret.expose(|inner| inner == bytes));
            let point = secret.public_point();
            assert_eq!(G1Point::from_compressed(&point.to_compressed()), Ok(point));
            if let Ok(sum) = SecretScalar::from_wide(wide).and_then(|other| other.add(&secret)) {
                canonical(&sum);
            }
            canonical(&secret.mul(&PublicScalar::from(2)).unwrap());
        }
        (Err(ScalarError::Zero), Ok(_)) => assert_eq!(*bytes, [0; 32]),
        (Err(ScalarError::NotCanonical), Err(ScalarError::NotCanonical)) => {}
        (secret, public) => panic!("{secret:?}, {public:?}"),
    }
}

fn canonical(scalar: &SecretScalar) {
    let mut bytes = scalar.expose(|bytes| *bytes);
    assert!(SecretScalar::take_from(&mut bytes).unwrap().ct_eq(scalar));
}

fn numbers(one: u64, two: u64) {
    if let Ok(index) = ShareIndex::try_from(one) {
        assert_eq!(u64::from(index), one);
        assert_ne!(index.get(), 0);
    }
    if let Ok(threshold) = Threshold::new(one, two) {
        let (t, n) = (threshold.t(), threshold.n());
        assert_eq!((t as u64, n as u64), (one, two));
        assert!(1 <= t && t <= n);
    }
    if let Ok(scale) = Scale::from_u64(one) {
        assert_eq!(scale.to_u64(), one.max(1));
        assert_eq!(Scale::from_u64(scale.to_u64()), Ok(scale));
    }
}

/// A point in each encoding, infinities, a scalar at the edge, numbers.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let mut bytes = [5; 32];
    let secret = SecretScalar::take_from(&mut bytes).unwrap();
    let g1 = secret.public_point();
    let g2 = symbolon_threshold::hash_to_g2(b"seed", symbolon_threshold::DST);
    let with = |choice: u8, bytes: &[u8]| [&[choice], bytes].concat();
    let infinity = |first: u8, len: usize| {
        let mut bytes = vec![0; len];
        bytes[0] = first;
        bytes
    };
    // The order of the groups, less one.
    let last = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000";
    let last = u256(last);
    // An x coordinate that is on the curve, most likely outside the subgroup.
    let key = symbolon_protocol::IdentitySigner::public(&identity(1));
    let mut outside = infinity(0x80, 48);
    outside[16..].copy_from_slice(&key.compressed()[1..]);
    let numbers = [3_u64.to_be_bytes(), 5_u64.to_be_bytes()].concat();
    vec![
        ("g1-compressed", with(0, &g1.to_compressed())),
        ("g1-infinity", with(0, &infinity(0xc0, 48))),
        ("g1-outside", with(0, &outside)),
        ("g1-uncompressed", with(1, &g1.to_uncompressed())),
        ("g2-compressed", with(2, &g2.to_compressed())),
        ("g2-uncompressed", with(3, &g2.to_uncompressed())),
        ("g2-infinity", with(3, &infinity(0x40, 192))),
        ("scalar", with(4, &[5; 80])),
        ("scalar-last", with(4, &last)),
        ("numbers", with(5, &numbers)),
    ]
}

fn u256(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
