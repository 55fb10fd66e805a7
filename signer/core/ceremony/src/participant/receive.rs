//! Visit 2: from all deals to shares and a confirmation, or to a complaint; and the same way to
//! shares that were lost.

use std::sync::Arc;

use minicbor::bytes::ByteVec;
use symbolon_protocol::{IdentitySignature, Unsigned};
use symbolon_secmem::Locked;
use symbolon_threshold::SecretShare;

use super::answer::{Then, Work};
use super::record::{Record, file_hash};
use super::{Attached, Effect, KeyRef, Participant, StepError, dealer};
use crate::certificate::VerifiedCertificate;
use crate::complaint::{Complaint, ComplaintReason};
use crate::confirmation::{Activation, Confirmation};
use crate::deal::DealerId;
use crate::descriptor::GroupDescriptor;
use crate::encryption_key::EncryptionKey;
use crate::fault::{DealError, DealFault};
use crate::file_name::FileName;
use crate::inspection::CheckedDeals;
use crate::outcome::{Outcome, Unsealed};
use crate::plan::VerifiedPlan;
use crate::state::CeremonyState;
use crate::wire::CeremonyReply;

/// Envelopes that are being opened.
pub(super) struct Receiving {
    plan: Arc<VerifiedPlan>,
    deals: CheckedDeals,
    batch: [u8; 32],
    unsealed: Unsealed,
    /// The value under which the next envelope did not open, once.
    failed: Option<Locked<32>>,
    goal: Goal,
}

enum Goal {
    Confirm,
    Recover(Box<VerifiedCertificate>),
}

/// Shares that are right, before they are confirmed.
pub(super) struct Confirming {
    plan: Arc<VerifiedPlan>,
    deals: CheckedDeals,
    outcome: Outcome,
    shares: Vec<SecretShare>,
}

/// Shares that are rebuilt.
pub(super) struct Recovered {
    confirming: Confirming,
    certificate: Box<VerifiedCertificate>,
}

impl Participant {
    pub(super) fn begin_deals(
        &mut self,
        plan: Arc<VerifiedPlan>,
        deals: Vec<ByteVec>,
        batch: [u8; 32],
    ) -> Result<Effect, StepError> {
        let one = self.ceremony(plan.id())?;
        match (one.state, &one.confirmation) {
            (CeremonyState::Signed | CeremonyState::Active, Some(confirmation)) => {
                return Ok(Effect::Show(CeremonyReply::Confirmation(
                    confirmation.clone(),
                )));
            }
            (CeremonyState::Dealt, _) => {}
            (CeremonyState::Burnt, _) => {
                return match &one.complaint {
                    Some(complaint) => {
                        Ok(Effect::Show(CeremonyReply::Complaint(complaint.clone())))
                    }
                    None => Err(one.wrong(plan.id(), "make a new plan")),
                };
            }
            _ => return Err(one.wrong(plan.id(), "give its plan first")),
        }
        let own = one.deal.map(|(_, hash)| hash);
        self.check_epoch(&one.group, one.group_epoch, Some(plan.id()))?;
        let deals = check_deals(&plan, deals, &batch)?;
        let me = dealer(self.me);
        for deal in deals.deals().iter().filter(|deal| deal.dealer() == me) {
            // By its body: whoever carries a signature can give it a second form.
            if own != Some(deal.hash()) {
                return Err(StepError::ForeignDeal);
            }
        }
        self.open(plan, deals, batch, Goal::Confirm)
    }

    pub(super) fn begin_recover(
        &mut self,
        plan: &[u8],
        deals: Vec<ByteVec>,
        certificate: &[u8],
        batch: [u8; 32],
    ) -> Result<Effect, StepError> {
        let plan = Arc::new(self.verify_plan(plan)?);
        let not_in_plan = StepError::NotInPlan(self.me.get());
        plan.receiver(self.me).ok_or(not_in_plan)?;
        if let Some(one) = self.ceremonies.get(&plan.id()) {
            match (one.state, &one.activation) {
                (CeremonyState::Planned | CeremonyState::Dealt, _) => {}
                (CeremonyState::Active, Some(activation)) => {
                    return Ok(Effect::Show(CeremonyReply::Activation(activation.clone())));
                }
                _ => return Err(one.wrong(plan.id(), "give its certificate instead")),
            }
        }
        let terms = plan.plan();
        self.check_epoch(&terms.group, terms.group_epoch, Some(plan.id()))?;
        let certificate = Box::new(VerifiedCertificate::verify(&plan, certificate)?);
        let deals = check_deals(&plan, deals, &batch)?;
        self.open(plan, deals, batch, Goal::Recover(certificate))
    }

