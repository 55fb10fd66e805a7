//! What the deals make: keys, public shares, transcript; and one receiver's shares.

use std::collections::HashSet;

use symbolon_secmem::Locked;
use symbolon_threshold::{
    Commitment, CommitmentError, GroupPublicKey, PublicShare, SecretScalar, SecretShare,
    ShareIndex, verify_shares,
};

use crate::complaint::ComplaintReason;
use crate::deal::DealerId;
use crate::derive::{batch_seed, transcript};
use crate::encrypted_shares::decrypt;
use crate::fault::{DealError, DealFault};
use crate::inspection::CheckedDeals;
use crate::name::{DealHash, TranscriptHash};
use crate::plan::VerifiedPlan;

/// The public result of a ceremony, the same for everybody who saw the same deals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One group public key a key.
    pub group_keys: Vec<GroupPublicKey>,
    /// For each key, the public share of every receiver in the order of the plan.
    pub public_shares: Vec<Vec<PublicShare>>,
    /// The deals, in the order of the plan.
    pub deals: Vec<DealHash>,
    /// T.
    pub transcript: TranscriptHash,
}

impl Outcome {
    /// Computes the result.
    ///
    /// # Errors
    ///
    /// [`DealError`] when a key, a coefficient or a share cancels, or two keys are one; nobody can
    /// be blamed for it.
    pub fn of(plan: &VerifiedPlan, deals: &CheckedDeals) -> Result<Self, DealError> {
        let mut group_keys = Vec::with_capacity(plan.keys());
        let mut public_shares = Vec::with_capacity(plan.keys());
        let mut seen = HashSet::new();
        for key in 0..plan.keys() {
            let parts = deals
                .deals()
                .iter()
                .filter_map(|deal| deal.commitments().get(key));
            let joint = Commitment::sum(parts).map_err(|cause| cancelled(key, cause))?;
            let group_key = joint.group_public_key();
            if !seen.insert(group_key) {
                return Err(DealError::suspected(None, DealFault::RepeatedKey { key }));
            }
            let shares = plan
                .receivers()
                .iter()
                .map(|receiver| joint.public_share(receiver.index));
            let shares = shares.collect::<Result<Vec<_>, _>>();
            public_shares.push(shares.map_err(|cause| cancelled(key, cause))?);
            group_keys.push(group_key);
        }
        let deals = deals.hashes();
        let transcript = transcript(plan.id(), &deals, &group_keys, &public_shares);
        Ok(Self {
            group_keys,
            public_shares,
            deals,
            transcript,
        })
    }

    /// One receiver's public shares, one a key.
    pub(crate) fn shares_of<'a>(
        &'a self,
        plan: &VerifiedPlan,
        index: ShareIndex,
    ) -> impl Iterator<Item = &'a PublicShare> {
        let place = plan.receiver(index).map_or(usize::MAX, |(place, _)| place);
        self.public_shares
            .iter()
            .filter_map(move |shares| shares.get(place))
    }
}

fn cancelled(key: usize, cause: CommitmentError) -> DealError {
    let fault = match cause {
        CommitmentError::ZeroShare { .. } => DealFault::ZeroShare { key },
        CommitmentError::Cancelled { degree } => DealFault::Cancelled { key, degree },
        _ => DealFault::Cancelled { key, degree: 0 },
    };
    DealError::suspected(None, fault)
}

/// One receiver's envelopes, opened one by one.
pub(crate) struct Unsealed {
    receiver: ShareIndex,
    /// One share a key from each dealer so far, in the order of the plan.
    dealt: Vec<Vec<SecretShare>>,
}

impl Unsealed {
    pub(crate) const fn new(receiver: ShareIndex) -> Self {
        Self {
            receiver,
            dealt: Vec::new(),
        }
    }

    /// How many envelopes are open.
    pub(crate) const fn count(&self) -> usize {
        self.dealt.len()
    }

    /// Opens the next dealer's envelope with the ECDH value of the receiver's HSM.
    pub(crate) fn open_next(
        &mut self,
        plan: &VerifiedPlan,
        deals: &CheckedDeals,
        shared: &Locked<32>,
    ) -> Result<(), ComplaintReason> {
        let deal = deals.deals().get(self.dealt.len());
        let (leg, envelope) = deal
            .and_then(|deal| deal.envelope(plan, self.receiver))
            .ok_or(ComplaintReason::DoesNotOpen)?;
        let scalars = decrypt(leg, shared, envelope)?;
        let shares = scalars
            .into_iter()
            .map(|scalar| SecretShare::new(self.receiver, scalar));
        self.dealt.push(shares.collect());
        Ok(())
    }

    /// Checks every share against its commitment: the first dealer with a wrong one.
    pub(crate) fn wrong_dealer(&self, deals: &CheckedDeals, fresh: &[u8; 32]) -> Option<DealerId> {
        let mut owners = Vec::new();
        let mut pairs = Vec::new();
        for (deal, shares) in deals.deals().iter().zip(&self.dealt) {
            for pair in deal.commitments().iter().zip(shares) {
                owners.push(deal.dealer());
                pairs.push(pair);
            }
        }
        let failed = verify_shares(&pairs, batch_seed(fresh, &deals.hashes())).err()?;
        failed
            .bad
            .first()
            .and_then(|position| owners.get(*position))
            .copied()
    }

    /// The receiver's shares, one a key.
    pub(crate) fn shares(self, keys: usize) -> Result<Vec<SecretShare>, DealError> {
        (0..keys)
            .map(|key| {
                let parts = self.dealt.iter().filter_map(|shares| shares.get(key));
                SecretScalar::sum(parts.map(SecretShare::scalar))
                    .map(|scalar| SecretShare::new(self.receiver, scalar))
                    .map_err(|_| DealError::suspected(None, DealFault::ZeroShare { key }))
            })
            .collect()
    }
}
