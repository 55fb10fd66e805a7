//! Real files and real processes: kill -9, the lock, the key.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use symbolon_journal::{
    Damage, Journal, JournalKey, OpenError, Options, QueueLimits, Record, RecordKind, Replay,
    Sequence, Writer, dump, verify,
};

fn key() -> JournalKey {
    JournalKey::derive(&[3; 32], "marks")
}

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        create: true,
    }
}

fn record(number: u64) -> Record {
    Record::new(RecordKind(1), number.to_be_bytes().to_vec())
}

/// Checks that the journal holds records 1, 2, 3 and so on, and says how many.
fn count(replay: &Replay) -> u64 {
    let covered = replay
        .snapshot
        .as_ref()
        .map_or(0, |state| u64::from_be_bytes(state[..].try_into().unwrap()));
    let mut last = covered;
    for entry in &replay.entries {
        last += 1;
        assert_eq!(
            (entry.sequence, &entry.record),
            (Sequence(last), &record(last))
        );
    }
    assert_eq!(replay.head.sequence, Sequence(last));
    last
}

/// Runs `child` of this program in a process of its own.
fn start_child(dir: &Path, role: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(DIR, dir)
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The body of the other process; in the test run itself there is nothing to do.
#[test]
fn child() {
    let (Ok(dir), Ok(role)) = (std::env::var(DIR), std::env::var(ROLE)) else {
        return;
    };
    let (journal, replay) = Journal::open(Path::new(&dir), &key(), &options()).unwrap();
    let mut last = count(&replay);
    let mut out = std::io::stdout();
    if role == "hold" {
        writeln!(out, "\nheld").unwrap();
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let writer = Writer::start(journal, QueueLimits::default(), |_| std::process::abort()).unwrap();
    writeln!(out, "\nack {last}").unwrap();
    loop {
        let tickets: Vec<_> = (1..=5)
            .map(|_| {
                last += 1;
                writer.submit(&[record(last)]).unwrap()
            })
            .collect();
        for ticket in tickets {
            writeln!(out, "ack {}", ticket.wait().unwrap().last()).unwrap();
        }
        if last.is_multiple_of(100) {
            writer
                .snapshot(Sequence(last), last.to_be_bytes().to_vec())
                .unwrap()
                .wait()
                .unwrap();
        }
    }
}

#[test]
fn killed_process_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut total = 0;
    let mut random = u64::from(std::process::id()) | 1;
    for round in 0..30 {
        let mut child = start_child(dir.path(), "write");
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut acks = lines.filter_map(|line| line.strip_prefix("ack ")?.parse::<u64>().ok());
        // The first one says that the child has opened the journal.
        let opened = acks.next().unwrap();
        let reader = std::thread::spawn(move || acks.last());
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        std::thread::sleep(Duration::from_millis((random >> 33) % 60));
        child.kill().unwrap();
        child.wait().unwrap();
        // A line may be cut by the kill; what was cut is smaller than what was acknowledged.
        let acknowledged = reader.join().unwrap().unwrap_or(opened);
        assert!(verify(dir.path(), &key()).is_ok_and(|report| report.damage.is_empty()));
        let (journal, replay) = Journal::open(dir.path(), &key(), &options()).unwrap();
        let found = count(&replay);
        assert!(
            found >= acknowledged.max(opened).max(total),
            "round {round}: {found} of {acknowledged}"
        );
        assert!(!replay.clean);
        total = found;
        journal.close().unwrap();
    }
    assert!(total > 100, "the child hardly wrote: {total}");
}

#[test]
fn second_process_is_refused_by_the_name_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start_child(dir.path(), "hold");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held"));
    let error = Journal::open(dir.path(), &key(), &options()).unwrap_err();
    let named = format!("(process {})", child.id());
    assert!(
        matches!(&error, OpenError::Locked { holder, .. } if holder.starts_with("processes-")
            && holder.ends_with(&named)),
        "{error}"
    );
    assert!(
        verify(dir.path(), &key()).unwrap().is_sound(),
        "looking needs no lock"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    Journal::open(dir.path(), &key(), &options()).unwrap();
}

#[test]
fn second_opening_in_the_same_process_is_refused_too() {
    let dir = tempfile::tempdir().unwrap();
    let first = Journal::open(dir.path(), &key(), &options()).unwrap();
    let error = Journal::open(dir.path(), &key(), &options()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }));
    drop(first);
    Journal::open(dir.path(), &key(), &options()).unwrap();
}

#[test]
fn empty_or_missing_directory_is_no_journal_unless_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let existing = Options {
        create: false,
        ..options()
    };
    for path in [dir.path().to_owned(), dir.path().join("deeper/still")] {
        let error = Journal::open(&path, &key(), &existing).unwrap_err();
        assert!(matches!(error, OpenError::Absent { .. }), "{error}");
        let (journal, replay) = Journal::open(&path, &key(), &options()).unwrap();
        assert!(replay.created && !replay.clean);
        journal.close().unwrap();
        let (_, replay) = Journal::open(&path, &key(), &existing).unwrap();
        assert!(!replay.created && replay.clean);
    }
    let small = Options {
        segment_bytes: 1,
        create: true,
    };
    let error = Journal::open(dir.path(), &key(), &small).unwrap_err();
    assert!(matches!(error, OpenError::SegmentBytes { got: 1, .. }));
}

#[test]
fn wrong_key_or_purpose_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Journal::open(dir.path(), &key(), &options()).unwrap());
    for other in [
        JournalKey::derive(&[4; 32], "marks"),
        JournalKey::derive(&[3; 32], "audit"),
    ] {
        let error = Journal::open(dir.path(), &other, &options()).unwrap_err();
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
}

#[test]
fn snapshot_and_dump_over_default_sized_files() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        create: true,
        ..Options::default()
    };
    let (mut journal, _) = Journal::open(dir.path(), &key(), &options).unwrap();
    journal.append_batch(&[record(1), record(2)]).unwrap();
    journal
        .snapshot(Sequence(2), 2_u64.to_be_bytes().to_vec())
        .unwrap();
    journal.append_batch(&[record(3)]).unwrap();
    assert_eq!(journal.counters().segments, 2);
    journal.close().unwrap();
    let all: Vec<_> = dump(dir.path(), &key())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(all.len(), 3);
    assert!(
        all.iter()
            .zip(1..)
            .all(|(entry, n)| entry.sequence == Sequence(n))
    );
    let (_, replay) = Journal::open(dir.path(), &key(), &options).unwrap();
    assert_eq!((replay.clean, count(&replay)), (true, 3));
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(dir.path().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    for name in ["lock", "segment-00000001.log", "snapshot-00000002.snap"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}

const DIR: &str = "SYMBOLON_JOURNAL_TEST_DIR";
const ROLE: &str = "SYMBOLON_JOURNAL_TEST_ROLE";
