//! Choices by secret conditions, without branches.

use std::ops::{BitAnd, BitOr, Not};

use blst::{blst_fp2, blst_p2_affine};
use zeroize::Zeroize;

use super::raw::barrier::opaque;

/// A secret truth value: all ones or all zeros, and the compiler knows neither.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mask(u64);

impl Mask {
    /// Whether two numbers are equal.
    #[inline(always)]
    pub(crate) fn equal(a: u64, b: u64) -> Self {
        let difference = a ^ b;
        let differs = (difference | difference.wrapping_neg()) >> 63;
        Self(opaque(differs.wrapping_sub(1)))
    }

    /// From a number that is 0 or 1.
    #[inline(always)]
    pub(crate) fn from_bit(bit: u64) -> Self {
        Self(opaque(bit.wrapping_neg()))
    }

    /// Whether a field element is zero.
    #[inline(always)]
    pub(crate) fn zero(element: &blst_fp2) -> Self {
        let [real, imaginary] = &element.fp;
        let limbs = real.l.iter().chain(&imaginary.l);
        Self::equal(limbs.fold(0, |bits, limb| bits | limb), 0)
    }

    /// Whether an affine point is the one at infinity, which blst writes as zeros.
    #[inline(always)]
    pub(crate) fn infinite(point: &blst_p2_affine) -> Self {
        Self::zero(&point.x) & Self::zero(&point.y)
    }

    /// The mask as a number of 64 equal bits.
    #[inline(always)]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// Replaces `target` by `source` when true.
    #[inline(always)]
    pub(crate) fn replace(self, target: &mut blst_fp2, source: &blst_fp2) {
        for (target, source) in target.fp.iter_mut().zip(&source.fp) {
            for (target, source) in target.l.iter_mut().zip(&source.l) {
                *target ^= self.0 & (*target ^ source);
            }
        }
    }

    /// Replaces `target` by `source` when true.
    #[inline(always)]
    pub(crate) fn replace_point(self, target: &mut blst_p2_affine, source: &blst_p2_affine) {
        self.replace(&mut target.x, &source.x);
        self.replace(&mut target.y, &source.y);
    }

    /// Adds `source` to `target`, which is zero in every bit that `source` sets, when true.
    #[inline(always)]
    pub(crate) fn merge_point(self, target: &mut blst_p2_affine, source: &blst_p2_affine) {
        for (target, source) in [(&mut target.x, &source.x), (&mut target.y, &source.y)] {
            for (target, source) in target.fp.iter_mut().zip(&source.fp) {
                for (target, source) in target.l.iter_mut().zip(&source.l) {
                    *target |= self.0 & source;
                }
            }
        }
    }
}

impl BitAnd for Mask {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Mask {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl Zeroize for Mask {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

pub(crate) fn wipe(element: &mut blst_fp2) {
    element.fp.iter_mut().for_each(|half| half.l.zeroize());
}

pub(crate) fn wipe_point(point: &mut blst_p2_affine) {
    wipe(&mut point.x);
    wipe(&mut point.y);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::raw;

    #[test]
    fn masks_say_what_holds() {
        for (a, b) in [
            (0, 0),
            (0, 1),
            (1, 0),
            (7, 7),
            (u64::MAX, u64::MAX),
            (u64::MAX, 0),
            (1 << 63, 0),
        ] {
            let expected = if a == b { u64::MAX } else { 0 };
            assert_eq!(Mask::equal(a, b).bits(), expected, "{a} and {b}");
        }
        assert_eq!(
            (Mask::from_bit(0).bits(), Mask::from_bit(1).bits()),
            (0, u64::MAX)
        );
        let mut element = blst_fp2::default();
        assert_eq!(Mask::zero(&element).bits(), u64::MAX);
        for half in 0..2 {
            for limb in 0..6 {
                element.fp[half].l[limb] = 1 << 63;
                assert_eq!(Mask::zero(&element).bits(), 0);
                element.fp[half].l[limb] = 0;
            }
        }
    }

    #[test]
    fn replaces_merges_and_wipes() {
        let point = raw::p2_to_affine(&raw::hash_to_g2(b"any", b"tag"));
        let (yes, no) = (Mask::from_bit(1), Mask::from_bit(0));
        let zero = blst_p2_affine::default();
        for (mask, expected) in [(yes, point), (no, zero)] {
            let (mut replaced, mut merged) = (zero, zero);
            mask.replace_point(&mut replaced, &point);
            mask.merge_point(&mut merged, &point);
            assert_eq!((replaced, merged), (expected, expected));
        }
        assert_eq!(Mask::infinite(&point).bits(), 0);
        let mut wiped = point;
        wipe_point(&mut wiped);
        assert_eq!(Mask::infinite(&wiped).bits(), u64::MAX);
    }
}
