//! Making a plan, before guardians sign it.

use minicbor::bytes::{ByteArray, ByteVec};
use symbolon_duties::DutyKind;
use symbolon_protocol::roster::Roster;
use symbolon_protocol::{EnvelopeError, NetworkId, Signed};
use symbolon_threshold::GroupPublicKey;

use super::{Plan, PlanKind, Receiver};
use crate::arithmetic::GroupClass;
use crate::cosigned::Cosigned;
use crate::name::{GroupEpoch, GroupLabel};
use crate::offer::Offer;

/// What people decide about a new group; the rest of its plan follows from roster and offers.
#[derive(Debug, Clone)]
pub struct PlanDraft {
    /// The group.
    pub group: GroupLabel,
    /// Hot or cold.
    pub class: GroupClass,
    /// t.
    pub threshold: u16,
    /// Advice to people (unix seconds).
    pub not_after: Option<u64>,
    /// Kinds of duty that the keys may sign; empty for all of their class.
    pub duties: Vec<DutyKind>,
}

impl PlanDraft {
    /// The plan of a DKG of `keys` keys in which every member that made an offer deals and gets
    /// shares. `nonce` is random.
    ///
    /// The result is not checked: [`super::VerifiedPlan::verify`] does that once it is signed.
    ///
    /// # Errors
    ///
    /// An offer that does not parse.
    pub fn dkg(
        self,
        network: NetworkId,
        roster: &Roster,
        nonce: [u8; 32],
        keys: u16,
        offers: &[Vec<u8>],
    ) -> Result<Cosigned<Plan>, EnvelopeError> {
        let mut plan = self.plan(network, roster, nonce, offers)?;
        plan.keys = keys;
        plan.dealers = plan
            .receivers
            .iter()
            .map(|receiver| receiver.member)
            .collect();
        Ok(Cosigned::new(network, plan))
    }

    /// The plan of an import of existing keys by the operator `dealer`. `nonce` is random.
    ///
    /// The result is not checked: [`super::VerifiedPlan::verify`] does that once it is signed.
    ///
    /// # Errors
    ///
    /// An offer that does not parse.
    pub fn import(
        self,
        network: NetworkId,
        roster: &Roster,
        nonce: [u8; 32],
        dealer: &str,
        keys: &[GroupPublicKey],
        offers: &[Vec<u8>],
    ) -> Result<Cosigned<Plan>, EnvelopeError> {
        let mut plan = self.plan(network, roster, nonce, offers)?;
        plan.kind = PlanKind::Import;
        plan.keys = u16::try_from(keys.len()).unwrap_or(u16::MAX);
        plan.import_dealer = Some(dealer.to_owned());
        let bytes: Vec<u8> = keys
            .iter()
            .flat_map(GroupPublicKey::to_compressed)
            .collect();
        plan.imported_keys = Some(bytes.into());
        Ok(Cosigned::new(network, plan))
    }

    fn plan(
        self,
        network: NetworkId,
        roster: &Roster,
        nonce: [u8; 32],
        offers: &[Vec<u8>],
    ) -> Result<Plan, EnvelopeError> {
        let mut receivers = offers
            .iter()
            .map(|bytes| {
                let signed = Signed::<Offer>::from_bytes(network, bytes)?;
                let offer = signed.unverified().value();
                let offered = ByteVec::from(bytes.clone());
                Ok(Receiver {
                    member: offer.member,
                    key: offer.key,
                    offer: offered,
                })
            })
            .collect::<Result<Vec<_>, EnvelopeError>>()?;
        receivers.sort_by_key(|receiver| receiver.member);
        let mut duties: Vec<u8> = self.duties.iter().map(|kind| kind.code()).collect();
        duties.sort_unstable();
        Ok(Plan {
            cluster: roster.cluster,
            roster: ByteArray::from(roster.hash(network)),
            nonce: ByteArray::from(nonce),
            kind: PlanKind::Dkg,
            group: self.group,
            class: self.class,
            keys: 0,
            threshold: self.threshold,
            receivers,
            dealers: Vec::new(),
            import_dealer: None,
            imported_keys: None,
            group_epoch: GroupEpoch::FIRST,
            not_after: self.not_after,
            duties: duties.into(),
        })
    }
}
