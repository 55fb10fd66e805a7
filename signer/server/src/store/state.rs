//! Everything durable, in memory.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::cbor::{CborError, from_bytes, to_bytes};
use symbolon_signing::{MarkUpdate, MarkWentBack, Marks};

use super::boot::BootId;
use super::record::{EnabledRecord, GroupRecord, Stored};

/// Marks, disabled keys, groups, ceremonies: what replay gives and snapshots hold.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) marks: Marks,
    pub(crate) disabled: BTreeSet<ValidatorPublicKey>,
    /// By label of the group.
    pub(crate) groups: BTreeMap<String, GroupRecord>,
    /// Records of the ceremonies' participant, in their order.
    pub(crate) ceremonies: Vec<Vec<u8>>,
    /// Highest time seen (unix seconds).
    pub(crate) clock: u64,
    /// The run of the machine in which the journal was opened last.
    pub(crate) boot: Option<BootId>,
}

/// Why a journal does not replay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A mark goes down.
    #[error(transparent)]
    Mark(#[from] MarkWentBack),
    /// The snapshot does not decode.
    #[error(transparent)]
    Snapshot(#[from] CborError),
}

impl State {
    /// Takes one record.
    pub(crate) fn apply(&mut self, stored: Stored) -> Result<(), ReplayError> {
        match stored {
            Stored::Mark(update) => self.marks.replay(&update)?,
            Stored::Enabled(EnabledRecord { key, enabled }) => {
                if enabled {
                    self.disabled.remove(&key);
                } else {
                    self.disabled.insert(key);
                }
            }
            Stored::Group(record) => {
                self.groups.insert(record.label.clone(), record);
            }
            Stored::Clock(seconds) => self.clock = self.clock.max(seconds),
            Stored::Ceremony(record) => self.ceremonies.push(record),
            Stored::Boot(boot) => self.boot = Some(boot),
        }
        Ok(())
    }

    /// All of it, for a snapshot.
    pub(crate) fn to_snapshot(&self) -> Vec<u8> {
        let mut marks: Vec<_> = self.marks.iter().collect();
        marks.sort_unstable_by_key(|update| update.key);
        to_bytes(&Snapshot {
            version: VERSION,
            marks,
            disabled: self.disabled.iter().copied().collect(),
            groups: self.groups.values().cloned().collect(),
            ceremonies: self
                .ceremonies
                .iter()
                .map(|record| record.clone().into())
                .collect(),
            clock: self.clock,
            boot: self.boot,
        })
    }

    /// The state of a snapshot.
    pub(crate) fn from_snapshot(bytes: &[u8]) -> Result<Self, ReplayError> {
        let snapshot: Snapshot = from_bytes(
            "journal snapshot",
            bytes,
            symbolon_journal::MAX_SNAPSHOT_BYTES,
        )?;
        if snapshot.version != VERSION {
            let cause = format!("version {}, this program reads {VERSION}", snapshot.version);
            return Err(CborError::Shape {
                what: "journal snapshot",
                cause,
            }
            .into());
        }
        let mut state = Self {
            disabled: snapshot.disabled.into_iter().collect(),
            ceremonies: snapshot.ceremonies.into_iter().map(Vec::from).collect(),
            clock: snapshot.clock,
            boot: snapshot.boot,
            ..Self::default()
        };
        for update in &snapshot.marks {
            state.marks.replay(update)?;
        }
        for group in snapshot.groups {
            state.groups.insert(group.label.clone(), group);
        }
        Ok(state)
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Snapshot {
    #[n(0)]
    version: u8,
    #[n(1)]
    marks: Vec<MarkUpdate>,
    #[n(2)]
    disabled: Vec<ValidatorPublicKey>,
    #[n(3)]
    groups: Vec<GroupRecord>,
    #[n(4)]
    ceremonies: Vec<ByteVec>,
    #[n(5)]
    clock: u64,
    #[n(6)]
    boot: Option<BootId>,
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use symbolon_duties::{SigningRoot, Slot};
    use symbolon_slashing::{BlockMark, Mark};

    use super::*;

    fn mark(slot: u64) -> Stored {
        let block = BlockMark {
            slot: Slot(slot),
            root: Some(SigningRoot([1; 32])),
        };
        let mark = Mark {
            block: Some(block),
            attestation: None,
        };
        Stored::Mark(MarkUpdate {
            key: ValidatorPublicKey([7; 48]),
            mark,
        })
    }

    #[test]
    fn a_snapshot_is_the_same_as_its_records() {
        let key = ValidatorPublicKey([7; 48]);
        let mut state = State::default();
        let mut records = vec![mark(5), mark(6), Stored::Clock(99)];
        records.push(Stored::Enabled(EnabledRecord {
            key,
            enabled: false,
        }));
        let (file, label) = ("a-1.shares".to_owned(), "a".to_owned());
        records.push(Stored::Group(GroupRecord {
            file,
            hash: [1; 32],
            label,
        }));
        records.extend([Stored::Ceremony(vec![1, 2]), Stored::Ceremony(vec![3])]);
        records.push(Stored::Boot(BootId([9; 16])));
        for record in records {
            state.apply(record).unwrap();
        }
        let again = State::from_snapshot(&state.to_snapshot()).unwrap();
        assert_eq!(again.to_snapshot(), state.to_snapshot());
        assert_eq!(again.ceremonies, [vec![1, 2], vec![3]]);
        assert!(again.disabled.contains(&key));
        assert_eq!(again.clock, 99);
        assert_eq!(again.boot, Some(BootId([9; 16])));
    }

    #[test]
    fn a_mark_that_goes_down_stops_the_replay() {
        let mut state = State::default();
        state.apply(mark(5)).unwrap();
        assert!(matches!(state.apply(mark(4)), Err(ReplayError::Mark(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_snapshots_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(State::from_snapshot(&bytes));
        }
    }
}
