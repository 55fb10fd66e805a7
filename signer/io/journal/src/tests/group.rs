//! The writer's thread: group commit, order, poison, end.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use super::memory_disk::{Fault, MemoryDisk};
use super::{expected, key, open, record, shown};
use crate::{
    AppendError, Journal, Options, Pending, QueueLimits, Record, RecordKind, Sequence,
    SnapshotError, Ticket, Writer,
};

fn big_segments() -> Options {
    Options {
        segment_bytes: 1 << 20,
        create: true,
    }
}

fn start(disk: &MemoryDisk, options: &Options, limits: QueueLimits) -> Writer {
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), None, &key(), options).unwrap();
    Writer::start(journal, limits, |error| {
        panic!("unexpected poison: {error}")
    })
    .unwrap()
}

#[test]
fn hundred_submissions_during_one_flush_take_one_more() {
    let disk = MemoryDisk::default();
    let writer = start(&disk, &big_segments(), QueueLimits::default());
    let before = writer.counters();
    disk.block_syncs(true);
    let first = writer.submit(&[record(1)]).unwrap();
    disk.wait_for_blocked_sync();
    let threads: Vec<_> = (0..99)
        .map(|_| {
            let writer = writer.clone();
            std::thread::spawn(move || writer.submit(&[record(2)]).unwrap())
        })
        .collect();
    let tickets: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert_eq!(
        writer.head().sequence,
        Sequence(0),
        "nothing is durable yet"
    );
    assert_eq!(writer.submitted(), Sequence(100));
    disk.block_syncs(false);
    assert_eq!(first.wait().unwrap().last(), Sequence(1));
    let mut sequences: Vec<_> = tickets
        .into_iter()
        .map(|ticket| ticket.wait().unwrap().first().0)
        .collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (2..=100).collect::<Vec<_>>());
    let after = writer.counters();
    assert_eq!(after.flushes - before.flushes, 2);
    assert_eq!(after.frames - before.frames, 2);
    assert_eq!(after.records, 100);
    writer.close().unwrap();
}

#[test]
fn full_queue_refuses_and_blocking_callers_wait() {
    let disk = MemoryDisk::default();
    let limits = QueueLimits {
        batches: 2,
        bytes: 1 << 20,
    };
    let writer = start(&disk, &big_segments(), limits);
    disk.block_syncs(true);
    let first = writer.submit(&[record(1)]).unwrap();
    disk.wait_for_blocked_sync();
    let queued: Vec<_> = (2..=3)
        .map(|n| writer.submit(&[record(n)]).unwrap())
        .collect();
    let refused = writer.submit(&[record(4)]).unwrap_err();
    assert!(matches!(refused, AppendError::QueueFull { waiting: 2 }));
    assert_eq!(writer.submitted(), Sequence(3));
    let blocked = std::thread::spawn({
        let writer = writer.clone();
        move || writer.append_blocking(&[record(4)]).unwrap().last()
    });
    disk.block_syncs(false);
    first.wait().unwrap();
    for ticket in queued {
        ticket.wait().unwrap();
    }
    assert_eq!(blocked.join().unwrap(), Sequence(4));
    writer.close().unwrap();
    let (_, replay) = open(&disk).unwrap();
    assert!(replay.clean && shown(&replay) == expected(4));
}

#[test]
fn failed_flush_fails_everybody_once_and_for_all() {
    for fault in [Fault::Error, Fault::HalfThenError] {
        let disk = MemoryDisk::default();
        let (journal, _) =
            Journal::open_on(Arc::new(disk.clone()), None, &key(), &big_segments()).unwrap();
        let (tell, told) = mpsc::channel();
        let hook = move |error: &AppendError| tell.send(error.to_string()).unwrap();
        let writer = Writer::start(journal, QueueLimits::default(), hook).unwrap();
        disk.block_syncs(true);
        let first = writer.submit(&[record(1)]).unwrap();
        disk.wait_for_blocked_sync();
        let waiting: Vec<_> = (2..=10)
            .map(|n| writer.submit(&[record(n)]).unwrap())
            .collect();
        disk.fault_at(disk.operations(), fault);
        disk.block_syncs(false);
        assert!(matches!(
            first.wait(),
            Err(AppendError::Poisoned { doing: "flush", .. })
        ));
        for ticket in waiting {
            assert!(matches!(ticket.wait(), Err(AppendError::Poisoned { .. })));
        }
        assert!(told.recv().unwrap().contains("stop the process"));
        assert!(writer.poisoned());
        let refused = [
            writer.submit(&[record(11)]).err(),
            writer.append_blocking(&[record(11)]).err(),
            writer.close().err(),
        ];
        for error in refused {
            assert!(
                matches!(error, Some(AppendError::Poisoned { .. })),
                "{error:?}"
            );
        }
        assert_eq!(writer.head().sequence, Sequence(0));
        let (_, replay) = open(&disk.after_power_cut(3)).unwrap();
        assert!(!replay.clean);
    }
}

