//! A software device with a fault plan, for tests; never for production.
//!
//! [`SoftHsm`] keeps its keys in memory or in a file, in the clear. It says so in everything it
//! seals: the scheme is [`hsm_api::SealKind::Software`] and its token's label starts with
//! `software`. A release build refuses to open it unless the feature `danger-software-device` is
//! on. It serves two ends: tests above the device trait run without a token, and [`FaultPlan`]
//! makes it late, silent, wrong or dead at a chosen call.
//!
//! [`SoftHsmToken`] makes real tokens in a folder, for tests that want a PKCS#11 module.
#![forbid(unsafe_code)]

mod device;
mod faults;
mod opener;
mod softhsm;
mod store;

pub use device::{SoftHsm, soon};
pub use faults::{FaultPlan, FaultPlanError};
pub use opener::SoftOpener;
pub use softhsm::{SoftHsmError, SoftHsmToken};
