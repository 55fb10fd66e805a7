//! Leg 0: the plan of a ceremony, signed by a guardian quorum.

mod check;
mod draft;
mod error;

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use symbolon_protocol::Message;
use symbolon_protocol::roster::ClusterId;

use crate::arithmetic::GroupClass;
use crate::encryption_key::EncryptionKey;
use crate::name::{GroupEpoch, GroupLabel};

pub use check::{PlannedDealer, PlannedReceiver, VerifiedPlan};
pub use draft::PlanDraft;
pub use error::PlanError;

/// Most keys that one ceremony makes.
pub const MAX_KEYS: usize = 1000;

/// Most receivers, hence most members of a group.
pub const MAX_RECEIVERS: usize = 64;

/// Most bytes that all deals of a ceremony may have together.
pub const MAX_DEALS_BYTES: usize = 48 * 1024 * 1024;

/// What kind of ceremony it is.
///
/// More kinds will come: a reshare and a refresh have dealers of an older group epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum PlanKind {
    /// New keys that nobody ever holds whole.
    #[n(0)]
    Dkg,
    /// Existing keys, split by one operator who holds them.
    #[n(1)]
    Import,
}

/// The terms of a ceremony. Its digest names the ceremony and the group made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Plan {
    /// The cluster.
    #[n(0)]
    pub cluster: ClusterId,
    /// Hash of the roster in force.
    #[n(1)]
    pub roster: ByteArray<32>,
    /// Random, so that no two plans are the same.
    #[n(2)]
    pub nonce: ByteArray<32>,
    /// What kind of ceremony.
    #[n(3)]
    pub kind: PlanKind,
    /// The group that is made.
    #[n(4)]
    pub group: GroupLabel,
    /// Hot or cold.
    #[n(5)]
    pub class: GroupClass,
    /// Keys made, 1 to [`MAX_KEYS`].
    #[n(6)]
    pub keys: u16,
    /// Partial signatures that a signature will need.
    #[n(7)]
    pub threshold: u16,
    /// Who gets shares, by rising index.
    #[n(8)]
    pub receivers: Vec<Receiver>,
    /// Who deals, by rising index; empty for an import.
    #[n(9)]
    pub dealers: Vec<u16>,
    /// For an import: the name of the operator who deals.
    #[n(10)]
    pub import_dealer: Option<String>,
    /// For an import: the public keys imported, 48 bytes each.
    #[n(11)]
    pub imported_keys: Option<ByteVec>,
    /// Epoch of the group after the ceremony: 1 for a DKG or import.
    #[n(12)]
    pub group_epoch: GroupEpoch,
    /// When people should give up (unix seconds). Advice: no member acts on time.
    #[n(13)]
    pub not_after: Option<u64>,
    /// Codes of the kinds of duty that the keys may sign, rising; empty for all of their class.
    #[n(14)]
    pub duties: ByteVec,
}

/// One member that gets shares.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receiver {
    /// Its share index.
    #[n(0)]
    pub member: u16,
    /// The key that its envelopes are encrypted to.
    #[n(1)]
    pub key: EncryptionKey,
    /// Its signed offer of that key.
    #[n(2)]
    pub offer: ByteVec,
}

impl Message for Plan {
    const TAG: &'static str = "symbolon.plan";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 256 * 1024;
}

/// How much a plan makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanSize {
    /// Keys.
    pub keys: usize,
    /// t.
    pub threshold: usize,
    /// Receivers.
    pub receivers: usize,
    /// Dealers.
    pub dealers: usize,
}
