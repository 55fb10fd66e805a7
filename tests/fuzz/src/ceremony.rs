//! Messages of key ceremonies, plans, certificates, descriptors, and requests that carry them.

use symbolon_ceremony::wire::{
    CeremonyRefusal, CeremonyReply, CeremonyRequest, CeremonyStatus,
};
use symbolon_ceremony::{
    Activation, Certificate, CeremonyState, Complaint, ComplaintReason, Confirmation, Cosigned,
    Deal, DealHash, FileName, GroupClass, GroupDescriptor, GroupEpoch, GroupLabel, MessageKind,
    Offer, Opening, Plan, VerifiedCertificate, VerifiedPlan,
};
use symbolon_protocol::roster::Roster;
use symbolon_protocol::{Message, Signed, Unsigned};

use crate::Seed;
use crate::envelope::round_trip;
use crate::fixture::ceremony::{Ceremony, MEMBERS, ceremony, cosign, draft, label};
use crate::fixture::{NETWORK, identity};

/// The certificate and the descriptor of three members take less.
pub const MAX_LEN: usize = 8192;

/// Accepted bytes are canonical and of the kind that their tag says; a plan that guardians signed
/// is accepted only by the rules, a certificate or descriptor only with what members confirmed.
pub fn check(data: &[u8]) {
    let ceremony = ceremony();
    kind::<Offer>(data, MessageKind::Offer);
    kind::<Deal>(data, MessageKind::Deal);
    kind::<Certificate>(data, MessageKind::Certificate);
    kind::<Activation>(data, MessageKind::Activation);
    kind::<Complaint>(data, MessageKind::Complaint);
    kind::<Opening>(data, MessageKind::Opening);
    kind::<GroupDescriptor>(data, MessageKind::Group);
    if let Some(unsigned) = kind::<Confirmation>(data, MessageKind::Confirmation) {
        confirm(ceremony, &unsigned);
    }
    if let Some(unsigned) = kind::<Plan>(data, MessageKind::Plan) {
        plan(ceremony, unsigned.value());
    }
    if let Ok(cosigned) = Cosigned::<Plan>::from_bytes(NETWORK, data) {
        assert_eq!(cosigned.to_bytes(), data);
        assert_eq!(MessageKind::of(data), Some(MessageKind::Plan));
        plan(ceremony, cosigned.unverified().value());
    }
    accepted(ceremony, data);
    wire(data);
    if let Ok(text) = core::str::from_utf8(data) {
        if let Ok(name) = text.parse::<FileName>() {
            assert_eq!(name.to_string(), text);
        }
        if let Ok(label) = text.parse::<GroupLabel>() {
            assert_eq!(label.as_str(), text);
        }
    }
}

fn kind<T: Message + Clone>(data: &[u8], kind: MessageKind) -> Option<Unsigned<T>> {
    let unsigned = round_trip::<T>(data)?;
    assert_eq!(MessageKind::of(data), Some(kind));
    assert_eq!(kind.tag(), T::TAG);
    Some(unsigned)
}

/// What is accepted as it came: nobody could have signed anything but what the seeds hold.
fn accepted(ceremony: &Ceremony, data: &[u8]) {
    if let Ok(plan) = VerifiedPlan::verify(NETWORK, ceremony.chain.current(), data) {
        assert_eq!(plan.to_bytes(), data);
        assert_eq!(plan.id(), ceremony.plan.id());
    }
    if let Ok(certificate) = VerifiedCertificate::verify(&ceremony.plan, data) {
        assert_eq!(certificate.to_bytes(), data);
        assert_eq!(certificate.transcript(), ceremony.certificate.transcript());
    }
    if let Ok(group) = GroupDescriptor::verify(&ceremony.chain, data) {
        assert_eq!(group.transcript(), ceremony.certificate.transcript());
        assert_eq!(group.group_keys().len(), group.public_shares().len());
    }
}

/// Guardians sign the plan, whatever it says; then the rules decide.
fn plan(ceremony: &Ceremony, plan: &Plan) {
    let roster = ceremony.chain.current();
    let bytes = cosign(Cosigned::new(NETWORK, plan.clone()));
    let Ok(verified) = VerifiedPlan::verify(NETWORK, roster, &bytes) else {
        return;
    };
    assert_eq!(verified.to_bytes(), bytes);
    assert_eq!(verified.plan(), plan);
    assert_eq!(*plan.roster, roster.hash(NETWORK));
    let (t, n) = (verified.threshold().t(), verified.receivers().len());
    assert!((2..=n).contains(&t) && verified.threshold().n() == n);
    let online = verified.receivers().iter().filter(|receiver| is_online(roster, receiver.index.get()));
    let online = online.count();
    match plan.class {
        GroupClass::Hot => assert!(online == n && 2 * t > n),
        GroupClass::Cold => assert!(online < t),
    }
    assert_eq!(verified.born_in_ceremony(), verified.imported().is_none());
    for dealer in verified.dealers() {
        assert!(verified.dealer(dealer.id).is_some());
    }
    for receiver in verified.receivers() {
        let member = roster.member(receiver.index.get()).unwrap();
        assert_eq!((&member.identity, &member.name), (&receiver.identity, &receiver.name));
    }
}

