//! What can go wrong at a device, and what the operator does about it.

use crate::TokenId;

/// Error of a device call.
///
/// Three families: the caller's (`Unsupported`, `NotFound`, `Ambiguous`, `Policy`, `WrongToken`,
/// `BadBlob`), the operator's (`AuthFailed`, `AuthLocked`), and the device's (`DeviceGone`,
/// `Busy`, `Timeout`, `Other`). [`HsmError::is_transient`] separates the last one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HsmError {
    /// The device lacks what the call needs.
    #[error("the device cannot do {operation}; run the probe and choose another scheme or device")]
    Unsupported {
        /// The missing operation.
        operation: String,
    },
    /// The PIN was refused. No second attempt is made with it in this run.
    #[error(
        "token {token} refused the PIN; no second attempt is made, because devices lock or wipe: \
         correct the PIN and start again"
    )]
    AuthFailed {
        /// The token that refused.
        token: String,
    },
    /// The token accepts no PIN any more.
    #[error(
        "token {token} is locked; its security officer must unlock or re-initialise the user PIN"
    )]
    AuthLocked {
        /// The locked token.
        token: String,
    },
    /// The device, its token or its worker process is not there now.
    #[error("the device is gone: {detail}; it is opened again by itself when it returns")]
    DeviceGone {
        /// What was seen.
        detail: String,
    },
    /// The queue in front of the device is full.
    #[error("the device queue is full ({waiting} calls wait); send fewer requests or add a device")]
    Busy {
        /// Calls that wait now.
        waiting: u32,
    },
    /// The deadline passed.
    #[error("{operation} did not finish within its deadline; the worker is restarted if it hangs")]
    Timeout {
        /// The call that was too slow.
        operation: String,
    },
    /// A sealed blob is not what the device or the format expects.
    #[error("sealed blob refused: {detail}; restore it from a copy that opens")]
    BadBlob {
        /// What is wrong with it.
        detail: String,
    },
    /// The blob belongs to another token.
    #[error(
        "the blob was sealed on token {sealed_on}, but this is token {opened_on}; \
         use the data folder that belongs to this token"
    )]
    WrongToken {
        /// Where it was sealed.
        sealed_on: TokenId,
        /// Where it was tried.
        opened_on: TokenId,
    },
    /// An object or request breaks a rule of ours; never to be worked around.
    #[error("refused by policy: {detail}")]
    Policy {
        /// The broken rule and what to do.
        detail: String,
    },
    /// No such object on the token.
    #[error("no {object} on the token; provision it, or check the token label")]
    NotFound {
        /// What was looked for.
        object: String,
    },
    /// More than one object answers to the name.
    #[error("{count} objects answer to {object}; delete all but the right one, nothing is guessed")]
    Ambiguous {
        /// What was looked for.
        object: String,
        /// How many were found.
        count: u32,
    },
    /// Any other answer of the device, with the function that gave it.
    #[error("{function} failed with {code}; see the notes on this device under firmware-notes")]
    Other {
        /// The device's own return code.
        code: String,
        /// The function called.
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
