//! From the files of a directory to the state of a journal. Reads only; what has to be mended is
//! returned as data.

use std::collections::BTreeSet;
use std::io;

use crate::disk::Disk;
use crate::error::{Damage, FrameFault, OpenError};
use crate::frame::{Frame, FrameKind, Place};
use crate::key::{JournalKey, Tag};
use crate::receipt::Head;
use crate::record::{Entry, Sequence, split};
use crate::replay::TornTail;
use crate::segment::{self, JournalId, Link, SEAL_LEN, SEGMENT_BYTES, seal};
use crate::snapshot::{self, Snapshot};
use crate::walk::{Before, Tail, Walked, walk};

/// The files of a journal by number.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) segments: BTreeSet<u64>,
    pub(crate) snapshots: BTreeSet<u64>,
    /// Left by an interrupted operation.
    pub(crate) temporary: Vec<String>,
}

impl Layout {
    pub(crate) fn read(disk: &dyn Disk) -> io::Result<Self> {
        let mut layout = Self::default();
        for name in disk.list()? {
            if let Some(number) = segment::number(&name) {
                layout.segments.insert(number);
            } else if let Some(number) = snapshot::number(&name) {
                layout.snapshots.insert(number);
            } else if name.ends_with(".tmp") {
                layout.temporary.push(name);
            }
        }
        Ok(layout)
    }

    /// The snapshot before the newest one; what is older may be deleted.
    pub(crate) fn kept_generation(&self) -> Option<u64> {
        self.snapshots.iter().rev().nth(1).copied()
    }

    /// The segments to replay, first one included, and whether a snapshot comes before them.
    fn span(&self) -> Result<Option<Span>, Damage> {
        let newest = self.snapshots.last().copied();
        let Some(last) = self.segments.last().copied() else {
            return match newest {
                None => Ok(None),
                Some(number) => Err(missing(number, snapshot::name(number))),
            };
        };
        // A snapshot one ahead of the segments belongs to an interrupted change of segments.
        let ahead = newest.filter(|number| *number > last);
        if let Some(number) = ahead.filter(|number| *number != last.saturating_add(1)) {
            return Err(missing(number, snapshot::name(number)));
        }
        let base = self.snapshots.range(..=last).next_back().copied();
        let first = base.unwrap_or(1);
        if let Some(gap) = (first..=last).find(|number| !self.segments.contains(number)) {
            return Err(missing(gap, segment::name(last)));
        }
        Ok(Some(Span {
            first,
            last,
            base,
            ahead,
        }))
    }
}

struct Span {
    first: u64,
    last: u64,
    base: Option<u64>,
    ahead: Option<u64>,
}

/// A journal as found, and what to mend before the first write.
pub(crate) struct Recovered {
    pub(crate) snapshot: Option<Vec<u8>>,
    pub(crate) entries: Vec<Entry>,
    /// Before the first entry, then after each data frame.
    pub(crate) heads: Vec<Head>,
    pub(crate) id: JournalId,
    pub(crate) segment: u64,
    pub(crate) file_len: u64,
    pub(crate) end: u64,
    pub(crate) link: Link,
    pub(crate) head: Head,
    pub(crate) clean: bool,
    /// A torn tail to cut now.
    pub(crate) cut: Option<u64>,
    /// A torn tail that was cut now or earlier, with no record since.
    pub(crate) torn: Option<TornTail>,
    /// Segment and end of the one whose seal is to be written.
    pub(crate) unsealed: Option<Unsealed>,
    /// Files that an interrupted operation left.
    pub(crate) remove: Vec<String>,
}

/// A segment that has a successor but no seal: the crash came between the two.
pub(crate) struct Unsealed {
    pub(crate) number: u64,
    pub(crate) file_len: u64,
    pub(crate) end: u64,
    pub(crate) seal: Vec<u8>,
    after: Link,
    fault: FrameFault,
}

