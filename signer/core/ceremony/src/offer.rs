//! Leg 0: a member's signed offer of an encryption key.

use minicbor::{Decode, Encode};
use symbolon_protocol::Message;
use symbolon_protocol::roster::ClusterId;

use crate::encryption_key::EncryptionKey;
use crate::name::{GroupEpoch, GroupLabel};

/// "Encrypt to this key what is meant for me in that epoch of that group"; signed by the member's
/// identity key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Offer {
    /// The cluster.
    #[n(0)]
    pub cluster: ClusterId,
    /// The member's share index.
    #[n(1)]
    pub member: u16,
    /// The group that is to be made.
    #[n(2)]
    pub group: GroupLabel,
    /// Its epoch.
    #[n(3)]
    pub group_epoch: GroupEpoch,
    /// The key.
    #[n(4)]
    pub key: EncryptionKey,
}

impl Message for Offer {
    const TAG: &'static str = "symbolon.offer";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 1024;
}