    /// First makes sure that the HSM still has the key that the envelopes are for: a device with
    /// another key must not accuse a dealer.
    fn open(
        &mut self,
        plan: Arc<VerifiedPlan>,
        deals: CheckedDeals,
        batch: [u8; 32],
        goal: Goal,
    ) -> Result<Effect, StepError> {
        let unsealed = Unsealed::new(self.me);
        let receiving = Receiving {
            plan,
            deals,
            batch,
            unsealed,
            failed: None,
            goal,
        };
        let effect = Effect::CreateKey(receiving.key());
        Ok(self.wait(Work::ReceiveKey(Box::new(receiving)), effect))
    }

    pub(super) fn receive_key(
        &mut self,
        receiving: Box<Receiving>,
        key: &EncryptionKey,
    ) -> Result<Effect, StepError> {
        let planned = receiving
            .plan
            .receiver(self.me)
            .map(|(_, receiver)| receiver.key);
        if planned != Some(*key) {
            return Err(StepError::KeyLost(receiving.key()));
        }
        self.next_envelope(receiving)
    }

    pub(super) fn receive_shared(
        &mut self,
        mut receiving: Box<Receiving>,
        shared: Locked<32>,
    ) -> Result<Effect, StepError> {
        let Receiving {
            plan,
            deals,
            unsealed,
            failed,
            ..
        } = &mut *receiving;
        match (unsealed.open_next(plan, deals, &shared), failed.take()) {
            (Ok(()), _) => self.next_envelope(receiving),
            // Once more, so that no passing fault of the device becomes a false complaint.
            (Err(_), None) => {
                *failed = Some(shared);
                self.next_envelope(receiving)
            }
            (Err(_), Some(before)) if !before.ct_eq(&shared) => Err(StepError::Unstable),
            (Err(reason), Some(_)) => {
                let dealer = receiving.next_dealer();
                self.accuse(&receiving, dealer, reason)
            }
        }
    }

    fn next_envelope(&mut self, receiving: Box<Receiving>) -> Result<Effect, StepError> {
        if let Some(deal) = receiving.deals.deals().get(receiving.unsealed.count()) {
            let missing = StepError::NotInPlan(self.me.get());
            let peer = *deal.ephemeral(&receiving.plan, self.me).ok_or(missing)?;
            let effect = Effect::Ecdh {
                key: receiving.key(),
                peer,
            };
            return Ok(self.wait(Work::ReceiveShared(receiving), effect));
        }
        if let Some(dealer) = receiving
            .unsealed
            .wrong_dealer(&receiving.deals, &receiving.batch)
        {
            return self.accuse(&receiving, Some(dealer), ComplaintReason::WrongShare);
        }
        let Receiving {
            plan,
            deals,
            unsealed,
            goal,
            ..
        } = *receiving;
        let outcome = Outcome::of(&plan, &deals)?;
        let shares = unsealed.shares(plan.keys())?;
        let wrong = shares
            .iter()
            .zip(outcome.shares_of(&plan, self.me))
            .position(|(own, public)| own.public_share() != *public);
        if let Some(key) = wrong {
            return Err(StepError::Share { key });
        }
        let confirming = Confirming {
            plan,
            deals,
            outcome,
            shares,
        };
        match goal {
            Goal::Confirm => {
                let terms = confirming.plan.plan();
                let last = || StepError::LastEpoch(terms.group.clone());
                let group_epoch = terms.group_epoch.next().ok_or_else(last)?;
                let key = KeyRef {
                    group: terms.group.clone(),
                    group_epoch,
                };
                Ok(self.wait(Work::NextKey(Box::new(confirming)), Effect::CreateKey(key)))
            }
            Goal::Recover(certificate) => self.sign_recovery(confirming, certificate),
        }
    }

    /// Says no, for good: whoever complains never confirms.
    fn accuse(
        &mut self,
        receiving: &Receiving,
        dealer: Option<DealerId>,
        reason: ComplaintReason,
    ) -> Result<Effect, StepError> {
        let deal = receiving
            .deals
            .deals()
            .iter()
            .find(|deal| Some(deal.dealer()) == dealer);
        let fault = DealError::suspected(dealer, DealFault::Envelope(reason));
        let (Some(deal), Goal::Confirm) = (deal, &receiving.goal) else {
            return Err(fault.into());
        };
        let complaint = Complaint {
            ceremony: receiving.plan.id(),
            member: self.me.get(),
            dealer: deal.dealer().number(),
            deal: deal.hash(),
            reason,
        };
        let unsigned = Unsigned::new(self.network(), complaint);
        Ok(self.ask_signature(unsigned, Work::ComplaintSignature))
    }

    pub(super) fn complaint_signed(
        &mut self,
        complaint: Unsigned<Complaint>,
        signature: IdentitySignature,
    ) -> Result<Effect, StepError> {
        let ceremony = complaint.value().ceremony;
        let bytes = self.signed(complaint, signature)?;
        let record = Record::Burnt {
            ceremony,
            complaint: Some(bytes.clone()),
            dropped: false,
        };
        let reply = CeremonyReply::Complaint(bytes);
        Ok(self.persist(record, Attached::default(), Then::Show(reply)))
    }

