//! The rules that a plan must keep, before any member looks at its own state.

use std::collections::BTreeMap;
use std::collections::HashSet;

use symbolon_duties::DutyKind;
use symbolon_protocol::roster::{ClientKind, Roster};
use symbolon_protocol::{IdentityPublic, NetworkId, Signed, Unsigned};
use symbolon_threshold::{GroupPublicKey, ShareIndex, Threshold};

use super::{MAX_DEALS_BYTES, MAX_KEYS, MAX_RECEIVERS, Plan, PlanError, PlanKind, PlanSize};
use crate::arithmetic::Arithmetic;
use crate::cosigned::Cosigned;
use crate::deal::{DealerId, POINT, max_deal_bytes};
use crate::encryption_key::EncryptionKey;
use crate::name::CeremonyId;
use crate::offer::Offer;

/// A plan that keeps every rule, with what the roster says of its parties.
#[derive(Debug, Clone)]
pub struct VerifiedPlan {
    cosigned: Cosigned<Plan>,
    id: CeremonyId,
    threshold: Threshold,
    arithmetic: Arithmetic,
    receivers: Vec<PlannedReceiver>,
    dealers: Vec<PlannedDealer>,
    duties: Vec<DutyKind>,
    imported: Option<Vec<GroupPublicKey>>,
}

/// A receiver as plan and roster name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedReceiver {
    /// Share index.
    pub index: ShareIndex,
    /// Name for people.
    pub name: String,
    /// Identity key.
    pub identity: IdentityPublic,
    /// Encryption key of this ceremony.
    pub key: EncryptionKey,
}

/// A dealer as plan and roster name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedDealer {
    /// Which dealer.
    pub id: DealerId,
    /// Name for people.
    pub name: String,
    /// Identity key.
    pub identity: IdentityPublic,
}

impl VerifiedPlan {
    /// Parses a cosigned plan and checks it against the roster that it names.
    ///
    /// # Errors
    ///
    /// [`PlanError`], the first rule broken: form, roster, cluster, guardian quorum, counts,
    /// receivers, offers, policy, dealers, epoch, duties, size.
    pub fn verify(network: NetworkId, roster: &Roster, bytes: &[u8]) -> Result<Self, PlanError> {
        let cosigned = Cosigned::<Plan>::from_bytes(network, bytes)?;
        let plan = cosigned.unverified().value();
        let in_force = roster.hash(network);
        if *plan.roster != in_force {
            let (expected, got) = (hex::encode(in_force), hex::encode(*plan.roster));
            return Err(PlanError::Roster { expected, got });
        }
        if plan.cluster != roster.cluster {
            return Err(PlanError::Cluster);
        }
        cosigned.check_quorum(roster)?;
        if !(1..=MAX_KEYS).contains(&usize::from(plan.keys)) {
            return Err(PlanError::Keys { got: plan.keys });
        }
        let receivers = receivers(network, roster, plan)?;
        let n = u64::try_from(receivers.len()).unwrap_or(u64::MAX);
        let threshold = Threshold::new(plan.threshold.into(), n)
            .map_err(crate::arithmetic::PolicyError::from)?;
        let arithmetic = Arithmetic::new(plan.class, threshold, online(roster, &receivers))?;
        let dealers = dealers(roster, plan, &receivers)?;
        let imported = imported(plan)?;
        if plan.group_epoch != crate::name::GroupEpoch::FIRST {
            return Err(PlanError::GroupEpoch {
                got: plan.group_epoch,
            });
        }
        let duties = duties(plan)?;
        let id = CeremonyId(cosigned.unverified().digest());
        let plan = Self {
            cosigned,
            id,
            threshold,
            arithmetic,
            receivers,
            dealers,
            duties,
            imported,
        };
        let got = max_deal_bytes(plan.size()).saturating_mul(plan.dealers.len());
        if got > MAX_DEALS_BYTES {
            return Err(PlanError::TooLarge { got });
        }
        Ok(plan)
    }

    /// The ceremony's name, and the name of the group that it makes.
    #[must_use]
    pub const fn id(&self) -> CeremonyId {
        self.id
    }

