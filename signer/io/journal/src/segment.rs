//! One file of frames: its name, its header, and writing at its end.

use crate::disk::{Disk, DiskFile, write_all, write_zeros};
use crate::frame::{FrameKind, Heading, Place, encode, frame_len};
use crate::key::{Domain, JournalKey, TAG_LEN, Tag};

/// Drawn once when a journal is created, so that the files of two journals never mix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JournalId(pub(crate) [u8; 16]);

/// Position in the chain: what the next frame must continue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    /// Sequence number of the next record.
    pub(crate) next: u64,
    /// Tag of the last frame.
    pub(crate) tag: Tag,
}

impl Link {
    /// Before the first frame of a journal.
    pub(crate) const GENESIS: Self = Self {
        next: 1,
        tag: Tag::ZERO,
    };

    pub(crate) fn heading(self, kind: FrameKind, count: u32) -> Heading {
        Heading {
            kind,
            count,
            first: self.next,
            prev: self.tag,
        }
    }

    /// The link after a frame of `count` records with `tag`.
    pub(crate) fn after(self, count: u32, tag: Tag) -> Self {
        Self {
            next: self.next.saturating_add(u64::from(count)),
            tag,
        }
    }
}

/// What the first frame of a segment says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SegmentHeader {
    pub(crate) id: JournalId,
    pub(crate) number: u64,
    /// Bytes of the file.
    pub(crate) file_len: u64,
    /// Tag of the snapshot that the segment was started with.
    pub(crate) snapshot: Option<Tag>,
}

impl SegmentHeader {
    pub(crate) fn body(&self, key: &JournalKey) -> Vec<u8> {
        let mut body = Vec::with_capacity(HEADER_BODY_LEN);
        body.extend_from_slice(&VERSION.to_be_bytes());
        body.extend_from_slice(&self.id.0);
        body.extend_from_slice(&self.number.to_be_bytes());
        body.extend_from_slice(&self.file_len.to_be_bytes());
        body.extend_from_slice(&key.tag(Domain::KeyCheck, &[&self.id.0]).0);
        body.push(u8::from(self.snapshot.is_some()));
        body.extend_from_slice(&self.snapshot.unwrap_or(Tag::ZERO).0);
        body
    }

    /// Reads the body of a header frame; `None` if this version cannot.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let (version, rest) = body.split_first_chunk::<2>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (file_len, rest) = rest.split_first_chunk::<8>()?;
        let (_key_check, rest) = rest.split_first_chunk::<TAG_LEN>()?;
        let ([flag], rest) = rest.split_first_chunk::<1>()?;
        let tag = Tag::parse(rest)?;
        let snapshot = match flag {
            0 => None,
            1 => Some(tag),
            _ => return None,
        };
        (u16::from_be_bytes(*version) == VERSION).then_some(Self {
            id: JournalId(*id),
            number: u64::from_be_bytes(*number),
            file_len: u64::from_be_bytes(*file_len),
            snapshot,
        })
    }

    /// Whether an unverified header body was written with `key`; `None` if it is too short.
    pub(crate) fn has_key(body: &[u8], key: &JournalKey) -> Option<bool> {
        let id = body.get(2..18)?;
        let check = Tag::parse(body.get(34..66)?)?;
        Some(key.tag(Domain::KeyCheck, &[id]) == check)
    }
}

/// The segment that a journal appends to.
pub(crate) struct SegmentWriter {
    pub(crate) number: u64,
    pub(crate) file_len: u64,
    /// Where the next frame goes.
    pub(crate) offset: u64,
    file: Box<dyn DiskFile>,
}

impl SegmentWriter {
    pub(crate) fn new(number: u64, file_len: u64, offset: u64, file: Box<dyn DiskFile>) -> Self {
        Self {
            number,
            file_len,
            offset,
            file,
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            segment: self.number,
            offset: self.offset,
        }
    }

    /// Whether a frame of `len` bytes fits and a seal still fits after it.
    pub(crate) fn fits(&self, len: usize) -> bool {
        let end = self
            .offset
            .saturating_add(len as u64)
            .saturating_add(SEAL_LEN as u64);
        end <= self.file_len
    }

