//! Requests for partial signatures, and the answers.
//!
//! One batch travels to every server alike; it and each reply are signed once, by session keys, so
//! that the bytes of a request, of its reply and of both certificates are evidence for anybody.

mod refusal;

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use symbolon_duties::{Duty, ForkVersion, SigningRoot, ValidatorPublicKey};

use crate::cbor::{CborError, from_bytes, to_bytes};
use crate::envelope::Message;

pub use refusal::{Refusal, RefusalClass, RefusalCode};

/// Most duties in one batch.
pub const MAX_BATCH: usize = 1_024;

/// One duty that a requestor wants signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignItem {
    /// The validator, by its group public key.
    #[n(0)]
    pub key: ValidatorPublicKey,
    /// Group epoch whose shares are asked.
    #[n(1)]
    pub group_epoch: u32,
    /// The typed message.
    #[n(2)]
    pub duty: Duty,
    /// Fork version of the domain; none for kinds that outlive forks.
    #[n(3)]
    pub fork_version: Option<ForkVersion>,
    /// The signing root as the requestor computed it: compared by the server, never trusted.
    #[n(4)]
    pub signing_root: SigningRoot,
}

/// All duties that wait at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignBatch {
    /// Random, so that no two batches have one hash.
    #[n(0)]
    pub id: ByteArray<16>,
    /// When it was made (unix milliseconds, the requestor's clock).
    #[n(1)]
    pub issued_at_ms: u64,
    /// How long after its arrival an answer is of use, in milliseconds.
    #[n(2)]
    pub ttl_ms: u32,
    /// The duties, at most [`MAX_BATCH`].
    #[n(3)]
    pub items: Vec<SignItem>,
}

impl Message for SignBatch {
    const TAG: &'static str = "symbolon.sign-batch";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 1024 * 1024;
}

/// One member's answer to one duty.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SignAnswer {
    /// The partial signature.
    #[n(0)]
    Partial(#[n(0)] PartialAnswer),
    /// The member will not sign.
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

/// A partial signature on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PartialAnswer {
    /// Group epoch of the share that signed.
    #[n(0)]
    pub group_epoch: u32,
    /// The public factor by which the share was divided before it signed; 1 for none.
    #[n(1)]
    pub scale: u64,
    /// The point, uncompressed (192 bytes).
    #[n(2)]
    pub point: ByteArray<192>,
}

/// One member's answers to a batch, in the batch's order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignReply {
    /// Share index of the member that answers.
    #[n(0)]
    pub member: u16,
    /// Digest of the batch (see [`crate::Unsigned::digest`]).
    #[n(1)]
    pub batch: ByteArray<32>,
    /// One answer a duty.
    #[n(2)]
    pub answers: Vec<SignAnswer>,
}

impl Message for SignReply {
    const TAG: &'static str = "symbolon.sign-reply";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 1024 * 1024;
}

/// A signed message of a session together with the certificate of its session key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionFrame {
    /// The signed session key ([`crate::session::SessionKey`]).
    #[n(0)]
    pub certificate: ByteVec,
    /// The signed message.
    #[n(1)]
    pub message: ByteVec,
}

impl SessionFrame {
    /// Most bytes of a frame.
    pub const MAX_LEN: usize = SignBatch::MAX_LEN + 4096;

    /// Joins a certificate and a message signed by its key.
    #[must_use]
    pub fn new(certificate: Vec<u8>, message: Vec<u8>) -> Self {
        Self {
            certificate: certificate.into(),
            message: message.into(),
        }
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Parses a frame.
    ///
    /// # Errors
    ///
    /// Too long or not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        from_bytes("session frame", bytes, Self::MAX_LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{NetworkId, Signed, Unsigned};
    use crate::session::SessionSecret;
    use proptest::prelude::*;
    use symbolon_duties::{Epoch, Slot};

    fn batch(items: usize) -> SignBatch {
        let item = |n: u64| SignItem {
            key: ValidatorPublicKey([7; 48]),
            group_epoch: 1,
            duty: if n.is_multiple_of(2) {
                Duty::RandaoReveal { epoch: Epoch(n) }
            } else {
                Duty::AggregationSlot { slot: Slot(n) }
            },
            fork_version: Some(ForkVersion([1, 0, 0, 0])),
            signing_root: SigningRoot([5; 32]),
        };
        SignBatch {
            id: [1; 16].into(),
            issued_at_ms: 1,
            ttl_ms: 1000,
            items: (0..items as u64).map(item).collect(),
        }
    }

    #[test]
    fn the_largest_batch_and_its_reply_stay_within_their_bounds() {
        let network = NetworkId([1; 32]);
        let body = Unsigned::new(network, batch(MAX_BATCH));
        assert!(body.body().len() < SignBatch::MAX_LEN);
        let answer = SignAnswer::Partial(PartialAnswer {
            group_epoch: u32::MAX,
            scale: u64::MAX,
            point: [0xff; 192].into(),
        });
        let reply = SignReply {
            member: u16::MAX,
            batch: body.digest().into(),
            answers: vec![answer; MAX_BATCH],
        };
        assert!(Unsigned::new(network, reply).body().len() < SignReply::MAX_LEN);
    }

    #[test]
    fn a_frame_carries_a_batch_through() {
        let network = NetworkId([1; 32]);
        let secret = SessionSecret::from_seed(&[2; 32]).unwrap();
        let signed = Unsigned::new(network, batch(3)).sign_session(&secret);
        let frame = SessionFrame::new(vec![1, 2, 3], signed.to_bytes());
        let again = SessionFrame::from_bytes(&frame.to_bytes()).unwrap();
        let batch = Signed::<SignBatch>::from_bytes(network, &again.message).unwrap();
        assert_eq!(
            batch
                .verify_session(&secret.public(), "r")
                .unwrap()
                .items
                .len(),
            3
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let network = NetworkId([1; 32]);
            if let Ok(frame) = SessionFrame::from_bytes(&bytes) {
                prop_assert_eq!(frame.to_bytes(), &bytes[..]);
            }
            prop_assert!(Signed::<SignBatch>::from_bytes(network, &bytes).is_err());
            prop_assert!(Unsigned::<SignReply>::from_body(network, &bytes).is_err());
        }
    }
}
