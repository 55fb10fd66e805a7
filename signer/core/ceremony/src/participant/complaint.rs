//! Someone complains of a deal: this member's, which it opens, or another's.

use std::sync::Arc;

use symbolon_protocol::{IdentitySignature, Signed, Unsigned, Verified};

use super::answer::{Then, Work};
use super::record::Record;
use super::{Attached, Effect, Participant, StepError, dealer};
use crate::blame::{BlameError, verify_complaint};
use crate::complaint::{Complaint, Opening};
use crate::deal::DealerId;
use crate::derive::Seed;
use crate::name::{CeremonyId, DealHash};
use crate::plan::VerifiedPlan;
use crate::state::CeremonyState;
use crate::wire::CeremonyReply;

/// An opening that needs the seed.
pub(super) struct OpeningWork {
    plan: Arc<VerifiedPlan>,
    complaint: Verified<Complaint>,
}

impl Participant {
    pub(super) fn ceremony_of_complaint(&self, bytes: &[u8]) -> Result<CeremonyId, StepError> {
        let signed = Signed::<Complaint>::from_bytes(self.network(), bytes);
        let signed = signed.map_err(BlameError::from)?;
        Ok(signed.unverified().value().ceremony)
    }

    pub(super) fn begin_complaint(
        &mut self,
        plan: Arc<VerifiedPlan>,
        bytes: &[u8],
    ) -> Result<Effect, StepError> {
        let ceremony = plan.id();
        let complaint = verify_complaint(&plan, bytes)?;
        let (member, accused) = (complaint.member, DealerId::from_number(complaint.dealer));
        let one = self.ceremony(ceremony)?;
        if accused == dealer(self.me) {
            if let Some(opening) = one.openings.get(&member) {
                return Ok(Effect::Show(CeremonyReply::Opening(opening.clone())));
            }
            if matches!(one.state, CeremonyState::Active | CeremonyState::Destroyed) {
                let needed = "whoever complains has confirmed";
                return Err(one.wrong(ceremony, needed));
            }
            if one.dropped {
                return Err(one.wrong(ceremony, "it was dropped and cannot be opened"));
            }
            let work = OpeningWork { plan, complaint };
            let effect = Effect::LoadSeed(ceremony);
            return Ok(self.wait(Work::OpeningSeed(Box::new(work)), effect));
        }
        match one.state {
            CeremonyState::Planned | CeremonyState::Dealt => {
                let record = Record::Burnt {
                    ceremony,
                    complaint: None,
                    dropped: false,
                };
                let then = Then::Show(CeremonyReply::Accepted(ceremony));
                Ok(self.persist(record, Attached::default(), then))
            }
            // Signed is never dropped: somebody may hold the complete certificate.
            _ => Ok(Effect::Show(CeremonyReply::Accepted(ceremony))),
        }
    }

    pub(super) fn opening_seed(
        &mut self,
        work: OpeningWork,
        seed: &Seed,
    ) -> Result<Effect, StepError> {
        let OpeningWork { plan, complaint } = work;
        // The deal follows from the seed, so its hash needs no store.
        let own = crate::dealer::deal(&plan, dealer(self.me), seed)?;
        if DealHash(own.digest()) != complaint.deal {
            return Err(StepError::OtherDeal);
        }
        let unsigned = crate::dealer::opening(&plan, dealer(self.me), seed, &complaint)?;
        let ceremony = plan.id();
        Ok(self.ask_signature(unsigned, |unsigned| {
            Work::OpeningSignature(ceremony, unsigned)
        }))
    }

    pub(super) fn opening_signed(
        &mut self,
        ceremony: CeremonyId,
        unsigned: Unsigned<Opening>,
        signature: IdentitySignature,
    ) -> Result<Effect, StepError> {
        let receiver = unsigned.value().receiver;
        let opening = self.signed(unsigned, signature)?;
        let record = Record::Opened {
            ceremony,
            receiver,
            opening: opening.clone(),
        };
        let then = Then::Show(CeremonyReply::Opening(opening));
        Ok(self.persist(record, Attached::default(), then))
    }
}
