//! Signs one root for as long as requests for it come.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::comb::{CombTable, CombWidth};
use crate::hashed_root::HashedRoot;
use crate::partial::{PartialSignature, sign_plainly};
use crate::share::SecretShare;

/// A hashed root with the table of its multiples, once a batch or many single signatures pay for
/// one.
///
/// Keep it as long as the root is current: late requests then cost less than half as much.
#[derive(Debug)]
pub struct RootSigner {
    root: HashedRoot,
    tables: bool,
    table: OnceLock<CombTable>,
    /// Signatures made without a table.
    plain: AtomicUsize,
}

impl RootSigner {
    /// A signer without a table as yet.
    #[must_use]
    pub fn new(root: HashedRoot) -> Self {
        Self {
            root,
            tables: true,
            table: OnceLock::new(),
            plain: AtomicUsize::new(0),
        }
    }

    /// A signer that never makes a table and multiplies as blst does.
    #[must_use]
    pub fn without_table(root: HashedRoot) -> Self {
        Self {
            tables: false,
            ..Self::new(root)
        }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &HashedRoot {
        &self.root
    }

    /// The table, if there is one by now.
    #[must_use]
    pub fn table(&self) -> Option<&CombTable> {
        self.table.get()
    }

    /// Signs the root (constant time).
    #[must_use]
    pub fn sign(&self, share: &SecretShare) -> PartialSignature {
        match self.table_for(1) {
            Some(table) => table.sign(share),
            None => share.sign(&self.root),
        }
    }

    /// Signs the root with many shares (constant time); the partials are in the order of the
    /// shares.
    ///
    /// Makes the table when this batch, or what was signed without one so far, pays for it. Other
    /// threads that sign the same root wait for it meanwhile, 1 to 2 ms.
    #[must_use]
    pub fn sign_batch<'a>(
        &self,
        shares: impl IntoIterator<Item = &'a SecretShare>,
    ) -> Vec<PartialSignature> {
        let shares: Vec<_> = shares.into_iter().collect();
        match self.table_for(shares.len()) {
            Some(table) => table.sign_batch(&shares),
            None => sign_plainly(&shares, &self.root),
        }
    }

    fn table_for(&self, count: usize) -> Option<&CombTable> {
        if !self.tables {
            return None;
        }
        if let Some(table) = self.table.get() {
            return Some(table);
        }
        // Whatever the total was, no more than twice the cheapest way is spent.
        let before = self.plain.fetch_add(count, Ordering::Relaxed);
        let width = CombWidth::for_batch(before.saturating_add(count))?;
        Some(self.table.get_or_init(|| CombTable::new(&self.root, width)))
    }
}
