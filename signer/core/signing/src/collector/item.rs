//! One duty while its partials are gathered.

use std::collections::HashMap;
use std::sync::Arc;

use symbolon_protocol::sign::{PartialAnswer, Refusal};
use symbolon_threshold::{Combined, HashedRoot, PartialSignature, ShareIndex};

use super::{Finding, GroupKey, Held, Wanted};

#[derive(Debug)]
pub(super) struct Item {
    pub(super) key: Arc<GroupKey>,
    root: [u8; 32],
    hashed: Option<Arc<HashedRoot>>,
    /// In the order of arrival.
    pub(super) partials: Vec<Held>,
    pub(super) refusals: Vec<(ShareIndex, Refusal)>,
    /// A combination failed: what arrives from now on is checked on arrival.
    pub(super) watched: bool,
    pub(super) closed: bool,
}

impl Item {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            key: wanted.key,
            root: wanted.root,
            hashed: None,
            partials: Vec::new(),
            refusals: Vec::new(),
            watched: false,
            closed: false,
        }
    }

    pub(super) fn needed(&self) -> usize {
        self.key.group().needed()
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.closed && self.partials.len() >= self.needed()
    }

    pub(super) fn hashed(&self) -> Option<&HashedRoot> {
        self.hashed.as_deref()
    }

    /// Reads a partial of the right group epoch and scale.
    pub(super) fn read(
        &self,
        place: usize,
        member: ShareIndex,
        answer: &PartialAnswer,
    ) -> Result<PartialSignature, Finding> {
        let item = place;
        let group = self.key.group();
        if answer.group_epoch != group.epoch() {
            let (expected, got) = (group.epoch(), answer.group_epoch);
            return Err(Finding::OtherGroupEpoch {
                member,
                item,
                expected,
                got,
            });
        }
        let expected = group.lagrange().scale().to_u64();
        if answer.scale != expected {
            return Err(Finding::OtherScale {
                member,
                item,
                expected,
                got: answer.scale,
            });
        }
        PartialSignature::from_uncompressed(member, &answer.point)
            .map_err(|_| Finding::WrongPartial { member, item })
    }

    pub(super) fn hold(&mut self, partial: PartialSignature) {
        self.partials.push(Held {
            partial,
            checked: false,
        });
    }

    /// The first t partials combined, checked ones before others. `None` never happens to a
    /// complete item.
    pub(super) fn combine(&self) -> Option<Combined> {
        let checked = self.partials.iter().filter(|held| held.checked);
        let others = self.partials.iter().filter(|held| !held.checked);
        let chosen = checked.chain(others).take(self.needed());
        let mut chosen: Vec<PartialSignature> = chosen.map(|held| held.partial).collect();
        chosen.sort_by_key(PartialSignature::index);
        self.key.group().lagrange().combine(&chosen).ok()
    }
}

/// Hashes each distinct root once.
pub(super) fn hash_roots(items: &mut [Item]) {
    let mut known: HashMap<[u8; 32], Arc<HashedRoot>> = HashMap::new();
    for item in items.iter_mut().filter(|item| item.hashed.is_none()) {
        let root = item.root;
        let hashed = known
            .entry(root)
            .or_insert_with(|| Arc::new(HashedRoot::new(&root)));
        item.hashed = Some(Arc::clone(hashed));
    }
}
