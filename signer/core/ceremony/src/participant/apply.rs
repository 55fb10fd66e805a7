//! Following records: the one place where states change, live and at resume.

use symbolon_protocol::Signed;

use super::record::Record;
use super::{Ceremony, KeyRef, Participant, ResumeError, Stored};
use crate::name::CeremonyId;
use crate::offer::Offer;
use crate::state::CeremonyState;

impl Participant {
    /// Follows a record.
    pub(super) fn apply(&mut self, record: Record) -> Result<(), ResumeError> {
        match record {
            Record::Offered { offer } => {
                let signed = Signed::<Offer>::from_bytes(self.network(), &offer)?;
                let value = signed.unverified().value();
                let key = KeyRef {
                    group: value.group.clone(),
                    group_epoch: value.group_epoch,
                };
                self.offers.insert(
                    key,
                    Stored {
                        value: value.key,
                        bytes: offer,
                    },
                );
            }
            Record::Accepted {
                ceremony,
                group,
                group_epoch,
                deals,
                plan,
            } => {
                let state = if deals {
                    CeremonyState::Planned
                } else {
                    CeremonyState::Dealt
                };
                self.check_transition(ceremony, state)?;
                let one = Ceremony::new(group, group_epoch, state, deals, plan);
                self.ceremonies.insert(ceremony, one);
            }
            Record::Dealt {
                ceremony,
                deal,
                hash,
            } => {
                self.change(ceremony, CeremonyState::Dealt)?.deal = Some((deal, hash));
            }
            Record::Signed {
                ceremony,
                confirmation,
                outcome,
            } => {
                let one = self.change(ceremony, CeremonyState::Signed)?;
                one.confirmation = Some(confirmation);
                one.outcome = Some(outcome);
            }
            Record::Burnt {
                ceremony,
                complaint,
                dropped,
            } => {
                // What a complaint burnt may still be dropped.
                let burnt = self
                    .ceremonies
                    .get_mut(&ceremony)
                    .filter(|one| one.state == CeremonyState::Burnt);
                let one = match burnt {
                    Some(_) => self.ceremonies.get_mut(&ceremony),
                    None => Some(self.change(ceremony, CeremonyState::Burnt)?),
                };
                if let Some(one) = one {
                    one.complaint = complaint.or(one.complaint.take());
                    one.dropped |= dropped;
                }
                self.plans.remove(&ceremony);
            }
            Record::Opened {
                ceremony,
                receiver,
                opening,
            } => {
                let state = self.ceremonies.get(&ceremony).map(|one| one.state);
                if matches!(state, Some(CeremonyState::Planned | CeremonyState::Dealt)) {
                    self.change(ceremony, CeremonyState::Burnt)?;
                }
                if let Some(one) = self.ceremonies.get_mut(&ceremony) {
                    one.openings.insert(receiver, opening);
                }
            }
            Record::Active {
                ceremony,
                activation,
                descriptor,
            } => {
                // Only a recovery makes an active one of what was not signed.
                self.check_signed(ceremony)?;
                let one = self.change(ceremony, CeremonyState::Active)?;
                one.activation = Some(activation);
                one.descriptor = Some(descriptor);
                self.plans.remove(&ceremony);
            }
            Record::Recovered {
                ceremony,
                group,
                group_epoch,
                deals,
                plan,
                confirmation,
                activation,
                descriptor,
            } => {
                let state = CeremonyState::Active;
                self.check_transition(ceremony, state)?;
                let mut one = Ceremony::new(group, group_epoch, state, deals, plan);
                one.confirmation = Some(confirmation);
                one.activation = Some(activation);
                one.descriptor = Some(descriptor);
                self.ceremonies.insert(ceremony, one);
                self.plans.remove(&ceremony);
            }
            Record::Destroyed { ceremony } => {
                self.change(ceremony, CeremonyState::Destroyed)?;
                self.plans.remove(&ceremony);
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        ceremony: CeremonyId,
        to: CeremonyState,
    ) -> Result<&mut Ceremony, ResumeError> {
        self.check_transition(ceremony, to)?;
        let missing = ResumeError::Transition {
            ceremony,
            from: "none",
            to,
        };
        let one = self.ceremonies.get_mut(&ceremony).ok_or(missing)?;
        one.state = to;
        Ok(one)
    }

    fn check_signed(&self, ceremony: CeremonyId) -> Result<(), ResumeError> {
        let now = self.ceremonies.get(&ceremony).map(|one| one.state);
        if now == Some(CeremonyState::Signed) {
            return Ok(());
        }
        let (from, to) = (
            now.map_or("none", CeremonyState::name),
            CeremonyState::Active,
        );
        Err(ResumeError::Transition { ceremony, from, to })
    }

    fn check_transition(&self, ceremony: CeremonyId, to: CeremonyState) -> Result<(), ResumeError> {
        let now = self.ceremonies.get(&ceremony).map(|one| one.state);
        if CeremonyState::may_follow(now, to) {
            return Ok(());
        }
        let from = now.map_or("none", CeremonyState::name);
        Err(ResumeError::Transition { ceremony, from, to })
    }
}
