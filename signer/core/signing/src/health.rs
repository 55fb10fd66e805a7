//! How well members answer: an average with hysteresis that never accuses.
//!
//! A slow or silent member costs latency only. One that answers too seldom is asked after the
//! others, and tried again now and then, so that it comes back by itself.

use std::collections::BTreeMap;

use symbolon_threshold::ShareIndex;

/// How one question to a member ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// It answered after so many microseconds.
    Answered {
        /// From sending the question to reading the answer.
        micros: u64,
    },
    /// It did not answer in time, or could not be reached.
    Missed,
}

/// The state of one member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberHealth {
    /// Moving average of answers (1) and misses (0).
    pub score: f64,
    /// Moving average of the answers' latency, in microseconds; 0 before the first.
    pub latency_micros: f64,
    /// Whether it is asked after the others.
    pub poor: bool,
    next_trial_ms: u64,
}

/// The state of all members.
#[derive(Debug, Default)]
pub struct Health {
    members: BTreeMap<ShareIndex, MemberHealth>,
}

/// Weight of the newest observation.
const WEIGHT: f64 = 0.2;
/// Below this a member is poor: six misses in a row after a clean past.
const POOR_BELOW: f64 = 0.3;
/// Above this it is good again: five answers in a row.
const GOOD_ABOVE: f64 = 0.7;
/// How often a poor member is asked with the others, in milliseconds.
const TRIAL_MS: u64 = 1_000;

impl Default for MemberHealth {
    fn default() -> Self {
        Self {
            score: 1.0,
            latency_micros: 0.0,
            poor: false,
            next_trial_ms: 0,
        }
    }
}

impl Health {
    /// Nobody known yet: everybody good.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of one question's end. True when the member became poor or good again by it.
    pub fn observe(&mut self, member: ShareIndex, observation: Observation, now_ms: u64) -> bool {
        let state = self.members.entry(member).or_default();
        let value = match observation {
            Observation::Answered { micros } => {
                #[expect(clippy::cast_precision_loss, reason = "an average needs no 53rd bit")]
                let micros = micros as f64;
                state.latency_micros = if state.latency_micros > 0.0 {
                    average(state.latency_micros, micros)
                } else {
                    micros
                };
                1.0
            }
            Observation::Missed => 0.0,
        };
        state.score = average(state.score, value);
        let poor = if state.poor {
            state.score < GOOD_ABOVE
        } else {
            state.score < POOR_BELOW
        };
        let changed = poor != state.poor;
        if changed && poor {
            state.next_trial_ms = now_ms.saturating_add(TRIAL_MS);
        }
        state.poor = poor;
        changed
    }

    /// Whether to ask the member with the others now; a poor one is let in once a second.
    pub fn ask_first(&mut self, member: ShareIndex, now_ms: u64) -> bool {
        let state = self.members.entry(member).or_default();
        if !state.poor {
            return true;
        }
        let due = now_ms >= state.next_trial_ms;
        if due {
            state.next_trial_ms = now_ms.saturating_add(TRIAL_MS);
        }
        due
    }

    /// The state of one member.
    #[must_use]
    pub fn of(&self, member: ShareIndex) -> MemberHealth {
        self.members.get(&member).copied().unwrap_or_default()
    }
}

fn average(old: f64, new: f64) -> f64 {
    old.mul_add(1.0 - WEIGHT, new * WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member() -> ShareIndex {
        ShareIndex::try_from(1).unwrap()
    }

    #[test]
    fn six_misses_make_poor_and_five_answers_good_again() {
        let mut health = Health::new();
        let changes: Vec<bool> = (0..7)
            .map(|_| health.observe(member(), Observation::Missed, 0))
            .collect();
        assert_eq!(changes, [false, false, false, false, false, true, false]);
        let answered = Observation::Answered { micros: 500 };
        let changes: Vec<bool> = (0..6)
            .map(|_| health.observe(member(), answered, 0))
            .collect();
        assert_eq!(changes.iter().filter(|changed| **changed).count(), 1);
        assert!(!health.of(member()).poor);
        assert!((health.of(member()).latency_micros - 500.0).abs() < 1e-6);
    }

    #[test]
    fn a_single_miss_in_ten_never_makes_poor() {
        let mut health = Health::new();
        for n in 0..200 {
            let observation = if n % 10 == 0 {
                Observation::Missed
            } else {
                Observation::Answered { micros: 900 }
            };
            assert!(!health.observe(member(), observation, n));
        }
    }

    #[test]
    fn a_poor_member_is_tried_once_a_second() {
        let mut health = Health::new();
        for _ in 0..6 {
            health.observe(member(), Observation::Missed, 5_000);
        }
        assert!(!health.ask_first(member(), 5_500));
        assert!(health.ask_first(member(), 6_000));
        assert!(!health.ask_first(member(), 6_001));
        assert!(health.ask_first(member(), 7_000));
    }
}
