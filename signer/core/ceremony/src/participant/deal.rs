//! Visit 1: from a plan to the member's own deal.

use std::sync::Arc;

use minicbor::bytes::ByteVec;
use symbolon_protocol::{IdentitySignature, Unsigned};

use super::answer::{Then, Work};
use super::record::{FileHash, Record, file_hash};
use super::{Attached, Effect, KeyRef, Participant, StepError, dealer};
use crate::cosigned::Cosigned;
use crate::deal::Deal;
use crate::derive::Seed;
use crate::descriptor::roster_of;
use crate::file_name::FileName;
use crate::name::{CeremonyId, DealHash};
use crate::plan::{Plan, PlanError, VerifiedPlan};
use crate::state::CeremonyState;
use crate::wire::CeremonyReply;

impl Participant {
    pub(super) fn begin_plan(&mut self, bytes: &[u8], seed: Seed) -> Result<Effect, StepError> {
        let cosigned =
            Cosigned::<Plan>::from_bytes(self.network(), bytes).map_err(PlanError::from)?;
        let id = CeremonyId(cosigned.unverified().digest());
        if self.ceremonies.contains_key(&id) {
            return self.repeat_plan(id, bytes);
        }
        let plan = VerifiedPlan::verify(self.network(), self.chain.current(), bytes)?;
        self.check_new_plan(&plan)?;
        let deals = plan.dealer(dealer(self.me)).is_some();
        let terms = plan.plan();
        let record = Record::Accepted {
            ceremony: id,
            group: terms.group.clone(),
            group_epoch: terms.group_epoch,
            deals,
            plan: file_hash(bytes),
        };
        let mut stored = Attached::files(id, vec![(FileName::Plan, bytes.to_vec())]);
        stored.seed = deals.then_some(seed);
        let plan = Arc::new(plan);
        self.plans.insert(id, Arc::clone(&plan));
        let then = if deals {
            Then::Deal(plan)
        } else {
            Then::Show(CeremonyReply::Accepted(id))
        };
        Ok(self.persist(record, stored, then))
    }

    /// What only this member can say of a plan.
    fn check_new_plan(&self, plan: &VerifiedPlan) -> Result<(), StepError> {
        let not_in_plan = StepError::NotInPlan(self.me.get());
        let (_, receiver) = plan.receiver(self.me).ok_or(not_in_plan)?;
        let terms = plan.plan();
        let key = KeyRef {
            group: terms.group.clone(),
            group_epoch: terms.group_epoch,
        };
        if self
            .offers
            .get(&key)
            .is_none_or(|offer| offer.value != receiver.key)
        {
            return Err(StepError::OtherOffer {
                got: receiver.key.to_string(),
            });
        }
        self.check_epoch(&terms.group, terms.group_epoch, Some(plan.id()))
    }

    /// The same plan again: the stored deal, or the one that follows from the sealed seed.
    fn repeat_plan(&mut self, id: CeremonyId, bytes: &[u8]) -> Result<Effect, StepError> {
        let one = self.ceremony(id)?;
        match (one.state, &one.deal) {
            (CeremonyState::Burnt, _) => Err(one.wrong(id, "make a new plan")),
            (CeremonyState::Planned, _) => {
                let plan = Arc::new(self.verify_plan(bytes)?);
                Ok(self.load_seed(plan))
            }
            (_, Some((deal, _))) => {
                let (deal, name) = (*deal, FileName::Deal(dealer(self.me)));
                let effect = Effect::LoadFile { ceremony: id, name };
                Ok(self.wait(Work::ShowDeal(id, deal), effect))
            }
            (_, None) => Ok(Effect::Show(CeremonyReply::Accepted(id))),
        }
    }

    pub(super) fn load_seed(&mut self, plan: Arc<VerifiedPlan>) -> Effect {
        let effect = Effect::LoadSeed(plan.id());
        self.wait(Work::DealSeed(plan), effect)
    }

    pub(super) fn make_deal(
        &mut self,
        plan: &VerifiedPlan,
        seed: &Seed,
    ) -> Result<Effect, StepError> {
        let unsigned = crate::dealer::deal(plan, dealer(self.me), seed)?;
        Ok(self.ask_signature(unsigned, Work::DealSignature))
    }

    pub(super) fn deal_signed(
        &mut self,
        deal: Unsigned<Deal>,
        signature: IdentitySignature,
    ) -> Result<Effect, StepError> {
        let (ceremony, hash) = (deal.value().ceremony, DealHash(deal.digest()));
        let bytes = self.signed(deal, signature)?;
        let record = Record::Dealt {
            ceremony,
            deal: file_hash(&bytes),
            hash,
        };
        let name = FileName::Deal(dealer(self.me));
        let stored = Attached::files(ceremony, vec![(name, bytes.to_vec())]);
        Ok(self.persist(record, stored, Then::Show(CeremonyReply::Deal(bytes))))
    }

    pub(super) fn show_deal(
        &self,
        ceremony: CeremonyId,
        hash: &FileHash,
        bytes: Vec<u8>,
    ) -> Result<Effect, StepError> {
        self.ceremony(ceremony)?;
        if file_hash(&bytes) != *hash {
            return Err(StepError::FileAltered(FileName::Deal(dealer(self.me))));
        }
        Ok(Effect::Show(CeremonyReply::Deal(ByteVec::from(bytes))))
    }

    /// A plan checked under the roster that it names, which may be an older one.
    pub(super) fn verify_plan(&self, bytes: &[u8]) -> Result<VerifiedPlan, StepError> {
        let hash = roster_of(self.network(), bytes)?;
        let unknown = || StepError::UnknownRoster(hex::encode(hash));
        let roster = self.chain.with_hash(&hash).ok_or_else(unknown)?;
        Ok(VerifiedPlan::verify(self.network(), &roster, bytes)?)
    }
}
