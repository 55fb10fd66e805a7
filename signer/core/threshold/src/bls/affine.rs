//! Many additions of affine points of G2 with one field inversion.
//!
//! Six multiplications and two squarings in Fp2 an addition, where mixed Jacobian coordinates need
//! eleven and more. Complete and constant time: every case is computed and masks choose.

use blst::{blst_fp2, blst_p2_affine};
use zeroize::Zeroize;

use super::mask::{Mask, wipe, wipe_point};
use super::raw::fp2;

/// Points that depend on secrets, wiped on drop.
pub(crate) struct SecretPoints(Vec<blst_p2_affine>);

/// Adds lists of points to lists of points.
///
/// All points are in the subgroup or infinity: a point of order two has no place here.
pub(crate) struct Adder(Vec<Step>);

/// What is kept of one addition until the inverse is known; may depend on secrets.
#[derive(Clone, Copy, Default)]
struct Step {
    numerator: blst_fp2,
    denominator: blst_fp2,
    /// The product of the denominators before this one.
    prefix: blst_fp2,
    /// The addend is infinity.
    keep: Mask,
    /// The sum is infinity so far.
    take: Mask,
    /// The two cancel.
    cancel: Mask,
}

impl SecretPoints {
    /// `len` times infinity.
    pub(crate) fn infinite(len: usize) -> Self {
        Self(vec![blst_p2_affine::default(); len])
    }

    pub(crate) fn as_slice(&self) -> &[blst_p2_affine] {
        &self.0
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [blst_p2_affine] {
        &mut self.0
    }

    /// The points, which are public now.
    pub(crate) fn publish(mut self) -> Vec<blst_p2_affine> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for SecretPoints {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(wipe_point);
    }
}

impl Adder {
    /// With room for `len` additions at a time.
    pub(crate) fn new(len: usize) -> Self {
        Self(vec![Step::default(); len])
    }

    /// Adds each addend to the sum at its place; at most as many as there is room for.
    pub(crate) fn add(&mut self, sums: &mut [blst_p2_affine], addends: &[blst_p2_affine]) {
        debug_assert!(sums.len() == addends.len() && sums.len() <= self.0.len());
        let mut product = fp2::ONE;
        for ((step, sum), addend) in self.0.iter_mut().zip(&*sums).zip(addends) {
            step.prepare(sum, addend);
            step.prefix = product;
            product = fp2::mul(&product, &step.denominator);
        }
        let mut inverse = fp2::inverse(&product);
        let pairs = sums.iter_mut().zip(addends);
        for ((sum, addend), step) in pairs.zip(&self.0).rev() {
            let own = fp2::mul(&inverse, &step.prefix);
            inverse = fp2::mul(&inverse, &step.denominator);
            step.finish(sum, addend, &own);
        }
        wipe(&mut product);
        wipe(&mut inverse);
    }
}

impl Drop for Adder {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl Step {
    /// The slope as a fraction; a fraction that nobody uses gets the denominator 1.
    #[inline]
    fn prepare(&mut self, sum: &blst_p2_affine, addend: &blst_p2_affine) {
        self.keep = Mask::infinite(addend);
        self.take = Mask::infinite(sum);
        let trivial = self.keep | self.take;
        self.denominator = fp2::sub(&addend.x, &sum.x);
        self.numerator = fp2::sub(&addend.y, &sum.y);
        let same_x = Mask::zero(&self.denominator);
        let same_y = Mask::zero(&self.numerator);
        // Both may be wrong beside infinity, which is chosen after them.
        let double = same_x & same_y;
        self.cancel = same_x & !same_y;
        double.replace(&mut self.numerator, &fp2::triple(&fp2::square(&sum.x)));
        double.replace(&mut self.denominator, &fp2::add(&sum.y, &sum.y));
        (trivial | self.cancel).replace(&mut self.denominator, &fp2::ONE);
    }

    #[inline]
    fn finish(&self, sum: &mut blst_p2_affine, addend: &blst_p2_affine, inverse: &blst_fp2) {
        let slope = fp2::mul(&self.numerator, inverse);
        let mut result = blst_p2_affine::default();
        result.x = fp2::sub(&fp2::sub(&fp2::square(&slope), &sum.x), &addend.x);
        result.y = fp2::mul(&slope, &fp2::sub(&sum.x, &result.x));
        result.y = fp2::sub(&result.y, &sum.y);
        self.cancel
            .replace_point(&mut result, &blst_p2_affine::default());
        self.take.replace_point(&mut result, addend);
        self.keep.replace_point(&mut result, sum);
        *sum = result;
    }
}

impl Zeroize for Step {
    fn zeroize(&mut self) {
        for element in [&mut self.numerator, &mut self.denominator, &mut self.prefix] {
            wipe(element);
        }
        for mask in [&mut self.keep, &mut self.take, &mut self.cancel] {
            mask.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bls::raw;

    /// k times a fixed point for k in -3..=3; 0 gives infinity.
    fn multiple(k: i8) -> blst_p2_affine {
        let point = raw::hash_to_g2(b"any", b"tag");
        let product = raw::p2_to_affine(&raw::p2_mul(&point, &[k.unsigned_abs()], 8));
        if k < 0 {
            raw::p2_neg_affine(&product)
        } else {
            product
        }
    }

    fn assert_adds(pairs: &[(i8, i8)]) {
        let mut sums: Vec<_> = pairs.iter().map(|(a, _)| multiple(*a)).collect();
        let addends: Vec<_> = pairs.iter().map(|(_, b)| multiple(*b)).collect();
        let expected: Vec<_> = pairs.iter().map(|(a, b)| multiple(a + b)).collect();
        // More room than pairs.
        Adder::new(pairs.len() + 3).add(&mut sums, &addends);
        assert_eq!(sums, expected, "{pairs:?}");
    }

    #[test]
    fn every_kind_of_pair_adds_alone_and_in_company() {
        let all: Vec<_> = (-3..=3)
            .flat_map(|a| (-3..=3).map(move |b| (a, b)))
            .collect();
        assert_adds(&all);
        all.iter().for_each(|pair| assert_adds(&[*pair]));
        assert_adds(&[]);
    }

    #[test]
    fn room_is_reused() {
        let mut adder = Adder::new(4);
        let mut sums = [1, 2, 0, -1].map(multiple);
        adder.add(&mut sums, &[1, -2, 0, 3].map(multiple));
        adder.add(&mut sums[1..], &[1, 1, -2].map(multiple));
        assert_eq!(sums, [2, 1, 1, 0].map(multiple));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_mixture_adds(pairs in proptest::collection::vec((-3i8..=3, -3i8..=3), 0..40)) {
            assert_adds(&pairs);
        }
    }
}
