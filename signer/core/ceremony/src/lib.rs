//! Key ceremonies as machines that only take and return values: how a group of members makes keys
//! that nobody ever holds whole, or splits keys that somebody holds.
//!
//! The protocol is Feldman sharing, a proof of possession of each dealer's constant, shares encrypted
//! to P-256 keys in the receivers' HSMs, and a transcript that every receiver signs. It needs no
//! honest majority, no clock and no broadcast channel: one honest member is enough that nobody else
//! learns the key, and any member can stop a ceremony and is named for it.
//!
//! **What this crate never does**: I/O, reading a clock, drawing randomness, holding an HSM's key. It
//! does not keep old shares from being used after a reshare, nor stop a thief of t HSMs.
//!
//! # Parties
//!
//! * [`Participant`]: one member. Checks everything itself, believes only the roster.
//! * [`Coordinator`]: carries messages, is believed by nobody; its state is the set of messages.
//! * [`deal_import`]: the operator who splits existing keys.
//! * [`audit`]: anybody who judges, later and offline, from the files alone.
//! * [`GroupDescriptor`]: what everybody else needs of a finished group, verified with the roster.
//!
//! # Steps
//!
//! 1. [`Offer`]: each member offers an encryption key for this group and epoch.
//! 2. [`Plan`]: [`PlanDraft`] puts it together, guardians sign it ([`Cosigned`]). Its digest, the
//!    [`CeremonyId`], names the ceremony and the group.
//! 3. [`Deal`]: each dealer's commitments, proofs and encrypted shares.
//! 4. [`Confirmation`]: each receiver checks all deals, seals its shares, signs the transcript; all
//!    confirmations are the [`Certificate`]. Or else a [`Complaint`], which the dealer answers with
//!    an [`Opening`] that decides who was wrong.
//! 5. [`Activation`]: each member has the certificate and has read its sealed shares back. Keys are
//!    used when every member's is there.
//!
//! # Restart
//!
//! Every message is durable before it is shown, repeating a request shows the same bytes again, and
//! a deal follows from the sealed seed byte for byte. Members never act on time. What is signed is
//! never dropped, because somebody may hold the complete certificate; see [`CeremonyState`].
//!
//! # Caveats
//!
//! A disk that is put back to before its deal would deal twice, which proves its member guilty: the
//! shell compares [`Participant::highest_epoch`] and its journal with the HSM's anchor before it
//! starts. A receiver whose device errs twice in the same way accuses an honest dealer and is proved
//! wrong. Shares of a batch pass through ordinary memory, wiped, while an envelope is opened.
//!
//! # Example
//!
//! ```
//! use symbolon_ceremony::plan_arithmetic;
//!
//! let plan = plan_arithmetic(5, 3, 5)?;
//! assert_eq!(plan.warnings[0].to_string(),
//!     "one dishonest member is enough for two conflicting signatures; t = 4 holds against 2");
//! # Ok::<(), symbolon_ceremony::PolicyError>(())
//! ```
#![forbid(unsafe_code)]

// The support code of the integration tests names this crate.
#[cfg(test)]
extern crate self as symbolon_ceremony;

mod arithmetic;
mod audit;
mod blame;
mod certificate;
mod complaint;
mod confirmation;
mod coordinator;
mod cosigned;
mod deal;
mod dealer;
pub mod derive;
mod descriptor;
mod encrypted_shares;
mod encryption_key;
mod fault;
mod file_name;
mod inspection;
#[cfg(test)]
mod interpolation_attack;
mod message;
mod name;
mod offer;
mod outcome;
mod participant;
mod plan;
mod state;
pub mod wire;

pub use arithmetic::{Arithmetic, GroupClass, PlanWarning, PolicyError, plan_arithmetic};
pub use audit::{AuditError, AuditReport, Culprit, Finding, FindingKind, audit};
pub use blame::{BlameError, Judgement, judge, verify_complaint, verify_opening};
pub use certificate::{CertificateError, VerifiedCertificate};
pub use complaint::{Complaint, ComplaintReason, Opening};
pub use confirmation::{Activation, Certificate, Confirmation};
pub use coordinator::{Answered, Coordinator, CoordinatorError, Progress, Received};
pub use cosigned::{Cosigned, CosignedError};
pub use deal::{Deal, DealerId, EncryptedShares};
pub use dealer::{DealerError, deal, deal_import, opening};
pub use derive::{Seed, SeedError};
pub use descriptor::{DescriptorError, Group, GroupDescriptor};
pub use encrypted_shares::shared_secret;
pub use encryption_key::EncryptionKey;
pub use fault::{DealError, DealFault, Standing};
pub use file_name::{FileName, FileNameError};
pub use inspection::{CheckedDeal, CheckedDeals};
pub use message::MessageKind;
pub use name::{CeremonyId, DealHash, GroupEpoch, GroupLabel, GroupLabelError, TranscriptHash};
pub use offer::Offer;
pub use outcome::Outcome;
pub use participant::{
    DriveError, Durable, Effect, Entropy, KeyRef, MAX_RECORD, Participant, Pending, Performer,
    ResumeError, Step, StepError, drive,
};
pub use plan::{
    MAX_DEALS_BYTES, MAX_KEYS, MAX_RECEIVERS, Plan, PlanDraft, PlanError, PlanKind, PlanSize,
    PlannedDealer, PlannedReceiver, Receiver, VerifiedPlan,
};
pub use state::CeremonyState;
