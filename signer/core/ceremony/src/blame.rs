//! Deciding a complaint: the dealer opens the envelope, and anybody sees who is wrong.

use p256::SecretKey;
use symbolon_protocol::{EnvelopeError, Signed, Verified};
use symbolon_threshold::{SecretShare, ShareIndex};

use crate::complaint::{Complaint, ComplaintReason, Opening};
use crate::deal::DealerId;
use crate::encrypted_shares::{decrypt, ephemeral_public, shared_secret};
use crate::inspection::CheckedDeal;
use crate::plan::VerifiedPlan;

/// What an opening shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// The dealer opened another key than the envelope's.
    OtherKey,
    /// The envelope is wrong.
    Dealer(ComplaintReason),
    /// The envelope is right: the complaint is false.
    Complainer,
}

/// Why a complaint or an opening is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlameError {
    /// Not canonical, or not signed by who it names.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Of another ceremony, or of parties that this one does not have.
    #[error("it names a {0} that this ceremony does not have")]
    Foreign(&'static str),
}

/// A complaint, signed by a receiver of this plan, of a dealer of this plan.
///
/// # Errors
///
/// [`BlameError`].
pub fn verify_complaint(
    plan: &VerifiedPlan,
    bytes: &[u8],
) -> Result<Verified<Complaint>, BlameError> {
    let signed = Signed::<Complaint>::from_bytes(plan.network(), bytes)?;
    let complaint = signed.unverified().value();
    if complaint.ceremony != plan.id() {
        return Err(BlameError::Foreign("plan"));
    }
    let dealer = DealerId::from_number(complaint.dealer);
    plan.dealer(dealer).ok_or(BlameError::Foreign("dealer"))?;
    let (_, receiver) = index(complaint.member)
        .and_then(|member| plan.receiver(member))
        .ok_or(BlameError::Foreign("receiver"))?;
    Ok(signed.verify(&receiver.identity, &receiver.name)?)
}

/// An opening, signed by a dealer of this plan, for a receiver of this plan.
///
/// # Errors
///
/// [`BlameError`].
pub fn verify_opening(plan: &VerifiedPlan, bytes: &[u8]) -> Result<Verified<Opening>, BlameError> {
    let signed = Signed::<Opening>::from_bytes(plan.network(), bytes)?;
    let opening = signed.unverified().value();
    if opening.ceremony != plan.id() {
        return Err(BlameError::Foreign("plan"));
    }
    index(opening.receiver)
        .and_then(|receiver| plan.receiver(receiver))
        .ok_or(BlameError::Foreign("receiver"))?;
    let (_, dealer) = plan
        .dealer(DealerId::from_number(opening.dealer))
        .ok_or(BlameError::Foreign("dealer"))?;
    Ok(signed.verify(&dealer.identity, &dealer.name)?)
}

/// Opens the disputed envelope as the receiver should have been able to.
///
/// `None` when complaint and opening are not both about one envelope of this deal.
#[must_use]
pub fn judge(
    plan: &VerifiedPlan,
    deal: &CheckedDeal,
    complaint: &Complaint,
    opening: &Opening,
) -> Option<Judgement> {
    let receiver = index(complaint.member)?;
    let same = opening.receiver == complaint.member
        && opening.dealer == complaint.dealer
        && deal.dealer() == DealerId::from_number(complaint.dealer)
        && opening.deal == complaint.deal
        && deal.hash() == complaint.deal;
    if !same {
        return None;
    }
    let (leg, envelope) = deal.envelope(plan, receiver)?;
    let key = plan.receiver(receiver)?.1.key;
    let Ok(secret) = SecretKey::from_slice(opening.ephemeral.as_slice()) else {
        return Some(Judgement::OtherKey);
    };
    if ephemeral_public(&secret) != *envelope.ephemeral {
        return Some(Judgement::OtherKey);
    }
    let shared = shared_secret(&secret, &key)?;
    let scalars = match decrypt(leg, &shared, envelope) {
        Ok(scalars) => scalars,
        Err(reason) => return Some(Judgement::Dealer(reason)),
    };
    let on_polynomial = deal
        .commitments()
        .iter()
        .zip(scalars)
        .all(|(commitment, scalar)| {
            commitment
                .verify_share(&SecretShare::new(receiver, scalar))
                .is_ok()
        });
    Some(if on_polynomial {
        Judgement::Complainer
    } else {
        Judgement::Dealer(ComplaintReason::WrongShare)
    })
}

fn index(number: u16) -> Option<ShareIndex> {
    ShareIndex::try_from(u64::from(number)).ok()
}
