//! What a group's descriptor says, ready to check answers against.

use std::collections::BTreeMap;
use std::sync::Arc;

use symbolon_ceremony::Group;
use symbolon_duties::ValidatorPublicKey;
use symbolon_threshold::{LagrangeCache, ScaleError};

use crate::collector::{GroupKey, GroupKeyError, GroupSigners};

/// One group with its keys.
#[derive(Debug)]
pub struct KnownGroup {
    transcript: [u8; 32],
    signers: Arc<GroupSigners>,
    keys: BTreeMap<ValidatorPublicKey, Arc<GroupKey>>,
}

/// A group that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KnownGroupError {
    /// Members, threshold and scale do not fit.
    #[error(transparent)]
    Scale(#[from] ScaleError),
    /// Public shares do not fit the members.
    #[error(transparent)]
    Key(#[from] GroupKeyError),
}

impl KnownGroup {
    /// The group of a descriptor that was verified.
    ///
    /// # Errors
    ///
    /// [`KnownGroupError`]; never for what [`symbolon_ceremony::GroupDescriptor`] gives.
    pub fn of(group: &Group) -> Result<Self, KnownGroupError> {
        let lagrange = LagrangeCache::new(&group.indices(), group.threshold(), group.scale())?;
        let signers = Arc::new(GroupSigners::new(group.group_epoch().0, lagrange));
        let pairs = group.group_keys().iter().zip(group.public_shares());
        let keys = pairs
            .map(|(key, shares)| GroupKey::new(Arc::clone(&signers), *key, shares.clone()))
            .map(|key| key.map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Self::new(group.transcript().0, signers, keys))
    }

    /// A group whose members agreed on this transcript.
    #[must_use]
    pub fn new(transcript: [u8; 32], signers: Arc<GroupSigners>, keys: Vec<Arc<GroupKey>>) -> Self {
        let named = keys
            .into_iter()
            .map(|key| (ValidatorPublicKey(key.public().to_compressed()), key));
        Self {
            transcript,
            signers,
            keys: named.collect(),
        }
    }

    /// What names the group in evidence: its members signed this hash of all that is public of it.
    #[must_use]
    pub const fn transcript(&self) -> &[u8; 32] {
        &self.transcript
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
