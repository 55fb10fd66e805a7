//! The unit of writing: one flush, one frame.

use crate::error::FrameFault;
use crate::key::{Domain, JournalKey, TAG_LEN, Tag};
use crate::record::MAX_BATCH_BYTES;

/// Where a frame stands; part of its tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// What a frame is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FrameKind {
    /// First frame of a segment.
    Header,
    /// Records.
    Data,
    /// A process opened the journal here.
    Opened,
    /// A process closed it in order.
    Closed,
    /// Last frame of a segment that has a successor.
    Seal,
}

impl FrameKind {
    fn code(self) -> u8 {
        match self {
            Self::Header => 1,
            Self::Data => 2,
            Self::Opened => 3,
            Self::Closed => 4,
            Self::Seal => 5,
        }
    }

    fn parse(code: u8) -> Option<Self> {
        [
            Self::Header,
            Self::Data,
            Self::Opened,
            Self::Closed,
            Self::Seal,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }
}

/// Everything of a frame but its place, body and tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading {
    pub(crate) kind: FrameKind,
    pub(crate) count: u32,
    /// Sequence number of the first record, or of the next one if the frame has none.
    pub(crate) first: u64,
    pub(crate) prev: Tag,
}

/// A frame whose tag verified at its place; its link to the one before is not yet checked.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) heading: Heading,
    pub(crate) body: &'a [u8],
    pub(crate) tag: Tag,
    /// Bytes of the whole frame.
    pub(crate) len: usize,
}

/// Appends the frame to `out` (which must be empty or hold earlier frames) and returns its tag.
pub(crate) fn encode(
    key: &JournalKey,
    place: Place,
    heading: &Heading,
    body: &[&[u8]],
    out: &mut Vec<u8>,
) -> Tag {
    let start = out.len();
    let body_len: usize = body.iter().map(|part| part.len()).sum();
    out.reserve(frame_len(body_len));
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[heading.kind.code(), 0, 0, 0]);
    // Callers keep bodies within MAX_BATCH_BYTES; a longer one would write a frame that cannot verify.
    out.extend_from_slice(&u32::try_from(body_len).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&heading.count.to_be_bytes());
    out.extend_from_slice(&heading.first.to_be_bytes());
    out.extend_from_slice(&heading.prev.0);
    for part in body {
        out.extend_from_slice(part);
    }
    let tag = tag_of(key, place, out.get(start..).unwrap_or_default());
    out.extend_from_slice(&tag.0);
    tag
}

/// Reads the frame at the beginning of `bytes` and checks its tag.
pub(crate) fn parse<'a>(
    key: &JournalKey,
    place: Place,
    bytes: &'a [u8],
) -> Result<Frame<'a>, FrameFault> {
    let mut rest = bytes;
    let magic = take::<4>(&mut rest)?;
    let [code, zeros @ ..] = take::<4>(&mut rest)?;
    let body_len = u32::from_be_bytes(take(&mut rest)?);
    let count = u32::from_be_bytes(take(&mut rest)?);
    let first = u64::from_be_bytes(take(&mut rest)?);
    let prev = Tag(take(&mut rest)?);
    if magic != MAGIC {
        return Err(FrameFault::Magic);
    }
    let kind = FrameKind::parse(code)
        .filter(|_| zeros == [0; 3])
        .ok_or(FrameFault::Kind)?;
    let body_len = usize::try_from(body_len).map_err(|_| FrameFault::Length)?;
    if body_len > MAX_BATCH_BYTES {
        return Err(FrameFault::Length);
    }
    let (body, rest) = rest.split_at_checked(body_len).ok_or(FrameFault::Length)?;
    let tag = rest
        .get(..TAG_LEN)
        .and_then(Tag::parse)
        .ok_or(FrameFault::Length)?;
    let signed = bytes
        .get(..HEADING_LEN + body_len)
        .ok_or(FrameFault::Length)?;
    if tag_of(key, place, signed) != tag {
        return Err(FrameFault::Tag);
    }
    let heading = Heading {
        kind,
        count,
        first,
        prev,
    };
    Ok(Frame {
        heading,
        body,
        tag,
        len: frame_len(body_len),
    })
}

/// Bytes of a frame with a body of `body_len`.
pub(crate) const fn frame_len(body_len: usize) -> usize {
    HEADING_LEN + body_len + TAG_LEN
}

fn tag_of(key: &JournalKey, place: Place, bytes: &[u8]) -> Tag {
    let parts: [&[u8]; 3] = [
        &place.segment.to_be_bytes(),
        &place.offset.to_be_bytes(),
        bytes,
    ];
    key.tag(Domain::Frame, &parts)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], FrameFault> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(FrameFault::Length)?;
    *rest = tail;
    Ok(*head)
}

/// First bytes of every frame; the digit is the version of the format.
pub(crate) const MAGIC: [u8; 4] = *b"SYJ1";

/// Bytes before the body.
pub(crate) const HEADING_LEN: usize = 56;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place = Place {
        segment: 3,
        offset: 700,
    };

    fn sample(key: &JournalKey) -> Vec<u8> {
        let heading = Heading {
            kind: FrameKind::Data,
            count: 1,
            first: 9,
            prev: Tag([4; 32]),
        };
        let mut out = Vec::new();
        encode(key, PLACE, &heading, &[b"bo", b"dy"], &mut out);
        out
    }

    #[test]
    fn layout_is_as_documented() {
        let key = JournalKey::derive(&[1; 32], "test");
        let bytes = sample(&key);
        assert_eq!(bytes.len(), frame_len(4));
        assert_eq!(bytes[..8], [b'S', b'Y', b'J', b'1', 2, 0, 0, 0]);
        assert_eq!(bytes[8..16], [0, 0, 0, 4, 0, 0, 0, 1]);
        assert_eq!(bytes[16..24], [0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(bytes[24..56], [4; 32]);
        assert_eq!(&bytes[56..60], b"body");
    }

    #[test]
    fn is_valid_in_its_place_only() {
        let key = JournalKey::derive(&[1; 32], "test");
        let bytes = sample(&key);
        assert!(parse(&key, PLACE, &bytes).is_ok());
        for place in [
            Place {
                segment: 4,
                ..PLACE
            },
            Place {
                offset: 701,
                ..PLACE
            },
        ] {
            assert_eq!(parse(&key, place, &bytes).unwrap_err(), FrameFault::Tag);
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let key = JournalKey::derive(&[1; 32], "test");
        let bytes = sample(&key);
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&key, PLACE, &bent).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_verify(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let key = JournalKey::derive(&[1; 32], "test");
            prop_assert!(parse(&key, PLACE, &bytes).is_err());
        }
    }
}
