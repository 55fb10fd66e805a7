//! Durations of repetitions.

use std::time::Duration;

/// Durations in order of size.
#[derive(Debug, Clone)]
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// Milliseconds that `percent` of the durations do not exceed: the smallest such duration that
    /// was measured (nearest rank), none between two.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = self.0.len().saturating_mul(percent).div_ceil(100);
        let found = self.0.get(rank.saturating_sub(1));
        found.map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e3)
    }

    pub(crate) fn min(&self) -> f64 {
        self.percentile(0)
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    pub(crate) fn max(&self) -> f64 {
        self.percentile(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_durations_that_were_measured() {
        let spread = Spread::new((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!((spread.min(), spread.max()), (1.0, 200.0));
        assert_eq!((spread.median(), spread.percentile(99)), (100.0, 198.0));
        let ten = Spread::new((1..=10).map(Duration::from_millis).collect());
        assert_eq!(ten.percentile(99), 10.0);
    }
}
