//! One member's side of all its ceremonies.
//!
//! The machine is driven one step at a time: a command begins, each [`Effect`] is answered by the
//! [`Step`] that it names, [`Effect::Show`] ends. Nothing is shown before it is durable, because the
//! only way on from [`Effect::Persist`] is [`Pending::durable`]. [`drive`] is that loop.
//!
//! After a restart [`Participant::resume`] reads the records in their order; repeating a request
//! then goes on where the last durable record left off, and gives the very bytes that were shown
//! before. Erasures that a crash cut off are in [`Participant::unfinished`].

mod answer;
mod apply;
mod certificate;
mod complaint;
mod deal;
mod destroy;
mod drive;
mod effect;
mod error;
mod offer;
mod receive;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use minicbor::bytes::ByteVec;
use symbolon_protocol::roster::RosterChain;
use symbolon_protocol::{IdentityPublic, IdentitySignature, Message, NetworkId, Signed, Unsigned};
use symbolon_threshold::{SecretShare, ShareIndex};

use crate::deal::DealerId;
use crate::derive::Seed;
use crate::encryption_key::EncryptionKey;
use crate::file_name::FileName;
use crate::name::{CeremonyId, DealHash, GroupEpoch, GroupLabel};
use crate::plan::VerifiedPlan;
use crate::state::CeremonyState;
use crate::wire::{CeremonyReply, CeremonyRequest, CeremonyStatus};

pub use drive::{DriveError, Performer, drive};
pub use effect::{Durable, Effect, Entropy, KeyRef, Pending, Step};
pub use error::{ResumeError, StepError};
pub use record::MAX_RECORD;

use answer::{Then, Work};
use record::{FileHash, Record};

/// All ceremonies of one member.
pub struct Participant {
    chain: RosterChain,
    me: ShareIndex,
    offers: BTreeMap<KeyRef, Stored<EncryptionKey>>,
    ceremonies: BTreeMap<CeremonyId, Ceremony>,
    plans: BTreeMap<CeremonyId, Arc<VerifiedPlan>>,
    work: Option<Work>,
    ticket: u64,
}

/// Something that was shown, with what it says.
struct Stored<T> {
    bytes: ByteVec,
    value: T,
}

/// What is remembered of one ceremony.
struct Ceremony {
    group: GroupLabel,
    group_epoch: GroupEpoch,
    state: CeremonyState,
    deals: bool,
    plan: FileHash,
    deal: Option<(FileHash, DealHash)>,
    confirmation: Option<ByteVec>,
    outcome: Option<FileHash>,
    activation: Option<ByteVec>,
    descriptor: Option<FileHash>,
    complaint: Option<ByteVec>,
    dropped: bool,
    openings: BTreeMap<u16, ByteVec>,
}

impl Participant {
    /// A member that takes part in nothing yet.
    #[must_use]
    pub fn new(chain: RosterChain, me: ShareIndex) -> Self {
        Self {
            chain,
            me,
            offers: BTreeMap::new(),
            ceremonies: BTreeMap::new(),
            plans: BTreeMap::new(),
            work: None,
            ticket: 0,
        }
    }

    /// Takes up a member from its records, in the order in which they were made durable.
    ///
    /// # Errors
    ///
    /// [`ResumeError`] when they are not such records.
    pub fn resume<'a>(
        chain: RosterChain,
        me: ShareIndex,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, ResumeError> {
        let mut participant = Self::new(chain, me);
        for bytes in records {
            let record = Record::from_bytes(participant.network(), bytes)?;
            participant.apply(record)?;
        }
        Ok(participant)
    }

    /// Puts a newer chain of rosters in force.
    pub fn set_roster(&mut self, chain: RosterChain) {
        self.chain = chain;
        self.plans.clear();
        self.work = None;
    }

    /// Begins a command, or answers the last effect.
    ///
    /// # Errors
    ///
    /// [`StepError`]; whatever was going on is forgotten, what was durable stays.
    pub fn step(&mut self, step: Step) -> Result<Effect, StepError> {
        let work = self.work.take();
        match step {
            Step::Request(request, entropy) => self.begin(request, entropy),
            Step::Drop(ceremony) => self.begin_drop(ceremony),
            Step::Destroy(ceremony) => self.begin_destroy(ceremony),
            answer => self.answer(work, answer),
        }
    }

