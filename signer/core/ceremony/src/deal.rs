//! Visit 1, out: what one dealer sends to everybody.

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use symbolon_protocol::Message;
use symbolon_threshold::ShareIndex;

use crate::name::CeremonyId;
use crate::plan::PlanSize;

/// Bytes of a point of G1.
pub(crate) const POINT: usize = 48;
/// Bytes of a proof of possession.
pub(crate) const PROOF: usize = 96;
/// Bytes of a share in an envelope.
pub(crate) const SCALAR: usize = 32;
/// Bytes of the authentication tag of an envelope.
pub(crate) const GCM_TAG: usize = 16;

/// One dealer's commitments, proofs and encrypted shares (D_i), for all keys; signed by the
/// dealer's identity key.
///
/// The byte strings are as they came: what they hold is checked in the order that the
/// specification gives, not by the decoder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Deal {
    /// The ceremony.
    #[n(0)]
    pub ceremony: CeremonyId,
    /// The dealer's share index; 0 for the dealer of an import, who has none.
    #[n(1)]
    pub dealer: u16,
    /// For each key, t compressed points of G1, constant term first: m * t * 48 bytes.
    #[n(2)]
    pub commitments: ByteVec,
    /// For each key, the proof of possession of the constant term: m * 96 bytes.
    #[n(3)]
    pub proofs: ByteVec,
    /// One envelope for each receiver, in the order of the plan.
    #[n(4)]
    pub envelopes: Vec<EncryptedShares>,
}

/// All shares from one dealer for one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EncryptedShares {
    /// The receiver's share index.
    #[n(0)]
    pub receiver: u16,
    /// The ephemeral key E_ij, SEC1 compressed.
    #[n(1)]
    pub ephemeral: ByteArray<33>,
    /// AES-256-GCM of m shares of 32 bytes, then the tag of 16 bytes.
    #[n(2)]
    pub ciphertext: ByteVec,
}

impl Message for Deal {
    const TAG: &'static str = "symbolon.deal";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 8 * 1024 * 1024;
}

impl Deal {
    /// Number of commitments, when their bytes are whole points.
    pub(crate) fn commitment_count(&self) -> Option<usize> {
        whole(self.commitments.len(), POINT)
    }

    /// Number of proofs, when their bytes are whole proofs.
    pub(crate) fn proof_count(&self) -> Option<usize> {
        whole(self.proofs.len(), PROOF)
    }
}

fn whole(bytes: usize, size: usize) -> Option<usize> {
    bytes.is_multiple_of(size).then_some(bytes / size)
}

/// Most bytes of a signed deal of this size, m keys, t of n: `m t 48 + m 96 + n (m 32 + 80) + 512`.
/// The vectors rely on it.
pub(crate) fn max_deal_bytes(size: PlanSize) -> usize {
    let commitments = size.keys * size.threshold * POINT;
    let proofs = size.keys * PROOF;
    let envelope = size.keys * SCALAR + GCM_TAG + 64;
    commitments + proofs + size.receivers * envelope + 512
}

/// Who deals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DealerId {
    /// The operator who imports keys, named in the plan.
    Import,
    /// A member, by its share index.
    Member(ShareIndex),
}

impl DealerId {
    /// The number in deals and key derivations: the share index, or 0 for an import.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Import => 0,
            Self::Member(index) => index.get(),
        }
    }

    /// The dealer of this number.
    #[must_use]
    pub fn from_number(number: u16) -> Self {
        ShareIndex::try_from(u64::from(number)).map_or(Self::Import, Self::Member)
    }
}

impl core::fmt::Display for DealerId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Import => f.write_str("the import dealer"),
            Self::Member(index) => write!(f, "member {index}"),
        }
    }
}
