//! Making a deal: the same plan and seed give the same bytes.

use minicbor::bytes::{ByteArray, ByteVec};
use symbolon_protocol::{Unsigned, Verified};
use symbolon_threshold::{
    Polynomial, PolynomialError, ProofOfPossession, ScalarError, SecretScalar, ShareIndex,
};
use zeroize::Zeroizing;

use crate::complaint::{Complaint, Opening};
use crate::deal::{Deal, DealerId, POINT, PROOF, SCALAR};
use crate::derive::{Seed, SeedError, possession_message};
use crate::encrypted_shares::{Leg, encrypt};
use crate::plan::VerifiedPlan;

/// Why no deal can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DealerError {
    /// The plan does not name this dealer.
    #[error("{0} does not deal in this plan")]
    NotADealer(DealerId),
    /// The seed is unusable.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The seed gives an unusable polynomial.
    #[error(transparent)]
    Polynomial(#[from] PolynomialError),
    /// An imported key is no secret key.
    #[error("imported key {key} is not usable")]
    Key {
        /// Which, counted from 0.
        key: usize,
        /// What is wrong with it.
        #[source]
        cause: ScalarError,
    },
    /// Not the keys of the plan.
    #[error("imported key {key} is missing or is not the one that the plan names")]
    OtherKey {
        /// Which, counted from 0.
        key: usize,
    },
    /// The cipher refused, which it does for no input of this size.
    #[error("the shares of member {0} could not be encrypted")]
    Cipher(u16),
}

/// The deal of a member in a DKG.
///
/// # Errors
///
/// [`DealerError`]; all but the first have negligible probability.
pub fn deal(
    plan: &VerifiedPlan,
    dealer: DealerId,
    seed: &Seed,
) -> Result<Unsigned<Deal>, DealerError> {
    if !plan.born_in_ceremony() || plan.dealer(dealer).is_none() {
        return Err(DealerError::NotADealer(dealer));
    }
    make(plan, dealer, seed, |key| {
        Polynomial::from_source(plan.threshold(), |degree, wide| {
            coefficient(plan, seed, key, degree, wide);
        })
        .map_err(DealerError::from)
    })
}

/// The deal of an import: splits whole keys, which are wiped, in the order of the plan.
///
/// # Errors
///
/// [`DealerError`] when a key is not the one of the plan.
pub fn deal_import(
    plan: &VerifiedPlan,
    seed: &Seed,
    keys: Vec<SecretScalar>,
) -> Result<Unsigned<Deal>, DealerError> {
    let Some(expected) = plan.imported() else {
        return Err(DealerError::NotADealer(DealerId::Import));
    };
    let mut keys = keys.into_iter();
    let deal = make(plan, DealerId::Import, seed, |key| {
        let at = usize::try_from(key).unwrap_or(usize::MAX);
        let (secret, public) = keys
            .next()
            .zip(expected.get(at))
            .filter(|(secret, public)| secret.public_point() == *public.point())
            .ok_or(DealerError::OtherKey { key: at })?;
        let _ = public;
        Polynomial::with_constant(&secret, plan.threshold(), |degree, wide| {
            coefficient(plan, seed, key, degree, wide);
        })
        .map_err(DealerError::from)
    })?;
    if keys.next().is_some() {
        return Err(DealerError::OtherKey { key: plan.keys() });
    }
    Ok(deal)
}

/// The answer to a complaint of `receiver`: the ephemeral secret of its one envelope, to be signed
/// by the dealer and shown to anybody.
///
/// Only ever for a ceremony that is dead, and only with a complaint that
/// [`verify_complaint`](crate::verify_complaint) accepted: the opening shows what the receiver got.
///
/// # Errors
///
/// [`DealerError`].
pub fn opening(
    plan: &VerifiedPlan,
    dealer: DealerId,
    seed: &Seed,
    complaint: &Verified<Complaint>,
) -> Result<Unsigned<Opening>, DealerError> {
    let foreign = DealerError::NotADealer(DealerId::from_number(complaint.dealer));
    let receiver = ShareIndex::try_from(u64::from(complaint.member)).map_err(|_| foreign)?;
    if complaint.dealer != dealer.number() || plan.receiver(receiver).is_none() {
        return Err(foreign);
    }
    let secret = seed.ephemeral(plan.id(), receiver)?;
    let opening = Opening {
        ceremony: plan.id(),
        dealer: dealer.number(),
        receiver: receiver.get(),
        deal: complaint.deal,
        ephemeral: ByteArray::from(<[u8; 32]>::from(secret.to_bytes())),
    };
    Ok(Unsigned::new(plan.network(), opening))
}

fn coefficient(plan: &VerifiedPlan, seed: &Seed, key: u32, degree: usize, wide: &mut [u8; 48]) {
    // t is at most 64.
    let degree = u16::try_from(degree).unwrap_or(u16::MAX);
    seed.coefficient(plan.id(), key, degree, wide);
}

fn make(
    plan: &VerifiedPlan,
    dealer: DealerId,
    seed: &Seed,
    mut polynomial: impl FnMut(u32) -> Result<Polynomial, DealerError>,
) -> Result<Unsigned<Deal>, DealerError> {
    let size = plan.size();
    let mut commitments = Vec::with_capacity(size.keys * size.threshold * POINT);
    let mut proofs = Vec::with_capacity(size.keys * PROOF);
    let mut shares: Vec<Zeroizing<Vec<u8>>> = Vec::with_capacity(size.receivers);
    // With room for the tag, so that no buffer with shares is moved and left behind.
    shares.resize_with(size.receivers, || {
        Zeroizing::new(Vec::with_capacity(
            size.keys * SCALAR + crate::deal::GCM_TAG,
        ))
    });
    for key in 0..u32::from(plan.plan().keys) {
        let polynomial = polynomial(key)?;
        let commitment = polynomial.commitment();
        for point in commitment.points() {
            commitments.extend_from_slice(&point.to_compressed());
        }
        let message = possession_message(plan.id(), dealer, key, commitment.constant());
        let proof = ProofOfPossession::prove(polynomial.constant(), &message);
        proofs.extend_from_slice(&proof.to_compressed());
        for (receiver, shares) in plan.receivers().iter().zip(&mut shares) {
            let share = polynomial.share(receiver.index)?;
            share
                .scalar()
                .expose(|bytes| shares.extend_from_slice(bytes));
        }
    }
    let mut envelopes = Vec::with_capacity(size.receivers);
    for (receiver, shares) in plan.receivers().iter().zip(shares) {
        let leg = Leg {
            ceremony: plan.id(),
            dealer,
            receiver: receiver.index,
        };
        let secret = seed.ephemeral(plan.id(), receiver.index)?;
        let envelope = encrypt(leg, &secret, &receiver.key, shares);
        envelopes.push(envelope.ok_or(DealerError::Cipher(receiver.index.get()))?);
    }
    let deal = Deal {
        ceremony: plan.id(),
        dealer: dealer.number(),
        commitments: ByteVec::from(commitments),
        proofs: ByteVec::from(proofs),
        envelopes,
    };
    Ok(Unsigned::new(plan.network(), deal))
}