    /// How ceremonies stand here: one, or all.
    #[must_use]
    pub fn status(&self, ceremony: Option<CeremonyId>) -> Vec<CeremonyStatus> {
        let wanted = |id: &CeremonyId| ceremony.is_none_or(|wanted| wanted == *id);
        let status = |(id, one): (&CeremonyId, &Ceremony)| CeremonyStatus {
            ceremony: *id,
            group: one.group.clone(),
            group_epoch: one.group_epoch,
            state: one.state,
        };
        self.ceremonies
            .iter()
            .filter(|(id, _)| wanted(id))
            .map(status)
            .collect()
    }

    /// The highest epoch of a group that this member ever signed: to be compared with the HSM's
    /// own record of it, so that a restored disk is noticed.
    #[must_use]
    pub fn highest_epoch(&self, group: &GroupLabel) -> Option<GroupEpoch> {
        let signed = self
            .ceremonies
            .values()
            .filter(|one| one.group == *group && one.is_signed());
        signed.map(|one| one.group_epoch).max()
    }

    /// Erasures that a crash may have cut off, to be performed at every start; each may find
    /// nothing left to do.
    #[must_use]
    pub fn unfinished(&self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (id, one) in &self.ceremonies {
            match one.state {
                CeremonyState::Active if one.deals => effects.push(Effect::EraseSeed(*id)),
                CeremonyState::Burnt if one.dropped => {
                    effects.push(Effect::EraseSeed(*id));
                }
                CeremonyState::Destroyed => {
                    effects.push(Effect::EraseSeed(*id));
                    effects.push(Effect::EraseShares(*id));
                    effects.push(Effect::DestroyKey(one.key()));
                }
                _ => {}
            }
        }
        effects
    }

    fn begin(&mut self, request: CeremonyRequest, entropy: Entropy) -> Result<Effect, StepError> {
        match request {
            CeremonyRequest::Offer { group, group_epoch } => {
                self.begin_offer(KeyRef { group, group_epoch })
            }
            CeremonyRequest::Plan(bytes) => self.begin_plan(&bytes, entropy.seed),
            CeremonyRequest::Status(ceremony) => {
                Ok(Effect::Show(CeremonyReply::Status(self.status(ceremony))))
            }
            CeremonyRequest::Recover {
                plan,
                deals,
                certificate,
            } => self.begin_recover(&plan, deals, &certificate, entropy.batch),
            CeremonyRequest::Deals { ceremony, deals } => {
                self.begin_with_plan(ceremony, answer::Planned::Deals(deals, entropy.batch))
            }
            CeremonyRequest::Certificate(bytes) => {
                let ceremony = self.ceremony_of_certificate(&bytes)?;
                self.begin_with_plan(ceremony, answer::Planned::Certificate(bytes))
            }
            CeremonyRequest::Complaint(bytes) => {
                let ceremony = self.ceremony_of_complaint(&bytes)?;
                self.begin_with_plan(ceremony, answer::Planned::Complaint(bytes))
            }
        }
    }

    /// Goes on with the plan of a known ceremony, which may have to be read first.
    fn begin_with_plan(
        &mut self,
        ceremony: CeremonyId,
        then: answer::Planned,
    ) -> Result<Effect, StepError> {
        self.ceremony(ceremony)?;
        if let Some(plan) = self.plans.get(&ceremony) {
            let plan = Arc::clone(plan);
            return self.planned(plan, then);
        }
        let name = FileName::Plan;
        Ok(self.wait(
            Work::LoadPlan(ceremony, then),
            Effect::LoadFile { ceremony, name },
        ))
    }

    fn planned(
        &mut self,
        plan: Arc<VerifiedPlan>,
        then: answer::Planned,
    ) -> Result<Effect, StepError> {
        match then {
            answer::Planned::Deals(deals, batch) => self.begin_deals(plan, deals, batch),
            answer::Planned::Certificate(bytes) => self.begin_certificate(plan, &bytes),
            answer::Planned::Complaint(bytes) => self.begin_complaint(plan, &bytes),
        }
    }

    fn network(&self) -> NetworkId {
        self.chain.network()
    }

