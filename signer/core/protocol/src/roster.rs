//! The roster: who the members, clients and guardians of a cluster are. Everything else hangs
//! from it.
//!
//! Rosters form a chain. The first is signed by a quorum of its own guardians and pinned by its
//! hash, which people compare out of band; every later one is signed by a quorum of the guardians
//! before it. A member index belongs to one identity key for ever.

mod chain;
mod check;

use core::fmt;

use minicbor::{Decode, Encode};

use crate::envelope::{Message, NetworkId};
use crate::identity::IdentityPublic;

pub use chain::{RosterChain, RosterSignature, SignRosterError, SignedRoster};
pub use check::RosterError;

/// Random bytes that name a cluster for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ClusterId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterId({})", hex::encode(self.0))
    }
}

/// SHA-256 of the SubjectPublicKeyInfo of a TLS certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct TlsPin(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl fmt::Debug for TlsPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsPin({})", hex::encode(self.0))
    }
}

/// One party of a roster, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum PartyId {
    /// A member, by its share index.
    #[n(0)]
    Member(#[n(0)] u16),
    /// A requestor, warden or operator, by its name.
    #[n(1)]
    Client(#[n(0)] String),
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(index) => write!(f, "member {index}"),
            Self::Client(name) => write!(f, "client {name:?}"),
        }
    }
}

/// One share-holder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Member {
    /// Share index, 1 to 65,535, never given to another identity key.
    #[n(0)]
    pub index: u16,
    /// Name for people.
    #[n(1)]
    pub name: String,
    /// Identity key, held by the member's HSM.
    #[n(2)]
    pub identity: IdentityPublic,
    /// Where the server listens (`host:port`); none for an offline vault.
    #[n(3)]
    pub address: Option<String>,
    /// Pin of the server's TLS certificate; none for an offline vault.
    #[n(4)]
    pub tls_pin: Option<TlsPin>,
}

impl Member {
    /// Whether the member is a server that can be called.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        self.address.is_some()
    }
}

/// What a client of the servers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ClientKind {
    /// Asks for signatures.
    #[n(0)]
    Requestor,
    /// Watches the chain.
    #[n(1)]
    Warden,
    /// A person's command line: ceremonies, imports, exports.
    #[n(2)]
    Operator,
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requestor => "requestor",
            Self::Warden => "warden",
            Self::Operator => "operator",
        })
    }
}

/// One requestor, warden or operator.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Client {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// What it is for.
    #[n(1)]
    pub kind: ClientKind,
    /// Its identity key, in software: it holds no shares.
    #[n(2)]
    pub identity: IdentityPublic,
    /// Pin of its TLS certificate.
    #[n(3)]
    pub tls_pin: TlsPin,
    /// The provider that it belongs to; empty for none.
    #[n(4)]
    pub provider: String,
}

/// A person with an order key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Guardian {
    /// Name for people.
    #[n(0)]
    pub name: String,
    /// The order key.
    #[n(1)]
    pub key: IdentityPublic,
}

/// The numbered list of everybody.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Roster {
    /// The cluster's lasting name.
    #[n(0)]
    pub cluster: ClusterId,
    /// The cluster's name for people.
    #[n(1)]
    pub name: String,
    /// 1 for the first, then rising by one.
    #[n(2)]
    pub number: u32,
    /// Hash of the roster before; none for the first.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub previous: Option<[u8; 32]>,
    /// Share-holders, by rising index.
    #[n(4)]
    pub members: Vec<Member>,
    /// Requestors, wardens and operators, by rising name.
    #[n(5)]
    pub clients: Vec<Client>,
    /// Guardians, by rising name.
    #[n(6)]
    pub guardians: Vec<Guardian>,
    /// How many guardians an order needs.
    #[n(7)]
    pub guardian_quorum: u16,
}

impl Message for Roster {
    const TAG: &'static str = "symbolon.roster";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 256 * 1024;
}

/// A party found in a roster.
#[derive(Debug, Clone, Copy)]
pub enum Party<'a> {
    /// A share-holder.
    Member(&'a Member),
    /// A requestor, warden or operator.
    Client(&'a Client),
}

impl Roster {
    /// The member of this index.
    #[must_use]
    pub fn member(&self, index: u16) -> Option<&Member> {
        self.members.iter().find(|member| member.index == index)
    }

    /// The client of this name.
    #[must_use]
    pub fn client(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.name == name)
    }

    /// The party of this name.
    #[must_use]
    pub fn party(&self, id: &PartyId) -> Option<Party<'_>> {
        match id {
            PartyId::Member(index) => self.member(*index).map(Party::Member),
            PartyId::Client(name) => self.client(name).map(Party::Client),
        }
    }

    /// Everybody who may open a connection to a server or be reached, with the pin of its key.
    pub fn tls_pins(&self) -> impl Iterator<Item = (PartyId, TlsPin)> + '_ {
        let members = self
            .members
            .iter()
            .filter_map(|member| Some((PartyId::Member(member.index), member.tls_pin?)));
        let clients = self
            .clients
            .iter()
            .map(|client| (PartyId::Client(client.name.clone()), client.tls_pin));
        members.chain(clients)
    }

    /// The roster's hash in an envelope of `network`: what people compare, and what is pinned.
    #[must_use]
    pub fn hash(&self, network: NetworkId) -> [u8; 32] {
        crate::envelope::Unsigned::new(network, self.clone()).digest()
    }
}
