//! Votes that no slashing rule refuses: each later than all before.

use std::cell::Cell;

use symbolon_duties::{Network, Slot, ValidatorPublicKey};
use symbolon_lab::{LabError, RequestKind, Sample, Sampler, slot_now};

/// How far the epochs may run ahead of the clock.
pub(crate) const FUTURE_SLOTS: u64 = 1_000_000;

/// Gives each call an epoch of its own.
pub(crate) struct Votes<'a> {
    network: &'a Network,
    next: Cell<u64>,
}

impl<'a> Votes<'a> {
    pub(crate) fn new(network: &'a Network) -> Self {
        let now = network.epoch_of(slot_now(network)).0;
        Self {
            network,
            next: Cell::new(now.saturating_add(1)),
        }
    }

    /// The same vote by each key.
    pub(crate) fn next(&self, keys: &[ValidatorPublicKey]) -> Result<Vec<Sample>, LabError> {
        let epoch = self.next.get();
        self.next.set(epoch.saturating_add(1));
        let slot = Slot(epoch.saturating_mul(self.network.preset().slots_per_epoch()));
        let sample = |key: &ValidatorPublicKey| {
            let sampler = Sampler {
                network: self.network,
                slot,
                key: *key,
                salt: 0,
            };
            sampler.sample(RequestKind::Attestation)
        };
        keys.iter().map(sample).collect()
    }
}
