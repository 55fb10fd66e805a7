//! What anybody can check of the deals of a ceremony, in the order of the specification: sizes,
//! canonical form, ceremony, set of dealers, signatures, counts, commitments, imported keys, proofs
//! of possession, repeated constants, ephemeral keys. Up to the set of dealers, deals are looked at
//! in the order given, then in the order of the plan; each check is made of all deals before the
//! next, except that imported keys are compared as the commitments of their deal are decoded.

use std::collections::HashSet;

use symbolon_protocol::{IdentitySignature, Signed};
use symbolon_threshold::{
    Commitment, G1Point, PossessionClaim, ProofOfPossession, ShareIndex, verify_proofs,
};

use crate::deal::{Deal, DealerId, GCM_TAG, POINT, PROOF, SCALAR, max_deal_bytes};
use crate::derive::{batch_seed, possession_message};
use crate::encrypted_shares::Leg;
use crate::encryption_key::EncryptionKey;
use crate::fault::{DealError, DealFault};
use crate::name::DealHash;
use crate::plan::{PlannedDealer, VerifiedPlan};

/// A complete set of deals in which everything public is right.
pub struct CheckedDeals {
    deals: Vec<CheckedDeal>,
}

/// One deal in which everything public is right.
pub struct CheckedDeal {
    dealer: DealerId,
    hash: DealHash,
    signed: Signed<Deal>,
    commitments: Vec<Commitment>,
    ephemerals: Vec<EncryptionKey>,
}

impl CheckedDeals {
    /// Checks a set of deals, given in any order. `fresh` is 32 fresh random bytes for the batch
    /// check of the proofs.
    ///
    /// # Errors
    ///
    /// [`DealError`], the first fault found, with the dealer and whether the bytes prove it.
    pub fn check(
        plan: &VerifiedPlan,
        deals: &[Vec<u8>],
        fresh: &[u8; 32],
    ) -> Result<Self, DealError> {
        let mut deals = SignedDeals::parse(plan, deals)?.decode(plan)?;
        deals.check_proofs(plan, fresh)?;
        deals.check_constants()?;
        deals.decode_ephemerals(plan)?;
        Ok(Self { deals: deals.0 })
    }

    /// What the check would accept if it left the proofs out: for the test of why it must not.
    #[cfg(test)]
    pub(crate) fn without_proofs(decoded: DecodedDeals) -> Self {
        Self { deals: decoded.0 }
    }

    /// The deals, in the order of the plan.
    #[must_use]
    pub fn deals(&self) -> &[CheckedDeal] {
        &self.deals
    }

    /// Their hashes, in the order of the plan.
    #[must_use]
    pub fn hashes(&self) -> Vec<DealHash> {
        self.deals.iter().map(|deal| deal.hash).collect()
    }
}

impl CheckedDeal {
    /// Checks one deal alone, whose signature is not looked at: for the judge.
    pub(crate) fn check(
        plan: &VerifiedPlan,
        dealer: DealerId,
        signed: &Signed<Deal>,
        fresh: &[u8; 32],
    ) -> Result<Self, DealError> {
        check_counts(plan, dealer, signed.unverified().value())?;
        let mut one = DecodedDeals(vec![decode(plan, dealer, signed.clone())?]);
        one.check_proofs(plan, fresh)?;
        one.check_constants()?;
        one.decode_ephemerals(plan)?;
        one.0
            .pop()
            .ok_or(DealError::suspected(Some(dealer), DealFault::Missing))
    }

    /// Who dealt.
    #[must_use]
    pub const fn dealer(&self) -> DealerId {
        self.dealer
    }

    /// The hash of the body.
    #[must_use]
    pub const fn hash(&self) -> DealHash {
        self.hash
    }

    /// The deal as it was signed.
    #[must_use]
    pub const fn signed(&self) -> &Signed<Deal> {
        &self.signed
    }

    /// One commitment a key.
    #[must_use]
    pub fn commitments(&self) -> &[Commitment] {
        &self.commitments
    }

    /// The ephemeral key for a receiver.
    #[must_use]
    pub fn ephemeral(&self, plan: &VerifiedPlan, receiver: ShareIndex) -> Option<&EncryptionKey> {
        self.ephemerals.get(plan.receiver(receiver)?.0)
    }

    pub(crate) fn envelope(
        &self,
        plan: &VerifiedPlan,
        receiver: ShareIndex,
    ) -> Option<(Leg, &crate::deal::EncryptedShares)> {
        let envelopes = &self.signed.unverified().value().envelopes;
        let envelope = envelopes.get(plan.receiver(receiver)?.0)?;
        Some((
            Leg {
                ceremony: plan.id(),
                dealer: self.dealer,
                receiver,
            },
            envelope,
        ))
    }
}

