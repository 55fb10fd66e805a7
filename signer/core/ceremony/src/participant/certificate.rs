//! The last leg: from a certificate to shares that sign.

use std::sync::Arc;

use symbolon_protocol::{IdentitySignature, Signed, Unsigned};
use symbolon_threshold::SecretShare;

use super::answer::{Then, Work};
use super::record::{Record, file_hash};
use super::{Attached, Effect, Participant, StepError};
use crate::certificate::{CertificateError, VerifiedCertificate};
use crate::confirmation::{Activation, Confirmation};
use crate::descriptor::{Group, GroupDescriptor, verified};
use crate::file_name::FileName;
use crate::name::CeremonyId;
use crate::plan::VerifiedPlan;
use crate::state::CeremonyState;
use crate::wire::CeremonyReply;

/// A certificate that holds, before the outcome is read.
pub(super) struct Finishing {
    plan: Arc<VerifiedPlan>,
    certificate: VerifiedCertificate,
}

/// A finished group, before the shares are read.
pub(super) struct Activating {
    group: Group,
    descriptor: Vec<u8>,
}

impl Participant {
    pub(super) fn ceremony_of_certificate(&self, bytes: &[u8]) -> Result<CeremonyId, StepError> {
        let ceremony = VerifiedCertificate::ceremony(self.network(), bytes);
        Ok(ceremony.map_err(CertificateError::from)?)
    }

    pub(super) fn begin_certificate(
        &mut self,
        plan: Arc<VerifiedPlan>,
        bytes: &[u8],
    ) -> Result<Effect, StepError> {
        let ceremony = plan.id();
        let one = self.ceremony(ceremony)?;
        let confirmation = match (one.state, &one.activation, &one.confirmation) {
            (CeremonyState::Active, Some(activation), _) => {
                return Ok(Effect::Show(CeremonyReply::Activation(activation.clone())));
            }
            (CeremonyState::Signed, _, Some(confirmation)) => confirmation,
            _ => return Err(one.wrong(ceremony, "a certificate needs a signed one")),
        };
        let certificate = VerifiedCertificate::verify(&plan, bytes)?;
        let own = Signed::<Confirmation>::from_bytes(self.network(), confirmation)
            .map_err(CertificateError::from)?;
        let same = |confirmed: &&symbolon_protocol::Verified<Confirmation>| {
            confirmed.digest() == own.unverified().digest()
        };
        certificate
            .confirmation(self.me)
            .filter(same)
            .ok_or(StepError::OtherTranscript)?;
        let work = Work::LoadOutcome(Box::new(Finishing { plan, certificate }));
        Ok(self.wait(
            work,
            Effect::LoadFile {
                ceremony,
                name: FileName::Outcome,
            },
        ))
    }

    pub(super) fn outcome_loaded(
        &mut self,
        finishing: Finishing,
        bytes: &[u8],
    ) -> Result<Effect, StepError> {
        let Finishing { plan, certificate } = finishing;
        let ceremony = plan.id();
        let altered = StepError::FileAltered(FileName::Outcome);
        if self.ceremony(ceremony)?.outcome != Some(file_hash(bytes)) {
            return Err(altered);
        }
        let draft = Unsigned::<GroupDescriptor>::from_body(self.network(), bytes);
        let draft = draft.map_err(|_| altered)?.value().clone();
        let unsigned = draft.complete(&plan, &certificate);
        let hash = *plan.plan().roster;
        let unknown = || StepError::UnknownRoster(hex::encode(hash));
        let roster = self.chain.with_hash(&hash).ok_or_else(unknown)?;
        let group = verified(self.network(), &roster, unsigned.value())?;
        let keys = group.group_keys().len();
        let descriptor = unsigned.body().to_vec();
        let work = Work::LoadShares(Box::new(Activating { group, descriptor }));
        Ok(self.wait(work, Effect::LoadShares { ceremony, keys }))
    }

    /// The self-check: what is sealed is readable, and is what everybody else expects.
    pub(super) fn shares_loaded(
        &mut self,
        activating: Box<Activating>,
        shares: &[SecretShare],
    ) -> Result<Effect, StepError> {
        let group = &activating.group;
        let place = group
            .plan()
            .receiver(self.me)
            .map_or(usize::MAX, |(place, _)| place);
        for (key, public) in group.public_shares().iter().enumerate() {
            let share = shares.get(key).map(SecretShare::public_share);
            if share.is_none() || share.as_ref() != public.get(place) {
                return Err(StepError::Share { key });
            }
        }
        if shares.len() != group.group_keys().len() {
            return Err(StepError::Share {
                key: group.group_keys().len(),
            });
        }
        let activation = Activation {
            ceremony: group.id(),
            member: self.me.get(),
            transcript: group.transcript(),
        };
        let unsigned = Unsigned::new(self.network(), activation);
        Ok(self.ask_signature(unsigned, |unsigned| {
            Work::ActivationSignature(activating, unsigned)
        }))
    }

    pub(super) fn activation_signed(
        &mut self,
        activating: Activating,
        unsigned: Unsigned<Activation>,
        signature: IdentitySignature,
    ) -> Result<Effect, StepError> {
        let activation = self.signed(unsigned, signature)?;
        let Activating { group, descriptor } = activating;
        let ceremony = group.id();
        let record = Record::Active {
            ceremony,
            activation: activation.clone(),
            descriptor: file_hash(&descriptor),
        };
        let certificate = group.certificate().to_bytes().to_vec();
        let files = vec![
            (FileName::Certificate, certificate),
            (FileName::Group, descriptor),
        ];
        let reply = CeremonyReply::Activation(activation);
        // From now on the seed is good for nothing but harm.
        let then = Then::Perform(vec![Effect::EraseSeed(ceremony)], reply);
        Ok(self.persist(record, Attached::files(ceremony, files), then))
    }
}
