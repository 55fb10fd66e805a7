//! The parties and networks of all seeds: fixed keys, so that a target can sign what it was given.

pub(crate) mod ceremony;

use std::sync::OnceLock;

use symbolon_duties::Network;
use symbolon_protocol::roster::{
    Client, ClientKind, ClusterId, Guardian, Member, PartyId, Roster, TlsPin,
};
use symbolon_protocol::session::SessionSecret;
use symbolon_protocol::{IdentitySigner, NetworkId, SoftIdentity};

pub(crate) const NETWORK: NetworkId = NetworkId([3; 32]);

/// A moment in seconds since 1970 at which the session keys of the seeds are valid.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const GUARDIANS: [(&str, u8); 3] = [("ada", 60), ("bea", 61), ("cai", 62)];

const CLIENTS: [(&str, ClientKind, u8); 3] = [
    ("op-1", ClientKind::Operator, 40),
    ("req-1", ClientKind::Requestor, 41),
    ("warden-1", ClientKind::Warden, 42),
];

pub(crate) fn identity(byte: u8) -> SoftIdentity {
    SoftIdentity::from_bytes(&[byte; 32]).unwrap()
}

pub(crate) fn session(byte: u8) -> SessionSecret {
    SessionSecret::from_seed(&[byte; 32]).unwrap()
}

/// Byte of the key that a party of the roster has.
pub(crate) fn key_of(party: &PartyId) -> Option<u8> {
    match party {
        PartyId::Member(index) => u8::try_from(*index).ok().filter(|i| (1..=3).contains(i)),
        PartyId::Client(name) => {
            let found = CLIENTS.iter().find(|(known, ..)| known == name);
            found.map(|(.., byte)| *byte)
        }
    }
}

/// Three members (the third one offline), three clients, three guardians of whom two must sign.
pub(crate) fn roster() -> &'static Roster {
    static ROSTER: OnceLock<Roster> = OnceLock::new();
    ROSTER.get_or_init(|| Roster {
        cluster: ClusterId([9; 32]),
        name: "lab".into(),
        number: 1,
        previous: None,
        members: (1..=3).map(member).collect(),
        clients: CLIENTS.into_iter().map(client).collect(),
        guardians: GUARDIANS.into_iter().map(guardian).collect(),
        guardian_quorum: 2,
    })
}

pub(crate) fn member(index: u8) -> Member {
    let online = index < 3;
    Member {
        index: index.into(),
        name: format!("server-{index}"),
        identity: identity(index).public(),
        address: online.then(|| format!("127.0.0.1:{}", 9000 + u16::from(index))),
        tls_pin: online.then_some(TlsPin([index; 32])),
    }
}

pub(crate) fn client((name, kind, byte): (&str, ClientKind, u8)) -> Client {
    Client {
        name: name.into(),
        kind,
        identity: identity(byte).public(),
        tls_pin: TlsPin([byte; 32]),
        provider: "north".into(),
    }
}

pub(crate) fn guardian((name, byte): (&str, u8)) -> Guardian {
    Guardian {
        name: name.into(),
        key: identity(byte).public(),
    }
}

pub(crate) fn mainnet() -> &'static Network {
    static MAINNET: OnceLock<Network> = OnceLock::new();
    MAINNET.get_or_init(|| Network::named("mainnet").unwrap())
}

/// Short epochs, all forks from the start, and mainnet's genesis root, so that a request for
/// mainnet is one for this network too.
pub(crate) fn devnet() -> &'static Network {
    static DEVNET: OnceLock<Network> = OnceLock::new();
    DEVNET.get_or_init(|| Network::from_config_yaml(&devnet_config()).unwrap())
}

pub(crate) fn devnet_config() -> String {
    let mut text = format!(
        "PRESET_BASE: minimal\nCONFIG_NAME: devnet\nSECONDS_PER_SLOT: 6\nGENESIS_TIME: 1700000000\n\
         GENESIS_FORK_VERSION: 0x00000000\nGENESIS_VALIDATORS_ROOT: {}\nDEPOSIT_CHAIN_ID: 1\n",
        mainnet().genesis_validators_root()
    );
    for fork in &mainnet().forks()[1..] {
        text += &format!(
            "{0}_FORK_VERSION: {1}\n{0}_FORK_EPOCH: 0\n",
            fork.name, fork.version
        );
    }
    text
}
