//! This member's ceremonies: the machine of `symbolon-ceremony`, with device and disk.

mod folder;
mod performer;
mod sealed;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use hsm_api::{Hsm, HsmError};
use symbolon_ceremony::wire::{CeremonyRefusal, CeremonyReply, CeremonyRequest};
use symbolon_ceremony::{DriveError, Effect, Entropy, Participant, Performer, Step, drive};
use symbolon_protocol::roster::RosterChain;

use crate::identity::after;

pub(crate) use folder::{CeremonyFolder, make_folder};
pub(crate) use performer::{PerformError, ServerPerformer};

/// All ceremonies of this member, one request after another.
pub(crate) struct Ceremonies {
    running: Mutex<Running>,
}

struct Running {
    participant: Participant,
    performer: ServerPerformer,
    roster: [u8; 32],
}

impl Ceremonies {
    pub(crate) const fn new(
        participant: Participant,
        performer: ServerPerformer,
        roster: [u8; 32],
    ) -> Self {
        Self {
            running: Mutex::new(Running {
                participant,
                performer,
                roster,
            }),
        }
    }

    /// Answers one request. Blocks on device and disk, and computes for seconds where a ceremony
    /// is large: call it from a thread that may.
    pub(crate) fn step(&self, request: CeremonyRequest, chain: &RosterChain) -> CeremonyReply {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Running {
            participant,
            performer,
            roster,
        } = &mut *running;
        if *roster != chain.hash() {
            participant.set_roster(chain.clone());
            *roster = chain.hash();
        }
        let deals = matches!(request, CeremonyRequest::Plan(_));
        let answer = entropy(performer.hsm(), deals)
            .map_err(|error| DriveError::Failed(PerformError::from(error)))
            .and_then(|entropy| drive(participant, Step::Request(request, entropy), performer));
        match answer {
            Ok(reply) => reply,
            Err(DriveError::Refused(error)) => {
                tracing::warn!(%error, code = error.code(), "a ceremony step was refused");
                error.to_reply()
            }
            Err(DriveError::Failed(error)) => {
                tracing::error!(%error, "a ceremony step failed");
                CeremonyReply::Refused(CeremonyRefusal {
                    code: error.code().to_owned(),
                    message: error.to_string(),
                    culprit: None,
                    proved: false,
                })
            }
        }
    }

    /// Finishes the erasures that a crash may have cut off.
    pub(crate) fn finish(&self) -> Result<(), PerformError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Running {
            participant,
            performer,
            ..
        } = &mut *running;
        for effect in participant.unfinished() {
            match effect {
                Effect::EraseSeed(ceremony) => performer.erase_seed(ceremony)?,
                Effect::EraseShares(ceremony) => performer.erase_shares(ceremony)?,
                Effect::DestroyKey(key) => performer.destroy_key(&key)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Random numbers for one request. The seed of a deal comes from the device and the system
/// together, so that neither alone decides it; elsewhere it is not used.
fn entropy(hsm: &dyn Hsm, deals: bool) -> Result<Entropy, HsmError> {
    let mut batch = [0; 32];
    performer::fill(&mut batch)?;
    let seed = if deals {
        sealed::mixed_seed(hsm, after(performer::CALL_TIME))?
    } else {
        sealed::system_seed()?
    };
    Ok(Entropy { seed, batch })
}

impl fmt::Debug for Ceremonies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ceremonies")
    }
}
