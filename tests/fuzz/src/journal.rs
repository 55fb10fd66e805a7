//! Directories of a journal, bent by somebody who can write files but does not have the key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use symbolon_journal::{
    Head, Journal, JournalKey, Options, Record, RecordKind, Replay, dump, verify,
};
use tempfile::TempDir;

use crate::Seed;
use crate::reader::Reader;

/// A few dozen changes.
pub const MAX_LEN: usize = 512;

/// Whatever was done to the files, opening refuses, or gives back what was once written: from its
/// first record on without a gap, and where the end is lost, a remembered head tells.
pub fn check(data: &[u8]) {
    let mut reader = Reader(data);
    let history = &histories()[usize::from(reader.byte() % 2)];
    let mut files = history.stages.last().cloned().unwrap_or_default();
    while !reader.is_empty() {
        bend(&mut files, &mut reader);
    }
    let untouched = history.stages.last() == Some(&files);
    let dir = temporary();
    for (name, bytes) in &files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let sound = verify(dir.path(), &key()).is_ok_and(|report| report.is_sound());
    if let Ok(records) = dump(dir.path(), &key()) {
        for entry in records.map_while(Result::ok) {
            assert_eq!(entry.record, record(entry.sequence.0));
        }
    }
    let opened = Journal::open(dir.path(), &key(), &options(false));
    assert!(opened.is_ok() || !sound, "{opened:?}");
    assert!(opened.is_ok() || !untouched);
    if let Ok((journal, replay)) = opened {
        check_replay(&replay, untouched);
        go_on(dir.path(), journal, &replay);
    }
}

/// The replay is a beginning of one of the histories.
fn check_replay(replay: &Replay, untouched: bool) {
    let covered: u64 = match &replay.snapshot {
        Some(state) => String::from_utf8(state.clone()).unwrap().parse().unwrap(),
        None => 0,
    };
    for (entry, expected) in replay.entries.iter().zip(covered + 1..) {
        assert_eq!(entry.sequence.0, expected);
        assert_eq!(entry.record, record(expected));
    }
    let last = covered + u64::try_from(replay.entries.len()).unwrap();
    assert_eq!(replay.head.sequence.0, last);
    assert!(last <= RECORDS);
    let through = histories().iter().filter(|it| replay.passed(&it.head) == Some(true));
    assert_eq!(through.count(), usize::from(last == RECORDS));
    assert!(!replay.created);
    if untouched {
        assert_eq!((last, replay.clean, replay.torn_tail), (RECORDS, true, None));
    }
}

/// The journal goes on, and the next start finds everything.
fn go_on(dir: &Path, mut journal: Journal, before: &Replay) {
    let next = before.head.sequence.0 + 1;
    let receipt = journal.append_batch(&[record(next)]).unwrap();
    assert_eq!(receipt.first().0, next);
    journal.close().unwrap();
    let (_journal, after) = Journal::open(dir, &key(), &options(false)).unwrap();
    assert!(after.clean);
    assert_eq!(after.snapshot, before.snapshot);
    assert_eq!(after.head, receipt.head());
    assert_eq!(after.passed(&before.head), Some(true));
    let (last, rest) = after.entries.split_last().unwrap();
    assert_eq!((last.sequence.0, rest), (next, &before.entries[..]));
}

type Files = BTreeMap<String, Vec<u8>>;

/// One change: of bytes, of lengths, of whole files, from other times and from another journal.
fn bend(files: &mut Files, reader: &mut Reader<'_>) {
    let choice = reader.byte();
    let Some(name) = pick(files, reader.byte()) else {
        return;
    };
    let len = files[&name].len();
    let at = reader.short() % (len + 1);
    match choice % 9 {
        0 => {
            let mask = reader.byte();
            let bytes = files.entry(name).or_default();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= mask;
            }
        }
        1 => files.entry(name).or_default().truncate(at),
        2 => drop(files.remove(&name)),
        3 => {
            let count = reader.short();
            files.entry(name).or_default().iter_mut().skip(at).take(count).for_each(|b| *b = 0);
        }
        4 => {
            let count = reader.byte();
            let new = reader.bytes(count.into());
            overwrite(files.entry(name).or_default(), at, new);
        }
        5 => {
            let count = reader.byte();
            let new = reader.bytes(count.into());
            files.entry(name).or_default().extend_from_slice(new);
        }
        // Bytes of another file of any time, perhaps whole frames.
        6 => {
            let source = stage(reader);
            if let Some(from) = pick(source, reader.byte()) {
                let start = reader.short() % (source[&from].len() + 1);
                let count = reader.short();
                let piece: Vec<u8> =
                    source[&from].iter().skip(start).take(count).copied().collect();
                overwrite(files.entry(name).or_default(), at, &piece);
            }
        }
        // A whole file of any time, under its own name or under the chosen one.
        7 => {
            let source = stage(reader);
            if let Some(from) = pick(source, reader.byte()) {
                let to = if at.is_multiple_of(2) { from.clone() } else { name };
                files.insert(to, source[&from].clone());
            }
        }
        _ => {
            let names = EXTRA.len();
            let extra = EXTRA[at % names].to_owned();
            let bytes = files[&name].clone();
            files.insert(extra, bytes);
        }
    }
}

