//! Bent, cut, missing and exchanged files: refused with their place, or reported as a torn tail.

use super::memory_disk::{Fault, MemoryDisk};
use super::{expected, key, open, options, record, shown};
use crate::inspect::verify_on;
use crate::recover::recover;
use crate::{Damage, Journal, JournalKey, OpenError, Record, RecordKind, Sequence};
use crate::{segment, snapshot};

/// Records over several segments and two snapshots, and not closed.
fn sample() -> MemoryDisk {
    let disk = MemoryDisk::default();
    let (mut journal, _) = open(&disk).unwrap();
    for number in 1..=COUNT {
        journal.append_batch(&[record(number)]).unwrap();
        if number == 12 || number == 24 {
            journal
                .snapshot(Sequence(number), number.to_string().into_bytes())
                .unwrap();
        }
    }
    drop(journal);
    disk
}

fn segments(disk: &MemoryDisk) -> Vec<String> {
    disk.names()
        .into_iter()
        .filter(|name| name.starts_with("segment"))
        .collect()
}

fn damage(disk: &MemoryDisk) -> Damage {
    match open(disk) {
        Err(OpenError::Damaged { damage, .. }) => damage,
        Err(other) => panic!("{other}"),
        Ok((_, replay)) => panic!("opened: {replay:?}"),
    }
}

/// Where the last frame with anything in it begins.
fn last_frame(disk: &MemoryDisk, name: &str) -> usize {
    disk.bytes(name)
        .windows(4)
        .rposition(|window| window == b"SYJ1")
        .unwrap()
}

#[test]
fn sample_has_all_kinds_of_files() {
    let disk = sample();
    let report = verify_on(&disk, &key()).unwrap();
    assert!(
        report.is_sound() && !report.clean && report.torn_bytes == 0,
        "{report:?}"
    );
    assert_eq!(report.snapshots.len(), 2);
    assert_eq!(report.snapshots[1].covers, Sequence(24));
    assert!(report.segments.len() >= 5, "{report:?}");
    assert_eq!(shown(&open(&disk).unwrap().1), expected(COUNT));
}

#[test]
fn every_flipped_bit_is_refused_or_a_torn_tail_and_verify_sees_all() {
    let disk = sample();
    let read = recover(&disk, &key()).unwrap().unwrap();
    let base = verify_on(&disk, &key()).unwrap().snapshots[1].segment;
    let (tail_file, tail_start) = {
        let name = segments(&disk).pop().unwrap();
        let start = last_frame(&disk, &name);
        (name, start)
    };
    let whole = expected(COUNT);
    for name in disk.names() {
        let bytes = disk.bytes(&name);
        let bent = disk.copy();
        // The generation before is not read by a start.
        let number = segment::number(&name)
            .or_else(|| snapshot::number(&name))
            .unwrap();
        let step = if number < base { 7 } else { 1 };
        for bit in (0..bytes.len() * 8).step_by(step) {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            bent.put(&name, changed);
            let in_tail = name == tail_file && bit / 8 >= tail_start;
            let found = recover(&bent, &key());
            match (&found, in_tail) {
                (Ok(Some(found)), true) => {
                    assert!(
                        found.torn.is_some() && found.cut.is_some(),
                        "{name} bit {bit}"
                    );
                    assert!(!found.clean);
                    let kept = found.entries.len();
                    assert!(kept + 1 >= read.entries.len(), "{name} bit {bit}");
                    assert_eq!(found.entries, read.entries[..kept]);
                }
                // What a start does not read must not matter to it.
                (Ok(Some(found)), false) => {
                    assert!(found.torn.is_none(), "{name} bit {bit}");
                    assert_eq!(found.entries, read.entries, "{name} bit {bit}");
                    assert_eq!(found.snapshot, read.snapshot, "{name} bit {bit}");
                }
                (Err(OpenError::Damaged { .. }), false) => {}
                (other, _) => panic!("{name} bit {bit}: {:?}", other.as_ref().err()),
            }
            // All bits of older files would take long; every seventh is enough for the same code.
            if bit % 7 == 0 {
                let report = verify_on(&bent, &key()).unwrap();
                let noticed = !report.is_sound() || report.torn_bytes > 0;
                assert!(noticed, "verify misses {name} bit {bit}");
            }
        }
        bent.put(&name, bytes);
        assert_eq!(shown(&open(&bent.copy()).unwrap().1), whole);
    }
}

