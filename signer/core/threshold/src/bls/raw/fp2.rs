//! The field that coordinates of G2 are in; all of it constant time.
//!
//! blst keeps both halves of an element below the prime, so equal elements have equal limbs.

use blst::{blst_fp, blst_fp2};

/// The number 1 in blst's (Montgomery) form: 2^384 modulo the prime.
pub(crate) const ONE: blst_fp2 = blst_fp2 {
    fp: [
        blst_fp {
            l: [
                0x7609_0000_0002_fffd,
                0xebf4_000b_c40c_0002,
                0x5f48_9857_53c7_58ba,
                0x77ce_5853_7052_5745,
                0x5c07_1a97_a256_ec6d,
                0x15f6_5ec3_fa80_e493,
            ],
        },
        blst_fp { l: [0; 6] },
    ],
};

pub(crate) fn add(a: &blst_fp2, b: &blst_fp2) -> blst_fp2 {
    let mut out = blst_fp2::default();
    // SAFETY: reads two field elements, writes one.
    unsafe { blst::blst_fp2_add(&mut out, a, b) };
    out
}

pub(crate) fn sub(a: &blst_fp2, b: &blst_fp2) -> blst_fp2 {
    let mut out = blst_fp2::default();
    // SAFETY: reads two field elements, writes one.
    unsafe { blst::blst_fp2_sub(&mut out, a, b) };
    out
}

pub(crate) fn neg(a: &blst_fp2) -> blst_fp2 {
    let mut out = blst_fp2::default();
    // SAFETY: reads one field element, writes one.
    unsafe { blst::blst_fp2_cneg(&mut out, a, true) };
    out
}

pub(crate) fn mul(a: &blst_fp2, b: &blst_fp2) -> blst_fp2 {
    let mut out = blst_fp2::default();
    // SAFETY: reads two field elements, writes one.
    unsafe { blst::blst_fp2_mul(&mut out, a, b) };
    out
}

pub(crate) fn triple(a: &blst_fp2) -> blst_fp2 {
    let mut out = blst_fp2::default();
    // SAFETY: reads one field element, writes one.
    unsafe { blst::blst_fp2_mul_by_3(&mut out, a) };
    out
}

pub(crate) fn square(a: &blst_fp2) -> blst_fp2 {
    let mut out = blst_fp2::default();
    // SAFETY: reads one field element, writes one.
    unsafe { blst::blst_fp2_sqr(&mut out, a) };
    out
}

/// Zero for zero.
pub(crate) fn inverse(a: &blst_fp2) -> blst_fp2 {
    let mut out = blst_fp2::default();
    // SAFETY: reads one field element, writes one.
    unsafe { blst::blst_fp2_inverse(&mut out, a) };
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::raw;

    #[test]
    fn one_is_neutral_and_zero_stays_reduced() {
        let hash = raw::p2_to_affine(&raw::hash_to_g2(b"any", b"tag"));
        assert_eq!(mul(&hash.x, &ONE), hash.x);
        assert_eq!(mul(&hash.x, &inverse(&hash.x)), ONE);
        let zero = blst_fp2::default();
        assert_eq!((neg(&zero), inverse(&zero)), (zero, zero));
        assert_eq!(sub(&hash.x, &hash.x), zero);
        assert_eq!(add(&hash.x, &neg(&hash.x)), zero);
        assert_eq!(triple(&hash.x), add(&hash.x, &add(&hash.x, &hash.x)));
        assert_eq!(square(&hash.y), mul(&hash.y, &hash.y));
    }
}
