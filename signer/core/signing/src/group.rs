//! What a group's descriptor says, ready to check answers against.

use std::collections::BTreeMap;
use std::sync::Arc;

use symbolon_duties::ValidatorPublicKey;

use crate::collector::{GroupKey, GroupSigners};

/// One group with its keys.
#[derive(Debug)]
pub struct KnownGroup {
    hash: [u8; 32],
    signers: Arc<GroupSigners>,
    keys: BTreeMap<ValidatorPublicKey, Arc<GroupKey>>,
}

impl KnownGroup {
    /// A group whose descriptor has this hash.
    #[must_use]
    pub fn new(hash: [u8; 32], signers: Arc<GroupSigners>, keys: Vec<Arc<GroupKey>>) -> Self {
        let named = keys
            .into_iter()
            .map(|key| (ValidatorPublicKey(key.public().to_compressed()), key));
        Self {
            hash,
            signers,
            keys: named.collect(),
        }
    }

    /// Hash of the descriptor.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Members, threshold, scale and group epoch.
    #[must_use]
    pub const fn signers(&self) -> &Arc<GroupSigners> {
        &self.signers
    }

    /// One of its keys.
    #[must_use]
    pub fn key(&self, key: &ValidatorPublicKey) -> Option<&Arc<GroupKey>> {
        self.keys.get(key)
    }

    /// All its keys, in the order of their bytes.
    pub fn keys(&self) -> impl Iterator<Item = (&ValidatorPublicKey, &Arc<GroupKey>)> {
        self.keys.iter()
    }
}
