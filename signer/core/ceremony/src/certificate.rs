//! Checking that all receivers confirmed one and the same transcript.

use symbolon_protocol::{EnvelopeError, NetworkId, Signed, Unsigned, Verified};
use symbolon_threshold::ShareIndex;

use crate::confirmation::{Certificate, Confirmation};
use crate::name::{CeremonyId, DealHash, TranscriptHash};
use crate::plan::VerifiedPlan;

/// Why a certificate is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The bytes are no certificate of this network.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Of another ceremony.
    #[error("the certificate, or a confirmation in it, is of another ceremony")]
    OtherCeremony,
    /// By someone who gets no shares.
    #[error("member {0} confirms, but receives nothing in this plan")]
    NotAReceiver(u16),
    /// A receiver twice.
    #[error("two confirmations of member {0}")]
    Doubled(u16),
    /// A receiver not at all.
    #[error("the confirmation of member {0} is missing")]
    Missing(u16),
    /// Not in the order of the plan.
    #[error("the confirmation of member {0} is out of order")]
    Order(u16),
    /// Not signed by the receiver.
    #[error("the confirmation of member {0} is not signed by its identity key")]
    Signature(u16),
    /// Receivers saw different things.
    #[error("member {0} confirms another transcript or other deals")]
    OtherTranscript(u16),
}

impl CertificateError {
    /// A stable name for records and vectors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "certificate-form",
            Self::OtherCeremony => "certificate-of-another-ceremony",
            Self::NotAReceiver(_) => "certificate-stranger",
            Self::Doubled(_) => "certificate-doubled",
            Self::Missing(_) => "certificate-missing",
            Self::Order(_) => "certificate-order",
            Self::Signature(_) => "certificate-signature",
            Self::OtherTranscript(_) => "certificate-transcript",
        }
    }
}

/// A complete certificate.
#[derive(Debug, Clone)]
pub struct VerifiedCertificate {
    bytes: Vec<u8>,
    confirmations: Vec<Verified<Confirmation>>,
    deals: Vec<DealHash>,
    transcript: TranscriptHash,
}

impl VerifiedCertificate {
    /// Parses a certificate and checks it against its plan.
    ///
    /// # Errors
    ///
    /// [`CertificateError`], the first rule broken.
    pub fn verify(plan: &VerifiedPlan, bytes: &[u8]) -> Result<Self, CertificateError> {
        let unsigned = Unsigned::<Certificate>::from_body(plan.network(), bytes)?;
        let certificate = unsigned.value();
        if certificate.ceremony != plan.id() {
            return Err(CertificateError::OtherCeremony);
        }
        let parts = certificate
            .confirmations
            .iter()
            .map(|bytes| bytes.as_slice());
        let confirmations = verify_confirmations(plan, parts)?;
        let first = confirmations.first().ok_or(CertificateError::Missing(0))?;
        let (deals, transcript) = (first.deals.clone(), first.transcript);
        Ok(Self {
            bytes: bytes.to_vec(),
            confirmations,
            deals,
            transcript,
        })
    }

    /// Joins the confirmations of all receivers.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] when they do not make a certificate.
    pub fn assemble<'a>(
        plan: &VerifiedPlan,
        confirmations: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, CertificateError> {
        let confirmations = confirmations
            .into_iter()
            .map(|bytes| bytes.to_vec().into())
            .collect();
        let certificate = Certificate {
            ceremony: plan.id(),
            confirmations,
        };
        Self::verify(plan, Unsigned::new(plan.network(), certificate).body())
    }

    /// The ceremony that a certificate claims to be of, for looking up its plan.
    ///
    /// # Errors
    ///
    /// The bytes are no certificate.
    pub fn ceremony(network: NetworkId, bytes: &[u8]) -> Result<CeremonyId, EnvelopeError> {
        Ok(Unsigned::<Certificate>::from_body(network, bytes)?
            .value()
            .ceremony)
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The confirmations, in the order of the plan.
    #[must_use]
    pub fn confirmations(&self) -> &[Verified<Confirmation>] {
        &self.confirmations
    }

    /// The confirmation of one receiver.
    #[must_use]
    pub fn confirmation(&self, index: ShareIndex) -> Option<&Verified<Confirmation>> {
        self.confirmations
            .iter()
            .find(|confirmation| confirmation.member == index.get())
    }

    /// The deals that everybody confirmed.
    #[must_use]
    pub fn deals(&self) -> &[DealHash] {
        &self.deals
    }

    /// The transcript that everybody confirmed.
    #[must_use]
    pub const fn transcript(&self) -> TranscriptHash {
        self.transcript
    }
}

/// Exactly one confirmation of each receiver, in order, signed, all of one transcript.
pub(crate) fn verify_confirmations<'a>(
    plan: &VerifiedPlan,
    parts: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<Verified<Confirmation>>, CertificateError> {
    let mut verified: Vec<Verified<Confirmation>> = Vec::with_capacity(plan.receivers().len());
    for bytes in parts {
        let confirmation = verify_confirmation(plan, bytes)?;
        let member = confirmation.member;
        if verified.iter().any(|other| other.member == member) {
            return Err(CertificateError::Doubled(member));
        }
        if let Some(first) = verified.first()
            && (first.transcript != confirmation.transcript || first.deals != confirmation.deals)
        {
            return Err(CertificateError::OtherTranscript(member));
        }
        verified.push(confirmation);
    }
    for receiver in plan.receivers() {
        let member = receiver.index.get();
        if !verified
            .iter()
            .any(|confirmation| confirmation.member == member)
        {
            return Err(CertificateError::Missing(member));
        }
    }
    let mut pairs = verified.iter().zip(plan.receivers());
    if let Some((wrong, _)) = pairs.find(|(one, receiver)| one.member != receiver.index.get()) {
        return Err(CertificateError::Order(wrong.member));
    }
    Ok(verified)
}

/// One receiver's confirmation of this ceremony, with as many deals as dealers.
pub(crate) fn verify_confirmation(
    plan: &VerifiedPlan,
    bytes: &[u8],
) -> Result<Verified<Confirmation>, CertificateError> {
    let signed = Signed::<Confirmation>::from_bytes(plan.network(), bytes)?;
    let confirmation = signed.unverified().value();
    if confirmation.ceremony != plan.id() {
        return Err(CertificateError::OtherCeremony);
    }
    let member = confirmation.member;
    let receiver = plan
        .receivers()
        .iter()
        .find(|receiver| receiver.index.get() == member);
    let receiver = receiver.ok_or(CertificateError::NotAReceiver(member))?;
    if confirmation.deals.len() != plan.dealers().len() {
        return Err(CertificateError::OtherTranscript(member));
    }
    signed
        .verify(&receiver.identity, &receiver.name)
        .map_err(|_| CertificateError::Signature(member))
}
