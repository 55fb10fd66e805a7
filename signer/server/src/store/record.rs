//! Records of the journal.

use core::fmt;

use minicbor::{Decode, Encode};
use symbolon_duties::ValidatorPublicKey;
use symbolon_journal::{Record, RecordKind};
use symbolon_protocol::cbor::{CborError, from_bytes, to_bytes};
use symbolon_signing::MarkUpdate;

use super::boot::BootId;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The mark of a key rose, or was signed again.
    Mark(MarkUpdate),
    /// A key was disabled or enabled.
    Enabled(EnabledRecord),
    /// A group's shares became usable.
    Group(GroupRecord),
    /// The clock showed this time (unix seconds).
    Clock(u64),
    /// A ceremony's state changed: a record of its participant.
    Ceremony(Vec<u8>),
    /// The journal was opened in this run of the machine.
    Boot(BootId),
}

/// Whether a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct EnabledRecord {
    #[n(0)]
    pub(crate) key: ValidatorPublicKey,
    #[n(1)]
    pub(crate) enabled: bool,
}

/// A group's file of shares, by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct GroupRecord {
    /// Name of the file in the folder of shares.
    #[n(0)]
    pub(crate) file: String,
    /// SHA-256 of its bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    /// Label of the group.
    #[n(2)]
    pub(crate) label: String,
}

/// A record that this version does not know, or cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A kind of a newer version.
    #[error("a record of unknown kind {0}: the journal was written by a newer version")]
    Kind(u16),
    /// The payload.
    #[error(transparent)]
    Cbor(#[from] CborError),
}

/// For people: what happened, without anything secret.
impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mark(MarkUpdate { key, mark }) => {
                write!(f, "mark {key}")?;
                if let Some(block) = &mark.block {
                    write!(f, " block slot {}", block.slot)?;
                }
                if let Some(vote) = &mark.attestation {
                    write!(f, " attestation {} -> {}", vote.source, vote.target)?;
                }
                Ok(())
            }
            Self::Enabled(EnabledRecord { key, enabled }) => {
                let what = if *enabled { "enabled" } else { "disabled" };
                write!(f, "{what} {key}")
            }
            Self::Group(GroupRecord { file, hash, label }) => {
                write!(f, "group {label} in {file}, SHA-256 {}", hex::encode(hash))
            }
            Self::Clock(seconds) => write!(f, "clock {seconds}"),
            Self::Ceremony(bytes) => write!(f, "ceremony record of {} bytes", bytes.len()),
            Self::Boot(BootId(boot)) => write!(f, "opened in run {}", hex::encode(boot)),
        }
    }
}

impl Stored {
    pub(crate) fn to_record(&self) -> Record {
        match self {
            Self::Mark(update) => Record::new(MARK, update.to_bytes()),
            Self::Enabled(record) => Record::new(ENABLED, to_bytes(record)),
            Self::Group(record) => Record::new(GROUP, to_bytes(record)),
            Self::Clock(seconds) => Record::new(CLOCK, to_bytes(seconds)),
            Self::Ceremony(bytes) => Record::new(CEREMONY, bytes.clone()),
            Self::Boot(boot) => Record::new(BOOT, to_bytes(boot)),
        }
    }

    pub(crate) fn parse(record: &Record) -> Result<Self, RecordError> {
        let bytes = &record.payload;
        Ok(match record.kind {
            MARK => Self::Mark(MarkUpdate::from_bytes(bytes)?),
            ENABLED => Self::Enabled(from_bytes("enabled record", bytes, MAX_SMALL)?),
            GROUP => Self::Group(from_bytes("group record", bytes, MAX_SMALL)?),
            CLOCK => Self::Clock(from_bytes("clock record", bytes, MAX_SMALL)?),
            CEREMONY => Self::Ceremony(bytes.clone()),
            BOOT => Self::Boot(from_bytes("boot record", bytes, MAX_SMALL)?),
            RecordKind(other) => return Err(RecordError::Kind(other)),
        })
    }
}

/// Largest payload of the small kinds.
const MAX_SMALL: usize = 1024;

const MARK: RecordKind = RecordKind(1);
const ENABLED: RecordKind = RecordKind(2);
const GROUP: RecordKind = RecordKind(3);
const CLOCK: RecordKind = RecordKind(4);
const CEREMONY: RecordKind = RecordKind(5);
const BOOT: RecordKind = RecordKind(6);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use symbolon_slashing::Mark;

    use super::*;

    #[test]
    fn records_survive_a_round_trip() {
        let key = ValidatorPublicKey([7; 48]);
        for stored in [
            Stored::Mark(MarkUpdate {
                key,
                mark: Mark::default(),
            }),
            Stored::Enabled(EnabledRecord {
                key,
                enabled: false,
            }),
            Stored::Group(GroupRecord {
                file: "a-1.shares".into(),
                hash: [3; 32],
                label: "a".into(),
            }),
            Stored::Clock(u64::MAX),
            Stored::Ceremony(vec![1, 2, 3]),
            Stored::Boot(BootId([7; 16])),
        ] {
            assert_eq!(Stored::parse(&stored.to_record()), Ok(stored));
        }
        let unknown = Record::new(RecordKind(99), Vec::new());
        assert_eq!(Stored::parse(&unknown), Err(RecordError::Kind(99)));
    }

    proptest! {
        #[test]
        fn arbitrary_records_never_panic(
            kind in 0..8_u16,
            payload in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            drop(Stored::parse(&Record::new(RecordKind(kind), payload)));
        }
    }
}