    /// The terms.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        self.cosigned.unverified().value()
    }

    /// The message without its signatures.
    #[must_use]
    pub const fn unsigned(&self) -> &Unsigned<Plan> {
        self.cosigned.unverified()
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.cosigned.unverified().network()
    }

    /// The cosigned bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.cosigned.to_bytes()
    }

    /// t of n.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// What t of n means here, with the warnings that people should read.
    #[must_use]
    pub const fn arithmetic(&self) -> &Arithmetic {
        &self.arithmetic
    }

    /// Who gets shares, by rising index.
    #[must_use]
    pub fn receivers(&self) -> &[PlannedReceiver] {
        &self.receivers
    }

    /// The receiver of this index, with its place in the plan.
    #[must_use]
    pub fn receiver(&self, index: ShareIndex) -> Option<(usize, &PlannedReceiver)> {
        self.receivers
            .iter()
            .enumerate()
            .find(|(_, receiver)| receiver.index == index)
    }

    /// Share indices of the receivers, rising.
    #[must_use]
    pub fn indices(&self) -> Vec<ShareIndex> {
        self.receivers
            .iter()
            .map(|receiver| receiver.index)
            .collect()
    }

    /// Who deals, in the order of the transcript.
    #[must_use]
    pub fn dealers(&self) -> &[PlannedDealer] {
        &self.dealers
    }

    /// The dealer of this number, with its place in the plan.
    #[must_use]
    pub fn dealer(&self, id: DealerId) -> Option<(usize, &PlannedDealer)> {
        self.dealers
            .iter()
            .enumerate()
            .find(|(_, dealer)| dealer.id == id)
    }

    /// Kinds of duty that the keys may sign; empty for all of their class.
    #[must_use]
    pub fn duties(&self) -> &[DutyKind] {
        &self.duties
    }

    /// The public keys of an import.
    #[must_use]
    pub fn imported(&self) -> Option<&[GroupPublicKey]> {
        self.imported.as_deref()
    }

    /// Whether nobody ever holds the keys whole.
    #[must_use]
    pub fn born_in_ceremony(&self) -> bool {
        self.plan().kind != PlanKind::Import
    }

    /// Number of keys.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.plan().keys.into()
    }

    /// How much is made.
    #[must_use]
    pub fn size(&self) -> PlanSize {
        PlanSize {
            keys: self.keys(),
            threshold: self.threshold.t(),
            receivers: self.receivers.len(),
            dealers: self.dealers.len(),
        }
    }
}

fn receivers(
    network: NetworkId,
    roster: &Roster,
    plan: &Plan,
) -> Result<Vec<PlannedReceiver>, PlanError> {
    let got = plan.receivers.len();
    if !(2..=MAX_RECEIVERS).contains(&got) {
        return Err(PlanError::Receivers { got });
    }
    let mut planned: Vec<PlannedReceiver> = Vec::with_capacity(got);
    let mut keys: BTreeMap<EncryptionKey, u16> = BTreeMap::new();
    for receiver in &plan.receivers {
        let index =
            ShareIndex::try_from(u64::from(receiver.member)).map_err(|_| PlanError::IndexZero)?;
        if planned.last().is_some_and(|before| before.index >= index) {
            return Err(PlanError::Order { index: index.get() });
        }
        let member = roster
            .member(index.get())
            .ok_or(PlanError::UnknownMember { index: index.get() })?;
        let key = offered(network, plan, receiver, &member.identity)?;
        if let Some(first) = keys.insert(key, index.get()) {
            return Err(PlanError::SharedKey {
                first,
                second: index.get(),
            });
        }
        let (name, identity) = (member.name.clone(), member.identity);
        planned.push(PlannedReceiver {
            index,
            name,
            identity,
            key,
        });
    }
    Ok(planned)
}

