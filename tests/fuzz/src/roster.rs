//! Rosters, alone, signed, and in chains.

use symbolon_protocol::IdentitySigner;
use symbolon_protocol::roster::{Roster, RosterChain, SignedRoster};

use crate::Seed;
use crate::envelope::round_trip;
use crate::fixture::{GUARDIANS, NETWORK, identity, member, roster};

/// Two rosters with everything in them take less.
pub const MAX_LEN: usize = 8192;

/// Accepted bytes are canonical; a chain is accepted exactly when a quorum of guardians signed it.
pub fn check(data: &[u8]) {
    if let Some(unsigned) = round_trip::<Roster>(data) {
        assert_eq!(unsigned.value().hash(NETWORK), unsigned.digest());
        put_in_force(unsigned.value());
    }
    if let Ok(signed) = SignedRoster::from_bytes(data) {
        assert_eq!(signed.to_bytes(), data);
        if let Ok((roster, hash)) = signed.unverified(NETWORK) {
            assert_eq!(roster.hash(NETWORK), hash);
            assert_eq!(roster.check(), Ok(()));
        }
    }
    if let Ok(chain) = RosterChain::from_bytes(NETWORK, data, None) {
        assert_eq!(chain.to_bytes(), data);
        reads_back(&chain);
        let other = [0; 32];
        assert!(RosterChain::from_bytes(NETWORK, data, Some(&other)).is_err());
    }
}

/// Signs with the guardians whose keys are known here; then only the rules decide.
fn put_in_force(next: &Roster) {
    if next.check().is_err() {
        return;
    }
    let mut signed = SignedRoster::new(NETWORK, next.clone());
    for (name, byte) in GUARDIANS {
        signed.sign(NETWORK, name, &identity(byte)).unwrap();
    }
    let known = |roster: &Roster| {
        let entries = roster.guardians.iter();
        let known = entries.filter(|entry| {
            GUARDIANS.iter().any(|(name, byte)| {
                *name == entry.name && identity(*byte).public() == entry.key
            })
        });
        known.count() >= usize::from(roster.guardian_quorum)
    };
    let is_first = next.number == 1 && next.previous.is_none();
    let started = RosterChain::start(NETWORK, signed.clone(), None);
    assert_eq!(started.is_ok(), is_first && known(next));
    if let Ok(chain) = started {
        reads_back(&chain);
    }
    if next.number == 2
        && let Ok(chain) = first().append(signed)
    {
        assert_eq!(chain.with_hash(&chain.first_hash()).as_ref(), Some(roster()));
        reads_back(&chain);
    }
}

fn reads_back(chain: &RosterChain) {
    let pin = chain.first_hash();
    let again = RosterChain::from_bytes(NETWORK, &chain.to_bytes(), Some(&pin)).unwrap();
    assert_eq!(again.hash(), chain.hash());
    assert_eq!(again.current(), chain.current());
    assert_eq!(chain.current().check(), Ok(()));
    assert_eq!(chain.with_hash(&chain.hash()).as_ref(), Some(chain.current()));
    for member in &chain.current().members {
        assert_eq!(chain.owner_of(member.index), Some(&member.identity));
    }
}

fn signed(roster: &Roster) -> SignedRoster {
    let mut signed = SignedRoster::new(NETWORK, roster.clone());
    for (name, byte) in &GUARDIANS[..2] {
        signed.sign(NETWORK, name, &identity(*byte)).unwrap();
    }
    signed
}

fn first() -> RosterChain {
    RosterChain::start(NETWORK, signed(roster()), None).unwrap()
}

fn second() -> Roster {
    Roster {
        number: 2,
        previous: Some(first().hash()),
        members: vec![member(1), member(2)],
        clients: Vec::new(),
        ..roster().clone()
    }
}

/// Bodies, a roster with signatures, chains of one and two.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let body = |roster: &Roster| {
        symbolon_protocol::Unsigned::new(NETWORK, roster.clone())
            .body()
            .to_vec()
    };
    let one = symbolon_protocol::Unsigned::new(NETWORK, roster().clone());
    let two = first().append(signed(&second())).unwrap();
    vec![
        ("body-first", body(roster())),
        ("body-second", body(&second())),
        ("one-signature", one.sign(&identity(60)).unwrap().to_bytes()),
        ("signed", signed(roster()).to_bytes()),
        ("unsigned", SignedRoster::new(NETWORK, second()).to_bytes()),
        ("chain-of-one", first().to_bytes()),
        ("chain-of-two", two.to_bytes()),
    ]
}
