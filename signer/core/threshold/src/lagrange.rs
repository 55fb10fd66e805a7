//! Interpolation at zero: coefficients by set of signers, kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::bls::raw::Fr;
use crate::combine::{CombineError, Combined, combine};
use crate::index::{ShareIndex, SignerSet, Threshold};
use crate::partial::PartialSignature;
use crate::scalar::PublicScalar;
use crate::scale::{Scale, ScaleError, gcd};

/// The coefficients of one set of signers, ready for [`combine`].
#[derive(Debug)]
pub struct Coefficients {
    signers: SignerSet,
    factors: Factors,
}

/// Public factors in the form that costs least.
#[derive(Debug)]
pub(crate) enum Factors {
    /// Small integers as signed binary digits, least significant first, one list a signer; then
    /// one multiplication by the inverse of their common denominator (little-endian), if any.
    Integers {
        digits: Vec<Vec<i8>>,
        inverse: Option<[u8; 32]>,
    },
    /// Numbers modulo r, little-endian, one a signer.
    Field(Vec<[u8; 32]>),
}

/// All coefficients of one group, computed on first use.
///
/// Holds at most 1,024 sets of signers; a fuller cache is emptied and fills again.
#[derive(Debug)]
pub struct LagrangeCache {
    group: SignerSet,
    threshold: Threshold,
    scale: Scale,
    known: RwLock<HashMap<SignerSet, Arc<Coefficients>>>,
}

impl LagrangeCache {
    /// A cache for the group with these share indices.
    ///
    /// # Errors
    ///
    /// [`ScaleError`] when the indices are not n distinct ones, and when `scale` is neither plain
    /// nor [`Scale::for_group`]'s.
    pub fn new(
        indices: &[ShareIndex],
        threshold: Threshold,
        scale: Scale,
    ) -> Result<Self, ScaleError> {
        let expected = Scale::for_group(indices, threshold)?;
        if !scale.is_plain() && scale != expected {
            let (expected, got) = (expected.to_u64(), scale.to_u64());
            return Err(ScaleError::Mismatch { expected, got });
        }
        let group = SignerSet::new(indices.iter().copied())?;
        Ok(Self {
            group,
            threshold,
            scale,
            known: RwLock::default(),
        })
    }

    /// The coefficients of one set of signers.
    ///
    /// # Errors
    ///
    /// [`CombineError`] when the set has not exactly t signers of the group.
    pub fn coefficients(&self, signers: &SignerSet) -> Result<Arc<Coefficients>, CombineError> {
        // Only checked sets are kept, so a hit needs no check.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(coefficients) = known.get(signers) {
            return Ok(Arc::clone(coefficients));
        }
        drop(known);
        CombineError::check_count(self.threshold.t(), signers.len())?;
        if let Some(index) = signers.iter().find(|index| !self.group.contains(*index)) {
            return Err(CombineError::Foreign { index });
        }
        let factors = Factors::new(signers, self.scale);
        let coefficients = Arc::new(Coefficients {
            signers: signers.clone(),
            factors,
        });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SETS {
            known.clear();
        }
        known.insert(signers.clone(), Arc::clone(&coefficients));
        Ok(coefficients)
    }

    /// Combines t partials of this group, in ascending order of their indices.
    ///
    /// # Errors
    ///
    /// [`CombineError`], which names the index at fault.
    pub fn combine(&self, partials: &[PartialSignature]) -> Result<Combined, CombineError> {
        CombineError::check_count(self.threshold.t(), partials.len())?;
        let signers = CombineError::check_order(partials)?;
        combine(self.coefficients(&signers)?.as_ref(), partials)
    }

    /// The group's share indices.
    #[must_use]
    pub fn group(&self) -> &SignerSet {
        &self.group
    }

    /// The group's threshold.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The representation that partials must be in.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }
}

impl Coefficients {
    /// The signers that these coefficients belong to.
    #[must_use]
    pub fn signers(&self) -> &SignerSet {
        &self.signers
    }

    pub(crate) fn factors(&self) -> &Factors {
        &self.factors
    }
}

/// The interpolation coefficients at zero, in the order of `signers`.
///
/// For ceremonies; signatures are combined with a [`LagrangeCache`].
#[must_use]
pub fn lagrange_at_zero(signers: &SignerSet) -> Vec<PublicScalar> {
    signers
        .iter()
        .map(|own| PublicScalar::from_fr(&coefficient(signers, own)))
        .collect()
}