#[test]
fn last_frame_torn_at_every_byte_is_cut_and_reported() {
    let disk = sample();
    let name = segments(&disk).pop().unwrap();
    let bytes = disk.bytes(&name);
    let start = last_frame(&disk, &name);
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for cut in start..end {
        let mut torn = bytes.clone();
        torn[cut..].fill(0);
        let copy = disk.copy();
        copy.put(&name, torn.clone());
        let (journal, replay) = open(&copy).unwrap();
        assert_eq!(shown(&replay), expected(COUNT - 1), "cut at {cut}");
        assert!(!replay.clean);
        let written = torn[start..].iter().any(|byte| *byte != 0);
        assert_eq!(replay.torn_tail.is_some(), written, "cut at {cut}");
        drop(journal);
        // The report stays until the next record, even over a clean end.
        let (journal, again) = open(&copy).unwrap();
        assert_eq!(again.torn_tail, replay.torn_tail);
        journal.close().unwrap();
        let (mut journal, again) = open(&copy).unwrap();
        assert_eq!(again.torn_tail, replay.torn_tail);
        journal.append_batch(&[record(COUNT)]).unwrap();
        drop(journal);
        let (_, again) = open(&copy).unwrap();
        assert_eq!(again.torn_tail, None);
        assert_eq!(shown(&again), expected(COUNT));
    }
}

#[test]
fn long_torn_tail_leaves_no_rest_behind() {
    let disk = MemoryDisk::default();
    let (mut journal, _) = open(&disk).unwrap();
    journal
        .append_batch(&[Record::new(RecordKind(1), vec![0xaa; 400])])
        .unwrap();
    drop(journal);
    let name = segments(&disk).pop().unwrap();
    let mut bytes = disk.bytes(&name);
    let start = last_frame(&disk, &name);
    bytes[start] ^= 1;
    disk.put(&name, bytes);
    let (journal, replay) = open(&disk).unwrap();
    assert!(
        replay
            .torn_tail
            .is_some_and(|torn| torn.bytes > 400 && torn.offset == start as u64)
    );
    drop(journal);
    let found = recover(&disk, &key()).unwrap().unwrap();
    assert_eq!((found.cut, found.torn), (None, replay.torn_tail));
}

#[test]
fn shortened_file_is_refused_at_every_length() {
    let disk = sample();
    let name = segments(&disk).pop().unwrap();
    let bytes = disk.bytes(&name);
    for len in 0..bytes.len() {
        let copy = disk.copy();
        copy.put(&name, bytes[..len].to_vec());
        let found = damage(&copy);
        let shorter = matches!(
            found,
            Damage::Length { .. } | Damage::BrokenInside { offset: 0, .. }
        );
        assert!(shorter, "length {len}: {found}");
    }
}

#[test]
fn refusal_changes_nothing() {
    let disk = sample();
    let name = segments(&disk).pop().unwrap();
    let mut bytes = disk.bytes(&name);
    bytes[300] ^= 1;
    disk.put(&name, bytes);
    disk.put("snapshot.tmp", b"left over".to_vec());
    let before: Vec<_> = disk
        .names()
        .iter()
        .map(|name| (name.clone(), disk.bytes(name)))
        .collect();
    let error = open(&disk).unwrap_err().to_string();
    assert!(
        error.contains(&name) && error.contains("in memory; run `symbolon journal verify"),
        "{error}"
    );
    let after: Vec<_> = disk
        .names()
        .iter()
        .map(|name| (name.clone(), disk.bytes(name)))
        .collect();
    assert!(before == after);
}

