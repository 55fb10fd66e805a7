//! Key ceremonies as machines that only take and return values; pure, no I/O.
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