fn is_online(roster: &Roster, index: u16) -> bool {
    roster.member(index).is_some_and(|member| member.is_online())
}

/// The member signs the confirmation, whatever it says; it makes a certificate with the others'
/// only if it says the same.
fn confirm(ceremony: &Ceremony, unsigned: &Unsigned<Confirmation>) {
    let value = unsigned.value();
    let own = MEMBERS.iter().position(|member| u16::from(*member) == value.member);
    let Some(place) = own else { return };
    let signed = unsigned.clone().sign(&identity(MEMBERS[place])).unwrap().to_bytes();
    let mut parts: Vec<&[u8]> = ceremony.confirmations.iter().map(Vec::as_slice).collect();
    parts[place] = &signed;
    let assembled = VerifiedCertificate::assemble(&ceremony.plan, parts);
    let same = value.ceremony == ceremony.plan.id()
        && value.transcript == ceremony.certificate.transcript()
        && value.deals == ceremony.certificate.deals();
    assert_eq!(assembled.is_ok(), same && signed.len() <= Confirmation::MAX_LEN);
}

fn wire(data: &[u8]) {
    if let Ok(request) = CeremonyRequest::from_bytes(data) {
        assert_eq!(request.to_bytes(), data);
    }
    if let Ok(reply) = CeremonyReply::from_bytes(data) {
        assert_eq!(reply.to_bytes(), data);
    }
}

/// Each message with and without its signature, requests and replies, names.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let ceremony = ceremony();
    let id = ceremony.plan.id();
    let hash = DealHash([7; 32]);
    let complaint = Unsigned::new(
        NETWORK,
        Complaint {
            ceremony: id,
            member: 2,
            dealer: 1,
            deal: hash,
            reason: ComplaintReason::WrongShare,
        },
    );
    let opening = Unsigned::new(
        NETWORK,
        Opening {
            ceremony: id,
            dealer: 1,
            receiver: 2,
            deal: hash,
            ephemeral: [9; 32].into(),
        },
    );
    let confirmation = Signed::<Confirmation>::from_bytes(NETWORK, &ceremony.confirmations[0]);
    let planned = draft(ceremony.chain.current(), &ceremony.offers);
    let mut seeds = vec![
        ("offer", ceremony.offers[0].clone()),
        ("body-plan", planned.unverified().body().to_vec()),
        ("plan", ceremony.plan.to_bytes()),
        ("deal", ceremony.deals[0].clone()),
        ("body-confirmation", confirmation.unwrap().unverified().body().to_vec()),
        ("confirmation", ceremony.confirmations[1].clone()),
        ("certificate", ceremony.certificate.to_bytes().to_vec()),
        ("activation", ceremony.activations[0].clone()),
        ("group", ceremony.group.clone()),
        ("complaint", complaint.sign(&identity(2)).unwrap().to_bytes()),
        ("body-opening", opening.body().to_vec()),
        ("file-name", b"complaint-3-deal-1.sym".to_vec()),
    ];
    seeds.extend(requests(ceremony));
    seeds.extend(replies(ceremony));
    seeds
}

fn requests(ceremony: &Ceremony) -> Vec<Seed> {
    let ceremony_id = ceremony.plan.id();
    let short = || vec![1, 2, 3].into();
    [
        (
            "request-offer",
            CeremonyRequest::Offer {
                group: label(),
                group_epoch: GroupEpoch::FIRST,
            },
        ),
        ("request-plan", CeremonyRequest::Plan(short())),
        (
            "request-deals",
            CeremonyRequest::Deals {
                ceremony: ceremony_id,
                deals: vec![short(), short()],
            },
        ),
        ("request-certificate", CeremonyRequest::Certificate(short())),
        ("request-complaint", CeremonyRequest::Complaint(short())),
        ("request-status", CeremonyRequest::Status(Some(ceremony_id))),
        (
            "request-recover",
            CeremonyRequest::Recover {
                plan: short(),
                deals: vec![short()],
                certificate: short(),
            },
        ),
    ]
    .map(|(name, request)| (name, request.to_bytes()))
    .to_vec()
}

fn replies(ceremony: &Ceremony) -> Vec<Seed> {
    let status = CeremonyStatus {
        ceremony: ceremony.plan.id(),
        group: label(),
        group_epoch: GroupEpoch::FIRST,
        state: CeremonyState::Active,
    };
    let refusal = CeremonyRefusal {
        code: "proof".into(),
        message: "the proof of key 0 does not hold".into(),
        culprit: Some(2),
        proved: true,
    };
    [
        ("reply-offer", CeremonyReply::Offer(vec![1, 2, 3].into())),
        ("reply-accepted", CeremonyReply::Accepted(ceremony.plan.id())),
        ("reply-status", CeremonyReply::Status(vec![status])),
        ("reply-refused", CeremonyReply::Refused(refusal)),
    ]
    .map(|(name, reply)| (name, reply.to_bytes()))
    .to_vec()
}
