//! Slashing protection (EIP-3076): marks, the rules over them, and the interchange format; pure, no I/O.
//!
//! A [`Mark`] is all that a member remembers of one key: its highest block slot, its highest
//! attestation source and target, and the signing roots that belong to them. [`check_block`] and
//! [`check_attestation`] decide over a mark and return the mark that must be durable before the
//! signature is released. Marks only ever rise: [`merge`] is the element-wise maximum,
//! [`raise_to_floor`] answers a restored or uncleanly stopped store, and [`import`] brings in the
//! history of another client.
//!
//! Never here: a file, a clock, a lock. Whoever holds marks must serialise *check, store, flush,
//! release* for each key.
//!
//! ```
//! use symbolon_duties::{SigningRoot, Slot};
//! use symbolon_slashing::{Mark, Verdict, check_block};
//!
//! let root = SigningRoot([7; 32]);
//! let Verdict::Sign(mark) = check_block(&Mark::default(), Slot(10), root) else { unreachable!() };
//! assert_eq!(check_block(&mark, Slot(10), root), Verdict::Repeat);
//! assert!(matches!(check_block(&mark, Slot(10), SigningRoot([8; 32])), Verdict::Refuse(_)));
//! ```
#![forbid(unsafe_code)]

mod export;
mod import;
mod interchange;
mod mark;
mod reason;
mod rule;
mod schema;

pub use export::export;
pub use import::{Change, ImportError, ImportPlan, Report, import};
pub use interchange::{
    INTERCHANGE_VERSION, Interchange, MAX_INTERCHANGE_BYTES, ParseError, Place, SigningHistory,
};
pub use mark::{AttestationMark, BlockMark, Mark, merge, raise_to_floor};
pub use reason::Reason;
pub use rule::{Verdict, check_attestation, check_block};