    /// Writes an encoded frame and flushes.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<(), Failure> {
        write_all(self.file.as_ref(), frame, self.offset).map_err(Failure::doing("write"))?;
        self.file.sync().map_err(Failure::doing("flush"))?;
        self.offset = self.offset.saturating_add(frame.len() as u64);
        Ok(())
    }

    /// Overwrites what stands behind the last valid frame, up to `end`, with zeros and flushes.
    pub(crate) fn cut(&mut self, end: u64) -> Result<(), Failure> {
        let len = end.saturating_sub(self.offset);
        write_zeros(self.file.as_ref(), self.offset, len).map_err(Failure::doing("cut"))?;
        self.file.sync().map_err(Failure::doing("flush"))
    }
}

/// A failed operation and its name.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) doing: &'static str,
    pub(crate) source: std::io::Error,
}

impl Failure {
    pub(crate) fn doing(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self { doing, source }
    }
}

/// The frame that ends `place.segment`, and the link after it. It is a function of the chain alone,
/// so the next segment can be linked to it before it is written.
pub(crate) fn seal(key: &JournalKey, place: Place, link: Link) -> (Vec<u8>, Link) {
    let mut bytes = Vec::with_capacity(SEAL_LEN);
    let tag = encode(
        key,
        place,
        &link.heading(FrameKind::Seal, 0),
        &[],
        &mut bytes,
    );
    (bytes, link.after(0, tag))
}

/// Turns a file of zeros into segment `header.number`, durably, under its real name.
pub(crate) fn start(
    disk: &dyn Disk,
    key: &JournalKey,
    header: &SegmentHeader,
    link: Link,
    (blank_name, file): (&str, Box<dyn DiskFile>),
) -> Result<(SegmentWriter, Link), Failure> {
    let place = Place {
        segment: header.number,
        offset: 0,
    };
    let mut bytes = Vec::new();
    let heading = link.heading(FrameKind::Header, 0);
    let tag = encode(key, place, &heading, &[&header.body(key)], &mut bytes);
    let mut writer = SegmentWriter::new(header.number, header.file_len, 0, file);
    writer.append(&bytes)?;
    disk.rename(blank_name, &name(header.number))
        .map_err(Failure::doing("rename a segment"))?;
    disk.sync_dir()
        .map_err(Failure::doing("flush the directory"))?;
    Ok((writer, link.after(0, tag)))
}

/// File name of segment `number`.
pub(crate) fn name(number: u64) -> String {
    format!("segment-{number:08}.log")
}

/// The number in a file name that [`name`] made.
pub(crate) fn number(file: &str) -> Option<u64> {
    let number = file
        .strip_prefix("segment-")?
        .strip_suffix(".log")?
        .parse()
        .ok()?;
    (name(number) == file).then_some(number)
}

/// Bytes of the seal of a segment.
pub(crate) const SEAL_LEN: usize = frame_len(0);

/// Bytes of the header of a segment.
pub(crate) const HEADER_LEN: usize = frame_len(HEADER_BODY_LEN);

/// Least and most bytes of a segment.
pub(crate) const SEGMENT_BYTES: std::ops::RangeInclusive<u64> = 1024..=(1 << 30);

const HEADER_BODY_LEN: usize = 99;

const VERSION: u16 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_round_trip() {
        assert_eq!(name(7), "segment-00000007.log");
        assert_eq!(number("segment-00000007.log"), Some(7));
        assert_eq!(number(&name(1 << 40)), Some(1 << 40));
        for other in [
            "segment-7.log",
            "segment-0000000x.log",
            "segment-00000007.log.tmp",
            "lock",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn header_round_trips() {
        let key = JournalKey::derive(&[1; 32], "test");
        for snapshot in [None, Some(Tag([9; 32]))] {
            let header = SegmentHeader {
                id: JournalId([5; 16]),
                number: 3,
                file_len: 4096,
                snapshot,
            };
            let body = header.body(&key);
            assert_eq!(body.len(), HEADER_BODY_LEN);
            assert_eq!(SegmentHeader::parse(&body), Some(header));
            assert_eq!(SegmentHeader::has_key(&body, &key), Some(true));
            let other = JournalKey::derive(&[2; 32], "test");
            assert_eq!(SegmentHeader::has_key(&body, &other), Some(false));
        }
    }

    proptest! {
        #[test]
        fn header_parser_never_panics(body in proptest::collection::vec(any::<u8>(), 0..140)) {
            let key = JournalKey::derive(&[1; 32], "test");
            let _ = SegmentHeader::has_key(&body, &key);
            if let Some(header) = SegmentHeader::parse(&body) {
                prop_assert_eq!(header.body(&key).len(), body.len());
            }
        }
    }
}
