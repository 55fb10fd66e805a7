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

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::super::{Effect, KeyRef, Participant, Step, StepError};
    use crate::interpolation_attack::support::{Cluster, bytes, index};
    use crate::{CeremonyId, CeremonyState, GroupEpoch, GroupLabel};

    fn recovered(ceremony: CeremonyId, group: &str, group_epoch: u32) -> Record {
        Record::Recovered {
            ceremony,
            group: GroupLabel::new(group).unwrap(),
            group_epoch: GroupEpoch(group_epoch),
            deals: true,
            plan: bytes("plan").into(),
            confirmation: Vec::new().into(),
            activation: Vec::new().into(),
            descriptor: bytes("descriptor").into(),
        }
    }

    #[test]
    fn an_epoch_is_destroyed_only_after_a_later_one_is_active() {
        let chain = Cluster::new(3).chain;
        let mut member = Participant::new(chain, index(1));
        let [old, new] = [CeremonyId([1; 32]), CeremonyId([2; 32])];
        member.apply(recovered(old, "group", 1)).unwrap();
        member
            .apply(recovered(CeremonyId([3; 32]), "other", 2))
            .unwrap();
        let group = GroupLabel::new("group").unwrap();
        let kept = StepError::NoSuccessor(group.clone());
        assert_eq!(member.step(Step::Destroy(old)).unwrap_err(), kept);
        member.apply(recovered(new, "group", 2)).unwrap();
        assert_eq!(member.step(Step::Destroy(new)).unwrap_err(), kept);
        let Effect::Persist(pending) = member.step(Step::Destroy(old)).unwrap() else {
            panic!("the record comes first")
        };
        let mut step = Step::Durable(pending.durable());
        let mut performed = Vec::new();
        loop {
            match member.step(step).unwrap() {
                Effect::Show(_) => break,
                effect => performed.push(effect),
            }
            step = Step::Done;
        }
        let key = KeyRef {
            group,
            group_epoch: GroupEpoch(1),
        };
        assert!(matches!(performed.as_slice(), [
            Effect::EraseSeed(seed),
            Effect::EraseShares(shares),
            Effect::DestroyKey(destroyed),
        ] if *seed == old && *shares == old && *destroyed == key));
        assert_eq!(member.status(Some(old))[0].state, CeremonyState::Destroyed);
        // After a restart all of it is performed again.
        let again = member.unfinished();
        assert!(matches!(
            again.as_slice(),
            [
                Effect::EraseSeed(_),
                Effect::EraseShares(_),
                Effect::DestroyKey(_),
                Effect::EraseSeed(..),
                Effect::EraseSeed(..),
            ]
        ));
    }
}
