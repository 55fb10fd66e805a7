//! Every single file operation fails once, in every way; and the power goes at every one.

use super::memory_disk::{Fault, MemoryDisk};
use super::{expected, key, open, record, shown};
use crate::inspect::verify_on;
use crate::{AppendError, Sequence, SnapshotError};

/// What a run was promised: records acknowledged, and records that may be there besides.
struct Outcome {
    acknowledged: u64,
    attempted: u64,
    failed: bool,
}

/// Opens, writes `batches` batches of two records with a snapshot after every fourth, and closes;
/// stops at the first failure.
fn run(disk: &MemoryDisk, acknowledged: u64, batches: u64) -> Outcome {
    let mut outcome = Outcome {
        acknowledged,
        attempted: acknowledged,
        failed: true,
    };
    let Ok((mut journal, replay)) = open(disk) else {
        return outcome;
    };
    outcome.acknowledged = replay.head.sequence.0;
    outcome.attempted = outcome.acknowledged;
    for batch in 1..=batches {
        let next = outcome.acknowledged + 1;
        outcome.attempted = next + 1;
        match journal.append_batch(&[record(next), record(next + 1)]) {
            Ok(receipt) => outcome.acknowledged = receipt.last().0,
            Err(error) => {
                assert!(matches!(error, AppendError::Poisoned { .. }), "{error}");
                assert!(journal.poisoned());
                // The fault is over, but the journal stays refused and is not closed as clean.
                let again = journal.append_batch(&[record(next)]).unwrap_err();
                assert!(matches!(again, AppendError::Poisoned { .. }));
                journal.close().unwrap_err();
                return outcome;
            }
        }
        if batch % 4 == 0 {
            let covers = Sequence(outcome.acknowledged);
            let state = outcome.acknowledged.to_string().into_bytes();
            match journal.snapshot(covers, state) {
                Ok(()) => {}
                Err(SnapshotError::Append(AppendError::Poisoned { .. })) => {
                    journal.append_batch(&[record(1)]).unwrap_err();
                    return outcome;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    outcome.failed = journal.close().is_err();
    outcome
}

/// Opens what is left and compares; returns how many records there are.
fn check(disk: &MemoryDisk, outcome: &Outcome, what: &str) -> u64 {
    if let Ok(report) = verify_on(disk, &key()) {
        assert_eq!(report.damage, [], "{what}");
    }
    let (journal, replay) = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let count = replay.head.sequence.0;
    assert!(
        count >= outcome.acknowledged,
        "{what}: {count} of {}",
        outcome.acknowledged
    );
    assert!(count <= outcome.attempted, "{what}");
    assert_eq!(shown(&replay), expected(count), "{what}");
    if outcome.failed {
        assert!(!replay.clean || count == outcome.attempted, "{what}");
    }
    drop(journal);
    count
}

fn operations(batches: u64) -> u64 {
    let disk = MemoryDisk::default();
    assert!(!run(&disk, 0, batches).failed);
    disk.operations()
}

#[test]
fn any_failed_operation_poisons_and_nothing_acknowledged_is_lost() {
    let total = operations(9);
    for fault in [Fault::Error, Fault::HalfThenError, Fault::Nothing] {
        for operation in 0..total {
            let what = format!("{fault:?} at {operation}");
            let disk = MemoryDisk::default();
            disk.fault_at(operation, fault);
            let outcome = run(&disk, 0, 9);
            check(&disk.after_kill(), &outcome, &what);
            check(&disk.after_power_cut(operation), &outcome, &what);
        }
    }
}

#[test]
fn short_writes_are_continued() {
    for operation in 0..operations(9) {
        let disk = MemoryDisk::default();
        disk.fault_at(operation, Fault::Half);
        let outcome = run(&disk, 0, 9);
        assert_eq!(
            (outcome.failed, outcome.acknowledged),
            (false, 18),
            "half at {operation}"
        );
        let (_, replay) = open(&disk.after_power_cut(1)).unwrap();
        assert!(replay.clean && shown(&replay) == expected(18));
    }
}

#[test]
fn power_cut_at_every_operation_loses_nothing_acknowledged() {
    let total = operations(9);
    for operation in 0..total {
        let disk = MemoryDisk::default();
        disk.fault_at(operation, Fault::PowerCut);
        let outcome = run(&disk, 0, 9);
        assert!(outcome.failed);
        for seed in 0..12 {
            let what = format!("power cut at {operation}, seed {seed}");
            check(&disk.after_power_cut(seed), &outcome, &what);
        }
    }
}

#[test]
fn power_cuts_during_recovery_lose_nothing_either() {
    for operation in 0..operations(9) {
        let disk = MemoryDisk::default();
        disk.fault_at(operation, Fault::PowerCut);
        let first = run(&disk, 0, 9);
        let mut at = 0;
        loop {
            let what = format!("power cuts at {operation} and {at}");
            let second = disk.after_power_cut(operation ^ at);
            second.fault_at(at, Fault::PowerCut);
            let outcome = run(&second, first.acknowledged, 1);
            let bounds = Outcome {
                acknowledged: outcome.acknowledged.max(first.acknowledged),
                attempted: outcome.attempted.max(first.attempted),
                failed: outcome.failed,
            };
            check(&second.after_power_cut(at), &bounds, &what);
            if !outcome.failed {
                break;
            }
            at += 1;
        }
    }
}
