//! Collects the messages of one ceremony and says what to carry to whom next. It decides nothing,
//! and nobody believes it: whatever it alters is refused where it arrives.
//!
//! Its whole state is the set of messages, so it is restarted from the files of a directory. A
//! member that is driven by a directory asks the same machine what to do next.

use std::collections::BTreeMap;
use std::sync::Arc;

use minicbor::bytes::ByteVec;
use symbolon_protocol::roster::RosterChain;
use symbolon_protocol::{EnvelopeError, Signed};
use symbolon_threshold::ShareIndex;

use crate::blame::{BlameError, verify_complaint, verify_opening};
use crate::certificate::{CertificateError, VerifiedCertificate, verify_confirmation};
use crate::confirmation::Activation;
use crate::deal::DealerId;
use crate::descriptor::{DescriptorError, GroupDescriptor, roster_of};
use crate::fault::{DealError, DealFault, Standing};
use crate::file_name::FileName;
use crate::inspection::{CheckedDeals, is_signed_by};
use crate::message::MessageKind;
use crate::name::CeremonyId;
use crate::offer::Offer;
use crate::outcome::Outcome;
use crate::plan::{PlanError, VerifiedPlan};
use crate::wire::{CeremonyRefusal, CeremonyReply, CeremonyRequest, CeremonyStatus};

/// The messages of one ceremony.
pub struct Coordinator {
    chain: RosterChain,
    plan: Option<Arc<VerifiedPlan>>,
    files: BTreeMap<FileName, Vec<u8>>,
    conflicts: Vec<Vec<u8>>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is new, and belongs into this file.
    New(FileName),
    /// It was there already.
    Known(FileName),
}

/// What became of a member's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// A message, which was received.
    Message(Received),
    /// Nothing to carry on.
    Accepted(CeremonyId),
    /// How ceremonies stand at the member.
    Status(Vec<CeremonyStatus>),
    /// The member refuses.
    Refused(CeremonyRefusal),
}

/// What is still missing, in the order in which it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// No plan yet.
    Plan,
    /// The dealers whose deals are missing.
    Deals(Vec<DealerId>),
    /// The receivers whose confirmations are missing.
    Confirmations(Vec<ShareIndex>),
    /// The members whose activations are missing.
    Activations(Vec<ShareIndex>),
    /// Everything is there.
    Complete,
    /// A member complained: the ceremony is dead, and the dealers named owe an opening.
    Dead(Vec<DealerId>),
}