/// Reads the journal on `disk`; `None` if there is none.
pub(crate) fn recover(disk: &dyn Disk, key: &JournalKey) -> Result<Option<Recovered>, OpenError> {
    let layout = Layout::read(disk).map_err(|source| io_error(disk, "list", None, source))?;
    let damaged = |damage| OpenError::Damaged {
        dir: disk.dir().to_owned(),
        damage,
    };
    let Some(span) = layout.span().map_err(damaged)? else {
        return Ok(None);
    };
    let mut state = State::default();
    let mut base = None;
    if let Some(number) = span.base {
        let (snapshot, tag) = read_snapshot(disk, key, number)?;
        state.head = Head {
            sequence: Sequence(snapshot.link.next - 1),
            tag: snapshot.head,
        };
        base = Some((snapshot, tag));
    }
    state.heads.push(state.head);
    let mut unsealed = None;
    // The segment before is looked at only to see whether its seal is still to be written.
    if span.base == Some(span.last) && layout.segments.contains(&(span.last - 1)) {
        let before = Before {
            id: None,
            link: None,
        };
        let walked = read_segment(disk, key, span.last - 1, before, &mut |_, _| Ok(()))?;
        unsealed = unsealed_of(key, span.last - 1, &walked).map_err(damaged)?;
    }
    let mut before = Before {
        id: base.as_ref().map(|(snapshot, _)| snapshot.id),
        link: Some(
            base.as_ref()
                .map_or(Link::GENESIS, |(snapshot, _)| snapshot.link),
        ),
    };
    let mut last = None;
    for number in span.first..=span.last {
        let walked = read_segment(disk, key, number, before, &mut |offset, frame| {
            state.visit(number, offset, frame)
        })?;
        if number == span.first {
            check_base(number, walked.header.snapshot, base.as_ref()).map_err(damaged)?;
        }
        let header_only = number == span.last && walked.frames == 1;
        if let Some(Unsealed {
            number, end, fault, ..
        }) = unsealed.as_ref().filter(|_| !header_only)
        {
            let (file, offset, fault) = (segment::name(*number), *end, *fault);
            return Err(damaged(Damage::BrokenInside {
                file,
                offset,
                fault,
            }));
        }
        before = Before {
            id: Some(walked.header.id),
            link: Some(walked.link),
        };
        if number < span.last && walked.tail != Tail::Sealed {
            unsealed = unsealed_of(key, number, &walked).map_err(damaged)?;
            before.link = unsealed.as_ref().map(|unsealed| unsealed.after);
        }
        last = Some(walked);
    }
    let Some(walked) = last else {
        return Ok(None);
    };
    let mut remove = layout.temporary;
    remove.extend(span.ahead.map(snapshot::name));
    state
        .finish(
            span.last,
            &walked,
            base.map(|(snapshot, _)| snapshot.state),
            unsealed,
            remove,
        )
        .map(Some)
        .map_err(damaged)
}

/// What the frames say, in order.
struct State {
    entries: Vec<Entry>,
    heads: Vec<Head>,
    head: Head,
    last: FrameKind,
    torn: Option<TornTail>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            heads: Vec::new(),
            head: Head {
                sequence: Sequence(0),
                tag: Tag::ZERO,
            },
            last: FrameKind::Header,
            torn: None,
        }
    }
}

impl State {
    fn visit(&mut self, number: u64, offset: u64, frame: &Frame<'_>) -> Result<(), Damage> {
        let contents = || Damage::Contents {
            file: segment::name(number),
            offset,
        };
        self.last = frame.heading.kind;
        match frame.heading.kind {
            FrameKind::Data => {
                let entries = entries(frame).ok_or_else(contents)?;
                self.head.sequence = entries.last().ok_or_else(contents)?.sequence;
                self.head.tag = frame.tag;
                self.heads.push(self.head);
                self.entries.extend(entries);
                self.torn = None;
            }
            FrameKind::Opened if !frame.body.is_empty() => {
                self.torn = Some(TornTail::parse(frame.body).ok_or_else(contents)?);
            }
            FrameKind::Opened | FrameKind::Closed | FrameKind::Seal | FrameKind::Header => {}
        }
        Ok(())
    }

    fn finish(
        self,
        number: u64,
        walked: &Walked,
        snapshot: Option<Vec<u8>>,
        unsealed: Option<Unsealed>,
        remove: Vec<String>,
    ) -> Result<Recovered, Damage> {
        let cut = match walked.tail {
            Tail::Blank => None,
            Tail::Broken { dirty_end, .. } => Some(dirty_end),
            Tail::Sealed => {
                return Err(missing(number.saturating_add(1), segment::name(number)));
            }
        };
        let torn = cut.map(|dirty_end| TornTail {
            segment: number,
            offset: walked.end,
            bytes: dirty_end.saturating_sub(walked.end),
        });
        Ok(Recovered {
            snapshot,
            entries: self.entries,
            heads: self.heads,
            id: walked.header.id,
            segment: number,
            file_len: walked.header.file_len,
            end: walked.end,
            link: walked.link,
            head: self.head,
            clean: self.last == FrameKind::Closed && cut.is_none(),
            cut,
            torn: torn.or(self.torn),
            unsealed,
            remove,
        })
    }
}