/// The plan's deals, each signed by its dealer, in the order of the plan.
pub(crate) struct SignedDeals(Vec<(DealerId, Signed<Deal>)>);

impl SignedDeals {
    pub(crate) fn parse(plan: &VerifiedPlan, deals: &[Vec<u8>]) -> Result<Self, DealError> {
        check_sizes(plan, deals)?;
        let mut parsed = Vec::with_capacity(deals.len());
        for (position, bytes) in deals.iter().enumerate() {
            let signed = Signed::<Deal>::from_bytes(plan.network(), bytes)
                .map_err(|cause| DealError::suspected(None, DealFault::Form { position, cause }))?;
            parsed.push(signed);
        }
        for signed in &parsed {
            let deal = signed.unverified().value();
            if deal.ceremony != plan.id() {
                let dealer = Some(DealerId::from_number(deal.dealer));
                return Err(DealError::suspected(dealer, DealFault::OtherCeremony));
            }
        }
        let ordered = order(plan, parsed)?;
        for (dealer, signed) in &ordered {
            if !is_signed_by(signed, dealer) {
                return Err(DealError::suspected(Some(dealer.id), DealFault::Signature));
            }
        }
        let deals: Vec<_> = ordered
            .into_iter()
            .map(|(dealer, signed)| (dealer.id, signed))
            .collect();
        for (dealer, signed) in &deals {
            check_counts(plan, *dealer, signed.unverified().value())?;
        }
        Ok(Self(deals))
    }

    pub(crate) fn decode(self, plan: &VerifiedPlan) -> Result<DecodedDeals, DealError> {
        let decoded = self
            .0
            .into_iter()
            .map(|(dealer, signed)| decode(plan, dealer, signed));
        decoded.collect::<Result<_, _>>().map(DecodedDeals)
    }
}

/// Deals whose points are points.
pub(crate) struct DecodedDeals(pub(crate) Vec<CheckedDeal>);

impl DecodedDeals {
    /// The check that stops a dealer who answers the others' deals with a key that it does not
    /// know (the rogue key and interpolation attacks).
    pub(crate) fn check_proofs(
        &self,
        plan: &VerifiedPlan,
        fresh: &[u8; 32],
    ) -> Result<(), DealError> {
        let mut subjects = Vec::new();
        for deal in &self.0 {
            let (proofs, _) = deal.signed.unverified().value().proofs.as_chunks::<PROOF>();
            for ((key, commitment), proof) in deal.commitments.iter().enumerate().zip(proofs) {
                let proof = ProofOfPossession::from_compressed(proof).map_err(|cause| {
                    DealError::proved(deal.dealer, DealFault::ProofPoint { key, cause })
                })?;
                let number = u32::try_from(key).unwrap_or(u32::MAX);
                let point = commitment.constant();
                let message = possession_message(plan.id(), deal.dealer, number, point);
                subjects.push((deal.dealer, key, point, message, proof));
            }
        }
        let claims: Vec<_> = subjects
            .iter()
            .map(|(_, _, point, message, proof)| PossessionClaim {
                point,
                message,
                proof,
            })
            .collect();
        let hashes: Vec<_> = self.0.iter().map(|deal| deal.hash).collect();
        verify_proofs(&claims, batch_seed(fresh, &hashes)).map_err(|failed| {
            let first = failed
                .bad
                .first()
                .and_then(|position| subjects.get(*position));
            match first {
                Some((dealer, key, ..)) => {
                    DealError::proved(*dealer, DealFault::Proof { key: *key })
                }
                None => DealError::suspected(None, DealFault::Proof { key: 0 }),
            }
        })
    }

