//! Tests over a disk in memory that flips, fails and loses power on demand.

mod damage;
mod faults;
mod group;
mod history;
mod memory_disk;

use std::sync::Arc;

use memory_disk::MemoryDisk;

use crate::{Journal, JournalKey, OpenError, Options, Record, RecordKind, Replay};

fn key() -> JournalKey {
    JournalKey::derive(&[0x5a; 32], "test")
}

fn options() -> Options {
    Options {
        segment_bytes: 1024,
        create: true,
    }
}

fn open(disk: &MemoryDisk) -> Result<(Journal, Replay), OpenError> {
    Journal::open_on(Arc::new(disk.clone()), None, &key(), &options())
}

fn record(number: u64) -> Record {
    let kind = RecordKind(u16::try_from(number % 7).unwrap());
    Record::new(kind, format!("record {number}").into_bytes())
}

/// Sequence numbers and payloads that a replay shows, a snapshot counted as what it covers.
fn shown(replay: &Replay) -> Vec<(u64, Record)> {
    let covered = replay.snapshot.as_ref().map_or(0, |state| {
        String::from_utf8(state.clone())
            .unwrap()
            .parse::<u64>()
            .unwrap()
    });
    let mut all: Vec<_> = (1..=covered)
        .map(|number| (number, record(number)))
        .collect();
    all.extend(
        replay
            .entries
            .iter()
            .map(|entry| (entry.sequence.0, entry.record.clone())),
    );
    all
}

/// What [`shown`] gives for records 1 to `count`.
fn expected(count: u64) -> Vec<(u64, Record)> {
    (1..=count).map(|number| (number, record(number))).collect()
}