fn stage(reader: &mut Reader<'_>) -> &'static Files {
    let choice = usize::from(reader.byte());
    let history = &histories()[choice % 2];
    &history.stages[choice / 2 % history.stages.len()]
}

fn pick(files: &Files, choice: u8) -> Option<String> {
    let at = usize::from(choice).checked_rem(files.len())?;
    files.keys().nth(at).cloned()
}

fn overwrite(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// Names that a journal gives, or nearly gives.
const EXTRA: [&str; 6] = [
    "segment-00000001.log",
    "segment-00000009.log",
    "segment-1.log",
    "snapshot-00000002.snap",
    "snapshot.tmp",
    "segment.tmp",
];

/// A journal's files at several times, and how it ended.
struct History {
    stages: Vec<Files>,
    head: Head,
}

/// Two journals of the same key with the same records: only their identities differ.
fn histories() -> &'static [History; 2] {
    static HISTORIES: OnceLock<[History; 2]> = OnceLock::new();
    HISTORIES.get_or_init(|| [history(), history()])
}

fn history() -> History {
    let dir = temporary();
    let (mut journal, _) = Journal::open(dir.path(), &key(), &options(true)).unwrap();
    let mut stages = Vec::new();
    for number in 1..=RECORDS {
        let receipt = journal.append_batch(&[record(number)]).unwrap();
        if number % 12 == 0 {
            let state = number.to_string().into_bytes();
            journal.snapshot(receipt.last(), state).unwrap();
        }
        if number % 5 == 0 {
            stages.push(files_of(dir.path()));
        }
    }
    let head = journal.head();
    journal.close().unwrap();
    stages.push(files_of(dir.path()));
    History { stages, head }
}

fn files_of(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.map(|path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(&path).unwrap())
    });
    named.filter(|(name, _)| name != "lock").collect()
}

const RECORDS: u64 = 32;

fn record(number: u64) -> Record {
    Record::new(RecordKind(1), number.to_be_bytes().repeat(3))
}

fn key() -> JournalKey {
    JournalKey::derive(&[7; 32], "fuzz")
}

fn options(create: bool) -> Options {
    Options {
        segment_bytes: 1024,
        create,
    }
}

/// In memory where the system has a place for that: flushes to a disk take most of the time.
fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    let builder = tempfile::Builder::new();
    if memory.is_dir() {
        builder.tempdir_in(memory).unwrap()
    } else {
        builder.tempdir().unwrap()
    }
}

/// One script for each kind of change.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    vec![
        ("untouched", vec![0]),
        ("flip", vec![0, 0, 2, 0, 200, 1]),
        ("truncate", vec![0, 1, 3, 1, 0]),
        ("delete", vec![0, 2, 1, 0, 0]),
        ("zeros", vec![0, 3, 4, 2, 0, 1, 0]),
        ("overwrite", vec![0, 4, 4, 2, 0, 3, 1, 2, 3]),
        ("append", vec![0, 5, 4, 0, 0, 3, 1, 2, 3]),
        ("splice", vec![0, 6, 4, 1, 0, 4, 1, 0, 100, 0, 200]),
        ("older-file", vec![0, 7, 0, 0, 0, 8, 3]),
        ("file-of-the-other", vec![0, 7, 0, 0, 0, 13, 4]),
        ("extra-name", vec![1, 8, 0, 0, 3]),
    ]
}
