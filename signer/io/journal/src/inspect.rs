//! Looking at a journal without opening it.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use crate::disk::{Disk, RealDisk};
use crate::error::{Damage, OpenError};
use crate::frame::FrameKind;
use crate::key::{JournalKey, Tag};
use crate::record::{Entry, Sequence};
use crate::recover::{Layout, entries, io_error, read_segment, read_snapshot, recover};
use crate::segment::{self, Link};
use crate::snapshot;
use crate::walk::{Before, Tail, Walked};

/// What [`verify`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// By number.
    pub segments: Vec<SegmentReport>,
    /// By number.
    pub snapshots: Vec<SnapshotReport>,
    /// Everything that a crash cannot explain.
    pub damage: Vec<Damage>,
    /// Whether the last process closed the journal in order; false while one is running.
    pub clean: bool,
    /// Bytes of a broken last frame; a running process may just be writing it.
    pub torn_bytes: u64,
}

impl Report {
    /// Whether the journal would open.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && !self.segments.is_empty()
    }

    /// Records in all segments.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.segments.iter().map(|segment| segment.records).sum()
    }
}

/// A readable segment.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SegmentReport {
    /// Its number.
    pub number: u64,
    /// First record that it may hold.
    pub first: Sequence,
    /// Valid records.
    pub records: u64,
    /// Valid frames, its header included.
    pub frames: u64,
    /// Bytes up to the end of the last valid frame.
    pub bytes: u64,
    /// Whether it is complete and a successor follows.
    pub sealed: bool,
    /// Tag of its last valid frame.
    pub tag: Tag,
}

/// A readable snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SnapshotReport {
    /// The segment that follows it.
    pub segment: u64,
    /// The last record that it covers.
    pub covers: Sequence,
    /// Bytes of the state.
    pub bytes: u64,
}

/// Checks every frame of every file, older generations included, and goes on after damage.
///
/// Takes no lock: it may run beside a live process, whose last frame can then look torn.
///
/// # Errors
///
/// [`OpenError`] if a file cannot be read at all, or there is no journal.
pub fn verify(dir: &Path, key: &JournalKey) -> Result<Report, OpenError> {
    verify_on(&RealDisk::new(dir), key)
}

pub(crate) fn verify_on(disk: &dyn Disk, key: &JournalKey) -> Result<Report, OpenError> {
    let layout = Layout::read(disk).map_err(|source| io_error(disk, "list", None, source))?;
    if layout.segments.is_empty() && layout.snapshots.is_empty() {
        return Err(OpenError::Absent {
            dir: disk.dir().to_owned(),
        });
    }
    let mut report = Report::default();
    // The rules of a start come first; what they refuse is damage whatever the rest says.
    let recovered = keep_damage(&mut report, recover(disk, key))?;
    report.clean = recovered.flatten().is_some_and(|found| found.clean);
    let mut links = BTreeMap::new();
    for number in &layout.snapshots {
        let kept = layout.kept_generation() == Some(*number);
        if kept && !layout.segments.contains(number) {
            let needed_by = snapshot::name(*number);
            push(
                &mut report,
                Damage::Missing {
                    file: segment::name(*number),
                    needed_by,
                },
            );
        }
        let read = read_snapshot(disk, key, *number);
        if let Some((snapshot, tag)) = keep_damage(&mut report, read)? {
            links.insert(*number, (snapshot.link, tag));
            report.snapshots.push(SnapshotReport {
                segment: *number,
                covers: Sequence(snapshot.link.next.saturating_sub(1)),
                bytes: snapshot.state.len() as u64,
            });
        }
    }
    let mut before = Before {
        id: None,
        link: None,
    };
    let mut expected = None;
    for number in &layout.segments {
        if let Some(gap) = expected.filter(|expected| expected != number) {
            let needed_by = segment::name(*number);
            push(
                &mut report,
                Damage::Missing {
                    file: segment::name(gap),
                    needed_by,
                },
            );
            before.link = None;
        }
        if *number == 1 {
            before.link = Some(Link::GENESIS);
        } else if before.link.is_none() {
            before.link = links.get(number).map(|(link, _)| *link);
        }
        let mut records = 0;
        let walked = read_segment(disk, key, *number, before, &mut |_, frame| {
            records += u64::from(frame.heading.count);
            Ok(())
        });
        expected = number.checked_add(1);
        let walked = keep_damage(&mut report, walked)?;
        before.link = walked
            .as_ref()
            .filter(|it| it.tail == Tail::Sealed)
            .map(|it| it.link);
        if let Some(walked) = walked {
            before.id = Some(walked.header.id);
            let snapshot = links.get(number).map(|(_, tag)| *tag);
            note(&mut report, &layout, *number, &walked, records);
            if snapshot.is_some() && snapshot != walked.header.snapshot {
                let (file, segment) = (snapshot::name(*number), segment::name(*number));
                push(&mut report, Damage::SnapshotMismatch { file, segment });
            }
        }
    }
    Ok(report)
}

