//! Cards of parties that ask to be put in a roster.

use symbolon_protocol::card::Card;
use symbolon_protocol::roster::ClientKind;
use symbolon_protocol::{Message, Unsigned};

use crate::Seed;
use crate::envelope::round_trip;
use crate::fixture::{NETWORK, client, guardian, identity, member};

/// A little more than a card may have.
pub const MAX_LEN: usize = Card::MAX_LEN + 64;

/// Accepted bytes are canonical; a card opens exactly when the key that it names signed it.
pub fn check(data: &[u8]) {
    if let Ok((card, words)) = Card::open(NETWORK, data) {
        assert_eq!(words.split('-').count(), 4);
        assert!(round_trip::<Card>(data).is_some_and(|unsigned| *unsigned.value() == card));
    }
    let Some(unsigned) = round_trip::<Card>(data) else {
        return;
    };
    let card = unsigned.value().clone();
    for byte in KEYS {
        let key = identity(byte);
        let signed = unsigned.clone().sign(&key).unwrap().to_bytes();
        let own = *card.identity() == symbolon_protocol::IdentitySigner::public(&key);
        let fits = signed.len() <= Card::MAX_LEN;
        assert_eq!(Card::open(NETWORK, &signed).is_ok(), own && fits);
    }
}

const KEYS: [u8; 3] = [1, 41, 60];

/// One of each kind, signed and not.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let member = Card::Member(member(1));
    let client = Card::Client(client(("req-1", ClientKind::Requestor, 41)));
    let guardian = Card::Guardian(guardian(("ada", 60)));
    let body = |card: &Card| Unsigned::new(NETWORK, card.clone()).body().to_vec();
    let signed = |card: &Card, byte| {
        let unsigned = Unsigned::new(NETWORK, card.clone());
        unsigned.sign(&identity(byte)).unwrap().to_bytes()
    };
    vec![
        ("body-member", body(&member)),
        ("body-client", body(&client)),
        ("body-guardian", body(&guardian)),
        ("member", signed(&member, 1)),
        ("client", signed(&client, 41)),
        ("guardian", signed(&guardian, 60)),
        ("forged", signed(&guardian, 61)),
    ]
}
