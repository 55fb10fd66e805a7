//! What a coordinator asks of a member, and the answers: the same bytes in a gRPC call and in a
//! directory.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_protocol::cbor::{CborError, from_bytes, to_bytes};

use crate::name::{CeremonyId, GroupEpoch, GroupLabel};
use crate::plan::MAX_DEALS_BYTES;
use crate::state::CeremonyState;

/// Most bytes of a request: all deals of a ceremony, its plan and its certificate.
pub const MAX_CEREMONY_REQUEST: usize = MAX_DEALS_BYTES + 2 * 1024 * 1024;

/// Most bytes of a reply: one deal.
pub const MAX_CEREMONY_REPLY: usize = 9 * 1024 * 1024;

/// What a coordinator asks of a member. Repeating a request gives the stored answer again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum CeremonyRequest {
    /// Offer an encryption key for this epoch of this group.
    #[n(0)]
    Offer {
        /// The group.
        #[n(0)]
        group: GroupLabel,
        /// Its epoch.
        #[n(1)]
        group_epoch: GroupEpoch,
    },
    /// Deal, by this cosigned plan.
    #[n(1)]
    Plan(#[n(0)] ByteVec),
    /// Check all deals, and confirm.
    #[n(2)]
    Deals {
        /// The ceremony.
        #[n(0)]
        ceremony: CeremonyId,
        /// The signed deals of all dealers, in any order.
        #[n(1)]
        deals: Vec<ByteVec>,
    },
    /// Activate, by this certificate.
    #[n(3)]
    Certificate(#[n(0)] ByteVec),
    /// Answer this signed complaint, or stop because of it.
    #[n(4)]
    Complaint(#[n(0)] ByteVec),
    /// Say how one ceremony stands, or all of them.
    #[n(5)]
    Status(#[n(0)] Option<CeremonyId>),
    /// Rebuild lost shares from public data and the key in the HSM.
    #[n(6)]
    Recover {
        /// The cosigned plan.
        #[n(0)]
        plan: ByteVec,
        /// The signed deals of all dealers.
        #[n(1)]
        deals: Vec<ByteVec>,
        /// The certificate.
        #[n(2)]
        certificate: ByteVec,
    },
}

/// A member's answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum CeremonyReply {
    /// A signed offer.
    #[n(0)]
    Offer(#[n(0)] ByteVec),
    /// A signed deal.
    #[n(1)]
    Deal(#[n(0)] ByteVec),
    /// Done; there is nothing to send on.
    #[n(2)]
    Accepted(#[n(0)] CeremonyId),
    /// A signed confirmation.
    #[n(3)]
    Confirmation(#[n(0)] ByteVec),
    /// A signed complaint: the ceremony is dead.
    #[n(4)]
    Complaint(#[n(0)] ByteVec),
    /// A signed activation.
    #[n(5)]
    Activation(#[n(0)] ByteVec),
    /// A signed opening, in answer to a complaint.
    #[n(6)]
    Opening(#[n(0)] ByteVec),
    /// How ceremonies stand.
    #[n(7)]
    Status(#[n(0)] Vec<CeremonyStatus>),
    /// Refused.
    #[n(8)]
    Refused(#[n(0)] CeremonyRefusal),
}

/// How a ceremony stands at one member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CeremonyStatus {
    /// The ceremony.
    #[n(0)]
    pub ceremony: CeremonyId,
    /// Its group.
    #[n(1)]
    pub group: GroupLabel,
    /// The epoch that it makes.
    #[n(2)]
    pub group_epoch: GroupEpoch,
    /// Its state here.
    #[n(3)]
    pub state: CeremonyState,
}

/// Why a member refuses.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CeremonyRefusal {
    /// A stable name.
    #[n(0)]
    pub code: String,
    /// A sentence for people; holds no secret.
    #[n(1)]
    pub message: String,
    /// Number of the dealer at fault, 0 for the dealer of an import.
    #[n(2)]
    pub culprit: Option<u16>,
    /// Whether signed bytes prove it.
    #[n(3)]
    pub proved: bool,
}

macro_rules! frame {
    ($name:ident, $what:literal, $max:expr) => {
        impl $name {
            /// The canonical bytes.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                to_bytes(self)
            }

            /// Parses the canonical bytes.
            ///
            /// # Errors
            ///
            /// Too long or not canonical.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
                from_bytes($what, bytes, $max)
            }
        }
    };
}

frame!(CeremonyRequest, "ceremony request", MAX_CEREMONY_REQUEST);
frame!(CeremonyReply, "ceremony reply", MAX_CEREMONY_REPLY);
