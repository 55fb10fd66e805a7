//! What a member remembers of its ceremonies: one small public record for every change of state.

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use symbolon_protocol::{EnvelopeError, Message, NetworkId, Unsigned};

use crate::name::{CeremonyId, DealHash, GroupEpoch, GroupLabel};

/// Most bytes of a record.
pub const MAX_RECORD: usize = 32 * 1024;

/// SHA-256 of a file that a record relies on.
pub(super) type FileHash = ByteArray<32>;

/// One change of state. The bytes are the body of an envelope without signature: integrity is the
/// journal's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) enum Record {
    /// An encryption key was offered.
    #[n(0)]
    Offered {
        #[n(0)]
        offer: ByteVec,
    },
    /// A plan was accepted; for a dealer, the seed is sealed.
    #[n(1)]
    Accepted {
        #[n(0)]
        ceremony: CeremonyId,
        #[n(1)]
        group: GroupLabel,
        #[n(2)]
        group_epoch: GroupEpoch,
        #[n(3)]
        deals: bool,
        #[n(4)]
        plan: FileHash,
    },
    /// The deal was made.
    #[n(2)]
    Dealt {
        #[n(0)]
        ceremony: CeremonyId,
        #[n(1)]
        deal: FileHash,
        #[n(2)]
        hash: DealHash,
    },
    /// The transcript was signed; deals are stored, shares sealed.
    #[n(3)]
    Signed {
        #[n(0)]
        ceremony: CeremonyId,
        #[n(1)]
        confirmation: ByteVec,
        #[n(2)]
        outcome: FileHash,
    },
    /// The ceremony was dropped, or someone complained of another dealer, or this member did (then
    /// with its complaint).
    #[n(4)]
    Burnt {
        #[n(0)]
        ceremony: CeremonyId,
        #[n(1)]
        complaint: Option<ByteVec>,
        #[n(2)]
        dropped: bool,
    },
    /// A complaint of this member's deal was answered.
    #[n(5)]
    Opened {
        #[n(0)]
        ceremony: CeremonyId,
        #[n(1)]
        receiver: u16,
        #[n(2)]
        opening: ByteVec,
    },
    /// The certificate is stored.
    #[n(6)]
    Active {
        #[n(0)]
        ceremony: CeremonyId,
        #[n(1)]
        activation: ByteVec,
        #[n(2)]
        descriptor: FileHash,
    },
    /// Shares were rebuilt from public data; everything is stored and sealed.
    #[n(7)]
    Recovered {
        #[n(0)]
        ceremony: CeremonyId,
        #[n(1)]
        group: GroupLabel,
        #[n(2)]
        group_epoch: GroupEpoch,
        #[n(3)]
        deals: bool,
        #[n(4)]
        plan: FileHash,
        #[n(5)]
        confirmation: ByteVec,
        #[n(6)]
        activation: ByteVec,
        #[n(7)]
        descriptor: FileHash,
    },
    /// Shares and key are to be destroyed.
    #[n(8)]
    Destroyed {
        #[n(0)]
        ceremony: CeremonyId,
    },
}

impl Message for Record {
    const TAG: &'static str = "symbolon.ceremony-record";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = MAX_RECORD;
}

impl Record {
    pub(super) fn to_bytes(&self, network: NetworkId) -> Vec<u8> {
        Unsigned::new(network, self.clone()).body().to_vec()
    }

    pub(super) fn from_bytes(network: NetworkId, bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(Unsigned::<Self>::from_body(network, bytes)?.value().clone())
    }
}

/// SHA-256 of a file's bytes.
pub(super) fn file_hash(bytes: &[u8]) -> FileHash {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    hash.into()
}
