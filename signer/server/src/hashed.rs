//! Roots hashed to the curve, once each.
//!
//! Many keys sign one root in one slot: the hash costs as much as a signature, so the last few are
//! kept for requests that come a little later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use symbolon_duties::SigningRoot;
use symbolon_threshold::HashedRoot;

/// The roots used last.
#[derive(Default)]
pub(crate) struct HashedRoots {
    last: Mutex<VecDeque<Arc<LazyRoot>>>,
}

/// A root that is hashed by the first thread that needs it.
pub(crate) struct LazyRoot {
    root: SigningRoot,
    hashed: OnceLock<HashedRoot>,
}

impl LazyRoot {
    pub(crate) fn hashed(&self) -> &HashedRoot {
        self.hashed
            .get_or_init(|| HashedRoot::new(self.root.as_bytes()))
    }
}

impl HashedRoots {
    pub(crate) fn get(&self, root: SigningRoot) -> Arc<LazyRoot> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.iter().find(|known| known.root == root) {
            return Arc::clone(known);
        }
        let new = Arc::new(LazyRoot {
            root,
            hashed: OnceLock::new(),
        });
        if last.len() >= KEPT {
            last.pop_front();
        }
        last.push_back(Arc::clone(&new));
        new
    }
}

const KEPT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_hashed_once_and_forgotten_after_others() {
        let roots = HashedRoots::default();
        let root = |byte: u8| SigningRoot([byte; 32]);
        let first = roots.get(root(0));
        assert_eq!(first.hashed().root(), root(0).as_bytes());
        assert!(Arc::ptr_eq(&first, &roots.get(root(0))));
        for byte in 1..=16 {
            roots.get(root(byte));
        }
        assert!(!Arc::ptr_eq(&first, &roots.get(root(0))));
    }
}
