//! Which slots a member signs for, seen from the network's clock.

use symbolon_duties::{Duty, Epoch, Network, Slot};

/// The accepted distance of a duty from the running slot, in slots. Used only on networks whose
/// genesis time is known.
///
/// It keeps a wrong or hostile client from pushing marks into the far future, which would stop the
/// key for good, and from asking for duties that nobody can need any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Slots before the running one.
    pub past_slots: u64,
    /// Slots after the running one.
    pub future_slots: u64,
}

/// A duty outside the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutsideWindow {
    /// Too late.
    #[error("{what} ends at slot {slot}, the oldest accepted one is {oldest} (now is slot {now})")]
    Past {
        /// What of the duty.
        what: &'static str,
        /// Its last slot.
        slot: Slot,
        /// Oldest accepted.
        oldest: Slot,
        /// The running slot.
        now: Slot,
    },
    /// Too early.
    #[error(
        "{what} begins at slot {slot}, the newest accepted one is {newest} (now is slot {now})"
    )]
    Future {
        /// What of the duty.
        what: &'static str,
        /// Its first slot.
        slot: Slot,
        /// Newest accepted.
        newest: Slot,
        /// The running slot.
        now: Slot,
    },
}

impl Window {
    /// Checks every time that a duty names against the clock (`now` in unix seconds).
    ///
    /// Exits, deposits and registrations belong to no moment and pass; so does everything where
    /// the genesis time is not known. Before genesis the running slot counts as 0.
    ///
    /// # Errors
    ///
    /// [`OutsideWindow`].
    pub fn check(&self, duty: &Duty, network: &Network, now: u64) -> Result<(), OutsideWindow> {
        if network.genesis_time().is_none() {
            return Ok(());
        }
        let now = network.slot_at(now).unwrap_or(Slot(0));
        if let Some(slot) = duty.slot() {
            self.check_range("the duty", slot, slot, now)?;
        }
        match duty {
            Duty::Attestation(data) => {
                self.check_epoch("the target epoch", data.target.epoch, network, now)
            }
            Duty::RandaoReveal { epoch } => {
                self.check_epoch("the revealed epoch", *epoch, network, now)
            }
            _ => Ok(()),
        }
    }

    fn check_epoch(
        &self,
        what: &'static str,
        epoch: Epoch,
        network: &Network,
        now: Slot,
    ) -> Result<(), OutsideWindow> {
        let first = network.first_slot_of(epoch);
        let last = network.preset().slots_per_epoch().saturating_sub(1);
        self.check_range(what, first, Slot(first.0.saturating_add(last)), now)
    }

    fn check_range(
        &self,
        what: &'static str,
        first: Slot,
        last: Slot,
        now: Slot,
    ) -> Result<(), OutsideWindow> {
        let oldest = Slot(now.0.saturating_sub(self.past_slots));
        let newest = Slot(now.0.saturating_add(self.future_slots));
        if last < oldest {
            return Err(OutsideWindow::Past {
                what,
                slot: last,
                oldest,
                now,
            });
        }
        if first > newest {
            return Err(OutsideWindow::Future {
                what,
                slot: first,
                newest,
                now,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use symbolon_duties::{AttestationData, Checkpoint, Root, ValidatorIndex, VoluntaryExit};

    use super::*;

    const WINDOW: Window = Window {
        past_slots: 64,
        future_slots: 32,
    };
    const NOW: u64 = 10_000;

    fn mainnet() -> (Network, u64) {
        let network = Network::named("mainnet").unwrap();
        let now = network.start_of(Slot(NOW)).unwrap();
        (network, now)
    }

    fn selection(slot: u64) -> Duty {
        Duty::AggregationSlot { slot: Slot(slot) }
    }

    fn vote(slot: u64, target: u64) -> Duty {
        let checkpoint = |epoch| Checkpoint {
            epoch: Epoch(epoch),
            root: Root([1; 32]),
        };
        Duty::Attestation(AttestationData {
            slot: Slot(slot),
            index: 0,
            beacon_block_root: Root([2; 32]),
            source: checkpoint(0),
            target: checkpoint(target),
        })
    }

    #[test]
    fn both_ends_of_the_window_are_inside() {
        let (network, now) = mainnet();
        let check = |slot| WINDOW.check(&selection(slot), &network, now);
        assert_eq!(check(NOW - 64), Ok(()));
        assert_eq!(check(NOW + 32), Ok(()));
        assert_eq!(
            check(NOW - 65).unwrap_err().to_string(),
            "the duty ends at slot 9935, the oldest accepted one is 9936 (now is slot 10000)"
        );
        assert_eq!(
            check(NOW + 33).unwrap_err().to_string(),
            "the duty begins at slot 10033, the newest accepted one is 10032 (now is slot 10000)"
        );
        assert!(check(u64::MAX).is_err());
    }

    #[test]
    fn an_epoch_passes_when_any_slot_of_it_is_inside() {
        let (network, now) = mainnet();
        let reveal = |epoch| {
            WINDOW.check(
                &Duty::RandaoReveal {
                    epoch: Epoch(epoch),
                },
                &network,
                now,
            )
        };
        // Slot 10000 is in epoch 312; the window is 9936 (epoch 310) to 10032 (epoch 313).
        assert!(reveal(309).is_err());
        assert!(reveal(310).is_ok());
        assert!(reveal(313).is_ok());
        assert!(reveal(314).is_err());
    }

    #[test]
    fn a_target_in_the_far_future_is_refused_whatever_the_slot() {
        let (network, now) = mainnet();
        assert!(WINDOW.check(&vote(NOW, 312), &network, now).is_ok());
        for target in [400, u64::MAX] {
            let error = WINDOW.check(&vote(NOW, target), &network, now).unwrap_err();
            assert!(matches!(
                error,
                OutsideWindow::Future {
                    what: "the target epoch",
                    ..
                }
            ));
        }
    }

    #[test]
    fn what_has_no_moment_passes() {
        let (network, now) = mainnet();
        let exit = VoluntaryExit {
            epoch: Epoch(1),
            validator_index: ValidatorIndex(2),
        };
        assert!(
            WINDOW
                .check(&Duty::VoluntaryExit(exit), &network, now)
                .is_ok()
        );
    }

    #[test]
    fn before_genesis_the_running_slot_is_zero() {
        let (network, _) = mainnet();
        assert!(WINDOW.check(&selection(32), &network, 5).is_ok());
        assert!(WINDOW.check(&selection(33), &network, 5).is_err());
    }
}
