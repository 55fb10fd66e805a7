//! A secret of fixed size.

use std::convert::Infallible;
use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::MAX_SECRET;
use crate::arena::Slot;

/// `N` secret bytes in locked memory, wiped on drop.
///
/// # Security
///
/// Read through [`expose`](Self::expose); what the closure copies is the caller's to wipe.
pub struct Locked<const N: usize> {
    slot: Slot,
}

impl<const N: usize> Locked<N> {
    /// `N` zero bytes.
    #[must_use]
    pub fn zeroed() -> Self {
        const { assert!(N > 0 && N <= MAX_SECRET, "a secret has 1 to 4096 bytes") };
        Self {
            slot: Slot::acquire(N),
        }
    }

    /// A secret written in place by `fill`, which is given zero bytes.
    #[must_use]
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        match Self::try_init_with(|bytes| {
            fill(bytes);
            Ok::<(), Infallible>(())
        }) {
            Ok(secret) => secret,
            Err(never) => match never {},
        }
    }

    /// A secret written in place by `fill`, which is given zero bytes.
    ///
    /// # Errors
    ///
    /// Whatever `fill` returns; the bytes written so far are wiped.
    pub fn try_init_with<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self::zeroed();
        fill(secret.array_mut())?;
        Ok(secret)
    }

    /// Moves a secret out of `source`, which is wiped in any case; `None` when its length is not
    /// `N`.
    #[must_use]
    pub fn take_from(source: &mut [u8]) -> Option<Self> {
        let mut secret = Self::zeroed();
        let fits = source.len() == N;
        if fits {
            secret.array_mut().copy_from_slice(source);
        }
        source.zeroize();
        fits.then_some(secret)
    }

    /// Lets `read` see the bytes.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8; N]) -> R) -> R {
        read(self.array())
    }

    /// Whether two secrets are equal, in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.array().ct_eq(other.array()).into()
    }

    /// Whether the secret equals `other`, in constant time; `false` when the lengths differ.
    #[must_use]
    pub fn ct_eq_bytes(&self, other: &[u8]) -> bool {
        self.array().as_slice().ct_eq(other).into()
    }

    #[expect(
        clippy::expect_used,
        reason = "a slot acquired for N bytes is at least N long"
    )]
    fn array(&self) -> &[u8; N] {
        self.slot.bytes().first_chunk().expect("slot of N bytes")
    }

    #[expect(
        clippy::expect_used,
        reason = "a slot acquired for N bytes is at least N long"
    )]
    fn array_mut(&mut self) -> &mut [u8; N] {
        self.slot
            .bytes_mut()
            .first_chunk_mut()
            .expect("slot of N bytes")
    }
}

/// Moves the secret into locked memory; the source wipes itself.
impl<const N: usize> From<Zeroizing<[u8; N]>> for Locked<N> {
    fn from(source: Zeroizing<[u8; N]>) -> Self {
        Self::init_with(|bytes| bytes.copy_from_slice(source.as_slice()))
    }
}

impl<const N: usize> fmt::Debug for Locked<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
