use super::*;
use crate::identity::SoftIdentity;
use crate::roster::{Client, ClientKind, ClusterId, Guardian, Member, TlsPin};

const NETWORK: NetworkId = NetworkId([3; 32]);

fn key(byte: u8) -> SoftIdentity {
    SoftIdentity::from_bytes(&[byte; 32]).unwrap()
}

fn roster() -> Roster {
    let member = |index: u16| Member {
        index,
        name: format!("server-{index}"),
        identity: key(u8::try_from(index).unwrap()).public(),
        address: Some(format!("127.0.0.1:{}", 9000 + index)),
        tls_pin: Some(TlsPin([u8::try_from(index).unwrap(); 32])),
    };
    Roster {
        cluster: ClusterId([9; 32]),
        name: "lab".into(),
        number: 1,
        previous: None,
        members: (1..=3).map(member).collect(),
        clients: vec![Client {
            name: "req-1".into(),
            kind: ClientKind::Requestor,
            identity: key(40).public(),
            tls_pin: TlsPin([40; 32]),
            provider: "north".into(),
        }],
        guardians: ["ada", "bea", "cai"]
            .iter()
            .zip(60_u8..)
            .map(|(name, byte)| Guardian {
                name: (*name).into(),
                key: key(byte).public(),
            })
            .collect(),
        guardian_quorum: 2,
    }
}

fn signed(roster: &Roster, guardians: &[(&str, u8)]) -> SignedRoster {
    let mut signed = SignedRoster::new(NETWORK, roster.clone());
    for (name, byte) in guardians {
        signed.sign(NETWORK, name, &key(*byte)).unwrap();
    }
    signed
}

fn chain() -> RosterChain {
    RosterChain::start(
        NETWORK,
        signed(&roster(), &[("ada", 60), ("bea", 61)]),
        None,
    )
    .unwrap()
}

fn second(change: impl Fn(&mut Roster)) -> Roster {
    let mut next = roster();
    next.number = 2;
    next.previous = Some(chain().hash());
    change(&mut next);
    next
}

#[test]
fn a_quorum_of_guardians_puts_a_roster_in_force() {
    let chain = chain();
    let pin = chain.first_hash();
    let again = RosterChain::from_bytes(NETWORK, &chain.to_bytes(), Some(&pin)).unwrap();
    assert_eq!(again.current(), &roster());
    let next = signed(
        &second(|r| r.members.truncate(2)),
        &[("bea", 61), ("cai", 62)],
    );
    let chain = chain.append(next).unwrap();
    assert_eq!(chain.current().members.len(), 2);
    assert_eq!(chain.first_hash(), pin);
    assert_eq!(chain.with_hash(&pin), Some(roster()));
    assert_eq!(chain.with_hash(&chain.hash()).unwrap().number, 2);
    assert_eq!(chain.with_hash(&[0; 32]), None);
}

#[test]
fn half_signed_doubly_signed_and_foreign_signatures_do_not_count() {
    for guardians in [
        &[("ada", 60)][..],
        &[("ada", 60), ("bea", 60)],
        &[("ada", 60), ("eve", 61)],
        &[("ada", 60), ("bea", 99)],
    ] {
        let error = RosterChain::start(NETWORK, signed(&roster(), guardians), None).unwrap_err();
        assert_eq!(
            error,
            RosterError::Signatures {
                number: 1,
                got: 1,
                needed: 2
            }
        );
    }
}

#[test]
fn more_signatures_than_there_can_be_guardians_are_refused_unread() {
    let mut first = signed(&roster(), &[("ada", 60), ("bea", 61)]);
    let one = first.signatures[0].clone();
    first
        .signatures
        .extend(std::iter::repeat_n(one, MAX_GUARDIANS - 2));
    assert!(RosterChain::start(NETWORK, first.clone(), None).is_ok());
    first.signatures.push(first.signatures[0].clone());
    let too_many = RosterError::Count {
        what: "signatures",
        got: MAX_GUARDIANS + 1,
        min: 0,
        max: MAX_GUARDIANS,
    };
    let error = RosterChain::start(NETWORK, first, None).unwrap_err();
    assert_eq!(error, too_many);
}

#[test]
fn an_index_is_never_given_to_another_key_even_after_a_gap() {
    let without = signed(
        &second(|r| r.members.truncate(2)),
        &[("ada", 60), ("bea", 61)],
    );
    let chain = chain().append(without).unwrap();
    let mut third = roster();
    third.number = 3;
    third.previous = Some(chain.hash());
    third.members[2].identity = key(77).public();
    let error = chain
        .append(signed(&third, &[("ada", 60), ("bea", 61)]))
        .unwrap_err();
    assert_eq!(
        error,
        RosterError::Renumbered {
            number: 3,
            index: 3
        }
    );
}

#[test]
fn a_roster_that_does_not_follow_is_refused() {
    for (change, why) in [
        (
            (|r: &mut Roster| r.number = 3) as fn(&mut Roster),
            "its number is not the next one",
        ),
        (
            |r| r.previous = Some([0; 32]),
            "it names another roster as the one before",
        ),
        (
            |r| r.cluster = ClusterId([8; 32]),
            "it belongs to another cluster",
        ),
    ] {
        let next = second(change);
        let error = chain()
            .append(signed(&next, &[("ada", 60), ("bea", 61)]))
            .unwrap_err();
        assert_eq!(
            error,
            RosterError::Broken {
                number: next.number,
                why
            }
        );
    }
}

#[test]
fn another_pin_is_refused() {
    let bytes = chain().to_bytes();
    let error = RosterChain::from_bytes(NETWORK, &bytes, Some(&[0; 32])).unwrap_err();
    assert!(matches!(error, RosterError::Pin { .. }));
}

#[test]
fn every_rule_of_one_roster_has_a_named_error() {
    type Case = (fn(&mut Roster), &'static str);
    let cases: [Case; 11] = [
        (|r| r.members[0].index = 0, "share index 0"),
        (|r| r.members[1].index = 1, "not in rising order"),
        (
            |r| r.members[1].name = "server-1".into(),
            "same member name",
        ),
        (
            |r| r.members[1].identity = r.members[0].identity,
            "same identity key",
        ),
        (
            |r| r.members[1].tls_pin = r.members[0].tls_pin,
            "same TLS pin",
        ),
        (|r| r.members[1].tls_pin = None, "or neither"),
        (|r| r.members[0].name = "evil\u{202e}".into(), "is refused"),
        (
            |r| r.members[0].address = Some("no-port".into()),
            "is refused",
        ),
        (|r| r.guardian_quorum = 4, "impossible"),
        (|r| r.guardian_quorum = 0, "impossible"),
        (|r| r.members.clear(), "allowed are 1 to 255"),
    ];
    for (change, text) in cases {
        let mut roster = roster();
        change(&mut roster);
        let error = roster.check().unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    assert!(roster().check().is_ok());
}
