//! Secret bytes: locked, wiped on drop, never formatted.
//!
//! [`Locked`] holds a secret of fixed size, [`SecretBytes`] one of variable size. Both live in
//! anonymous pages that are locked (never swapped), left out of core dumps and not inherited by
//! forked children. A secret is read through a closure and wiped when it is dropped. Neither type
//! is `Clone`, `PartialEq` or serializable, and `Debug` prints `[redacted]`.
//!
//! Where the system refuses to lock pages (`RLIMIT_MEMLOCK`), allocation still works and
//! [`unlocked_bytes`] says how much is exposed; a server refuses to start on anything but zero.
//!
//! What this crate does not do: it cannot stop a process with the same privileges from reading
//! memory (see the hardening of the daemon), nor wipe copies that a caller makes on its own stack.
//!
//! ```
//! use symbolon_secmem::Locked;
//!
//! let mut source = [7u8; 32];
//! let key = Locked::<32>::take_from(&mut source).ok_or("wrong length")?;
//! assert_eq!(source, [0u8; 32]);
//! assert_eq!(key.expose(|bytes| bytes[0]), 7);
//! # Ok::<(), &str>(())
//! ```
#![forbid(unsafe_code)]

mod arena;
mod bytes;
mod locked;

pub use arena::unlocked_bytes;
pub use bytes::{SecretBytes, TooLong};
pub use locked::Locked;

/// The largest secret that fits one slot, in bytes.
pub const MAX_SECRET: usize = 4096;
