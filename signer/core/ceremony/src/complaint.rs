//! Blame: a receiver's complaint, and the dealer's opening that decides it.

use core::fmt;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use symbolon_protocol::Message;

use crate::name::{CeremonyId, DealHash};

/// "The envelope that this dealer made for me is wrong"; signed by the receiver's identity key.
///
/// Whoever complains never confirms: the ceremony is dead.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Complaint {
    /// The ceremony.
    #[n(0)]
    pub ceremony: CeremonyId,
    /// The receiver's share index.
    #[n(1)]
    pub member: u16,
    /// The dealer's share index; 0 for the dealer of an import.
    #[n(2)]
    pub dealer: u16,
    /// The deal complained of.
    #[n(3)]
    pub deal: DealHash,
    /// What was found.
    #[n(4)]
    pub reason: ComplaintReason,
}

/// What a receiver found in its envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ComplaintReason {
    /// It does not open under the derived key.
    #[n(0)]
    DoesNotOpen,
    /// A share is zero or not below the group order.
    #[n(1)]
    BadScalar,
    /// A share is not on the committed polynomial.
    #[n(2)]
    WrongShare,
}

impl fmt::Display for ComplaintReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DoesNotOpen => "the envelope does not open",
            Self::BadScalar => "a share is zero or not below the group order",
            Self::WrongShare => "a share is not on the committed polynomial",
        })
    }
}

impl Message for Complaint {
    const TAG: &'static str = "symbolon.complaint";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 1024;
}

/// The dealer's answer: the ephemeral secret of that one envelope; signed by the dealer's identity
/// key. Anybody can now open the envelope, and one of the two is proved wrong.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// The ceremony.
    #[n(0)]
    pub ceremony: CeremonyId,
    /// The dealer's share index; 0 for the dealer of an import.
    #[n(1)]
    pub dealer: u16,
    /// The receiver whose envelope it is.
    #[n(2)]
    pub receiver: u16,
    /// The deal that the envelope is in.
    #[n(3)]
    pub deal: DealHash,
    /// The ephemeral secret e_ij, big endian: public from now on.
    #[n(4)]
    pub ephemeral: ByteArray<32>,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("ceremony", &self.ceremony)
            .field("dealer", &self.dealer)
            .field("receiver", &self.receiver)
            .field("deal", &self.deal)
            .finish_non_exhaustive()
    }
}

impl Message for Opening {
    const TAG: &'static str = "symbolon.opening";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 1024;
}