/// A message that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoordinatorError {
    /// Not a message of a ceremony.
    #[error("the bytes are no message of a ceremony")]
    Unreadable,
    /// Not canonical, or not signed by who it names.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// By or for someone who is not in the roster or in the plan.
    #[error("the message names a {0} that is not in the roster or in the plan")]
    Foreign(&'static str),
    /// Before there is a plan.
    #[error("the message is of a ceremony without a plan: add the plan first")]
    NoPlan,
    /// A plan that does not hold.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A plan of an unknown roster.
    #[error("the plan was made under roster {0}, which is not in the chain")]
    UnknownRoster(String),
    /// A deal that does not hold.
    #[error(transparent)]
    Deal(#[from] DealError),
    /// A confirmation or certificate that does not hold.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A complaint or opening that does not hold.
    #[error(transparent)]
    Blame(#[from] BlameError),
    /// A descriptor that does not hold.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// Another message of the same kind by the same author is there. Both are kept for the judge.
    #[error("{0} is there with other content: run the audit, its author may have signed both")]
    Conflict(FileName),
    /// Something is still missing.
    #[error("the ceremony is not complete: {0} is missing")]
    Incomplete(FileName),
}

impl Coordinator {
    /// Without any message.
    #[must_use]
    pub const fn new(chain: RosterChain) -> Self {
        Self {
            chain,
            plan: None,
            files: BTreeMap::new(),
            conflicts: Vec::new(),
        }
    }

    /// From the messages of a directory, in any order. Those that are not taken are given back.
    #[must_use]
    pub fn from_messages(
        chain: RosterChain,
        messages: impl IntoIterator<Item = Vec<u8>>,
    ) -> (Self, Vec<(Vec<u8>, CoordinatorError)>) {
        let mut coordinator = Self::new(chain);
        let mut messages: Vec<_> = messages.into_iter().collect();
        messages.sort_by_key(|bytes| MessageKind::of(bytes));
        let mut refused = Vec::new();
        for bytes in messages {
            if let Err(error) = coordinator.receive(&bytes) {
                refused.push((bytes, error));
            }
        }
        (coordinator, refused)
    }

    /// Takes a message whose signature holds.
    ///
    /// # Errors
    ///
    /// [`CoordinatorError`].
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Received, CoordinatorError> {
        let kind = MessageKind::of(bytes).ok_or(CoordinatorError::Unreadable)?;
        let name = match kind {
            MessageKind::Offer => self.check_offer(bytes)?,
            MessageKind::Plan => {
                let plan = self.check_plan(bytes)?;
                if self
                    .plan
                    .as_ref()
                    .is_none_or(|known| known.id() == plan.id())
                {
                    self.plan = Some(Arc::new(plan));
                }
                FileName::Plan
            }
            MessageKind::Deal => check_deal(self.plan()?, bytes)?,
            MessageKind::Confirmation => {
                let confirmation = verify_confirmation(self.plan()?, bytes)?;
                FileName::Confirmation(index(confirmation.member)?)
            }
            MessageKind::Certificate => {
                VerifiedCertificate::verify(self.plan()?, bytes)?;
                FileName::Certificate
            }
            MessageKind::Activation => check_activation(self.plan()?, bytes)?,
            MessageKind::Complaint => {
                let complaint = verify_complaint(self.plan()?, bytes)?;
                let dealer = DealerId::from_number(complaint.dealer);
                FileName::Complaint(index(complaint.member)?, dealer)
            }
            MessageKind::Opening => {
                let opening = verify_opening(self.plan()?, bytes)?;
                let dealer = DealerId::from_number(opening.dealer);
                FileName::Opening(dealer, index(opening.receiver)?)
            }
            MessageKind::Group => {
                GroupDescriptor::verify(&self.chain, bytes)?;
                FileName::Group
            }
        };
        match self.files.get(&name) {
            Some(known) if body(known) == body(bytes) => Ok(Received::Known(name)),
            Some(_) => {
                self.conflicts.push(bytes.to_vec());
                Err(CoordinatorError::Conflict(name))
            }
            None => {
                self.files.insert(name, bytes.to_vec());
                Ok(Received::New(name))
            }
        }
    }

    /// Takes a member's answer.
    ///
    /// # Errors
    ///
    /// [`CoordinatorError`] when it carries a message that is not taken.
    pub fn answered(&mut self, reply: CeremonyReply) -> Result<Answered, CoordinatorError> {
        match reply {
            CeremonyReply::Offer(bytes)
            | CeremonyReply::Deal(bytes)
            | CeremonyReply::Confirmation(bytes)
            | CeremonyReply::Complaint(bytes)
            | CeremonyReply::Activation(bytes)
            | CeremonyReply::Opening(bytes) => self.receive(&bytes).map(Answered::Message),
            CeremonyReply::Accepted(ceremony) => Ok(Answered::Accepted(ceremony)),
            CeremonyReply::Status(status) => Ok(Answered::Status(status)),
            CeremonyReply::Refused(refusal) => Ok(Answered::Refused(refusal)),
        }
    }

    /// What to ask of a member now, in this order; empty when it is not its turn.
    #[must_use]
    pub fn requests(&self, member: ShareIndex) -> Vec<CeremonyRequest> {
        let Some(plan) = self
            .plan
            .as_ref()
            .filter(|plan| plan.receiver(member).is_some())
        else {
            return Vec::new();
        };
        let deals = plan.dealer(DealerId::Member(member)).is_some();
        let missing = |name: FileName| !self.files.contains_key(&name);
        let give_plan = || CeremonyRequest::Plan(plan.to_bytes().into());
        match self.progress() {
            Progress::Plan | Progress::Complete => Vec::new(),
            Progress::Deals(_) if deals && missing(FileName::Deal(DealerId::Member(member))) => {
                vec![give_plan()]
            }
            Progress::Confirmations(_) if missing(FileName::Confirmation(member)) => {
                let request = CeremonyRequest::Deals {
                    ceremony: plan.id(),
                    deals: self.deals(),
                };
                // A receiver that does not deal sees the plan only now.
                if deals {
                    vec![request]
                } else {
                    vec![give_plan(), request]
                }
            }
            Progress::Activations(_) if missing(FileName::Activation(member)) => {
                let certificate = self.certificate().ok();
                certificate
                    .map(|bytes| CeremonyRequest::Certificate(bytes.into()))
                    .into_iter()
                    .collect()
            }
            Progress::Dead(_) => self.openings_owed(DealerId::Member(member)),
            _ => Vec::new(),
        }
    }

    /// What is missing.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let Some(plan) = &self.plan else {
            return Progress::Plan;
        };
        let missing = |name: FileName| !self.files.contains_key(&name);
        if self
            .files
            .keys()
            .any(|name| matches!(name, FileName::Complaint(..)))
        {
            let mut owing: Vec<DealerId> = self.unanswered().map(|(dealer, _)| dealer).collect();
            owing.dedup();
            return Progress::Dead(owing);
        }
        let dealers = plan.dealers().iter().map(|dealer| dealer.id);
        let deals: Vec<DealerId> = dealers.filter(|id| missing(FileName::Deal(*id))).collect();
        if !deals.is_empty() {
            return Progress::Deals(deals);
        }
        let lacks = |name: fn(ShareIndex) -> FileName| -> Vec<ShareIndex> {
            plan.indices()
                .into_iter()
                .filter(|index| missing(name(*index)))
                .collect()
        };
        let confirmations = lacks(FileName::Confirmation);
        if !confirmations.is_empty() && missing(FileName::Certificate) {
            return Progress::Confirmations(confirmations);
        }
        let activations = lacks(FileName::Activation);
        if !activations.is_empty() {
            return Progress::Activations(activations);
        }
        Progress::Complete
    }

    /// The certificate, from the confirmations where it is not there itself.
    ///
    /// # Errors
    ///
    /// [`CoordinatorError::Certificate`] when confirmations are missing or differ.
    pub fn certificate(&self) -> Result<Vec<u8>, CoordinatorError> {
        if let Some(bytes) = self.files.get(&FileName::Certificate) {
            return Ok(bytes.clone());
        }
        let plan = self.plan()?;
        let names = plan.indices().into_iter().map(FileName::Confirmation);
        let parts = names
            .filter_map(|name| self.files.get(&name))
            .map(Vec::as_slice);
        Ok(VerifiedCertificate::assemble(plan, parts)?
            .to_bytes()
            .to_vec())
    }

    /// The group's descriptor. `fresh` is 32 fresh random bytes for batch checks.
    ///
    /// # Errors
    ///
    /// [`CoordinatorError`] when something is missing or does not hold.
    pub fn group(&self, fresh: &[u8; 32]) -> Result<Vec<u8>, CoordinatorError> {
        let plan = self.plan()?;
        let certificate = VerifiedCertificate::verify(plan, &self.certificate()?)?;
        let deals: Vec<Vec<u8>> = self.deals().into_iter().map(Vec::from).collect();
        let deals = CheckedDeals::check(plan, &deals, fresh)?;
        let outcome = Outcome::of(plan, &deals)?;
        let descriptor = GroupDescriptor::new(plan, &outcome, &certificate);
        GroupDescriptor::verify(&self.chain, descriptor.body())?;
        Ok(descriptor.body().to_vec())
    }

    /// The plan, once there is one.
    ///
    /// # Errors
    ///
    /// [`CoordinatorError::NoPlan`].
    pub fn plan(&self) -> Result<&VerifiedPlan, CoordinatorError> {
        self.plan.as_deref().ok_or(CoordinatorError::NoPlan)
    }

    /// All messages, by the name of the file that each belongs into.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<FileName, Vec<u8>> {
        &self.files
    }

    /// The offers received, for making a plan.
    #[must_use]
    pub fn offers(&self) -> Vec<Vec<u8>> {
        let offers = self
            .files
            .iter()
            .filter(|(name, _)| matches!(name, FileName::Offer(_)));
        offers.map(|(_, bytes)| bytes.clone()).collect()
    }

    /// Signed messages that contradict others: for the judge.
    #[must_use]
    pub fn conflicts(&self) -> &[Vec<u8>] {
        &self.conflicts
    }

    /// Requests that make a dealer open what is complained of.
    fn openings_owed(&self, dealer: DealerId) -> Vec<CeremonyRequest> {
        let owed = self.unanswered().filter(|(accused, _)| *accused == dealer);
        owed.map(|(_, bytes)| CeremonyRequest::Complaint(ByteVec::from(bytes.to_vec())))
            .collect()
    }

    /// Complaints without an opening, by the dealer complained of.
    pub fn unanswered(&self) -> impl Iterator<Item = (DealerId, &[u8])> {
        self.files.iter().filter_map(|(name, bytes)| match name {
            FileName::Complaint(member, dealer)
                if !self
                    .files
                    .contains_key(&FileName::Opening(*dealer, *member)) =>
            {
                Some((*dealer, bytes.as_slice()))
            }
            _ => None,
        })
    }

    fn deals(&self) -> Vec<ByteVec> {
        let deals = self
            .files
            .iter()
            .filter(|(name, _)| matches!(name, FileName::Deal(_)));
        deals
            .map(|(_, bytes)| ByteVec::from(bytes.clone()))
            .collect()
    }

    fn check_offer(&self, bytes: &[u8]) -> Result<FileName, CoordinatorError> {
        let signed = Signed::<Offer>::from_bytes(self.chain.network(), bytes)?;
        let offer = signed.unverified().value();
        let roster = self.chain.current();
        let member = roster
            .member(offer.member)
            .ok_or(CoordinatorError::Foreign("member"))?;
        if offer.cluster != roster.cluster {
            return Err(CoordinatorError::Foreign("cluster"));
        }
        let offer = signed.verify(&member.identity, &member.name)?;
        Ok(FileName::Offer(index(offer.member)?))
    }

    fn check_plan(&self, bytes: &[u8]) -> Result<VerifiedPlan, CoordinatorError> {
        let network = self.chain.network();
        let hash = roster_of(network, bytes)?;
        let unknown = || CoordinatorError::UnknownRoster(hex::encode(hash));
        let roster = self.chain.with_hash(&hash).ok_or_else(unknown)?;
        Ok(VerifiedPlan::verify(network, &roster, bytes)?)
    }
}

