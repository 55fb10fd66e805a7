//! A clock that must not run backwards: floors are taken from it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The clock shows a time before one that it showed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock shows {now}, but the journal has seen {seen} (unix seconds): set the clock right, \
     a slashing floor depends on it"
)]
pub struct ClockBehind {
    /// Time now.
    pub now: u64,
    /// Highest time in the journal.
    pub seen: u64,
}

/// Unix time in seconds.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// Accepts `now` unless it lies behind what was seen, but for what a time service may correct.
pub(super) const fn check(now: u64, seen: u64) -> Result<(), ClockBehind> {
    if now.saturating_add(TOLERANCE) < seen {
        return Err(ClockBehind { now, seen });
    }
    Ok(())
}

/// Seconds that a time service may turn a clock back.
const TOLERANCE: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_corrections_pass_and_jumps_back_do_not() {
        assert_eq!(check(1_000, 1_060), Ok(()));
        assert_eq!(check(1_000, 0), Ok(()));
        assert_eq!(
            check(1_000, 1_061),
            Err(ClockBehind {
                now: 1_000,
                seen: 1_061
            })
        );
    }
}
