//! Reading one segment from front to end.

use crate::error::{Damage, FrameFault};
use crate::frame::{Frame, FrameKind, HEADING_LEN, MAGIC, Place, parse};
use crate::key::JournalKey;
use crate::segment::{self, JournalId, Link, SegmentHeader};

/// What must come before a segment.
#[derive(Clone, Copy)]
pub(crate) struct Before {
    pub(crate) id: Option<JournalId>,
    /// `None` where the segment before is not read.
    pub(crate) link: Option<Link>,
}

/// A segment whose frames all verified, up to its tail.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) header: SegmentHeader,
    /// The chain after the last valid frame.
    pub(crate) link: Link,
    /// Where the last valid frame ends.
    pub(crate) end: u64,
    /// Valid frames, header included.
    pub(crate) frames: u64,
    pub(crate) tail: Tail,
}

/// What stands behind the last valid frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tail {
    /// Zeros only.
    Blank,
    /// The segment is complete; zeros only behind its seal.
    Sealed,
    /// Something that is no frame, with no valid frame behind it.
    Broken {
        fault: FrameFault,
        /// End of the last byte that is not zero.
        dirty_end: u64,
    },
}

/// Reads segment `number` from `bytes` and shows every valid frame but the header to `visit`.
pub(crate) fn walk(
    key: &JournalKey,
    number: u64,
    bytes: &[u8],
    before: Before,
    visit: &mut dyn FnMut(u64, &Frame<'_>) -> Result<(), Damage>,
) -> Result<Walked, Damage> {
    let file = || segment::name(number);
    let (header, first) = read_header(key, number, bytes, before)?;
    let start = Link {
        next: first.heading.first,
        tag: first.heading.prev,
    };
    if before.link.is_some_and(|link| link != start) {
        return Err(Damage::Unlinked {
            file: file(),
            offset: 0,
        });
    }
    let mut link = start.after(0, first.tag);
    let mut offset = first.len;
    let mut frames = 1;
    let dirty_end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    loop {
        let place = Place {
            segment: number,
            offset: offset as u64,
        };
        let rest = bytes.get(offset..).unwrap_or_default();
        let fault = match parse(key, place, rest) {
            Ok(frame) => {
                let heading = frame.heading;
                let linked = heading.first == link.next && heading.prev == link.tag;
                if !linked || heading.kind == FrameKind::Header {
                    return Err(Damage::Unlinked {
                        file: file(),
                        offset: place.offset,
                    });
                }
                visit(place.offset, &frame)?;
                link = link.after(heading.count, frame.tag);
                offset += frame.len;
                frames += 1;
                if heading.kind != FrameKind::Seal {
                    continue;
                }
                if dirty_end > offset {
                    return Err(Damage::Trailing {
                        file: file(),
                        offset: offset as u64,
                    });
                }
                let end = offset as u64;
                return Ok(Walked {
                    header,
                    link,
                    end,
                    frames,
                    tail: Tail::Sealed,
                });
            }
            Err(fault) => fault,
        };
        let end = offset as u64;
        if dirty_end <= offset {
            return Ok(Walked {
                header,
                link,
                end,
                frames,
                tail: Tail::Blank,
            });
        }
        if let Some(valid_after) = find_frame(key, number, bytes, offset + 1) {
            return Err(Damage::Broken {
                file: file(),
                offset: end,
                fault,
                valid_after,
            });
        }
        let tail = Tail::Broken {
            fault,
            dirty_end: dirty_end as u64,
        };
        return Ok(Walked {
            header,
            link,
            end,
            frames,
            tail,
        });
    }
}

fn read_header<'a>(
    key: &JournalKey,
    number: u64,
    bytes: &'a [u8],
    before: Before,
) -> Result<(SegmentHeader, Frame<'a>), Damage> {
    let file = segment::name(number);
    let frame = match parse(
        key,
        Place {
            segment: number,
            offset: 0,
        },
        bytes,
    ) {
        Ok(frame) => frame,
        Err(fault) => {
            let body = bytes.get(HEADING_LEN..).unwrap_or_default();
            let intact = bytes.starts_with(&MAGIC);
            return Err(
                if intact && SegmentHeader::has_key(body, key) == Some(false) {
                    Damage::WrongKey { file }
                } else {
                    Damage::BrokenInside {
                        file,
                        offset: 0,
                        fault,
                    }
                },
            );
        }
    };
    let header = (frame.heading.kind == FrameKind::Header && frame.heading.count == 0)
        .then(|| SegmentHeader::parse(frame.body))
        .flatten()
        .ok_or_else(|| Damage::Contents {
            file: file.clone(),
            offset: 0,
        })?;
    let got = bytes.len() as u64;
    if header.file_len != got {
        return Err(Damage::Length {
            file,
            expected: header.file_len,
            got,
        });
    }
    if header.number != number || before.id.is_some_and(|id| id != header.id) {
        return Err(Damage::Unlinked { file, offset: 0 });
    }
    Ok((header, frame))
}

/// The first valid frame at or after `from`. Frames carry the tag of their predecessor, so each can
/// be checked alone.
fn find_frame(key: &JournalKey, number: u64, bytes: &[u8], from: usize) -> Option<u64> {
    let rest = bytes.get(from..)?;
    rest.windows(MAGIC.len())
        .enumerate()
        .filter(|(_, window)| *window == MAGIC)
        .find_map(|(index, _)| {
            let offset = (from + index) as u64;
            let place = Place {
                segment: number,
                offset,
            };
            parse(key, place, rest.get(index..)?).ok().map(|_| offset)
        })
}
