//! How soon a peer that could not be reached is tried again.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Spaces attempts to connect; clones share the state. Calls that come too early fail at once, so
/// that the caller can ask somebody else.
#[derive(Clone, Default)]
pub(crate) struct Backoff(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Failed attempts since the last that worked.
    failures: u32,
    not_before: Option<Instant>,
    cause: String,
}

impl Backoff {
    /// Begins an attempt, unless it is too early.
    pub(crate) fn attempt(&self, now: Instant) -> io::Result<Attempt> {
        let state = self.lock();
        match state.not_before.filter(|not_before| now < *not_before) {
            None => Ok(Attempt {
                backoff: self.clone(),
                open: true,
            }),
            Some(not_before) => {
                let wait = not_before.duration_since(now).as_millis();
                let cause = &state.cause;
                Err(io::Error::other(format!(
                    "{cause}; tried again in {wait} ms"
                )))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, now: Instant, cause: String) {
        let mut state = self.lock();
        let delay = FIRST.saturating_mul(1_u32.checked_shl(state.failures).unwrap_or(u32::MAX));
        state.failures = state.failures.saturating_add(1);
        state.not_before = now.checked_add(delay.min(LONGEST));
        state.cause = cause;
    }
}

/// A running attempt; one that is dropped has failed.
pub(crate) struct Attempt {
    backoff: Backoff,
    open: bool,
}

impl Attempt {
    /// Tells how it ended.
    pub(crate) fn end<T>(mut self, result: io::Result<T>) -> io::Result<T> {
        self.open = false;
        match &result {
            Ok(_) => *self.backoff.lock() = State::default(),
            Err(error) => self.backoff.failed(Instant::now(), error.to_string()),
        }
        result
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.open {
            self.backoff.failed(Instant::now(), "no answer".to_owned());
        }
    }
}

/// After the first failure.
const FIRST: Duration = Duration::from_millis(50);

/// A peer that comes back is found within this time.
const LONGEST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_end_with_a_success() {
        let backoff = Backoff::default();
        let now = Instant::now();
        for expected in [50, 100, 200, 400, 800, 1000, 1000] {
            backoff.failed(now, "refused".to_owned());
            let early = now + Duration::from_millis(expected - 1);
            let error = backoff.attempt(early).err().unwrap().to_string();
            assert_eq!(error, "refused; tried again in 1 ms");
            let attempt = backoff
                .attempt(now + Duration::from_millis(expected))
                .unwrap();
            std::mem::forget(attempt);
        }
        let later = now + LONGEST;
        backoff.attempt(later).unwrap().end(Ok(())).unwrap();
        assert!(backoff.attempt(now).is_ok());
    }

    #[test]
    fn dropped_attempt_is_a_failure() {
        let backoff = Backoff::default();
        drop(backoff.attempt(Instant::now()).unwrap());
        let error = backoff.attempt(Instant::now()).err().unwrap().to_string();
        assert!(error.starts_with("no answer; "), "{error}");
    }
}
