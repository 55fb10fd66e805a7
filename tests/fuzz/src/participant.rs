//! A member in a ceremony that is asked by a coordinator nobody believes, and its records on disk.

use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::{
    Activation, Certificate, Complaint, Confirmation, Cosigned, Deal, DriveError, GroupEpoch,
    Participant, Plan,
};
use symbolon_protocol::{Message, Signed, Unsigned};

use crate::Seed;
use crate::fixture::ceremony::{Ceremony, MEMBERS, STAGES, ceremony, cosign, draft, label};
use crate::fixture::{NETWORK, identity};
use crate::reader::Reader;

/// A request with all deals, and two choices before it.
pub const MAX_LEN: usize = 4096;

/// Whatever is asked, the member contradicts nothing that it signed in this ceremony, its answers
/// are canonical, and it starts again from what it persisted.
pub fn check(data: &[u8]) {
    let ceremony = ceremony();
    let mut reader = Reader(data);
    let mut shell = ceremony.stages[usize::from(reader.byte()) % STAGES].clone();
    let choice = reader.byte();
    let rest = reader.0;
    if choice % 6 == 5 {
        resume(ceremony, shell.records, rest);
        return;
    }
    let Some(request) = request(ceremony, choice, rest) else {
        return;
    };
    let before = shell.participant(&ceremony.chain).status(None);
    match shell.ask(&ceremony.chain, &request) {
        Ok(reply) => answered(ceremony, &reply),
        Err(DriveError::Refused(error)) => {
            let reply = error.to_reply();
            assert_eq!(CeremonyReply::from_bytes(&reply.to_bytes()), Ok(reply));
        }
        Err(DriveError::Failed(_)) => {}
    }
    let after = shell.participant(&ceremony.chain);
    for old in before {
        let new = after.status(Some(old.ceremony));
        assert_eq!(new.len(), 1);
        assert_eq!((&new[0].group, new[0].group_epoch), (&old.group, old.group_epoch));
    }
}

/// A request as it came, or around a message that its author signed whatever it says.
fn request(ceremony: &Ceremony, choice: u8, body: &[u8]) -> Option<CeremonyRequest> {
    let author = MEMBERS[usize::from(choice / 6) % MEMBERS.len()];
    let place = usize::from(author) - 1;
    Some(match choice % 6 {
        0 => CeremonyRequest::from_bytes(body).ok()?,
        1 => {
            let plan = Unsigned::<Plan>::from_body(NETWORK, body).ok()?;
            CeremonyRequest::Plan(cosign(Cosigned::new(NETWORK, plan.value().clone())).into())
        }
        2 => {
            let mut deals = ceremony.deals.clone();
            deals[place] = signed::<Deal>(body, author)?;
            CeremonyRequest::Deals {
                ceremony: ceremony.plan.id(),
                deals: deals.into_iter().map(Into::into).collect(),
            }
        }
        3 => {
            let mut confirmations = ceremony.confirmations.clone();
            confirmations[place] = signed::<Confirmation>(body, author)?;
            let certificate = Certificate {
                ceremony: ceremony.plan.id(),
                confirmations: confirmations.into_iter().map(Into::into).collect(),
            };
            CeremonyRequest::Certificate(Unsigned::new(NETWORK, certificate).body().to_vec().into())
        }
        _ => CeremonyRequest::Complaint(signed::<Complaint>(body, author)?.into()),
    })
}

pub(crate) fn signed<T: Message>(body: &[u8], author: u8) -> Option<Vec<u8>> {
    let unsigned = Unsigned::<T>::from_body(NETWORK, body).ok()?;
    Some(unsigned.sign(&identity(author)).unwrap().to_bytes())
}

