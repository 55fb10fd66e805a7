//! An open share and the only way to use it.

use std::sync::Arc;

use symbolon_duties::ValidatorPublicKey;
use symbolon_signing::Permit;
use symbolon_threshold::{PartialSignature, Scale, SecretShare};

use crate::hashed::LazyRoot;

/// A share in locked memory, in the scale of its group.
///
/// # Security
///
/// The share never leaves this type: it signs against a permit for its key, its group epoch and
/// the very root, and does nothing else.
pub(crate) struct HeldShare {
    key: ValidatorPublicKey,
    group_epoch: u32,
    share: SecretShare,
}

/// A permit was shown for another share or root: a fault of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a permit was shown for another share or root; nothing was signed")]
pub(crate) struct WrongPermit;

impl HeldShare {
    pub(super) fn new(
        key: ValidatorPublicKey,
        group_epoch: u32,
        share: &SecretShare,
        scale: Scale,
    ) -> Self {
        Self {
            key,
            group_epoch,
            share: share.scaled(scale),
        }
    }

    /// Signs one root with many shares, each against its permit; they are some of `batch` that sign
    /// it now.
    pub(crate) fn sign(
        granted: Vec<(Permit, Arc<Self>)>,
        root: &LazyRoot,
        batch: usize,
    ) -> Result<Vec<PartialSignature>, WrongPermit> {
        let mut shares = Vec::with_capacity(granted.len());
        for (permit, held) in granted {
            let fits = *permit.key() == held.key
                && permit.group_epoch() == held.group_epoch
                && permit.root() == root.root();
            if !fits {
                return Err(WrongPermit);
            }
            shares.push(held);
        }
        let shares: Vec<&SecretShare> = shares.iter().map(|held| &held.share).collect();
        Ok(root.sign(&shares, batch))
    }

    /// The factor by which the share was divided; 1 for none.
    pub(crate) fn scale(&self) -> u64 {
        self.share.scale().to_u64()
    }

    pub(crate) const fn group_epoch(&self) -> u32 {
        self.group_epoch
    }
}