/// The records of a data frame with their positions; `None` if the frame is not one.
pub(crate) fn entries(frame: &Frame<'_>) -> Option<Vec<Entry>> {
    let records = split(frame.heading.count, frame.body)?;
    let numbered = records.into_iter().zip(frame.heading.first..);
    Some(
        numbered
            .map(|(record, at)| Entry {
                sequence: Sequence(at),
                record,
            })
            .collect(),
    )
}

/// Reads and checks a snapshot file.
pub(crate) fn read_snapshot(
    disk: &dyn Disk,
    key: &JournalKey,
    number: u64,
) -> Result<(Snapshot, Tag), OpenError> {
    let file = snapshot::name(number);
    let damaged = |damage| OpenError::Damaged {
        dir: disk.dir().to_owned(),
        damage,
    };
    let bytes = disk
        .read(&file, snapshot::MAX_FILE_BYTES)
        .map_err(|source| io_error(disk, "read", Some(&file), source))?;
    let (snapshot, tag) = Snapshot::parse(key, &bytes).map_err(|fault| {
        damaged(Damage::Snapshot {
            file: file.clone(),
            fault,
        })
    })?;
    if snapshot.segment != number || snapshot.link.next == 0 {
        let segment = segment::name(number);
        return Err(damaged(Damage::SnapshotMismatch { file, segment }));
    }
    Ok((snapshot, tag))
}

/// Reads and walks a segment file.
pub(crate) fn read_segment(
    disk: &dyn Disk,
    key: &JournalKey,
    number: u64,
    before: Before,
    visit: &mut dyn FnMut(u64, &Frame<'_>) -> Result<(), Damage>,
) -> Result<Walked, OpenError> {
    let file = segment::name(number);
    let bytes = disk
        .read(&file, *SEGMENT_BYTES.end())
        .map_err(|source| io_error(disk, "read", Some(&file), source))?;
    walk(key, number, &bytes, before, visit).map_err(|damage| OpenError::Damaged {
        dir: disk.dir().to_owned(),
        damage,
    })
}

/// What the seal of an unsealed segment must be; damage if more than that seal is broken there.
fn unsealed_of(key: &JournalKey, number: u64, walked: &Walked) -> Result<Option<Unsealed>, Damage> {
    let fault = match walked.tail {
        Tail::Sealed => return Ok(None),
        Tail::Blank => FrameFault::Magic,
        Tail::Broken { fault, dirty_end } => {
            if dirty_end > walked.end.saturating_add(SEAL_LEN as u64) {
                let (file, offset) = (segment::name(number), walked.end);
                return Err(Damage::BrokenInside {
                    file,
                    offset,
                    fault,
                });
            }
            fault
        }
    };
    let place = Place {
        segment: number,
        offset: walked.end,
    };
    let (seal, after) = seal(key, place, walked.link);
    let (end, file_len) = (walked.end, walked.header.file_len);
    Ok(Some(Unsealed {
        number,
        file_len,
        end,
        seal,
        after,
        fault,
    }))
}

fn check_base(
    number: u64,
    in_header: Option<Tag>,
    base: Option<&(Snapshot, Tag)>,
) -> Result<(), Damage> {
    let file = snapshot::name(number);
    match (in_header, base) {
        (Some(_), None) => Err(Damage::Missing {
            file,
            needed_by: segment::name(number),
        }),
        (in_header, base) if in_header != base.map(|(_, tag)| *tag) => {
            Err(Damage::SnapshotMismatch {
                file,
                segment: segment::name(number),
            })
        }
        _ => Ok(()),
    }
}

fn missing(number: u64, needed_by: String) -> Damage {
    Damage::Missing {
        file: segment::name(number),
        needed_by,
    }
}

pub(crate) fn io_error(
    disk: &dyn Disk,
    doing: &'static str,
    file: Option<&str>,
    source: io::Error,
) -> OpenError {
    let path = file.map_or_else(|| disk.dir().to_owned(), |file| disk.dir().join(file));
    OpenError::Io {
        doing,
        path,
        source,
    }
}
