//! Giving up what is not signed; destroying what a later epoch has replaced.

use super::answer::Then;
use super::record::Record;
use super::{Attached, Effect, Participant, StepError};
use crate::name::CeremonyId;
use crate::state::CeremonyState;
use crate::wire::CeremonyReply;

impl Participant {
    pub(super) fn begin_drop(&mut self, ceremony: CeremonyId) -> Result<Effect, StepError> {
        let one = self.ceremony(ceremony)?;
        let reply = CeremonyReply::Accepted(ceremony);
        match one.state {
            CeremonyState::Burnt if one.dropped => Ok(Effect::Show(reply)),
            CeremonyState::Planned | CeremonyState::Dealt | CeremonyState::Burnt => {
                let record = Record::Burnt {
                    ceremony,
                    complaint: None,
                    dropped: true,
                };
                let then = Then::Perform(vec![Effect::EraseSeed(ceremony)], reply);
                Ok(self.persist(record, Attached::default(), then))
            }
            CeremonyState::Signed | CeremonyState::Active | CeremonyState::Destroyed => {
                Err(one.wrong(ceremony, "what is signed is never dropped"))
            }
        }
    }

    pub(super) fn begin_destroy(&mut self, ceremony: CeremonyId) -> Result<Effect, StepError> {
        let one = self.ceremony(ceremony)?;
        let reply = CeremonyReply::Accepted(ceremony);
        match one.state {
            CeremonyState::Destroyed => return Ok(Effect::Show(reply)),
            CeremonyState::Signed | CeremonyState::Active => {}
            _ => return Err(one.wrong(ceremony, "drop it instead")),
        }
        let replaced = self.ceremonies.values().any(|other| {
            other.group == one.group
                && other.state == CeremonyState::Active
                && other.group_epoch > one.group_epoch
        });
        if !replaced {
            return Err(StepError::NoSuccessor(one.group.clone()));
        }
        // Last first.
        let effects = vec![
            Effect::DestroyKey(one.key()),
            Effect::EraseShares(ceremony),
            Effect::EraseSeed(ceremony),
        ];
        let record = Record::Destroyed { ceremony };
        Ok(self.persist(record, Attached::default(), Then::Perform(effects, reply)))
    }
}
