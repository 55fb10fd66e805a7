//! What must be durable, and who makes it so.

use minicbor::{Decode, Encode};
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::cbor::{CborError, from_bytes, to_bytes};
use symbolon_slashing::Mark;

/// The new mark of one key. Canonical CBOR; later updates of a key replace earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MarkUpdate {
    /// The validator.
    #[n(0)]
    pub key: ValidatorPublicKey,
    /// Its mark.
    #[n(1)]
    pub mark: Mark,
}

impl MarkUpdate {
    /// Most bytes of one update.
    pub const MAX_LEN: usize = 256;

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Parses an update.
    ///
    /// # Errors
    ///
    /// Too long or not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        from_bytes("mark update", bytes, Self::MAX_LEN)
    }
}

/// A store that makes marks durable and keeps what waits for them.
pub trait Ledger {
    /// What waits.
    type Ticket<T>;
    /// Why updates are not taken.
    type Error;

    /// Queues `updates`; the ticket must give `value` out only once they, and everything queued
    /// before them, are durable. All of them become durable or none.
    ///
    /// # Errors
    ///
    /// When it returns an error, nothing of `updates` may ever become durable, and `value` is
    /// dropped.
    fn queue<T: Send + 'static>(
        &self,
        updates: &[MarkUpdate],
        value: T,
    ) -> Result<Self::Ticket<T>, Self::Error>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use symbolon_duties::{Epoch, SigningRoot, Slot};
    use symbolon_slashing::{AttestationMark, BlockMark};

    use super::*;

    #[test]
    fn the_largest_update_fits() {
        let root = Some(SigningRoot([0xff; 32]));
        let top = Epoch(u64::MAX);
        let update = MarkUpdate {
            key: ValidatorPublicKey([0xff; 48]),
            mark: Mark {
                block: Some(BlockMark {
                    slot: Slot(u64::MAX),
                    root,
                }),
                attestation: Some(AttestationMark {
                    source: top,
                    target: top,
                    root,
                }),
            },
        };
        assert_eq!(MarkUpdate::from_bytes(&update.to_bytes()), Ok(update));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(update) = MarkUpdate::from_bytes(&bytes) {
                prop_assert_eq!(update.to_bytes(), bytes);
            }
        }
    }
}