    fn identity(&self) -> Option<&IdentityPublic> {
        self.chain.owner_of(self.me.get())
    }

    fn ceremony(&self, id: CeremonyId) -> Result<&Ceremony, StepError> {
        self.ceremonies.get(&id).ok_or(StepError::Unknown(id))
    }

    fn wait(&mut self, work: Work, effect: Effect) -> Effect {
        self.work = Some(work);
        effect
    }

    /// Asks for a signature under `unsigned`; `work` is given the signed message.
    fn ask_signature<T: Message>(
        &mut self,
        unsigned: Unsigned<T>,
        work: impl FnOnce(Unsigned<T>) -> Work,
    ) -> Effect {
        let effect = Effect::SignIdentity(unsigned.digest());
        self.wait(work(unsigned), effect)
    }

    /// Joins a message and the HSM's signature, which must be this member's.
    fn signed<T: Message>(
        &self,
        unsigned: Unsigned<T>,
        signature: IdentitySignature,
    ) -> Result<ByteVec, StepError> {
        let identity = self.identity().ok_or(StepError::NotInPlan(self.me.get()))?;
        if !unsigned.is_signed_by(identity, &signature) {
            return Err(StepError::Signature);
        }
        Ok(Signed::from_parts(unsigned, signature.0).to_bytes().into())
    }

    /// Whether this epoch of the group is still free for `ceremony` to sign.
    fn check_epoch(
        &self,
        group: &GroupLabel,
        group_epoch: GroupEpoch,
        ceremony: Option<CeremonyId>,
    ) -> Result<(), StepError> {
        let used = self.ceremonies.iter().find(|(id, one)| {
            Some(**id) != ceremony
                && one.group == *group
                && one.is_signed()
                && one.group_epoch >= group_epoch
        });
        match used {
            Some((by, _)) => Err(StepError::EpochUsed {
                group: group.clone(),
                group_epoch,
                by: *by,
            }),
            None => Ok(()),
        }
    }

    fn persist(&mut self, record: Record, stored: Attached, then: Then) -> Effect {
        self.ticket = self.ticket.wrapping_add(1);
        let pending = Pending {
            ticket: self.ticket,
            ceremony: stored.ceremony,
            files: stored.files,
            seed: stored.seed,
            group_epoch: stored.group_epoch,
            shares: stored.shares,
            record: record.to_bytes(self.network()),
        };
        let work = Work::Persist {
            ticket: self.ticket,
            record: Box::new(record),
            then,
        };
        self.wait(work, Effect::Persist(Box::new(pending)))
    }
}

impl Ceremony {
    const fn new(
        group: GroupLabel,
        group_epoch: GroupEpoch,
        state: CeremonyState,
        deals: bool,
        plan: FileHash,
    ) -> Self {
        Self {
            group,
            group_epoch,
            state,
            deals,
            plan,
            deal: None,
            confirmation: None,
            outcome: None,
            activation: None,
            descriptor: None,
            complaint: None,
            dropped: false,
            openings: BTreeMap::new(),
        }
    }

    /// Whether the epoch is taken for ever.
    const fn is_signed(&self) -> bool {
        matches!(
            self.state,
            CeremonyState::Signed | CeremonyState::Active | CeremonyState::Destroyed
        )
    }

    fn key(&self) -> KeyRef {
        KeyRef {
            group: self.group.clone(),
            group_epoch: self.group_epoch,
        }
    }

    fn wrong(&self, ceremony: CeremonyId, needed: &'static str) -> StepError {
        StepError::State {
            ceremony,
            state: self.state,
            needed,
        }
    }
}

/// Files and secrets that become durable with a record.
#[derive(Default)]
struct Attached {
    ceremony: Option<CeremonyId>,
    files: Vec<(FileName, Vec<u8>)>,
    seed: Option<Seed>,
    group_epoch: Option<GroupEpoch>,
    shares: Vec<SecretShare>,
}

impl Attached {
    fn files(ceremony: CeremonyId, files: Vec<(FileName, Vec<u8>)>) -> Self {
        Self {
            ceremony: Some(ceremony),
            files,
            ..Self::default()
        }
    }
}

const fn dealer(me: ShareIndex) -> DealerId {
    DealerId::Member(me)
}
