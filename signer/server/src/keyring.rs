//! The keys of which this member holds shares.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use symbolon_duties::ValidatorPublicKey;

use crate::shares::{GroupShares, KeyParts, Opened};

/// All keys, as of one moment; replaced as a whole when a group is added.
#[derive(Default, Clone)]
pub(crate) struct Keyring {
    groups: Vec<Arc<GroupShares>>,
    keys: HashMap<ValidatorPublicKey, KeyEntry>,
}

/// One key of which a share is held.
#[derive(Clone)]
pub(crate) struct KeyEntry {
    pub(crate) group: Arc<GroupShares>,
    /// Position of the key in its group.
    pub(crate) index: u32,
    pub(crate) parts: KeyParts,
    /// The open share; `None` where shares are opened for each batch.
    pub(crate) share: Option<Opened>,
}

/// A key that another group holds already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key {key} is in group {first:?} and in group {second:?}; a key has one group")]
pub struct SharedKey {
    key: ValidatorPublicKey,
    first: String,
    second: String,
}

impl Keyring {
    /// This keyring with one group more. `shares` are the open shares in the order of the keys, or
    /// nothing where shares are opened for each batch. A group of the same label and a lower epoch
    /// is replaced.
    pub(crate) fn with(
        &self,
        group: GroupShares,
        shares: Option<Vec<Opened>>,
    ) -> Result<Self, SharedKey> {
        let group = Arc::new(group);
        let mut next = self.clone();
        next.groups.retain(|old| old.label() != group.label());
        next.keys
            .retain(|_, entry| entry.group.label() != group.label());
        let mut shares = shares.map(Vec::into_iter);
        for (index, parts) in (0_u32..).zip(group.keys()) {
            let share = shares.as_mut().and_then(Iterator::next);
            let entry = KeyEntry {
                group: Arc::clone(&group),
                index,
                parts,
                share,
            };
            if let Some(other) = next.keys.insert(parts.key, entry) {
                let first = other.group.label().to_owned();
                let second = group.label().to_owned();
                return Err(SharedKey {
                    key: parts.key,
                    first,
                    second,
                });
            }
        }
        next.groups.push(group);
        Ok(next)
    }

    pub(crate) fn get(&self, key: &ValidatorPublicKey) -> Option<&KeyEntry> {
        self.keys.get(key)
    }

    /// All groups, in the order in which they were added.
    pub(crate) fn groups(&self) -> &[Arc<GroupShares>] {
        &self.groups
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn public_keys(&self) -> impl Iterator<Item = ValidatorPublicKey> {
        self.keys.keys().copied()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (groups, keys) = (self.groups.len(), self.keys.len());
        f.debug_struct("Keyring")
            .field("groups", &groups)
            .field("keys", &keys)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shares::tests::parts;

    #[test]
    fn a_key_has_one_group_and_a_group_its_newest_epoch() {
        let group = |label: &str, epoch| {
            let mut parts = parts();
            parts.label = label.into();
            parts.group_epoch = epoch;
            GroupShares::new(parts).unwrap()
        };
        let ring = Keyring::default().with(group("north", 1), None).unwrap();
        assert_eq!((ring.len(), ring.groups().len()), (3, 1));
        let error = ring.with(group("south", 1), None).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("in group \"north\" and in group \"south\"")
        );
        let ring = ring.with(group("north", 2), None).unwrap();
        let key = parts().keys[0].key;
        assert_eq!(ring.get(&key).unwrap().group.group_epoch(), 2);
        assert_eq!((ring.len(), ring.groups().len()), (3, 1));
    }
}
