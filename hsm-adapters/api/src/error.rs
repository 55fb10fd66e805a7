//! What can go wrong at a device, and what the operator does about it.

use minicbor::{Decode, Encode};

use crate::TokenId;

/// Error of a device call.
///
/// Three families: the caller's (`Unsupported`, `NotFound`, `Ambiguous`, `Policy`, `WrongToken`,
/// `BadBlob`), the operator's (`AuthFailed`, `AuthLocked`), and the device's (`DeviceGone`,
/// `Busy`, `Timeout`, `Other`). [`HsmError::is_transient`] separates the last one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[non_exhaustive]
pub enum HsmError {
    /// The device lacks what the call needs.
    #[error("the device cannot do {operation}; run the probe and choose another scheme or device")]
    #[n(0)]
    Unsupported {
        /// The missing operation.
        #[n(0)]
        operation: String,
    },
    /// The PIN was refused. No second attempt is made with it in this run.
    #[error(
        "token {token} refused the PIN; no second attempt is made, because devices lock or wipe: \
         correct the PIN and start again"
    )]
    #[n(1)]
    AuthFailed {
        /// The token that refused.
        #[n(0)]
        token: String,
    },
    /// The token accepts no PIN any more.
    #[error(
        "token {token} is locked; its security officer must unlock or re-initialise the user PIN"
    )]
    #[n(2)]
    AuthLocked {
        /// The locked token.
        #[n(0)]
        token: String,
    },
    /// The device, its token or its worker process is not there now.
    #[error("the device is gone: {detail}; it is opened again by itself when it returns")]
    #[n(3)]
    DeviceGone {
        /// What was seen.
        #[n(0)]
        detail: String,
    },
    /// The queue in front of the device is full.
    #[error("the device queue is full ({waiting} calls wait); send fewer requests or add a device")]
    #[n(4)]
    Busy {
        /// Calls that wait now.
        #[n(0)]
        waiting: u32,
    },
    /// The deadline passed.
    #[error("{operation} did not finish within its deadline; the worker is restarted if it hangs")]
    #[n(5)]
    Timeout {
        /// The call that was too slow.
        #[n(0)]
        operation: String,
    },
    /// A sealed blob is not what the device or the format expects.
    #[error("sealed blob refused: {detail}; restore it from a copy that opens")]
    #[n(6)]
    BadBlob {
        /// What is wrong with it.
        #[n(0)]
        detail: String,
    },
    /// The blob belongs to another token.
    #[error(
        "the blob was sealed on token {sealed_on}, but this is token {opened_on}; \
         use the data folder that belongs to this token"
    )]
    #[n(7)]
    WrongToken {
        /// Where it was sealed.
        #[n(0)]
        sealed_on: TokenId,
        /// Where it was tried.
        #[n(1)]
        opened_on: TokenId,
    },
    /// An object or request breaks a rule of ours; never to be worked around.
    #[error("refused by policy: {detail}")]
    #[n(8)]
    Policy {
        /// The broken rule and what to do.
        #[n(0)]
        detail: String,
    },
    /// No such object on the token.
    #[error("no {object} on the token; provision it, or check the token label")]
    #[n(9)]
    NotFound {
        /// What was looked for.
        #[n(0)]
        object: String,
    },
    /// More than one object answers to the name.
    #[error("{count} objects answer to {object}; delete all but the right one, nothing is guessed")]
    #[n(10)]
    Ambiguous {
        /// What was looked for.
        #[n(0)]
        object: String,
        /// How many were found.
        #[n(1)]
        count: u32,
    },
    /// Any other answer of the device, with the function that gave it.
    #[error("{function} failed with {code}; see the notes on this device under firmware-notes")]
    #[n(11)]
    Other {
        /// The device's own return code.
        #[n(0)]
        code: String,
        /// The function called.
        #[n(1)]
        function: String,
    },
}

impl HsmError {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::DeviceGone { .. } | Self::Busy { .. } | Self::Timeout { .. }
        )
    }

    /// A blob error with this detail.
    pub fn bad_blob(detail: impl Into<String>) -> Self {
        Self::BadBlob {
            detail: detail.into(),
        }
    }

    /// A policy error with this detail.
    pub fn policy(detail: impl Into<String>) -> Self {
        Self::Policy {
            detail: detail.into(),
        }
    }

    /// A gone device with this detail.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::DeviceGone {
            detail: detail.into(),
        }
    }
}
