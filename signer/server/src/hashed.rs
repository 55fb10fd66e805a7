//! Roots hashed to the curve, once each.
//!
//! Many keys sign one root in one slot: the hash costs as much as a signature, and a table of the
//! hash's multiples makes the others three times cheaper. So the last few are kept for requests
//! that come a little later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use symbolon_duties::SigningRoot;
use symbolon_threshold::{
    CombTable, CombWidth, HashedRoot, PartialSignature, SecretShare, sign_batch,
};

/// The roots used last.
#[derive(Default)]
pub(crate) struct HashedRoots {
    last: Mutex<VecDeque<Arc<LazyRoot>>>,
}

/// A root that is hashed by the first thread that needs it.
pub(crate) struct LazyRoot {
    root: SigningRoot,
    hashed: OnceLock<HashedRoot>,
    table: OnceLock<CombTable>,
}

impl LazyRoot {
    pub(crate) const fn root(&self) -> SigningRoot {
        self.root
    }

    /// Signs with these shares, which are some of `batch` that sign this root now.
    pub(crate) fn sign(&self, shares: &[&SecretShare], batch: usize) -> Vec<PartialSignature> {
        match (self.table.get(), CombWidth::for_batch(batch)) {
            (Some(table), _) => table.sign_batch(shares),
            (None, Some(width)) => {
                let table = || CombTable::new(self.hashed(), width);
                self.table.get_or_init(table).sign_batch(shares)
            }
            (None, None) => sign_batch(shares.iter().copied(), self.hashed()),
        }
    }

    fn hashed(&self) -> &HashedRoot {
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
            table: OnceLock::new(),
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
    use symbolon_threshold::{SecretScalar, ShareIndex};

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

    #[test]
    fn the_table_gives_the_same_signatures() {
        let roots = HashedRoots::default();
        let root = roots.get(SigningRoot([7; 32]));
        let index = ShareIndex::try_from(1).unwrap();
        let shares: Vec<SecretShare> = (1..=3)
            .map(|byte: u8| SecretScalar::take_from(&mut [byte; 32]).unwrap())
            .map(|scalar| SecretShare::new(index, scalar))
            .collect();
        let shares: Vec<&SecretShare> = shares.iter().collect();
        let bytes = |partials: Vec<PartialSignature>| -> Vec<_> {
            partials
                .iter()
                .map(PartialSignature::to_uncompressed)
                .collect()
        };
        let plain = bytes(root.sign(&shares, 1));
        assert!(root.table.get().is_none());
        assert_eq!(bytes(root.sign(&shares, 1000)), plain);
        assert!(root.table.get().is_some());
        assert_eq!(bytes(root.sign(&shares, 1)), plain);
    }
}
