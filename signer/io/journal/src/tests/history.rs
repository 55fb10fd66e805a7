//! Random histories against a list in memory.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::key;
use super::memory_disk::MemoryDisk;
use crate::inspect::verify_on;
use crate::{Journal, Options, Record, RecordKind};

#[derive(Clone, Debug)]
enum Action {
    Append(Vec<(u16, Vec<u8>)>),
    Snapshot(Vec<u8>),
    Close,
    Crash,
}

fn action() -> impl Strategy<Value = Action> {
    let records = vec((any::<u16>(), vec(any::<u8>(), 0..60)), 1..8);
    prop_oneof![
        8 => records.prop_map(Action::Append),
        1 => vec(any::<u8>(), 0..200).prop_map(Action::Snapshot),
        1 => Just(Action::Close),
        1 => Just(Action::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn replay_gives_back_exactly_what_was_written(
        actions in vec(action(), 1..60), segment_bytes in 1024_u64..4096, seed: u64,
    ) {
        let options = Options { segment_bytes, create: true };
        let mut disk = MemoryDisk::default();
        let open = |disk: &MemoryDisk| {
            Journal::open_on(Arc::new(disk.clone()), None, &key(), &options).unwrap()
        };
        let (mut journal, _) = open(&disk);
        let mut snapshot = None;
        let mut since: Vec<(u64, Record)> = Vec::new();
        let mut count = 0_u64;
        let mut clean;
        for action in actions.into_iter().chain([Action::Close]) {
            match action {
                Action::Append(records) => {
                    let records: Vec<_> =
                        records.into_iter().map(|(k, p)| Record::new(RecordKind(k), p)).collect();
                    let receipt = journal.append_batch(&records).unwrap();
                    prop_assert_eq!(receipt.first().0, count + 1);
                    count += records.len() as u64;
                    prop_assert_eq!(receipt.last().0, count);
                    since.extend((receipt.first().0..).zip(records));
                    continue;
                }
                Action::Snapshot(state) => {
                    journal.snapshot(journal.head().sequence, state.clone()).unwrap();
                    snapshot = Some(state);
                    since.clear();
                    continue;
                }
                Action::Close => {
                    journal.close().unwrap();
                    clean = true;
                }
                Action::Crash => {
                    disk = disk.after_power_cut(seed);
                    clean = false;
                }
            }
            let report = verify_on(&disk, &key()).unwrap();
            prop_assert!(report.is_sound() && report.clean == clean, "{:?}", report);
            let (reopened, replay) = open(&disk);
            journal = reopened;
            prop_assert_eq!(replay.clean, clean);
            prop_assert_eq!(replay.torn_tail, None);
            prop_assert_eq!(replay.head.sequence.0, count);
            prop_assert_eq!(&replay.snapshot, &snapshot);
            let entries: Vec<_> =
                replay.entries.iter().map(|e| (e.sequence.0, e.record.clone())).collect();
            prop_assert_eq!(&entries, &since);
        }
    }
}
