//! What anybody needs to know of a group, verifiable with the roster alone.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_duties::DutyKind;
use symbolon_protocol::roster::{Roster, RosterChain};
use symbolon_protocol::{EnvelopeError, Message, NetworkId, Unsigned};
use symbolon_threshold::{
    G1Point, GroupPublicKey, PointError, PublicShare, Scale, ScaleError, ShareIndex, Threshold,
};

use crate::arithmetic::GroupClass;
use crate::certificate::{CertificateError, VerifiedCertificate};
use crate::cosigned::Cosigned;
use crate::deal::POINT;
use crate::derive::transcript;
use crate::name::{CeremonyId, DealHash, GroupEpoch, GroupLabel, TranscriptHash};
use crate::outcome::Outcome;
use crate::plan::{Plan, PlanError, PlannedReceiver, VerifiedPlan};

/// The public record of a finished ceremony. Its bytes are the body of an envelope without
/// signature: what is signed are the plan and the confirmations inside.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GroupDescriptor {
    /// The plan with the guardians' signatures.
    #[n(0)]
    plan: ByteVec,
    /// Hashes of the deals, in the order of the plan.
    #[n(1)]
    deals: Vec<DealHash>,
    /// Group public keys, 48 bytes each.
    #[n(2)]
    group_keys: ByteVec,
    /// For each key, the public share of every receiver: m * n * 48 bytes.
    #[n(3)]
    public_shares: ByteVec,
    /// The signed confirmations, in the order of the plan.
    #[n(4)]
    confirmations: Vec<ByteVec>,
}

impl Message for GroupDescriptor {
    const TAG: &'static str = "symbolon.group";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 4 * 1024 * 1024;
}

