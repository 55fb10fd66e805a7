//! What this member remembers, and the journal behind it.

mod boot;
mod clock;
mod ledger;
mod memory;
mod open;
mod record;
mod state;

pub(crate) use boot::{BootId, Missing, missing};
pub use clock::ClockBehind;
pub(crate) use clock::unix_now;
pub(crate) use memory::{Memory, RememberError, SignContext};
pub use open::StoreError;
pub(crate) use open::{Start, open};
pub use record::RecordError;
pub(crate) use record::{GroupRecord, Stored};
pub use state::ReplayError;