fn note(report: &mut Report, layout: &Layout, number: u64, walked: &Walked, records: u64) {
    if let Tail::Broken { dirty_end, .. } = walked.tail {
        report.torn_bytes = dirty_end.saturating_sub(walked.end);
    }
    if walked.header.snapshot.is_some() && !layout.snapshots.contains(&number) {
        let damage = Damage::Missing {
            file: snapshot::name(number),
            needed_by: segment::name(number),
        };
        push(report, damage);
    }
    report.segments.push(SegmentReport {
        number,
        first: Sequence(walked.link.next.saturating_sub(records)),
        records,
        frames: walked.frames,
        bytes: walked.end,
        sealed: walked.tail == Tail::Sealed,
        tag: walked.link.tag,
    });
}

/// Puts damage into the report and lets other errors pass.
fn keep_damage<T>(
    report: &mut Report,
    result: Result<T, OpenError>,
) -> Result<Option<T>, OpenError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(OpenError::Damaged { damage, .. }) => {
            push(report, damage);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn push(report: &mut Report, damage: Damage) {
    if !report.damage.contains(&damage) {
        report.damage.push(damage);
    }
}

/// All records that the directory still holds, oldest first, without a lock.
///
/// # Errors
///
/// [`OpenError`] if there is no journal, or the directory cannot be read.
pub fn dump(dir: &Path, key: &JournalKey) -> Result<Dump, OpenError> {
    let disk = Box::new(RealDisk::new(dir));
    let layout = Layout::read(disk.as_ref())
        .map_err(|source| io_error(disk.as_ref(), "list", None, source))?;
    if layout.segments.is_empty() {
        return Err(OpenError::Absent {
            dir: dir.to_owned(),
        });
    }
    Ok(Dump {
        disk,
        key: key.clone(),
        segments: layout.segments.into_iter().collect(),
        before: Before {
            id: None,
            link: None,
        },
        ready: VecDeque::new(),
    })
}

/// Iterator of [`dump`]; ends after the first error. Reads one segment at a time.
pub struct Dump {
    disk: Box<dyn Disk>,
    key: JournalKey,
    segments: VecDeque<u64>,
    before: Before,
    ready: VecDeque<Entry>,
}

impl std::fmt::Debug for Dump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dump")
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

impl Dump {
    fn read(&mut self, number: u64) -> Result<(), OpenError> {
        let ready = &mut self.ready;
        let walked = read_segment(
            self.disk.as_ref(),
            &self.key,
            number,
            self.before,
            &mut |offset, frame| {
                if frame.heading.kind == FrameKind::Data {
                    let file = || segment::name(number);
                    ready.extend(entries(frame).ok_or_else(|| Damage::Contents {
                        file: file(),
                        offset,
                    })?);
                }
                Ok(())
            },
        )?;
        let sealed = walked.tail == Tail::Sealed;
        self.before = Before {
            id: Some(walked.header.id),
            link: sealed.then_some(walked.link),
        };
        Ok(())
    }
}

impl Iterator for Dump {
    type Item = Result<Entry, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            let number = self.segments.pop_front()?;
            if let Err(error) = self.read(number) {
                self.segments.clear();
                self.ready.clear();
                return Some(Err(error));
            }
        }
    }
}
