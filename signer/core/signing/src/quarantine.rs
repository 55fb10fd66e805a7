//! Members that were caught giving wrong answers: asked last, their partials checked one by one.
//!
//! Local and remembered by evidence: a requestor that starts again reads its evidence files and
//! puts their culprits back. Nothing but a proved wrong answer leads here.

use std::collections::BTreeMap;

use symbolon_threshold::ShareIndex;

/// Why a member is in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineReason {
    /// What it did.
    pub text: String,
    /// When the first wrong answer was found (unix milliseconds).
    pub since_ms: u64,
    /// Wrong answers found since.
    pub wrong: u64,
}

/// The members in quarantine.
#[derive(Debug, Default)]
pub struct Quarantine {
    members: BTreeMap<ShareIndex, QuarantineReason>,
}

impl Quarantine {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a member in for `wrong` wrong answers, or adds them to those of one that is in. True
    /// when it was not in before.
    pub fn put(&mut self, member: ShareIndex, text: &str, wrong: u64, now_ms: u64) -> bool {
        if let Some(reason) = self.members.get_mut(&member) {
            reason.wrong = reason.wrong.saturating_add(wrong);
            return false;
        }
        let reason = QuarantineReason {
            text: text.to_owned(),
            since_ms: now_ms,
            wrong,
        };
        self.members.insert(member, reason);
        true
    }

    /// Whether the member is in.
    #[must_use]
    pub fn holds(&self, member: ShareIndex) -> bool {
        self.members.contains_key(&member)
    }

    /// Everybody who is in, by rising index.
    pub fn iter(&self) -> impl Iterator<Item = (ShareIndex, &QuarantineReason)> {
        self.members
            .iter()
            .map(|(member, reason)| (*member, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands_and_wrong_answers_add_up() {
        let member = ShareIndex::try_from(4).unwrap();
        let mut quarantine = Quarantine::new();
        assert!(quarantine.put(member, "first", 1, 10));
        assert!(!quarantine.put(member, "second", 5, 20));
        let all: Vec<_> = quarantine.iter().collect();
        let reason = QuarantineReason {
            text: "first".into(),
            since_ms: 10,
            wrong: 6,
        };
        assert_eq!(all, [(member, &reason)]);
        assert!(!quarantine.holds(ShareIndex::try_from(5).unwrap()));
    }
}
