//! What works and what does not, for orchestrators and people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// State of one part of a program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It works.
    Ready,
    /// It does not work now but may by itself: do not send requests.
    Waiting {
        /// Shown to people; no secrets.
        reason: String,
    },
    /// It will not work before a restart.
    Dead {
        /// Shown to people; no secrets.
        reason: String,
    },
}

/// The states of all parts of a program; clones share them.
#[derive(Clone, Debug)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: &'static str,
    version: &'static str,
    started: Instant,
    parts: Mutex<BTreeMap<&'static str, State>>,
}

/// All states at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct HealthSnapshot {
    /// The program.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Whole seconds since it began.
    pub uptime_seconds: u64,
    /// No part is dead.
    pub live: bool,
    /// All parts are ready.
    pub ready: bool,
    /// By name.
    pub parts: BTreeMap<&'static str, State>,
}

impl Health {
    /// All of `parts` wait until they are [`set`](Self::set) otherwise, so that a program is not
    /// ready before each of them has spoken.
    #[must_use]
    pub fn new(
        program: &'static str,
        version: &'static str,
        parts: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let starting = || State::Waiting {
            reason: "starting".to_owned(),
        };
        let parts = parts.into_iter().map(|part| (part, starting())).collect();
        let parts = Mutex::new(parts);
        Self(Arc::new(Inner {
            program,
            version,
            started: Instant::now(),
            parts,
        }))
    }

    /// Sets the state of a part. A dead part stays dead.
    pub fn set(&self, part: &'static str, state: State) {
        let mut parts = self.lock();
        if !matches!(parts.get(part), Some(State::Dead { .. })) {
            parts.insert(part, state);
        }
    }

    /// The part works.
    pub fn ready(&self, part: &'static str) {
        self.set(part, State::Ready);
    }

    /// The part does not work now.
    pub fn waiting(&self, part: &'static str, reason: impl Into<String>) {
        self.set(
            part,
            State::Waiting {
                reason: reason.into(),
            },
        );
    }

    /// The part will not work again.
    pub fn dead(&self, part: &'static str, reason: impl Into<String>) {
        self.set(
            part,
            State::Dead {
                reason: reason.into(),
            },
        );
    }

    /// All states now.
    #[must_use]
    pub fn snapshot(&self) -> HealthSnapshot {
        let parts = self.lock().clone();
        HealthSnapshot {
            program: self.0.program,
            version: self.0.version,
            uptime_seconds: self.0.started.elapsed().as_secs(),
            live: !parts
                .values()
                .any(|state| matches!(state, State::Dead { .. })),
            ready: parts.values().all(|state| *state == State::Ready),
            parts,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, State>> {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_only_when_every_part_has_said_so() {
        let health = Health::new("test", "1.0.0", ["hsm", "journal"]);
        assert!(!health.snapshot().ready && health.snapshot().live);
        health.ready("hsm");
        assert!(!health.snapshot().ready);
        health.ready("journal");
        assert!(health.snapshot().ready);
        health.waiting("hsm", "restarting");
        assert!(!health.snapshot().ready && health.snapshot().live);
    }

    #[test]
    fn dead_stays_dead() {
        let health = Health::new("test", "1.0.0", []);
        health.dead("journal", "flush failed");
        health.ready("journal");
        let snapshot = health.snapshot();
        assert!(!snapshot.live && !snapshot.ready);
        let json = serde_json::to_value(&snapshot).unwrap();
        assert_eq!(json["parts"]["journal"]["state"], "dead");
        assert_eq!(json["parts"]["journal"]["reason"], "flush failed");
    }
}
