//! A secret of variable size: a PIN, a password.

use std::fmt;
use std::str::Utf8Error;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::MAX_SECRET;
use crate::arena::Slot;

/// Up to [`MAX_SECRET`] secret bytes in locked memory, wiped on drop.
///
/// The length is not secret.
pub struct SecretBytes {
    slot: Slot,
    len: usize,
}

/// A secret is longer than [`MAX_SECRET`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret has {got} bytes, at most {MAX_SECRET} are accepted")]
pub struct TooLong {
    /// Bytes given.
    pub got: usize,
}

impl SecretBytes {
    /// Moves a secret out of `source`, whose whole allocation is wiped in any case.
    ///
    /// # Errors
    ///
    /// [`TooLong`] above [`MAX_SECRET`] bytes.
    pub fn from_vec(mut source: Vec<u8>) -> Result<Self, TooLong> {
        let secret = Self::copy_of(&source);
        source.zeroize();
        secret
    }

    /// Moves a secret out of `source`, whose whole allocation is wiped in any case.
    ///
    /// # Errors
    ///
    /// [`TooLong`] above [`MAX_SECRET`] bytes.
    pub fn from_string(source: String) -> Result<Self, TooLong> {
        Self::from_vec(source.into_bytes())
    }

    /// Moves a secret out of `source`, which is wiped in any case.
    ///
    /// # Errors
    ///
    /// [`TooLong`] above [`MAX_SECRET`] bytes.
    pub fn take_from(source: &mut [u8]) -> Result<Self, TooLong> {
        let secret = Self::copy_of(source);
        source.zeroize();
        secret
    }

    /// Lets `read` see the bytes.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        read(self.bytes())
    }

    /// Lets `read` see the secret as text.
    ///
    /// # Errors
    ///
    /// When the bytes are not UTF-8; the error names a position, never a byte.
    pub fn expose_str<R>(&self, read: impl FnOnce(&str) -> R) -> Result<R, Utf8Error> {
        std::str::from_utf8(self.bytes()).map(read)
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the secret is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether two secrets are equal, in constant time for a given length.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }

    fn copy_of(source: &[u8]) -> Result<Self, TooLong> {
        let len = source.len();
        if len > MAX_SECRET {
            return Err(TooLong { got: len });
        }
        let mut slot = Slot::acquire(len);
        slot.bytes_mut()
            .iter_mut()
            .zip(source)
            .for_each(|(to, from)| *to = *from);
        Ok(Self { slot, len })
    }

    fn bytes(&self) -> &[u8] {
        self.slot.bytes().get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
