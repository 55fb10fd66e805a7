//! What a device can do, found out by doing it.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::{SealKind, TokenId};

/// Result of a probe. Every `true` stands for a call that was made and checked.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Capabilities {
    /// The token probed.
    #[n(0)]
    pub token: TokenId,
    /// Maker, model and versions, as the device reports them.
    #[n(1)]
    pub device: String,
    /// The sealing schemes that work, in the order of [`SealKind::DEFAULT_ORDER`].
    #[n(2)]
    pub seal_kinds: Vec<SealKind>,
    /// ECDSA on P-256 over a digest.
    #[n(3)]
    pub ecdsa_p256: bool,
    /// ECDH on P-256 with a readable secret.
    #[n(4)]
    pub ecdh_p256: bool,
    /// Random numbers.
    #[n(5)]
    pub random: bool,
    /// Data objects, which an anchor needs.
    #[n(6)]
    pub data_objects: bool,
    /// One line for each trial, for people.
    #[n(7)]
    pub trials: Vec<Trial>,
}

impl Capabilities {
    /// The first scheme of `order` that works.
    #[must_use]
    pub fn choose(&self, order: &[SealKind]) -> Option<SealKind> {
        order
            .iter()
            .copied()
            .find(|kind| self.seal_kinds.contains(kind))
    }
}

/// One trial of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Trial {
    /// What was tried.
    #[n(0)]
    pub what: String,
    /// `None` when it worked, else why not.
    #[n(1)]
    pub failure: Option<String>,
}

/// The state of a device, from a signature and random numbers made just now.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Health {
    /// All trials passed.
    #[n(0)]
    Good {
        /// Microseconds that the trials took.
        #[n(0)]
        micros: u64,
    },
    /// Something failed; `resident` keys go on signing, nothing new can be opened.
    #[n(1)]
    Degraded {
        /// What failed.
        #[n(0)]
        reason: String,
    },
}

impl Health {
    /// Whether all trials passed.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Good { .. })
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { micros } => write!(f, "good ({micros} us)"),
            Self::Degraded { reason } => write!(f, "degraded: {reason}"),
        }
    }
}
