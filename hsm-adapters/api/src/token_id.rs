//! Which token: its label and serial number.

use std::fmt;

use minicbor::{Decode, Encode};

/// Label and serial number of a token, as the device reports them, without padding.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TokenId {
    /// Token label, at most 32 bytes in PKCS#11.
    #[n(0)]
    label: String,
    /// Serial number, at most 16 bytes in PKCS#11.
    #[n(1)]
    serial: String,
}

impl TokenId {
    /// Builds the pair; `None` when the label is empty or either part is over [`TOKEN_ID_MAX`] bytes.
    #[must_use]
    pub fn new(label: &str, serial: &str) -> Option<Self> {
        let fits = !label.is_empty() && label.len() <= TOKEN_ID_MAX && serial.len() <= TOKEN_ID_MAX;
        fits.then(|| Self {
            label: label.to_owned(),
            serial: serial.to_owned(),
        })
    }

    /// The token label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The serial number; empty where the device has none.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    pub(crate) fn is_bounded(&self) -> bool {
        Self::new(&self.label, &self.serial).is_some()
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (serial {:?})", self.label, self.serial)
    }
}

/// Longest label or serial number accepted, in bytes.
pub const TOKEN_ID_MAX: usize = 64;