/// Why a descriptor is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// The bytes are no descriptor of this network.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The plan in it does not hold.
    #[error("the plan of the group does not hold: {0}")]
    Plan(#[from] PlanError),
    /// Made under a roster that is not in the chain.
    #[error("the group was made under roster {0}, which is not in the chain: update the roster")]
    UnknownRoster(String),
    /// Points are missing or too many.
    #[error("{got} bytes of {what}, expected {expected} points of 48 bytes")]
    Count {
        /// Which points.
        what: &'static str,
        /// Points of the plan.
        expected: usize,
        /// Bytes found.
        got: usize,
    },
    /// Something that is no point.
    #[error("{what} of key {key}: {cause}")]
    Point {
        /// Which point.
        what: &'static str,
        /// The key, from 0.
        key: usize,
        /// What is wrong.
        #[source]
        cause: PointError,
    },
    /// A confirmation does not hold.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// What is said here is not what the members confirmed.
    #[error("the keys, public shares or deals are not those that the members confirmed")]
    Transcript,
    /// The scale of the group cannot be computed.
    #[error(transparent)]
    Scale(#[from] ScaleError),
}

/// A group whose descriptor holds.
#[derive(Debug, Clone)]
pub struct Group {
    plan: VerifiedPlan,
    certificate: VerifiedCertificate,
    outcome: Outcome,
    scale: Scale,
}

impl GroupDescriptor {
    /// The descriptor of a finished ceremony.
    #[must_use]
    pub fn new(
        plan: &VerifiedPlan,
        outcome: &Outcome,
        certificate: &VerifiedCertificate,
    ) -> Unsigned<Self> {
        Self::draft(plan, outcome).complete(plan, certificate)
    }

    /// What is known before anybody has confirmed it.
    pub(crate) fn draft(plan: &VerifiedPlan, outcome: &Outcome) -> Self {
        let group_keys: Vec<u8> = outcome
            .group_keys
            .iter()
            .flat_map(GroupPublicKey::to_compressed)
            .collect();
        let shares = outcome.public_shares.iter().flatten();
        let shares: Vec<u8> = shares
            .flat_map(|share| share.point().to_compressed())
            .collect();
        Self {
            plan: plan.to_bytes().into(),
            deals: outcome.deals.clone(),
            group_keys: group_keys.into(),
            public_shares: shares.into(),
            confirmations: Vec::new(),
        }
    }

    /// Adds the confirmations.
    pub(crate) fn complete(
        mut self,
        plan: &VerifiedPlan,
        certificate: &VerifiedCertificate,
    ) -> Unsigned<Self> {
        let confirmations = certificate.confirmations().iter();
        self.confirmations = confirmations
            .map(|one| ByteVec::from(one.signed().to_bytes()))
            .collect();
        Unsigned::new(plan.network(), self)
    }

    /// Verifies a descriptor against the roster that it was made under, found in the chain.
    ///
    /// # Errors
    ///
    /// [`DescriptorError`], the first rule broken.
    pub fn verify(chain: &RosterChain, bytes: &[u8]) -> Result<Group, DescriptorError> {
        let network = chain.network();
        let unsigned = Unsigned::<Self>::from_body(network, bytes)?;
        let hash = roster_of(network, &unsigned.value().plan)?;
        let unknown = || DescriptorError::UnknownRoster(hex::encode(hash));
        let roster = chain.with_hash(&hash).ok_or_else(unknown)?;
        verified(network, &roster, unsigned.value())
    }

    /// Verifies a descriptor that was made under exactly this roster.
    ///
    /// # Errors
    ///
    /// [`DescriptorError`], the first rule broken.
    pub fn verify_under(
        network: NetworkId,
        roster: &Roster,
        bytes: &[u8],
    ) -> Result<Group, DescriptorError> {
        let unsigned = Unsigned::<Self>::from_body(network, bytes)?;
        verified(network, roster, unsigned.value())
    }
}

/// The roster that a cosigned plan names.
pub(crate) fn roster_of(network: NetworkId, plan: &[u8]) -> Result<[u8; 32], PlanError> {
    let plan = Cosigned::<Plan>::from_bytes(network, plan)?;
    Ok(*plan.unverified().value().roster)
}

pub(crate) fn verified(
    network: NetworkId,
    roster: &Roster,
    descriptor: &GroupDescriptor,
) -> Result<Group, DescriptorError> {
    let plan = VerifiedPlan::verify(network, roster, &descriptor.plan)?;
    let parts = descriptor
        .confirmations
        .iter()
        .map(|bytes| bytes.as_slice());
    let certificate = VerifiedCertificate::assemble(&plan, parts)?;
    let (keys, n) = (plan.keys(), plan.receivers().len());
    let group_keys = points("group public key", &descriptor.group_keys, keys, 1)?;
    let shares = points("public share", &descriptor.public_shares, keys * n, n)?;
    let group_keys: Vec<GroupPublicKey> = group_keys.into_iter().map(Into::into).collect();
    let indices = plan.indices();
    let owned = |shares: &[G1Point]| {
        indices
            .iter()
            .zip(shares)
            .map(|(index, point)| PublicShare::new(*index, *point))
            .collect()
    };
    let public_shares: Vec<Vec<PublicShare>> = shares.chunks_exact(n).map(owned).collect();
    let deals = descriptor.deals.clone();
    let transcript = transcript(plan.id(), &deals, &group_keys, &public_shares);
    if transcript != certificate.transcript() || deals != certificate.deals() {
        return Err(DescriptorError::Transcript);
    }
    let scale = Scale::for_group(&indices, plan.threshold())?;
    let outcome = Outcome {
        group_keys,
        public_shares,
        deals,
        transcript,
    };
    Ok(Group {
        plan,
        certificate,
        outcome,
        scale,
    })
}

/// Decodes points; `per_key` of them belong to each key.
fn points(
    what: &'static str,
    bytes: &[u8],
    expected: usize,
    per_key: usize,
) -> Result<Vec<G1Point>, DescriptorError> {
    let (points, rest) = bytes.as_chunks::<POINT>();
    if points.len() != expected || !rest.is_empty() {
        return Err(DescriptorError::Count {
            what,
            expected,
            got: bytes.len(),
        });
    }
    let decoded = points.iter().enumerate().map(|(position, point)| {
        let key = position / per_key.max(1);
        let decoded = G1Point::from_compressed(point);
        decoded.map_err(|cause| DescriptorError::Point { what, key, cause })
    });
    decoded.collect()
}

impl Group {
    /// The group's id: the name of the ceremony that made it.
    #[must_use]
    pub const fn id(&self) -> CeremonyId {
        self.plan.id()
    }

    /// The group's label.
    #[must_use]
    pub fn label(&self) -> &GroupLabel {
        &self.plan.plan().group
    }

    /// The group epoch.
    #[must_use]
    pub fn group_epoch(&self) -> GroupEpoch {
        self.plan.plan().group_epoch
    }

    /// Hot or cold.
    #[must_use]
    pub fn class(&self) -> GroupClass {
        self.plan.plan().class
    }

    /// t of n.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.plan.threshold()
    }

    /// The members, by rising share index.
    #[must_use]
    pub fn members(&self) -> &[PlannedReceiver] {
        self.plan.receivers()
    }

    /// Share indices of the members, rising.
    #[must_use]
    pub fn indices(&self) -> Vec<ShareIndex> {
        self.plan.indices()
    }

    /// The representation that shares and partials of this group are used in.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// One public key a key, in the order of key indices.
    #[must_use]
    pub fn group_keys(&self) -> &[GroupPublicKey] {
        &self.outcome.group_keys
    }

    /// For each key, the plain public share of every member, in the order of
    /// [`members`](Self::members).
    #[must_use]
    pub fn public_shares(&self) -> &[Vec<PublicShare>] {
        &self.outcome.public_shares
    }

    /// Kinds of duty that the keys may sign; empty for all of their class.
    #[must_use]
    pub fn duties(&self) -> &[DutyKind] {
        self.plan.duties()
    }

    /// Whether nobody ever held the keys whole; `false` for an import.
    #[must_use]
    pub fn born_in_ceremony(&self) -> bool {
        self.plan.born_in_ceremony()
    }

    /// The transcript that all members signed.
    #[must_use]
    pub const fn transcript(&self) -> TranscriptHash {
        self.outcome.transcript
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &VerifiedPlan {
        &self.plan
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &VerifiedCertificate {
        &self.certificate
    }
}
