//! Shares: sealed on disk, opened in locked memory, used only against a permit.

mod file;
mod held;
mod open;

#[cfg(test)]
pub(crate) use file::tests;

pub use file::{GroupParts, GroupShares, KeyParts, ShareFileError};
pub(crate) use held::HeldShare;
pub use open::{BadShare, OpenSharesError};
pub(crate) use open::{Opened, open_group, open_one};
