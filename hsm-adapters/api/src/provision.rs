//! What a member needs on its token, and what was found or made.

use minicbor::{Decode, Encode};

use crate::{HsmError, KeyId, ObjectLabel, P256Public, SealKind, TokenId};

/// What to make on the token for one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionPlan {
    /// The member.
    pub member: ObjectLabel,
    /// The schemes to try, in this order; the first that works is taken.
    pub order: Vec<SealKind>,
}

impl ProvisionPlan {
    /// A plan with the default order.
    #[must_use]
    pub fn new(member: ObjectLabel) -> Self {
        Self {
            member,
            order: SealKind::DEFAULT_ORDER.to_vec(),
        }
    }
}

/// The key encryption key and the scheme to use it with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kek {
    /// The key.
    #[n(0)]
    pub key: KeyId,
    /// The scheme.
    #[n(1)]
    pub kind: SealKind,
}

/// What is on the token after provisioning. Provisioning again finds the same.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProvisionReport {
    /// The token.
    #[n(0)]
    pub token: TokenId,
    /// The key encryption key.
    #[n(1)]
    pub kek: Kek,
    /// Whether the key encryption key was made now.
    #[n(2)]
    pub kek_made: bool,
    /// Name of the identity key.
    #[n(3)]
    pub identity: KeyId,
    /// The member's identity.
    #[n(4)]
    pub identity_public: P256Public,
    /// Whether the identity key was made now.
    #[n(5)]
    pub identity_made: bool,
}

/// The error when no scheme of a plan works.
#[must_use]
pub fn no_scheme(order: &[SealKind]) -> HsmError {
    let names: Vec<&str> = order.iter().map(|kind| kind.name()).collect();
    HsmError::Unsupported {
        operation: format!("any sealing scheme of [{}]", names.join(", ")),
    }
}
