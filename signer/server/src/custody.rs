//! How the data key is kept: open for good, or opened by the device for each batch.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use hsm_api::{Dek, Hsm, HsmError, SealedDek};
use symbolon_duties::ValidatorPublicKey;

use crate::config::Residency;
use crate::keyring::Keyring;
use crate::shares::{BadShare, GroupShares, OpenSharesError, Opened, open_group, open_one};

/// Opens shares, with the data key in memory or by way of the device.
pub(crate) struct Custody {
    member: u16,
    residency: Residency,
    sealed: SealedDek,
    hsm: Arc<dyn Hsm>,
    /// The data key, where it stays in memory.
    dek: Option<Dek>,
}

/// Why shares are not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CustodyError {
    /// The device did not open the data key.
    #[error("the data key is not open: {0}")]
    Device(#[from] HsmError),
    /// A share that does not open.
    #[error(transparent)]
    Share(#[from] BadShare),
}

/// The open shares that one batch may need.
pub(crate) enum BatchShares {
    /// Those of the keyring.
    Resident(Arc<Keyring>),
    /// Those opened for this batch; wiped when it is done.
    Opened(HashMap<ValidatorPublicKey, Opened>),
}

impl BatchShares {
    pub(crate) fn get(&self, key: &ValidatorPublicKey) -> Option<Opened> {
        match self {
            Self::Resident(ring) => ring.get(key)?.share.clone(),
            Self::Opened(shares) => shares.get(key).cloned(),
        }
    }
}

impl Custody {
    /// Without the data key yet: [`Custody::keep`] takes it over.
    pub(crate) const fn new(
        member: u16,
        residency: Residency,
        sealed: SealedDek,
        hsm: Arc<dyn Hsm>,
    ) -> Self {
        Self {
            member,
            residency,
            sealed,
            hsm,
            dek: None,
        }
    }

    /// Takes over the data key that was opened at start, and keeps or wipes it.
    pub(crate) fn keep(mut self, dek: Dek) -> Self {
        self.dek = (self.residency == Residency::Resident).then_some(dek);
        self
    }

    pub(crate) const fn residency(&self) -> Residency {
        self.residency
    }

    pub(crate) const fn sealed(&self) -> &SealedDek {
        &self.sealed
    }

    /// Lets `work` use the data key. Blocks on the device where the key is not in memory.
    pub(crate) fn with_dek<R>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&Dek) -> R,
    ) -> Result<R, HsmError> {
        match &self.dek {
            Some(dek) => Ok(work(dek)),
            None => Ok(work(&self.hsm.open_dek(&self.sealed, deadline)?)),
        }
    }

    /// Checks all shares of a group, and keeps them open where they stay in memory.
    pub(crate) fn check(
        &self,
        group: &GroupShares,
        dek: &Dek,
    ) -> Result<Option<Vec<Opened>>, OpenSharesError> {
        let opened = open_group(group, &dek.share_cipher(), self.member, true)?;
        Ok((self.residency == Residency::Resident).then_some(opened))
    }

    /// The shares that `keys` need. Blocks on the device where shares are opened for each batch.
    pub(crate) fn for_batch(
        &self,
        ring: &Arc<Keyring>,
        keys: &[ValidatorPublicKey],
        deadline: Instant,
    ) -> Result<BatchShares, CustodyError> {
        if self.residency == Residency::Resident {
            return Ok(BatchShares::Resident(Arc::clone(ring)));
        }
        let held: HashMap<_, _> = keys
            .iter()
            .filter_map(|key| ring.get(key).map(|entry| (*key, entry)))
            .collect();
        if held.is_empty() {
            return Ok(BatchShares::Opened(HashMap::new()));
        }
        let cipher = self.hsm.open_dek(&self.sealed, deadline)?.share_cipher();
        let mut shares = HashMap::with_capacity(held.len());
        for (key, entry) in held {
            let share = open_one(&entry.group, &cipher, entry.index, &entry.parts)?;
            shares.insert(key, share);
        }
        Ok(BatchShares::Opened(shares))
    }
}

impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custody")
            .field("residency", &self.residency())
            .finish_non_exhaustive()
    }
}