impl Factors {
    fn new(signers: &SignerSet, scale: Scale) -> Self {
        Self::integers(signers, scale).unwrap_or_else(|| {
            let unscale = scale.ratio_to(Scale::PLAIN);
            let factor = |own| coefficient(signers, own).mul(&unscale).to_le_bytes();
            Self::Field(signers.iter().map(factor).collect())
        })
    }

    /// Integers over a common denominator; `None` when one does not fit.
    ///
    /// 63 doublings, 21 additions a signer and one multiplication cost less than a multi-scalar
    /// multiplication of 255 bits at every t, so integers that fit are always chosen.
    fn integers(signers: &SignerSet, scale: Scale) -> Option<Self> {
        let fractions = signers
            .iter()
            .map(|own| Fraction::new(signers, own, scale))
            .collect::<Option<Vec<_>>>()?;
        let denominator = fractions.iter().try_fold(1u128, |common, fraction| {
            (common / gcd(common, fraction.denominator)).checked_mul(fraction.denominator)
        })?;
        let digits = fractions
            .iter()
            .map(|fraction| fraction.over(denominator).map(signed_digits))
            .collect::<Option<Vec<_>>>()?;
        if denominator == 1 {
            return Some(Self::Integers {
                digits,
                inverse: None,
            });
        }
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&denominator.to_be_bytes());
        let inverse = Fr::from_be_bytes(&bytes)?.inverse()?;
        Some(Self::Integers {
            digits,
            inverse: Some(inverse.to_le_bytes()),
        })
    }
}

/// One coefficient, times Delta, as a reduced fraction.
struct Fraction {
    negative: bool,
    numerator: u128,
    denominator: u128,
}

impl Fraction {
    /// `None` when it does not fit.
    fn new(signers: &SignerSet, own: ShareIndex, scale: Scale) -> Option<Self> {
        let one = Self {
            negative: false,
            numerator: scale.to_u64().into(),
            denominator: 1,
        };
        signers
            .iter()
            .filter(|other| *other != own)
            .try_fold(one, |product, other| {
                let numerator = product.numerator.checked_mul(other.get().into())?;
                let difference = other.get().abs_diff(own.get());
                let denominator = product.denominator.checked_mul(difference.into())?;
                let common = gcd(numerator, denominator);
                Some(Self {
                    negative: product.negative ^ (other < own),
                    numerator: numerator / common,
                    denominator: denominator / common,
                })
            })
    }

