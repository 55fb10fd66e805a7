//! The rollback anchor: a small record in the device that only goes up.

use minicbor::{Decode, Encode};

use crate::{HsmError, KeyId, ObjectLabel, canonical};

/// What the device remembers, so that a restored disk is noticed.
///
/// In a token that keeps its objects in files, a restore of the whole disk restores the anchor
/// too: there it protects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AnchorRecord {
    /// Generation of the member's journal.
    #[n(0)]
    pub generation: u64,
    /// Highest beacon-chain epoch that may have been signed.
    #[n(1)]
    pub epoch: u64,
}

impl AnchorRecord {
    /// The element-wise maximum.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            generation: self.generation.max(other.generation),
            epoch: self.epoch.max(other.epoch),
        }
    }

    /// Whether `next` may follow: nothing goes down.
    #[must_use]
    pub const fn allows(self, next: Self) -> bool {
        next.generation >= self.generation && next.epoch >= self.epoch
    }

    /// The bytes of one copy in the device.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(&Copy {
            magic: MAGIC.to_owned(),
            record: *self,
        })
    }

    /// Decodes one copy.
    ///
    /// # Errors
    ///
    /// [`HsmError::BadBlob`] when the object is no anchor.
    pub fn decode(bytes: &[u8]) -> Result<Self, HsmError> {
        let copy: Copy = canonical::decode(bytes, COPY_MAX)
            .map_err(|error| HsmError::bad_blob(format!("anchor: {error}")))?;
        if copy.magic == MAGIC {
            Ok(copy.record)
        } else {
            Err(HsmError::bad_blob("the object is no anchor"))
        }
    }
}

/// The name of a member's anchor on the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnchorName(ObjectLabel);

impl AnchorName {
    /// The anchor of this member.
    #[must_use]
    pub const fn of(member: ObjectLabel) -> Self {
        Self(member)
    }

    /// The label of all copies.
    #[must_use]
    pub fn label(&self) -> String {
        KeyId::named(&format!("symbolon/{}/anchor", self.0))
            .label()
            .to_owned()
    }

    /// The member.
    #[must_use]
    pub const fn member(&self) -> &ObjectLabel {
        &self.0
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Copy {
    #[n(0)]
    magic: String,
    #[n(1)]
    record: AnchorRecord,
}

const MAGIC: &str = "symbolon-anchor-v1";
const COPY_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_goes_down() {
        let at = AnchorRecord {
            generation: 2,
            epoch: 10,
        };
        assert!(at.allows(at));
        assert!(at.allows(AnchorRecord {
            generation: 3,
            epoch: 10
        }));
        assert!(!at.allows(AnchorRecord {
            generation: 1,
            epoch: 99
        }));
        assert!(!at.allows(AnchorRecord {
            generation: 3,
            epoch: 9
        }));
        let other = AnchorRecord {
            generation: 1,
            epoch: 12,
        };
        assert_eq!(
            at.max(other),
            AnchorRecord {
                generation: 2,
                epoch: 12
            }
        );
    }

    proptest! {
        #[test]
        fn reads_back(generation in any::<u64>(), epoch in any::<u64>()) {
            let record = AnchorRecord { generation, epoch };
            prop_assert_eq!(AnchorRecord::decode(&record.encode()), Ok(record));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _refused = AnchorRecord::decode(&bytes);
        }
    }
}
