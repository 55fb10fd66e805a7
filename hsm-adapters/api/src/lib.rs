//! What an HSM does for a member, whatever its make.
//!
//! No HSM computes BLS12-381, so shares are used in this program's memory. What the device holds
//! is what makes a stolen disk worthless: the key that opens the DEK ([`SealedDek`]), the member's
//! identity key, the ceremony's ECDH keys, and the rollback anchor.
//!
//! * [`Hsm`] is the trait, [`HsmError`] says what to do when it fails.
//! * [`Dek`] is opened by the device; its [`ShareCipher`] opens shares, each bound to cluster,
//!   group, group epoch, key and member.
//!
//! * [`WorkerClient`] is the device in a process of its own; [`serve`] is that process's end.
//!
//! This crate links no vendor code.
#![forbid(unsafe_code)]

mod anchor;
mod canonical;
mod capabilities;
mod dek;
mod device;
mod error;
mod key_id;
mod p256_public;
mod provision;
mod seal_kind;
mod sealed_dek;
mod share_cipher;
mod token_id;
mod worker;

pub use anchor::{AnchorName, AnchorRecord};
pub use capabilities::{Capabilities, Health, Trial};
pub use dek::{Dek, DekId};
pub use device::{Hsm, RANDOM_MAX};
pub use error::HsmError;
pub use key_id::{
    CKA_ID_BYTES, KeyId, KeyName, LABEL_MAX, OBJECT_LABEL_MAX, ObjectLabel, ObjectLabelError,
};
pub use p256_public::{P256Public, P256PublicError};
pub use provision::{Kek, ProvisionPlan, ProvisionReport, no_scheme};
pub use seal_kind::{SealFamily, SealKind};
pub use sealed_dek::{KNOWN_ANSWER, KeyCheck, SEALED_DEK_MAX, SealHeader, SealedDek};
pub use share_cipher::{NONCE, SHARE, SealedShare, ShareBinding, ShareCipher, ShareError};
pub use token_id::{TOKEN_ID_MAX, TokenId};
pub use worker::{
    FoundToken, GRACE, Opener, PinSource, TokenSelector, WorkerClient, WorkerConfig, WorkerStatus,
    run_worker, serve,
};
