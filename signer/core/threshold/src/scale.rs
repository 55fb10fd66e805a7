//! The public constant that turns a group's interpolation coefficients into small integers.

use std::collections::BTreeSet;

use crate::bls::raw::Fr;
use crate::index::{IndexError, ShareIndex, SignerSet, Threshold};

/// The representation of a group's shares: plain Shamir, or divided by a public constant Delta.
///
/// Interpolation at zero multiplies each partial signature by a fraction. With shares s / Delta
/// (mod r), where Delta is the least common denominator of these fractions over *every* set of t
/// signers, the factors are small integers: 16 us instead of 147 us for 3-of-5. Delta is a function
/// of the group's indices and t, so it reveals nothing. Shares are stored, backed up and dealt plain; a
/// scaled partial combines only with partials of the same scale, so a group has one scale, which
/// everybody computes from its plan; no message states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale(u64);

/// A scale is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScaleError {
    /// The indices are not a group's.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The indices are not as many as the threshold says.
    #[error("the group has {expected} members, got {got} indices")]
    Count {
        /// Members by the threshold.
        expected: usize,
        /// Indices given.
        got: usize,
    },
    /// Not a number this crate ever writes.
    #[error("scale {got} is above 2^63 - 1")]
    OutOfRange {
        /// The number given.
        got: u64,
    },
    /// Not the scale that follows from the group.
    #[error("the group's scale is {expected} (1 is plain), got {got}; all members must use one")]
    Mismatch {
        /// Delta of the group, 1 for plain.
        expected: u64,
        /// Delta given, 1 for plain.
        got: u64,
    },
}

impl Scale {
    /// Plain Shamir shares.
    pub const PLAIN: Self = Self(1);

    /// The scale of a group: all its share indices and its threshold.
    ///
    /// Plain when t is above 7, or when Delta or a coefficient does not fit 63 bits.
    ///
    /// # Errors
    ///
    /// [`ScaleError::Index`] and [`ScaleError::Count`] when the indices are not n distinct ones.
    pub fn for_group(indices: &[ShareIndex], threshold: Threshold) -> Result<Self, ScaleError> {
        let group = SignerSet::new(indices.iter().copied())?;
        let (expected, got) = (threshold.n(), group.len());
        if expected != got {
            return Err(ScaleError::Count { expected, got });
        }
        if threshold.t() > MAX_SCALED_T {
            return Ok(Self::PLAIN);
        }
        let delta = common_denominator(&group, threshold.t());
        let fits = |delta: &u64| coefficients_fit(&group, threshold.t(), *delta);
        Ok(delta.filter(fits).map_or(Self::PLAIN, Self))
    }

    /// Reads a descriptor's number: 0 and 1 are plain, all others are Delta.
    ///
    /// # Errors
    ///
    /// [`ScaleError::OutOfRange`] above 2^63 - 1.
    pub fn from_u64(number: u64) -> Result<Self, ScaleError> {
        if i64::try_from(number).is_err() {
            return Err(ScaleError::OutOfRange { got: number });
        }
        Ok(Self(number.max(1)))
    }

    /// Delta, or 1 for plain.
    #[must_use]
    pub fn to_u64(self) -> u64 {
        self.0
    }

    /// Delta, unless plain.
    #[must_use]
    pub fn delta(self) -> Option<u64> {
        (self != Self::PLAIN).then_some(self.0)
    }

    /// Whether shares are plain Shamir.
    #[must_use]
    pub fn is_plain(self) -> bool {
        self == Self::PLAIN
    }

    /// What a value in this representation is multiplied by to be in another; never zero.
    pub(crate) fn ratio_to(self, other: Self) -> Fr {
        // Delta is in 1..2^63, so it is invertible and the fallback is never taken.
        let divisor = Fr::from_u64(other.0).inverse().unwrap_or_else(Fr::zero);
        Fr::from_u64(self.0).mul(&divisor)
    }
}

/// The least Delta that clears the denominators of all coefficients; `None` above 63 bits.
///
/// A coefficient is the product of x_j / (x_j - x_i) over the other t - 1 signers j. The power of
/// a prime in its denominator is largest for the t - 1 signers that contribute most, so no set of
/// signers need be enumerated.
fn common_denominator(group: &SignerSet, t: usize) -> Option<u64> {
    let mut delta = 1u64;
    for prime in primes_of_differences(group) {
        let power = group
            .iter()
            .map(|own| denominator_power(group, t, own, prime))
            .max();
        delta = delta.checked_mul(prime.checked_pow(power.unwrap_or_default())?)?;
    }
    i64::try_from(delta).is_ok().then_some(delta)
}

fn denominator_power(group: &SignerSet, t: usize, own: ShareIndex, prime: u64) -> u32 {
    let mut powers: Vec<i64> = others(group, own)
        .map(|x| i64::from(power_in(x.abs_diff(own.get()), prime)) - i64::from(power_in(x, prime)))
        .collect();
    powers.sort_unstable_by(|a, b| b.cmp(a));
    u32::try_from(powers.iter().take(t - 1).sum::<i64>()).unwrap_or_default()
}