#[test]
fn batches_fill_frames_in_order_over_segments_and_snapshots() {
    let disk = MemoryDisk::default();
    let writer = start(&disk, &super::options(), QueueLimits::default());
    disk.block_syncs(true);
    let mut tickets: Vec<Ticket<_>> = Vec::new();
    for number in 1..=100 {
        tickets.push(writer.submit(&[record(number)]).unwrap());
        if number == 1 {
            disk.wait_for_blocked_sync();
        }
    }
    let stale = writer.snapshot(Sequence(99), Vec::new()).unwrap_err();
    assert!(matches!(
        stale,
        SnapshotError::Stale {
            last: Sequence(100),
            ..
        }
    ));
    let snapshot = writer.snapshot(Sequence(100), b"100".to_vec()).unwrap();
    tickets.push(writer.submit(&[record(101)]).unwrap());
    disk.block_syncs(false);
    for (index, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(ticket.wait().unwrap().first(), Sequence(index as u64 + 1));
    }
    snapshot.wait().unwrap();
    let too_big = writer
        .submit(&[Record::new(RecordKind(1), vec![0; 1000])])
        .unwrap_err();
    assert!(matches!(too_big, AppendError::Segment { .. }));
    writer.close().unwrap();
    let (_, replay) = open(&disk).unwrap();
    assert_eq!(replay.snapshot.as_deref(), Some(&b"100"[..]));
    assert_eq!(replay.entries.len(), 1);
    assert_eq!(shown(&replay), expected(101));
}

#[test]
fn pending_value_comes_out_after_the_flush_only() {
    let disk = MemoryDisk::default();
    let writer = start(&disk, &big_segments(), QueueLimits::default());
    disk.block_syncs(true);
    let shown = Arc::new(Mutex::new(None));
    let ticket = writer
        .commit(Pending::new(&[record(1)], "permit").unwrap())
        .unwrap();
    let waiting = std::thread::spawn({
        let shown = Arc::clone(&shown);
        move || *shown.lock().unwrap() = Some(ticket.wait().unwrap())
    });
    disk.wait_for_blocked_sync();
    assert_eq!(*shown.lock().unwrap(), None);
    disk.block_syncs(false);
    waiting.join().unwrap();
    assert_eq!(*shown.lock().unwrap(), Some("permit"));
}

#[test]
fn pending_is_not_released_by_the_receipt_of_equal_records() {
    let disk = MemoryDisk::default();
    let (mut journal, _) = open(&disk).unwrap();
    let one = Pending::new(&[record(1)], 1).unwrap();
    let two = Pending::new(&[record(1)], 2).unwrap();
    let first = journal.append(one.batch()).unwrap();
    assert!(two.release(&first).is_err());
    assert_eq!(one.release(&first), Ok(1));
}

#[test]
fn dropped_writer_writes_the_queue_but_does_not_close() {
    let disk = MemoryDisk::default();
    let writer = start(&disk, &big_segments(), QueueLimits::default());
    let tickets: Vec<_> = (1..=5)
        .map(|n| writer.submit(&[record(n)]).unwrap())
        .collect();
    drop(writer);
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    let (_, replay) = open(&disk).unwrap();
    assert!(!replay.clean && shown(&replay) == expected(5));
}

#[test]
fn closed_writer_refuses_and_the_next_start_is_clean() {
    let disk = MemoryDisk::default();
    let writer = start(&disk, &big_segments(), QueueLimits::default());
    let other = writer.clone();
    writer.append_blocking(&[record(1)]).unwrap();
    writer.close().unwrap();
    assert!(matches!(
        other.submit(&[record(2)]),
        Err(AppendError::Closed)
    ));
    assert!(matches!(other.close(), Err(AppendError::Closed)));
    assert!(!other.poisoned());
    let (_, replay) = open(&disk).unwrap();
    assert!(replay.clean && shown(&replay) == expected(1));
    let (_, replay) = open(&disk).unwrap();
    assert!(!replay.clean, "an opening frame ends the clean state");
}
