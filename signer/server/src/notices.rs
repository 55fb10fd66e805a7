//! What is not as it should be although the server works, for people who ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sentences by subject; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Notices {
    /// Says something about a subject; it replaces what was said before. Tells whether it is new.
    pub(crate) fn set(&self, subject: &'static str, sentence: String) -> bool {
        let old = self.lock().insert(subject, sentence);
        old.is_none()
    }

    /// Nothing is wrong with a subject any more. Tells whether something was.
    pub(crate) fn clear(&self, subject: &'static str) -> bool {
        self.lock().remove(subject).is_some()
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.lock()
            .iter()
            .map(|(subject, sentence)| format!("{subject}: {sentence}"))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_one_sentence_until_it_is_cleared() {
        let notices = Notices::default();
        assert!(notices.set("device", "away".into()));
        assert!(!notices.set("device", "still away".into()));
        assert_eq!(notices.all(), ["device: still away"]);
        assert!(notices.clear("device") && !notices.clear("device"));
        assert!(notices.all().is_empty());
    }
}