/// Whether Delta times every coefficient has at most 63 bits.
///
/// The largest coefficient of a signer is the product of the t - 1 largest x_j / |x_j - x_i|.
fn coefficients_fit(group: &SignerSet, t: usize, delta: u64) -> bool {
    group.iter().all(|own| {
        let mut ratios: Vec<(u128, u128)> = others(group, own)
            .map(|x| (u128::from(x), u128::from(x.abs_diff(own.get()))))
            .collect();
        ratios.sort_unstable_by(|(a, b), (c, d)| (c * b).cmp(&(a * d)));
        let largest = ratios
            .iter()
            .take(t - 1)
            .try_fold((u128::from(delta), 1), |sum, ratio| {
                let numerator = u128::checked_mul(sum.0, ratio.0)?;
                let denominator = u128::checked_mul(sum.1, ratio.1)?;
                let common = gcd(numerator, denominator);
                Some((numerator / common, denominator / common))
            });
        // Delta clears the denominator, so it is 1 here.
        largest.is_some_and(|(numerator, _)| i64::try_from(numerator).is_ok())
    })
}

fn others(group: &SignerSet, own: ShareIndex) -> impl Iterator<Item = u16> + '_ {
    group
        .iter()
        .filter(move |index| *index != own)
        .map(ShareIndex::get)
}

fn primes_of_differences(group: &SignerSet) -> BTreeSet<u64> {
    let differences: BTreeSet<u16> = group
        .iter()
        .flat_map(|a| others(group, a).map(move |b| b.abs_diff(a.get())))
        .collect();
    differences.into_iter().flat_map(prime_factors).collect()
}

fn prime_factors(number: u16) -> Vec<u64> {
    let mut rest = u64::from(number);
    let mut primes = Vec::new();
    for candidate in 2..=255 {
        if rest % candidate == 0 {
            primes.push(candidate);
            while rest % candidate == 0 {
                rest /= candidate;
            }
        }
    }
    if rest > 1 {
        primes.push(rest);
    }
    primes
}

/// How often `prime` divides `number`, which is not zero.
fn power_in(number: u16, prime: u64) -> u32 {
    let mut rest = u64::from(number);
    let mut power = 0;
    while rest != 0 && rest % prime == 0 {
        rest /= prime;
        power += 1;
    }
    power
}

pub(crate) fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Above this t integers that suit every set of signers are longer than per-set ones are worth.
const MAX_SCALED_T: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(indices: impl IntoIterator<Item = u64>, t: u64) -> Scale {
        let indices: Vec<_> = indices
            .into_iter()
            .map(|x| ShareIndex::try_from(x).unwrap())
            .collect();
        let threshold = Threshold::new(t, indices.len() as u64).unwrap();
        Scale::for_group(&indices, threshold).unwrap()
    }

    #[test]
    fn matches_the_measured_constants() {
        // performance figures: 2-of-3 2, 3-of-5 24, 5-of-7 360, 7-of-10 17 bits.
        assert_eq!(scale(1..=3, 2).delta(), Some(2));
        assert_eq!(scale(1..=5, 3).delta(), Some(24));
        assert_eq!(scale(1..=7, 5).delta(), Some(360));
        assert_eq!(64 - scale(1..=10, 7).to_u64().leading_zeros(), 17);
    }

    #[test]
    fn is_the_least_common_denominator() {
        // Against an enumeration of all sets of signers.
        for (group, t) in [
            (vec![1, 2, 3, 4, 5], 3),
            (vec![3, 8, 19, 20, 41, 90], 3),
            (vec![65_535, 2, 77], 2),
        ] {
            let mut least = 1u128;
            for mask in 0u32..1 << group.len() {
                let set: Vec<i128> = (0..group.len())
                    .filter(|bit| mask >> bit & 1 == 1)
                    .map(|bit| i128::from(group[bit]))
                    .collect();
                for own in set.iter().filter(|_| set.len() == t) {
                    let rest = set.iter().filter(|x| *x != own);
                    let (num, den) = rest.fold((1, 1), |(n, d), x| (n * x, d * (x - own)));
                    let den = den.unsigned_abs() / gcd(num as u128, den.unsigned_abs());
                    least = least / gcd(least, den) * den;
                }
            }
            let indices = group.iter().map(|x| *x as u64);
            assert_eq!(
                u128::from(scale(indices, t as u64).to_u64()),
                least,
                "{group:?}"
            );
        }
    }

    #[test]
    fn falls_back_to_plain() {
        assert!(scale([9], 1).is_plain());
        assert!(scale(1..=10, 8).is_plain());
        assert!(scale((1..=20).map(|n| n * 3251), 7).is_plain());
    }

    #[test]
    fn refuses_what_is_no_group() {
        let one = ShareIndex::try_from(1).unwrap();
        let threshold = Threshold::new(2, 2).unwrap();
        assert_eq!(
            Scale::for_group(&[one], threshold),
            Err(ScaleError::Count {
                expected: 2,
                got: 1
            })
        );
        assert!(matches!(
            Scale::for_group(&[one, one], threshold),
            Err(ScaleError::Index(_))
        ));
    }

    #[test]
    fn number_of_the_descriptor_is_bounded() {
        assert_eq!(Scale::from_u64(0), Ok(Scale::PLAIN));
        assert_eq!(Scale::from_u64(1), Ok(Scale::PLAIN));
        assert_eq!(Scale::from_u64(24).map(Scale::to_u64), Ok(24));
        assert!(Scale::from_u64(1 << 63).is_err());
    }
}