/// What a message says, without its signatures, which may have several forms.
fn body(bytes: &[u8]) -> &[u8] {
    MessageKind::body(bytes).unwrap_or(bytes)
}

fn check_deal(plan: &VerifiedPlan, bytes: &[u8]) -> Result<FileName, CoordinatorError> {
    let signed = Signed::<crate::deal::Deal>::from_bytes(plan.network(), bytes)?;
    let deal = signed.unverified().value();
    let id = DealerId::from_number(deal.dealer);
    let refuse = |fault| DealError {
        dealer: Some(id),
        standing: Standing::Suspected,
        fault,
    };
    if deal.ceremony != plan.id() {
        return Err(refuse(DealFault::OtherCeremony).into());
    }
    let (_, dealer) = plan
        .dealer(id)
        .ok_or_else(|| refuse(DealFault::NotADealer))?;
    if !is_signed_by(&signed, dealer) {
        return Err(refuse(DealFault::Signature).into());
    }
    Ok(FileName::Deal(id))
}

fn check_activation(plan: &VerifiedPlan, bytes: &[u8]) -> Result<FileName, CoordinatorError> {
    let signed = Signed::<Activation>::from_bytes(plan.network(), bytes)?;
    let activation = signed.unverified().value();
    let member = index(activation.member)?;
    let ceremony = activation.ceremony;
    let (_, receiver) = plan
        .receiver(member)
        .filter(|_| ceremony == plan.id())
        .ok_or(CoordinatorError::Foreign("receiver"))?;
    signed.verify(&receiver.identity, &receiver.name)?;
    Ok(FileName::Activation(member))
}

fn index(number: u16) -> Result<ShareIndex, CoordinatorError> {
    ShareIndex::try_from(u64::from(number)).map_err(|_| CoordinatorError::Foreign("receiver"))
}
