//! Visit 2, out: a receiver's signed yes; and what makes the ceremony certain: all of them.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_protocol::Message;

use crate::encryption_key::EncryptionKey;
use crate::name::{CeremonyId, DealHash, TranscriptHash};

/// "I hold my shares, and this is what all of us made" (R_j); signed by the receiver's identity
/// key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Confirmation {
    /// The ceremony.
    #[n(0)]
    pub ceremony: CeremonyId,
    /// The receiver's share index.
    #[n(1)]
    pub member: u16,
    /// The transcript T.
    #[n(2)]
    pub transcript: TranscriptHash,
    /// The deals that went into it, in the order of the plan's dealers.
    #[n(3)]
    pub deals: Vec<DealHash>,
    /// The receiver's encryption key for the next epoch of this group.
    #[n(4)]
    pub next_key: EncryptionKey,
}

impl Message for Confirmation {
    const TAG: &'static str = "symbolon.confirmation";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 8 * 1024;
}

/// The confirmations of all receivers, in the order of the plan: signed bytes, each.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Certificate {
    /// The ceremony.
    #[n(0)]
    pub ceremony: CeremonyId,
    /// The signed confirmations.
    #[n(1)]
    pub confirmations: Vec<ByteVec>,
}

impl Message for Certificate {
    const TAG: &'static str = "symbolon.certificate";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 512 * 1024;
}

/// "I have the certificate, my shares are sealed and readable"; signed by the member's identity
/// key. A key is used, and a deposit made, only when every member's is there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Activation {
    /// The ceremony.
    #[n(0)]
    pub ceremony: CeremonyId,
    /// The member's share index.
    #[n(1)]
    pub member: u16,
    /// The transcript of the certificate.
    #[n(2)]
    pub transcript: TranscriptHash,
}

impl Message for Activation {
    const TAG: &'static str = "symbolon.activation";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 1024;
}
