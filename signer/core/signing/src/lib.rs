//! Whether a member signs, and whose partial signatures a requestor combines; pure, no I/O.
#![forbid(unsafe_code)]

pub mod collector;
pub mod evidence;
pub mod frame;
pub mod group;
pub mod health;
mod member;
mod permission;
pub mod quarantine;
mod window;

pub use member::{
    BatchDecision, Context, HeldKey, Keys, Ledger, MarkUpdate, MarkWentBack, Marks, Permit,
    Permits, Release, is_urgent,
};
pub use permission::{Denied, DutySet, MAX_PERMISSIONS_BYTES, PermissionError, Permissions};
pub use window::{OutsideWindow, Window};
