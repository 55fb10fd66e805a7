//! The caller's state before the first record of a segment, in one file.

use crate::disk::{Disk, write_all};
use crate::error::FrameFault;
use crate::key::{Domain, JournalKey, TAG_LEN, Tag};
use crate::segment::{Failure, JournalId, Link};

/// Contents of a snapshot file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) id: JournalId,
    /// The segment that goes on from here.
    pub(crate) segment: u64,
    /// The chain before that segment.
    pub(crate) link: Link,
    /// Tag of the last frame with records.
    pub(crate) head: Tag,
    pub(crate) state: Vec<u8>,
}

impl Snapshot {
    /// The file, and the tag that the segment's header repeats.
    pub(crate) fn encode(&self, key: &JournalKey) -> (Vec<u8>, Tag) {
        let mut bytes = Vec::with_capacity(HEADING_LEN + self.state.len() + TAG_LEN);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.id.0);
        bytes.extend_from_slice(&self.segment.to_be_bytes());
        bytes.extend_from_slice(&self.link.next.to_be_bytes());
        bytes.extend_from_slice(&self.link.tag.0);
        bytes.extend_from_slice(&self.head.0);
        bytes.extend_from_slice(&(self.state.len() as u64).to_be_bytes());
        bytes.extend_from_slice(&self.state);
        let tag = key.tag(Domain::Snapshot, &[&bytes]);
        bytes.extend_from_slice(&tag.0);
        (bytes, tag)
    }

    /// Checks and reads a file.
    pub(crate) fn parse(key: &JournalKey, bytes: &[u8]) -> Result<(Self, Tag), FrameFault> {
        let (signed, tag) = bytes
            .split_last_chunk::<TAG_LEN>()
            .ok_or(FrameFault::Length)?;
        let tag = Tag(*tag);
        if !signed.starts_with(&MAGIC) {
            return Err(FrameFault::Magic);
        }
        if key.tag(Domain::Snapshot, &[signed]) != tag {
            return Err(FrameFault::Tag);
        }
        let snapshot = Self::fields(signed).ok_or(FrameFault::Length)?;
        Ok((snapshot, tag))
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        let (_magic, rest) = bytes.split_first_chunk::<8>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (segment, rest) = rest.split_first_chunk::<8>()?;
        let (next, rest) = rest.split_first_chunk::<8>()?;
        let (tag, rest) = rest.split_first_chunk::<TAG_LEN>()?;
        let (head, rest) = rest.split_first_chunk::<TAG_LEN>()?;
        let (length, state) = rest.split_first_chunk::<8>()?;
        (u64::from_be_bytes(*length) == state.len() as u64).then(|| Self {
            id: JournalId(*id),
            segment: u64::from_be_bytes(*segment),
            link: Link {
                next: u64::from_be_bytes(*next),
                tag: Tag(*tag),
            },
            head: Tag(*head),
            state: state.to_vec(),
        })
    }

    /// Writes the file durably: temporary name, flush, rename, flush the directory.
    pub(crate) fn store(&self, disk: &dyn Disk, key: &JournalKey) -> Result<Tag, Failure> {
        let (bytes, tag) = self.encode(key);
        let file = disk
            .create(TEMPORARY)
            .map_err(Failure::doing("create a snapshot"))?;
        write_all(file.as_ref(), &bytes, 0).map_err(Failure::doing("write a snapshot"))?;
        file.sync().map_err(Failure::doing("flush a snapshot"))?;
        disk.rename(TEMPORARY, &name(self.segment))
            .map_err(Failure::doing("rename a snapshot"))?;
        disk.sync_dir()
            .map_err(Failure::doing("flush the directory"))?;
        Ok(tag)
    }
}

/// File name of the snapshot before segment `number`.
pub(crate) fn name(number: u64) -> String {
    format!("snapshot-{number:08}.snap")
}

/// The number in a file name that [`name`] made.
pub(crate) fn number(file: &str) -> Option<u64> {
    let number = file
        .strip_prefix("snapshot-")?
        .strip_suffix(".snap")?
        .parse()
        .ok()?;
    (name(number) == file).then_some(number)
}

/// Longest state of a snapshot.
pub const MAX_SNAPSHOT_BYTES: usize = 256 << 20;

/// Longest snapshot file.
pub(crate) const MAX_FILE_BYTES: u64 = (MAX_SNAPSHOT_BYTES + HEADING_LEN + TAG_LEN) as u64;

/// Name while it is being written.
pub(crate) const TEMPORARY: &str = "snapshot.tmp";

const MAGIC: [u8; 8] = *b"SYJSNAP1";

const HEADING_LEN: usize = 112;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Snapshot {
        Snapshot {
            id: JournalId([3; 16]),
            segment: 4,
            link: Link {
                next: 77,
                tag: Tag([8; 32]),
            },
            head: Tag([9; 32]),
            state: b"state".to_vec(),
        }
    }

    #[test]
    fn round_trips_and_notices_every_flipped_bit() {
        let key = JournalKey::derive(&[1; 32], "test");
        let (bytes, tag) = sample().encode(&key);
        assert_eq!(bytes.len(), HEADING_LEN + 5 + TAG_LEN);
        let (parsed, parsed_tag) = Snapshot::parse(&key, &bytes).unwrap();
        assert!(parsed == sample() && parsed_tag == tag);
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(Snapshot::parse(&key, &bent).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(
                Snapshot::parse(&key, &bytes[..len]).is_err(),
                "length {len}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_verify(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let key = JournalKey::derive(&[1; 32], "test");
            prop_assert!(Snapshot::parse(&key, &bytes).is_err());
            let _ = Snapshot::fields(&bytes);
        }
    }
}
