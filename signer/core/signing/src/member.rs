//! The member's side: from a batch of duties to permits to sign.
//!
//! One owner holds the [`Marks`] and decides batch after batch. A decision advances the marks in
//! memory at once, so that a conflicting duty, in the same batch or in one that comes while the
//! disk is still busy, meets the new mark. What the decision allows, the [`Permits`], leaves this
//! module only in the hands of a [`Ledger`], which gives them back once the marks are on disk. A
//! repeat of a signed message writes its mark again, hence it too waits for the first one's mark.
//!
//! A failed flush leaves memory ahead of the disk: the ledger's owner must stop the process then.

mod decide;
mod marks;
mod permit;
mod update;

pub use decide::{Context, HeldKey, Keys};
pub use marks::{BatchDecision, MarkWentBack, Marks, Release, is_urgent};
pub use permit::{Permit, Permits};
pub use update::{Ledger, MarkUpdate};
