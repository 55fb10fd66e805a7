//! The judge of ceremonies, and the coordinator that carries messages: both read everything.

use std::sync::OnceLock;

use symbolon_ceremony::wire::CeremonyRequest;
use symbolon_ceremony::{
    Activation, CheckedDeals, Complaint, Confirmation, Coordinator, Culprit, Deal, DealerId, Offer,
    Opening, Outcome, Received, audit,
};
use symbolon_protocol::{Signed, Unsigned};

use crate::Seed;
use crate::fixture::NETWORK;
use crate::fixture::ceremony::{Ceremony, MEMBERS, ceremony};
use crate::participant::signed;
use crate::reader::Reader;

/// A deal for three members, and a choice before it.
pub const MAX_LEN: usize = 2048;

/// One member signs something odd, all others are honest: nobody but that member is ever proved
/// guilty, and a deal that holds commits to what its dealer proved.
pub fn check(data: &[u8]) {
    let ceremony = ceremony();
    let mut reader = Reader(data);
    let choice = reader.byte();
    let author = MEMBERS[usize::from(choice & 0x7f) % MEMBERS.len()];
    let body = reader.0;
    let made = [
        signed::<Deal>(body, author),
        signed::<Confirmation>(body, author),
        signed::<Complaint>(body, author),
        signed::<Opening>(body, author),
        signed::<Activation>(body, author),
        signed::<Offer>(body, author),
    ];
    let message = made.into_iter().flatten().next();
    if let Some(message) = &message {
        deal(ceremony, author, message);
    }
    let message = message.unwrap_or_else(|| body.to_vec());
    // Each of the two reads all other messages too, which takes most of the time.
    if choice & 0x80 == 0 {
        judge(ceremony, author, message);
    } else {
        carry(ceremony, &message);
    }
}

fn judge(ceremony: &Ceremony, author: u8, message: Vec<u8>) {
    let mut messages = ceremony.messages();
    messages.push(message);
    // Nobody but the guardians can make another plan that holds.
    let report = audit(&ceremony.chain, &messages, &[4; 32]).expect("one plan");
    for finding in report.proved() {
        let guilty = match finding.culprit {
            Culprit::Dealer(DealerId::Member(index)) | Culprit::Receiver(index) => index.get(),
            Culprit::Carrier => continue,
            Culprit::Dealer(DealerId::Import) => panic!("{finding:?}"),
        };
        assert_eq!(guilty, u16::from(author), "{finding:?}");
    }
}

/// The set with this deal in it is accepted only with the constant terms that were proved.
fn deal(ceremony: &Ceremony, author: u8, message: &[u8]) {
    let Ok(signed) = Signed::<Deal>::from_bytes(NETWORK, message) else {
        return;
    };
    let mut deals = ceremony.deals.clone();
    deals[usize::from(author) - 1] = message.to_vec();
    let Ok(checked) = CheckedDeals::check(&ceremony.plan, &deals, &[5; 32]) else {
        return;
    };
    let honest = honest();
    for (one, other) in checked.deals().iter().zip(honest.deals()) {
        assert_eq!(one.dealer(), other.dealer());
        let (one, other) = (&one.commitments()[0], &other.commitments()[0]);
        assert_eq!(one.constant(), other.constant());
    }
    assert_eq!(signed.to_bytes(), message);
    if let Ok(outcome) = Outcome::of(&ceremony.plan, &checked) {
        let same = checked.hashes() == honest.hashes();
        assert_eq!(outcome.transcript == ceremony.certificate.transcript(), same);
    }
}

fn honest() -> &'static CheckedDeals {
    static HONEST: OnceLock<CheckedDeals> = OnceLock::new();
    let ceremony = ceremony();
    HONEST.get_or_init(|| {
        CheckedDeals::check(&ceremony.plan, &ceremony.deals, &[5; 32]).unwrap()
    })
}

/// Gives the message to a coordinator that has all others; what it took it still has.
fn carry(ceremony: &Ceremony, message: &[u8]) {
    let chain = ceremony.chain.clone();
    let (mut coordinator, refused) = Coordinator::from_messages(chain, ceremony.messages());
    assert!(refused.is_empty());
    let before = coordinator.files().clone();
    match coordinator.receive(message) {
        Ok(Received::New(name)) => assert!(!before.contains_key(&name)),
        Ok(Received::Known(name)) => assert!(before.contains_key(&name)),
        Err(_) => {}
    }
    let mut kept = before.iter();
    assert!(kept.all(|(name, bytes)| coordinator.files().get(name) == Some(bytes)));
    for member in ceremony.plan.indices() {
        for request in coordinator.requests(member) {
            assert!(CeremonyRequest::from_bytes(&request.to_bytes()).is_ok());
        }
    }
}

/// Bodies of what members sign, some of them false.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let ceremony = ceremony();
    let hash = ceremony.certificate.deals()[0];
    let with = |author: u8, body: &[u8]| [&[author], body].concat();
    let deal = Signed::<Deal>::from_bytes(NETWORK, &ceremony.deals[1]).unwrap();
    let mut bent = deal.unverified().value().clone();
    bent.envelopes[0].ciphertext[0] ^= 1;
    let confirmation =
        Signed::<Confirmation>::from_bytes(NETWORK, &ceremony.confirmations[1]).unwrap();
    let mut other = confirmation.unverified().value().clone();
    other.transcript.0[0] ^= 1;
    let complaint = Complaint {
        ceremony: ceremony.plan.id(),
        member: 2,
        dealer: 1,
        deal: hash,
        reason: symbolon_ceremony::ComplaintReason::DoesNotOpen,
    };
    let opening = Opening {
        ceremony: ceremony.plan.id(),
        dealer: 1,
        receiver: 2,
        deal: hash,
        ephemeral: [9; 32].into(),
    };
    let activation = Signed::<Activation>::from_bytes(NETWORK, &ceremony.activations[0]).unwrap();
    vec![
        ("deal", with(1, deal.unverified().body())),
        ("two-deals", with(1, Unsigned::new(NETWORK, bent).body())),
        ("confirmation", with(1, confirmation.unverified().body())),
        ("other-transcript", with(1, Unsigned::new(NETWORK, other).body())),
        ("complaint", with(1, Unsigned::new(NETWORK, complaint).body())),
        ("opening", with(0, Unsigned::new(NETWORK, opening).body())),
        ("activation", with(0, activation.unverified().body())),
        ("signed-offer", with(0, &ceremony.offers[0])),
        ("carried-deal", with(0x81, deal.unverified().body())),
        ("carried-offer", with(0x80, &ceremony.offers[0])),
    ]
}