#[test]
fn missing_files_are_refused_by_name() {
    let whole = sample();
    let all = segments(&whole);
    let newest = whole
        .names()
        .into_iter()
        .rfind(|name| name.starts_with("snap"))
        .unwrap();
    let base = all
        .iter()
        .position(|name| name[8..16] == newest[9..17])
        .unwrap();
    for (index, name) in all.iter().enumerate() {
        let disk = whole.copy();
        disk.delete(name);
        assert!(!verify_on(&disk, &key()).unwrap().is_sound(), "{name}");
        if index < base {
            assert_eq!(shown(&open(&disk).unwrap().1), expected(COUNT));
            continue;
        }
        assert!(matches!(damage(&disk), Damage::Missing { file, .. } if file == *name));
    }
}

#[test]
fn without_the_newest_snapshot_the_generation_before_gives_the_same() {
    let disk = sample();
    let snapshots: Vec<_> = disk
        .names()
        .into_iter()
        .filter(|name| name.starts_with("snap"))
        .collect();
    disk.delete(&snapshots[1]);
    let report = verify_on(&disk, &key()).unwrap();
    assert!(matches!(&report.damage[..], [Damage::Missing { file, .. }] if *file == snapshots[1]));
    let (journal, replay) = open(&disk).unwrap();
    assert_eq!(replay.snapshot.as_deref(), Some(&b"12"[..]));
    assert_eq!(shown(&replay), expected(COUNT));
    drop(journal);
    disk.delete(&snapshots[0]);
    assert!(matches!(damage(&disk), Damage::Missing { .. }));
}

#[test]
fn snapshot_of_another_moment_is_refused() {
    let disk = sample();
    let snapshots: Vec<_> = disk
        .names()
        .into_iter()
        .filter(|name| name.starts_with("snap"))
        .collect();
    disk.put(&snapshots[1], disk.bytes(&snapshots[0]));
    assert!(matches!(damage(&disk), Damage::SnapshotMismatch { .. }));
}

#[test]
fn files_of_another_journal_under_the_same_key_are_refused() {
    let (disk, other) = (sample(), sample());
    let last = segments(&disk).pop().unwrap();
    disk.put(&last, other.bytes(&last));
    assert!(matches!(damage(&disk), Damage::Unlinked { .. }));
}

#[test]
fn files_of_a_fork_of_the_same_journal_are_refused() {
    let disk = MemoryDisk::default();
    let (mut journal, _) = open(&disk).unwrap();
    journal.append_batch(&[record(1)]).unwrap();
    let fork = disk.after_kill();
    let write = |mut journal: Journal, first: u64, state: &[u8]| {
        for number in first..first + 20 {
            journal.append_batch(&[record(number)]).unwrap();
        }
        journal.snapshot(Sequence(21), state.to_vec()).unwrap();
    };
    write(journal, 2, b"21");
    write(open(&fork).unwrap().0, 500, b"21");
    let files = segments(&disk);
    assert_eq!(files, segments(&fork));
    for name in files {
        let mixed = disk.copy();
        mixed.put(&name, fork.bytes(&name));
        assert!(!verify_on(&mixed, &key()).unwrap().is_sound(), "{name}");
    }
    let last = segments(&disk).pop().unwrap();
    disk.put(&last, fork.bytes(&last));
    assert!(matches!(
        damage(&disk),
        Damage::SnapshotMismatch { .. } | Damage::Unlinked { .. }
    ));
}

#[test]
fn middle_segment_of_a_fork_is_refused() {
    let disk = MemoryDisk::default();
    let (mut journal, _) = open(&disk).unwrap();
    journal.append_batch(&[record(1)]).unwrap();
    drop(journal);
    let fork = disk.after_kill();
    let (mut journal, _) = open(&disk).unwrap();
    let (mut other, _) = open(&fork).unwrap();
    for number in 102..140 {
        journal.append_batch(&[record(number)]).unwrap();
        other.append_batch(&[record(number + 100)]).unwrap();
    }
    let name = segments(&disk)[1].clone();
    let (ours, theirs) = (disk.bytes(&name), fork.bytes(&name));
    let unlinked = |offset| Damage::Unlinked {
        file: name.clone(),
        offset,
    };
    disk.put(&name, theirs.clone());
    assert_eq!(damage(&disk), unlinked(0));
    // Frames of both have one length, so that each of theirs is valid in the place of ours.
    let frames = ours
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"SYJ1");
    let offset = frames.map(|(at, _)| at).nth(3).unwrap();
    disk.put(&name, [&ours[..offset], &theirs[offset..]].concat());
    assert_eq!(damage(&disk), unlinked(offset as u64));
}

