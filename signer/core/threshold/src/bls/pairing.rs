//! Pairing equations and multi-scalar sums over safe wrappers of blst.

use blst::{MultiPoint, blst_fp12, blst_p1, blst_p1_affine, blst_p2, blst_p2_affine};
use blst::{p1_affines, p2_affines};

use super::raw;
use crate::operations;

/// Whether the product of e(key, hash) over all terms equals e(generator, signature).
///
/// One Miller loop a term and one for the signature, one final exponentiation. Points at infinity
/// contribute nothing; callers refuse them before.
pub(crate) fn equation_holds(
    terms: &[(blst_p1_affine, blst_p2_affine)],
    signature: &blst_p2_affine,
) -> bool {
    // e(g, -s) on the left side makes one fused product that must be one.
    let keys: Vec<_> = terms
        .iter()
        .map(|(key, _)| *key)
        .chain([raw::g1_generator()])
        .collect();
    operations::count_equation(keys.len() as u64);
    let negated = raw::p2_neg_affine(signature);
    let hashes: Vec<_> = terms
        .iter()
        .map(|(_, hash)| *hash)
        .chain([negated])
        .collect();
    blst_fp12::finalverify(
        &blst_fp12::miller_loop_n(&hashes, &keys),
        &blst_fp12::default(),
    )
}

/// One side of an equation of two pairings, before the final exponentiation.
#[derive(Clone)]
pub(crate) struct Half(blst_fp12);

impl Half {
    /// The Miller loop of e(key, hash).
    pub(crate) fn new(key: &blst_p1_affine, hash: &blst_p2_affine) -> Self {
        operations::count_miller_loops(1);
        Self(blst_fp12::miller_loop(hash, key))
    }

    /// Whether e(key, hash) equals e(generator, signature): one Miller loop and the final
    /// exponentiation.
    pub(crate) fn equals(&self, signature: &blst_p2_affine) -> bool {
        operations::count_equation(1);
        let other = blst_fp12::miller_loop(signature, &raw::g1_generator());
        blst_fp12::finalverify(&self.0, &other)
    }
}

/// The sum of points times 128-bit little-endian factors; infinity for no points.
pub(crate) fn p1_sum_128(terms: impl Iterator<Item = (blst_p1_affine, [u8; 16])>) -> blst_p1 {
    let (points, factors): (Vec<_>, Vec<_>) = terms.unzip();
    if points.is_empty() {
        return blst_p1::default();
    }
    points.as_slice().mult(factors.as_flattened(), 128)
}

/// The sum of points times 128-bit little-endian factors; infinity for no points.
pub(crate) fn p2_sum_128(terms: impl Iterator<Item = (blst_p2_affine, [u8; 16])>) -> blst_p2 {
    let (points, factors): (Vec<_>, Vec<_>) = terms.unzip();
    if points.is_empty() {
        return blst_p2::default();
    }
    points.as_slice().mult(factors.as_flattened(), 128)
}

/// The sum of points times 255-bit little-endian factors; infinity for no points.
pub(crate) fn p2_sum_255(terms: impl Iterator<Item = (blst_p2_affine, [u8; 32])>) -> blst_p2 {
    let (points, factors): (Vec<_>, Vec<_>) = terms.unzip();
    if points.is_empty() {
        return blst_p2::default();
    }
    points.as_slice().mult(factors.as_flattened(), 255)
}

/// Many points to affine form with one field inversion.
pub(crate) fn p1_batch_affine(points: &[blst_p1]) -> Vec<blst_p1_affine> {
    if points.is_empty() {
        return Vec::new();
    }
    p1_affines::from(points).as_slice().to_vec()
}

/// Many points to affine form with one field inversion.
pub(crate) fn p2_batch_affine(points: &[blst_p2]) -> Vec<blst_p2_affine> {
    if points.is_empty() {
        return Vec::new();
    }
    p2_affines::from(points).as_slice().to_vec()
}

/// One point to affine form, without a branch on its coordinates.
pub(crate) fn p2_normalised(point: &blst_p2) -> blst_p2_affine {
    p2_affines::from(std::slice::from_ref(point))[0]
}