    fn over(&self, denominator: u128) -> Option<i64> {
        let multiple = denominator / self.denominator;
        let magnitude = i64::try_from(self.numerator.checked_mul(multiple)?).ok()?;
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

/// The coefficient of `own` modulo r.
fn coefficient(signers: &SignerSet, own: ShareIndex) -> Fr {
    let number = |index: ShareIndex| Fr::from_u64(index.into());
    let (numerator, denominator) = signers.iter().filter(|other| *other != own).fold(
        (Fr::from_u64(1), Fr::from_u64(1)),
        |(numerator, denominator), other| {
            let difference = number(other).sub(&number(own));
            (numerator.mul(&number(other)), denominator.mul(&difference))
        },
    );
    // Distinct indices below 2^16 differ modulo r, so the fallback is never taken.
    numerator.mul(&denominator.inverse().unwrap_or_else(Fr::zero))
}

/// Non-adjacent form: digits -1, 0, 1, least significant first, a third of them nonzero.
fn signed_digits(number: i64) -> Vec<i8> {
    let mut rest = i128::from(number);
    let mut digits = Vec::with_capacity(65);
    while rest != 0 {
        let digit = match rest.rem_euclid(4) {
            1 => 1,
            3 => -1,
            _ => 0,
        };
        digits.push(digit);
        rest = (rest - i128::from(digit)) / 2;
    }
    digits
}

const MAX_SETS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn signers(indices: impl IntoIterator<Item = u64>) -> SignerSet {
        SignerSet::new(
            indices
                .into_iter()
                .map(|x| ShareIndex::try_from(x).unwrap()),
        )
        .unwrap()
    }

    /// The factors as numbers modulo r.
    fn values(factors: &Factors) -> Vec<PublicScalar> {
        match factors {
            Factors::Field(factors) => factors
                .iter()
                .map(|le| {
                    let mut be = *le;
                    be.reverse();
                    PublicScalar::from_be_bytes(&be).unwrap()
                })
                .collect(),
            Factors::Integers { digits, inverse } => digits
                .iter()
                .map(|digits| {
                    let two = Fr::from_u64(2);
                    let sum = digits.iter().rev().fold(Fr::zero(), |sum, digit| {
                        let sum = sum.mul(&two);
                        match digit {
                            1 => sum.add(&Fr::from_u64(1)),
                            -1 => sum.sub(&Fr::from_u64(1)),
                            _ => sum,
                        }
                    });
                    let mut be = inverse.unwrap_or_else(|| Fr::from_u64(1).to_le_bytes());
                    be.reverse();
                    PublicScalar::from_fr(&sum.mul(&Fr::from_be_bytes(&be).unwrap()))
                })
                .collect(),
        }
    }

    #[test]
    fn integers_equal_the_field() {
        for set in [
            signers([1, 4, 5]),
            signers([3]),
            signers(1..=13),
            signers([7, 400, 65_535]),
        ] {
            let factors = Factors::integers(&set, Scale::PLAIN).unwrap();
            assert_eq!(values(&factors), lagrange_at_zero(&set), "{set:?}");
        }
        let wide = signers(1..=80);
        assert!(Factors::integers(&wide, Scale::PLAIN).is_none());
        assert_eq!(
            values(&Factors::new(&wide, Scale::PLAIN)),
            lagrange_at_zero(&wide)
        );
    }

    #[test]
    fn scaled_factors_need_no_inverse() {
        let indices = signers([2, 3, 5, 8, 13, 21]);
        let threshold = Threshold::new(4, 6).unwrap();
        let scale = Scale::for_group(indices.as_slice(), threshold).unwrap();
        let delta = Fr::from_u64(scale.delta().unwrap());
        for left_out in [[2, 3], [2, 21], [13, 21], [5, 8]] {
            let set = [2u64, 3, 5, 8, 13, 21]
                .into_iter()
                .filter(|x| !left_out.contains(x));
            let set = signers(set);
            let factors = Factors::new(&set, scale);
            assert!(matches!(factors, Factors::Integers { inverse: None, .. }));
            let expected: Vec<_> = set
                .iter()
                .map(|own| PublicScalar::from_fr(&coefficient(&set, own).mul(&delta)))
                .collect();
            assert_eq!(values(&factors), expected);
        }
    }

    #[test]
    fn digits_are_non_adjacent_and_exact() {
        for number in [0, 1, -1, 2, 3, 7, -100, 0x5555, i64::MAX, i64::MIN] {
            let digits = signed_digits(number);
            let value = digits
                .iter()
                .rev()
                .fold(0i128, |sum, digit| 2 * sum + i128::from(*digit));
            assert_eq!(value, i128::from(number));
            assert!(
                digits.windows(2).all(|pair| pair[0] == 0 || pair[1] == 0),
                "{number}"
            );
        }
    }

    #[test]
    fn cache_is_bounded() {
        let group: Vec<_> = (1..=60).map(|x| ShareIndex::try_from(x).unwrap()).collect();
        let threshold = Threshold::new(2, 60).unwrap();
        let cache = LagrangeCache::new(&group, threshold, Scale::PLAIN).unwrap();
        for (number, a) in group.iter().enumerate() {
            for b in &group[number + 1..] {
                cache
                    .coefficients(&SignerSet::new([*a, *b]).unwrap())
                    .unwrap();
                assert!(cache.known.read().unwrap().len() <= MAX_SETS);
            }
        }
    }

    #[test]
    fn refuses_a_foreign_scale() {
        let group: Vec<_> = (1..=5).map(|x| ShareIndex::try_from(x).unwrap()).collect();
        let threshold = Threshold::new(3, 5).unwrap();
        let scale = Scale::from_u64(48).unwrap();
        let error = LagrangeCache::new(&group, threshold, scale).unwrap_err();
        assert_eq!(
            error,
            ScaleError::Mismatch {
                expected: 24,
                got: 48
            }
        );
    }
}