#[test]
fn snapshot_of_the_same_moment_with_another_state_is_refused() {
    let disk = MemoryDisk::default();
    let (mut journal, _) = open(&disk).unwrap();
    journal.append_batch(&[record(1)]).unwrap();
    drop(journal);
    let fork = disk.after_kill();
    for (disk, state) in [(&disk, "1"), (&fork, "2")] {
        let (mut journal, _) = open(disk).unwrap();
        journal
            .snapshot(Sequence(1), state.as_bytes().to_vec())
            .unwrap();
    }
    let name = "snapshot-00000002.snap";
    disk.put(name, fork.bytes(name));
    assert!(matches!(damage(&disk), Damage::SnapshotMismatch { .. }));
    assert!(!verify_on(&disk, &key()).unwrap().is_sound());
}

#[test]
fn missing_seal_excuses_no_more_than_the_seal() {
    let mut seen = 0;
    for operation in 0..200 {
        let disk = MemoryDisk::default();
        disk.fault_at(operation, Fault::PowerCut);
        if let Ok((mut journal, _)) = open(&disk) {
            let _stopped = (1..=20).find(|n| journal.append_batch(&[record(*n)]).is_err());
        }
        let left = disk.after_power_cut(operation);
        let Ok(Some(found)) = recover(&left, &key()) else {
            continue;
        };
        let Some(unsealed) = found.unsealed else {
            continue;
        };
        seen += 1;
        let name = segment::name(unsealed.number);
        let mut bytes = left.bytes(&name);
        bytes[usize::try_from(unsealed.end).unwrap() + segment::SEAL_LEN] = 1;
        left.put(&name, bytes);
        assert!(matches!(damage(&left), Damage::BrokenInside { file, .. } if file == name));
    }
    assert!(seen > 0, "no crash came between the successor and the seal");
}

#[test]
fn wrong_key_is_told_from_damage() {
    let disk = MemoryDisk::default();
    drop(open(&disk).unwrap());
    let other = JournalKey::derive(&[0x5b; 32], "test");
    let error =
        crate::Journal::open_on(std::sync::Arc::new(disk), None, &other, &options()).unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Damaged {
                damage: Damage::WrongKey { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn older_copy_of_the_disk_is_noticed_through_a_remembered_head() {
    let disk = MemoryDisk::default();
    let (mut journal, _) = open(&disk).unwrap();
    let early = journal.append_batch(&[record(1)]).unwrap().head();
    let backup = disk.after_kill();
    let late = journal.append_batch(&[record(2)]).unwrap().head();
    drop(journal);
    let (_, replay) = open(&disk).unwrap();
    assert_eq!(
        (replay.passed(&early), replay.passed(&late)),
        (Some(true), Some(true))
    );
    let (mut journal, replay) = open(&backup).unwrap();
    assert_eq!(
        (replay.passed(&early), replay.passed(&late)),
        (Some(true), Some(false))
    );
    // Another record in the same place is another history.
    let fork = journal.append_batch(&[record(2)]).unwrap().head();
    assert_ne!(fork, late);
    journal.snapshot(fork.sequence, b"2".to_vec()).unwrap();
    drop(journal);
    let (_, replay) = open(&backup).unwrap();
    assert_eq!(replay.passed(&fork), Some(true));
    assert_eq!(replay.passed(&late), Some(false));
    assert_eq!(replay.passed(&early), None);
}

const COUNT: u64 = 45;
