//! What a participant waits for, and what follows on the answer.

use std::sync::Arc;

use minicbor::bytes::ByteVec;
use symbolon_protocol::Unsigned;

use super::certificate::{Activating, Finishing};
use super::complaint::OpeningWork;
use super::effect::{Effect, KeyRef, Step};
use super::receive::{Confirming, Receiving, Recovered};
use super::record::{FileHash, Record, file_hash};
use super::{Participant, StepError};
use crate::complaint::{Complaint, Opening};
use crate::confirmation::{Activation, Confirmation};
use crate::deal::Deal;
use crate::file_name::FileName;
use crate::name::CeremonyId;
use crate::offer::Offer;
use crate::plan::VerifiedPlan;
use crate::wire::CeremonyReply;

/// A request that goes on once its plan is there.
pub(super) enum Planned {
    Deals(Vec<ByteVec>, [u8; 32]),
    Certificate(ByteVec),
    Complaint(ByteVec),
}

/// What the machine is in the middle of. Lost at a crash, and nothing is lost with it.
pub(super) enum Work {
    LoadPlan(CeremonyId, Planned),
    OfferKey(KeyRef),
    OfferSignature(Unsigned<Offer>),
    DealSeed(Arc<VerifiedPlan>),
    DealSignature(Unsigned<Deal>),
    ShowDeal(CeremonyId, FileHash),
    ReceiveKey(Box<Receiving>),
    ReceiveShared(Box<Receiving>),
    ComplaintSignature(Unsigned<Complaint>),
    NextKey(Box<Confirming>),
    ConfirmationSignature(Box<Confirming>, Unsigned<Confirmation>),
    RecoverySignature(Box<Recovered>, Unsigned<Activation>),
    LoadOutcome(Box<Finishing>),
    LoadShares(Box<Activating>),
    ActivationSignature(Box<Activating>, Unsigned<Activation>),
    OpeningSeed(Box<OpeningWork>),
    OpeningSignature(CeremonyId, Unsigned<Opening>),
    Persist {
        ticket: u64,
        record: Box<Record>,
        then: Then,
    },
    Perform(Vec<Effect>, CeremonyReply),
}

/// What follows once a record is durable.
pub(super) enum Then {
    Show(CeremonyReply),
    /// The deal, from the seed that has just been sealed.
    Deal(Arc<VerifiedPlan>),
    /// Some more effects, last first, then the reply.
    Perform(Vec<Effect>, CeremonyReply),
}

impl Participant {
    pub(super) fn answer(&mut self, work: Option<Work>, answer: Step) -> Result<Effect, StepError> {
        match (work, answer) {
            (Some(Work::LoadPlan(ceremony, then)), Step::File(bytes)) => {
                let plan = self.stored_plan(ceremony, &bytes)?;
                self.planned(plan, then)
            }
            (Some(Work::OfferKey(key)), Step::Key(public)) => self.offer_key(key, public),
            (Some(Work::OfferSignature(offer)), Step::Signature(signature)) => {
                self.offer_signed(offer, signature)
            }
            (Some(Work::DealSeed(plan)), Step::Seed(seed)) => self.make_deal(&plan, &seed),
            (Some(Work::DealSignature(deal)), Step::Signature(signature)) => {
                self.deal_signed(deal, signature)
            }
            (Some(Work::ShowDeal(ceremony, hash)), Step::File(bytes)) => {
                self.show_deal(ceremony, &hash, bytes)
            }
            (Some(Work::ReceiveKey(receiving)), Step::Key(key)) => {
                self.receive_key(receiving, &key)
            }
            (Some(Work::ReceiveShared(receiving)), Step::Shared(shared)) => {
                self.receive_shared(receiving, shared)
            }
            (Some(Work::ComplaintSignature(complaint)), Step::Signature(signature)) => {
                self.complaint_signed(complaint, signature)
            }
            (Some(Work::NextKey(confirming)), Step::Key(key)) => self.next_key(confirming, key),
            (
                Some(Work::ConfirmationSignature(confirming, unsigned)),
                Step::Signature(signature),
            ) => self.confirmation_signed(*confirming, unsigned, signature),
            (Some(Work::RecoverySignature(recovered, unsigned)), Step::Signature(signature)) => {
                self.recovery_signed(*recovered, unsigned, signature)
            }
            (Some(Work::LoadOutcome(finishing)), Step::File(bytes)) => {
                self.outcome_loaded(*finishing, &bytes)
            }
            (Some(Work::LoadShares(activating)), Step::Shares(shares)) => {
                self.shares_loaded(activating, &shares)
            }
            (Some(Work::ActivationSignature(activating, unsigned)), Step::Signature(signature)) => {
                self.activation_signed(*activating, unsigned, signature)
            }
            (Some(Work::OpeningSeed(opening)), Step::Seed(seed)) => {
                self.opening_seed(*opening, &seed)
            }
            (Some(Work::OpeningSignature(ceremony, unsigned)), Step::Signature(signature)) => {
                self.opening_signed(ceremony, unsigned, signature)
            }
            (
                Some(Work::Persist {
                    ticket,
                    record,
                    then,
                }),
                Step::Durable(durable),
            ) if ticket == durable.ticket => {
                // The transition was checked when the work began; it cannot be refused here.
                self.apply(*record).map_err(|_| StepError::Unexpected {
                    awaited: "a record that fits the state",
                })?;
                match then {
                    Then::Show(reply) => Ok(Effect::Show(reply)),
                    Then::Perform(effects, reply) => Ok(self.perform(effects, reply)),
                    Then::Deal(plan) => match durable.seed {
                        Some(seed) => self.make_deal(&plan, &seed),
                        None => Ok(self.load_seed(plan)),
                    },
                }
            }
            (Some(Work::Perform(effects, reply)), Step::Done) => Ok(self.perform(effects, reply)),
            (work, _) => {
                let awaited = work.map_or("a command", |work| work.awaited());
                Err(StepError::Unexpected { awaited })
            }
        }
    }

    pub(super) fn perform(&mut self, mut effects: Vec<Effect>, reply: CeremonyReply) -> Effect {
        match effects.pop() {
            Some(effect) => self.wait(Work::Perform(effects, reply), effect),
            None => Effect::Show(reply),
        }
    }

    /// The plan of a known ceremony from its stored bytes.
    fn stored_plan(
        &mut self,
        ceremony: CeremonyId,
        bytes: &[u8],
    ) -> Result<Arc<VerifiedPlan>, StepError> {
        if file_hash(bytes) != self.ceremony(ceremony)?.plan {
            return Err(StepError::FileAltered(FileName::Plan));
        }
        let plan = Arc::new(self.verify_plan(bytes)?);
        self.plans.insert(ceremony, Arc::clone(&plan));
        Ok(plan)
    }
}

impl Work {
    const fn awaited(&self) -> &'static str {
        match self {
            Self::OfferKey(_) | Self::ReceiveKey(_) | Self::NextKey(_) => "a key",
            Self::OfferSignature(_)
            | Self::DealSignature(_)
            | Self::ComplaintSignature(_)
            | Self::ConfirmationSignature(..)
            | Self::RecoverySignature(..)
            | Self::ActivationSignature(..)
            | Self::OpeningSignature(..) => "a signature",
            Self::LoadPlan(..) | Self::ShowDeal(..) | Self::LoadOutcome(_) => "a file",
            Self::DealSeed(_) | Self::OpeningSeed(_) => "a seed",
            Self::ReceiveShared(_) => "a shared secret",
            Self::LoadShares(_) => "shares",
            Self::Persist { .. } => "durability",
            Self::Perform(..) => "completion",
        }
    }
}