fn answered(ceremony: &Ceremony, reply: &CeremonyReply) {
    assert_eq!(CeremonyReply::from_bytes(&reply.to_bytes()).as_ref(), Ok(reply));
    let id = ceremony.plan.id();
    match reply {
        CeremonyReply::Deal(bytes) => {
            let deal = own::<Deal>(bytes);
            assert!(deal.unverified().value().ceremony != id || bytes[..] == ceremony.deals[0][..]);
        }
        CeremonyReply::Activation(bytes) => {
            let activation = own::<Activation>(bytes);
            let value = activation.unverified().value();
            let transcript = ceremony.certificate.transcript();
            assert!(value.ceremony == id && value.transcript == transcript);
        }
        CeremonyReply::Confirmation(bytes) => drop(own::<Confirmation>(bytes)),
        CeremonyReply::Complaint(bytes) => drop(own::<Complaint>(bytes)),
        _ => {}
    }
}

/// What the member shows is signed by itself.
fn own<T: Message + Clone>(bytes: &[u8]) -> Signed<T> {
    let signed = Signed::<T>::from_bytes(NETWORK, bytes).unwrap();
    let public = symbolon_protocol::IdentitySigner::public(&identity(MEMBERS[0]));
    assert!(signed.clone().verify(&public, "own").is_ok());
    signed
}

/// Records that a disk gives back, the last ones perhaps bent.
fn resume(ceremony: &Ceremony, mut records: Vec<Vec<u8>>, data: &[u8]) {
    let mut reader = Reader(data);
    let kept = usize::from(reader.byte()) % (records.len() + 1);
    records.truncate(kept);
    while !reader.is_empty() {
        let len = reader.short();
        records.push(reader.bytes(len).to_vec());
    }
    let me = ceremony.stages[0].index();
    let resumed = Participant::resume(
        ceremony.chain.clone(),
        me,
        records.iter().map(Vec::as_slice),
    );
    if let Ok(participant) = resumed {
        for status in participant.status(None) {
            assert_eq!(participant.status(Some(status.ceremony)), [status]);
        }
        let erasures = participant.unfinished().len();
        assert!(erasures <= 3 * participant.status(None).len());
    }
}

/// Each request at the step where it is due, bodies to be signed, and records.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let ceremony = ceremony();
    let id = ceremony.plan.id();
    let raw = |stage: u8, request: &CeremonyRequest| [vec![stage, 0], request.to_bytes()].concat();
    let body = |stage: u8, choice: u8, body: &[u8]| [&[stage, choice], body].concat();
    let deal = Signed::<Deal>::from_bytes(NETWORK, &ceremony.deals[1]).unwrap();
    let confirmation =
        Signed::<Confirmation>::from_bytes(NETWORK, &ceremony.confirmations[1]).unwrap();
    let plan = draft(ceremony.chain.current(), &ceremony.offers);
    let deals = CeremonyRequest::Deals {
        ceremony: id,
        deals: ceremony.deals.iter().map(|deal| deal.clone().into()).collect(),
    };
    let certificate = CeremonyRequest::Certificate(ceremony.certificate.to_bytes().to_vec().into());
    let offer = CeremonyRequest::Offer {
        group: label(),
        group_epoch: GroupEpoch(2),
    };
    let complaint = Complaint {
        ceremony: id,
        member: 2,
        dealer: 1,
        deal: ceremony.certificate.deals()[0],
        reason: symbolon_ceremony::ComplaintReason::WrongShare,
    };
    let complaint = Unsigned::new(NETWORK, complaint);
    let last = ceremony.stages[STAGES - 1].records.clone();
    let mut records = vec![3, 5, 0];
    for record in last {
        records.extend_from_slice(&u16::try_from(record.len()).unwrap().to_be_bytes());
        records.extend_from_slice(&record);
    }
    vec![
        ("offer", raw(0, &offer)),
        ("plan", raw(0, &CeremonyRequest::Plan(ceremony.plan.to_bytes().into()))),
        ("plan-again", raw(1, &CeremonyRequest::Plan(ceremony.plan.to_bytes().into()))),
        ("body-plan", body(0, 1, plan.unverified().body())),
        ("deals", raw(1, &deals)),
        ("body-deal", body(1, 8, deal.unverified().body())),
        ("certificate", raw(2, &certificate)),
        ("body-confirmation", body(2, 9, confirmation.unverified().body())),
        ("body-complaint", body(1, 10, complaint.body())),
        ("status", raw(3, &CeremonyRequest::Status(None))),
        ("records", records),
    ]
}