/// The key that a receiver offered for exactly this, signed by its identity key.
fn offered(
    network: NetworkId,
    plan: &Plan,
    receiver: &super::Receiver,
    identity: &IdentityPublic,
) -> Result<EncryptionKey, PlanError> {
    let index = receiver.member;
    let broken = |cause| PlanError::Offer { index, cause };
    let signed = Signed::<Offer>::from_bytes(network, &receiver.offer).map_err(broken)?;
    let offer = signed
        .verify(identity, &format!("member {index}"))
        .map_err(broken)?;
    for (differs, what) in [
        (offer.cluster != plan.cluster, "cluster"),
        (offer.member != index, "member"),
        (offer.group != plan.group, "group"),
        (offer.group_epoch != plan.group_epoch, "group epoch"),
    ] {
        if differs {
            return Err(PlanError::OfferFor { index, what });
        }
    }
    if offer.key != receiver.key {
        return Err(PlanError::SwappedKey { index });
    }
    Ok(offer.key)
}

fn online(roster: &Roster, receivers: &[PlannedReceiver]) -> usize {
    let is_online = |receiver: &&PlannedReceiver| {
        roster
            .member(receiver.index.get())
            .is_some_and(|member| member.is_online())
    };
    receivers.iter().filter(is_online).count()
}

fn dealers(
    roster: &Roster,
    plan: &Plan,
    receivers: &[PlannedReceiver],
) -> Result<Vec<PlannedDealer>, PlanError> {
    match (plan.kind, &plan.import_dealer) {
        (PlanKind::Dkg, Some(_)) => Err(PlanError::Dealers("only an import has an import dealer")),
        (PlanKind::Dkg, None) => {
            if !plan
                .dealers
                .iter()
                .eq(plan.receivers.iter().map(|receiver| &receiver.member))
            {
                return Err(PlanError::Dealers(
                    "in a DKG every receiver deals, and nobody else",
                ));
            }
            let dealer = |receiver: &PlannedReceiver| PlannedDealer {
                id: DealerId::Member(receiver.index),
                name: receiver.name.clone(),
                identity: receiver.identity,
            };
            Ok(receivers.iter().map(dealer).collect())
        }
        (PlanKind::Import, None) => Err(PlanError::Dealers("an import names who deals")),
        (PlanKind::Import, Some(name)) => {
            if !plan.dealers.is_empty() {
                return Err(PlanError::Dealers("in an import no member deals"));
            }
            let client = roster
                .client(name)
                .filter(|client| client.kind == ClientKind::Operator)
                .ok_or_else(|| PlanError::ImportDealer(name.chars().take(64).collect()))?;
            let (name, identity) = (client.name.clone(), client.identity);
            Ok(vec![PlannedDealer {
                id: DealerId::Import,
                name,
                identity,
            }])
        }
    }
}

fn imported(plan: &Plan) -> Result<Option<Vec<GroupPublicKey>>, PlanError> {
    let keys = plan.keys;
    let bytes = match (plan.kind, &plan.imported_keys) {
        (PlanKind::Dkg, None) => return Ok(None),
        (PlanKind::Import, Some(bytes)) if bytes.len() == usize::from(keys) * POINT => bytes,
        (PlanKind::Dkg | PlanKind::Import, _) => return Err(PlanError::ImportedKeys { keys }),
    };
    let (points, _) = bytes.as_chunks::<POINT>();
    let mut seen = HashSet::new();
    let mut imported = Vec::with_capacity(points.len());
    for (key, point) in points.iter().enumerate() {
        if !seen.insert(point) {
            return Err(PlanError::ImportedTwice { key });
        }
        let public = GroupPublicKey::from_compressed(point);
        imported.push(public.map_err(|cause| PlanError::ImportedKey { key, cause })?);
    }
    Ok(Some(imported))
}

fn duties(plan: &Plan) -> Result<Vec<DutyKind>, PlanError> {
    if plan.class == crate::arithmetic::GroupClass::Cold && !plan.duties.is_empty() {
        return Err(PlanError::ColdDuties);
    }
    if !plan.duties.is_sorted_by(|a, b| a < b) {
        return Err(PlanError::Duties);
    }
    let kinds = plan.duties.iter().map(|code| DutyKind::from_code(*code));
    kinds.collect::<Option<_>>().ok_or(PlanError::Duties)
}