    /// No constant occurs twice: a copied one is the trace of an attack on the others' secrets.
    pub(crate) fn check_constants(&self) -> Result<(), DealError> {
        let mut seen: HashSet<&G1Point> = HashSet::new();
        for deal in &self.0 {
            for (key, commitment) in deal.commitments.iter().enumerate() {
                if !seen.insert(commitment.constant()) {
                    let fault = DealFault::Repeated { key };
                    return Err(DealError::suspected(Some(deal.dealer), fault));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn decode_ephemerals(&mut self, plan: &VerifiedPlan) -> Result<(), DealError> {
        for deal in &mut self.0 {
            let envelopes = &deal.signed.unverified().value().envelopes;
            let mut ephemerals = Vec::with_capacity(envelopes.len());
            for (envelope, receiver) in envelopes.iter().zip(plan.receivers()) {
                let point = EncryptionKey::from_sec1(envelope.ephemeral.as_slice())
                    .ok()
                    .filter(|point| *point.compressed() == *envelope.ephemeral)
                    .ok_or_else(|| {
                        let receiver = receiver.index.get();
                        DealError::proved(deal.dealer, DealFault::Ephemeral { receiver })
                    })?;
                ephemerals.push(point);
            }
            deal.ephemerals = ephemerals;
        }
        Ok(())
    }
}

fn check_sizes(plan: &VerifiedPlan, deals: &[Vec<u8>]) -> Result<(), DealError> {
    let (expected, got) = (plan.dealers().len(), deals.len());
    if got > expected {
        return Err(DealError::suspected(
            None,
            DealFault::Count { expected, got },
        ));
    }
    let max = max_deal_bytes(plan.size());
    for (position, bytes) in deals.iter().enumerate() {
        let got = bytes.len();
        if got > max {
            let fault = DealFault::TooLarge { position, got, max };
            return Err(DealError::suspected(None, fault));
        }
    }
    Ok(())
}

/// Exactly the plan's dealers, once each, in the plan's order.
fn order(
    plan: &VerifiedPlan,
    deals: Vec<Signed<Deal>>,
) -> Result<Vec<(&PlannedDealer, Signed<Deal>)>, DealError> {
    let mut places: Vec<Option<Signed<Deal>>> = Vec::new();
    places.resize_with(plan.dealers().len(), || None);
    for signed in deals {
        let id = DealerId::from_number(signed.unverified().value().dealer);
        let unknown = || DealError::suspected(Some(id), DealFault::NotADealer);
        let (place, _) = plan.dealer(id).ok_or_else(unknown)?;
        let place = places.get_mut(place).ok_or_else(unknown)?;
        if place.replace(signed).is_some() {
            return Err(DealError::suspected(Some(id), DealFault::Doubled));
        }
    }
    let ordered = plan.dealers().iter().zip(places).map(|(dealer, signed)| {
        let missing = DealError::suspected(Some(dealer.id), DealFault::Missing);
        Ok((dealer, signed.ok_or(missing)?))
    });
    ordered.collect()
}

pub(crate) fn is_signed_by(signed: &Signed<Deal>, dealer: &PlannedDealer) -> bool {
    let signature = IdentitySignature(*signed.signature());
    signed
        .unverified()
        .is_signed_by(&dealer.identity, &signature)
}

fn check_counts(plan: &VerifiedPlan, dealer: DealerId, deal: &Deal) -> Result<(), DealError> {
    let size = plan.size();
    let expected = size.keys * size.threshold;
    if deal.commitment_count() != Some(expected) {
        let got = deal.commitments.len();
        return Err(DealError::proved(
            dealer,
            DealFault::Commitments { expected, got },
        ));
    }
    let expected = size.keys;
    if deal.proof_count() != Some(expected) {
        let got = deal.proofs.len();
        return Err(DealError::proved(
            dealer,
            DealFault::Proofs { expected, got },
        ));
    }
    let ciphertext = size.keys * SCALAR + GCM_TAG;
    let fits = |position: usize| {
        let envelope = deal.envelopes.get(position);
        let receiver = plan.receivers().get(position);
        envelope.zip(receiver).is_some_and(|(envelope, receiver)| {
            envelope.receiver == receiver.index.get() && envelope.ciphertext.len() == ciphertext
        })
    };
    let count = deal.envelopes.len().max(size.receivers);
    match (0..count).find(|position| !fits(*position)) {
        Some(position) => Err(DealError::proved(dealer, DealFault::Envelopes { position })),
        None => Ok(()),
    }
}

fn decode(
    plan: &VerifiedPlan,
    dealer: DealerId,
    signed: Signed<Deal>,
) -> Result<CheckedDeal, DealError> {
    let deal = signed.unverified().value();
    let t = plan.threshold().t();
    let (points, _) = deal.commitments.as_chunks::<POINT>();
    let mut commitments = Vec::with_capacity(plan.keys());
    for (key, points) in points.chunks_exact(t).enumerate() {
        let mut decoded = Vec::with_capacity(t);
        for (degree, point) in points.iter().enumerate() {
            decoded.push(G1Point::from_compressed(point).map_err(|cause| {
                DealError::proved(dealer, DealFault::Point { key, degree, cause })
            })?);
        }
        // Exactly t points by construction.
        let commitment = Commitment::new(decoded, plan.threshold()).map_err(|_| {
            let (expected, got) = (t, deal.commitments.len());
            DealError::proved(dealer, DealFault::Commitments { expected, got })
        })?;
        let imported = plan.imported().and_then(|keys| keys.get(key));
        if imported.is_some_and(|expected| expected.point() != commitment.constant()) {
            return Err(DealError::proved(dealer, DealFault::OtherKey { key }));
        }
        commitments.push(commitment);
    }
    let hash = DealHash(signed.unverified().digest());
    Ok(CheckedDeal {
        dealer,
        hash,
        signed,
        commitments,
        ephemerals: Vec::new(),
    })
}