    pub(super) fn next_key(
        &mut self,
        confirming: Box<Confirming>,
        next_key: EncryptionKey,
    ) -> Result<Effect, StepError> {
        let confirmation = Confirmation {
            ceremony: confirming.plan.id(),
            member: self.me.get(),
            transcript: confirming.outcome.transcript,
            deals: confirming.outcome.deals.clone(),
            next_key,
        };
        let unsigned = Unsigned::new(self.network(), confirmation);
        Ok(self.ask_signature(unsigned, |unsigned| {
            Work::ConfirmationSignature(confirming, unsigned)
        }))
    }

    pub(super) fn confirmation_signed(
        &mut self,
        confirming: Confirming,
        unsigned: Unsigned<Confirmation>,
        signature: IdentitySignature,
    ) -> Result<Effect, StepError> {
        let confirmation = self.signed(unsigned, signature)?;
        let Confirming {
            plan,
            deals,
            outcome,
            shares,
        } = confirming;
        let draft = Unsigned::new(self.network(), GroupDescriptor::draft(&plan, &outcome));
        let record = Record::Signed {
            ceremony: plan.id(),
            confirmation: confirmation.clone(),
            outcome: file_hash(draft.body()),
        };
        let mut files = deal_files(&deals);
        files.push((FileName::Outcome, draft.body().to_vec()));
        let mut stored = Attached::files(plan.id(), files);
        stored.group_epoch = Some(plan.plan().group_epoch);
        stored.shares = shares;
        Ok(self.persist(
            record,
            stored,
            Then::Show(CeremonyReply::Confirmation(confirmation)),
        ))
    }

    fn sign_recovery(
        &mut self,
        confirming: Confirming,
        certificate: Box<VerifiedCertificate>,
    ) -> Result<Effect, StepError> {
        let transcript = confirming.outcome.transcript;
        if certificate.transcript() != transcript || certificate.deals() != confirming.outcome.deals
        {
            return Err(StepError::OtherTranscript);
        }
        let (ceremony, member) = (confirming.plan.id(), self.me.get());
        let unsigned = Unsigned::new(
            self.network(),
            Activation {
                ceremony,
                member,
                transcript,
            },
        );
        let recovered = Box::new(Recovered {
            confirming,
            certificate,
        });
        Ok(self.ask_signature(unsigned, |unsigned| {
            Work::RecoverySignature(recovered, unsigned)
        }))
    }

    pub(super) fn recovery_signed(
        &mut self,
        recovered: Recovered,
        unsigned: Unsigned<Activation>,
        signature: IdentitySignature,
    ) -> Result<Effect, StepError> {
        let activation = self.signed(unsigned, signature)?;
        let Recovered {
            confirming:
                Confirming {
                    plan,
                    deals,
                    outcome,
                    shares,
                },
            certificate,
        } = recovered;
        let own = certificate
            .confirmation(self.me)
            .ok_or(StepError::OtherTranscript)?;
        let descriptor = GroupDescriptor::new(&plan, &outcome, &certificate);
        let terms = plan.plan();
        let record = Record::Recovered {
            ceremony: plan.id(),
            group: terms.group.clone(),
            group_epoch: terms.group_epoch,
            deals: plan.dealer(dealer(self.me)).is_some(),
            plan: file_hash(&plan.to_bytes()),
            confirmation: own.signed().to_bytes().into(),
            activation: activation.clone(),
            descriptor: file_hash(descriptor.body()),
        };
        let mut files = deal_files(&deals);
        files.push((FileName::Plan, plan.to_bytes()));
        files.push((FileName::Certificate, certificate.to_bytes().to_vec()));
        files.push((FileName::Group, descriptor.body().to_vec()));
        let mut stored = Attached::files(plan.id(), files);
        stored.group_epoch = Some(terms.group_epoch);
        stored.shares = shares;
        let reply = CeremonyReply::Activation(activation);
        let erase = vec![Effect::EraseSeed(plan.id())];
        Ok(self.persist(record, stored, Then::Perform(erase, reply)))
    }
}

impl Receiving {
    fn key(&self) -> KeyRef {
        let terms = self.plan.plan();
        KeyRef {
            group: terms.group.clone(),
            group_epoch: terms.group_epoch,
        }
    }

    fn next_dealer(&self) -> Option<DealerId> {
        Some(self.deals.deals().get(self.unsealed.count())?.dealer())
    }
}

fn check_deals(
    plan: &VerifiedPlan,
    deals: Vec<ByteVec>,
    batch: &[u8; 32],
) -> Result<CheckedDeals, DealError> {
    let deals: Vec<Vec<u8>> = deals.into_iter().map(Vec::from).collect();
    CheckedDeals::check(plan, &deals, batch)
}

fn deal_files(deals: &CheckedDeals) -> Vec<(FileName, Vec<u8>)> {
    let file = |deal: &crate::inspection::CheckedDeal| {
        (FileName::Deal(deal.dealer()), deal.signed().to_bytes())
    };
    deals.deals().iter().map(file).collect()
}
