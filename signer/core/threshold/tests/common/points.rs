//! Points that no honest program makes.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use blst::min_pk::{AggregateSignature, Signature};
use blst::{MultiPoint, blst_p2_affine, p2_affines};

/// A point of the curve of order 13, outside G2; as 192 bytes.
pub fn torsion(number: u8) -> [u8; 192] {
    // The group of the twist has h * r points, 169 divides h, no element has order 169.
    let mut scalar = hex::decode(COFACTOR_TIMES_R_OVER_169).unwrap();
    scalar.reverse();
    let point = curve_points()
        .map(|point| to_affine([point].as_slice().mult(&scalar, scalar.len() * 8)))
        .filter(|point| Signature::from(*point).serialize()[0] & 0x40 == 0)
        .nth(number.into())
        .unwrap();
    let thirteen = [13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let multiple = to_affine([point].as_slice().mult(&thirteen, thirteen.len() * 8));
    assert_eq!(
        Signature::from(multiple).serialize()[0],
        0x40,
        "order is not 13"
    );
    Signature::from(point).serialize()
}

/// A point of the curve that is not in G2, of large order; as 96 bytes.
pub fn outside_g2() -> [u8; 96] {
    let point = Signature::from(curve_points().next().unwrap());
    assert!(!point.subgroup_check());
    point.compress()
}

/// The sum of two points of the curve.
pub fn add(a: &[u8; 192], b: &[u8; 192]) -> [u8; 192] {
    let (a, b) = (
        Signature::deserialize(a).unwrap(),
        Signature::deserialize(b).unwrap(),
    );
    let mut sum = AggregateSignature::from_signature(&a);
    sum.add_signature(&b, false).unwrap();
    sum.to_signature().serialize()
}

/// The opposite of a point of the curve.
pub fn negate(point: &[u8; 192]) -> [u8; 192] {
    let mut compressed = Signature::deserialize(point).unwrap().compress();
    compressed[0] ^= 0x20;
    Signature::uncompress(&compressed).unwrap().serialize()
}

fn curve_points() -> impl Iterator<Item = blst_p2_affine> {
    (1u8..).filter_map(|x| {
        let mut bytes = [0; 96];
        (bytes[0], bytes[95]) = (0x80, x);
        let point = Signature::uncompress(&bytes).ok()?;
        Some(*<&blst_p2_affine>::from(&point))
    })
}

fn to_affine(point: blst::blst_p2) -> blst_p2_affine {
    p2_affines::from(&[point])[0]
}

const COFACTOR_TIMES_R_OVER_169: &str = "04005449cda731a7136c440a0c65b728ba1c1fa6b6708356f3b9bdc84396cab33907d71557a7d33677f5d45f7cedb8cfdac10ff1fc5b48d6461e907737d78e96568f2d18c750b4b3ca5c33c3fd8ff8a70629888281914529f4e3380941cfdd";
