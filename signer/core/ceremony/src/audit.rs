//! The offline judge: from nothing but the roster and the files of one ceremony, who did wrong, and
//! whether anybody can be shown it.

mod finding;
mod judge;

pub use finding::{Culprit, Finding, FindingKind};
pub use judge::{AuditError, AuditReport, audit};
