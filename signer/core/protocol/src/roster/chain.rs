//! A roster with its guardians' signatures, and the chain back to the pinned first one.

use std::collections::{BTreeSet, HashMap};

use minicbor::{Decode, Encode};

use super::check::{MAX_GUARDIANS, count};
use super::{Roster, RosterError};
use crate::cbor::{from_bytes, to_bytes};
use crate::envelope::{Message, NetworkId, Unsigned};
use crate::identity::{IdentityError, IdentityPublic, IdentitySignature, IdentitySigner};

const MAX_CHAIN: usize = 10_000;

/// A guardian's signature under a roster.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RosterSignature {
    /// Name of the guardian in the roster that authorises.
    #[n(0)]
    pub guardian: String,
    /// The signature.
    #[n(1)]
    pub signature: IdentitySignature,
}

/// A roster body with the signatures gathered so far.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedRoster {
    #[cbor(n(0), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[n(1)]
    signatures: Vec<RosterSignature>,
}

#[derive(Encode, Decode)]
#[cbor(transparent)]
struct Links(#[n(0)] Vec<SignedRoster>);

impl SignedRoster {
    /// Starts gathering signatures under `roster`.
    #[must_use]
    pub fn new(network: NetworkId, roster: Roster) -> Self {
        let body = Unsigned::new(network, roster).body().to_vec();
        Self {
            body,
            signatures: Vec::new(),
        }
    }

    /// Parses a roster that may still lack signatures.
    ///
    /// # Errors
    ///
    /// Too long or not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RosterError> {
        Ok(from_bytes("signed roster", bytes, Roster::MAX_LEN)?)
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// The roster, whose signatures nobody has checked, and its hash.
    ///
    /// # Errors
    ///
    /// The body is no roster of this network, or breaks a rule.
    pub fn unverified(&self, network: NetworkId) -> Result<(Roster, [u8; 32]), RosterError> {
        let unsigned = Unsigned::<Roster>::from_body(network, &self.body)?;
        unsigned.value().check()?;
        Ok((unsigned.value().clone(), unsigned.digest()))
    }

    /// Names of the guardians that signed, valid or not.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|entry| entry.guardian.as_str())
    }

    /// Adds (or replaces) one guardian's signature.
    ///
    /// # Errors
    ///
    /// The body is no roster of this network, or the key's holder refused.
    pub fn sign(
        &mut self,
        network: NetworkId,
        guardian: &str,
        key: &dyn IdentitySigner,
    ) -> Result<(), SignRosterError> {
        let unsigned = Unsigned::<Roster>::from_body(network, &self.body)
            .map_err(|e| SignRosterError::Roster(e.into()))?;
        let signature = key.sign_digest(&unsigned.digest())?;
        self.signatures.retain(|old| old.guardian != guardian);
        self.signatures.push(RosterSignature {
            guardian: guardian.to_owned(),
            signature,
        });
        self.signatures.sort_by(|a, b| a.guardian.cmp(&b.guardian));
        Ok(())
    }

    /// How many distinct guardians of `authority` signed.
    fn valid(&self, unsigned: &Unsigned<Roster>, authority: &Roster) -> usize {
        let signed: BTreeSet<&str> = self
            .signatures
            .iter()
            .filter(|entry| {
                authority.guardians.iter().any(|guardian| {
                    guardian.name == entry.guardian
                        && unsigned.is_signed_by(&guardian.key, &entry.signature)
                })
            })
            .map(|entry| entry.guardian.as_str())
            .collect();
        signed.len()
    }
}

/// A signature that could not be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignRosterError {
    /// The body is no roster.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The key did not sign.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// A verified chain of rosters; the last one is in force.
#[derive(Debug, Clone)]
pub struct RosterChain {
    network: NetworkId,
    links: Vec<SignedRoster>,
    first_hash: [u8; 32],
    hash: [u8; 32],
    current: Roster,
    owners: HashMap<u16, IdentityPublic>,
}

impl RosterChain {
    /// Parses and verifies a chain. `pin` is the first roster's hash as people compared it.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn from_bytes(
        network: NetworkId,
        bytes: &[u8],
        pin: Option<&[u8; 32]>,
    ) -> Result<Self, RosterError> {
        let max = Roster::MAX_LEN.saturating_mul(16);
        let Links(links) = from_bytes("roster chain", bytes, max)?;
        if links.len() > MAX_CHAIN {
            return Err(RosterError::ChainLength(links.len()));
        }
        let mut links = links.into_iter();
        let first = links.next().ok_or(RosterError::ChainLength(0))?;
        let mut chain = Self::start(network, first, pin)?;
        for link in links {
            chain = chain.append(link)?;
        }
        Ok(chain)
    }

    /// Verifies the first roster of a cluster.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn start(
        network: NetworkId,
        first: SignedRoster,
        pin: Option<&[u8; 32]>,
    ) -> Result<Self, RosterError> {
        let unsigned = Unsigned::<Roster>::from_body(network, &first.body)?;
        let roster = unsigned.value().clone();
        roster.check()?;
        let hash = unsigned.digest();
        if let Some(pin) = pin
            && *pin != hash
        {
            return Err(RosterError::Pin {
                expected: hex::encode(pin),
                got: hex::encode(hash),
            });
        }
        if roster.number != 1 || roster.previous.is_some() {
            let why = "a first roster has number 1 and none before it";
            return Err(RosterError::Broken {
                number: roster.number,
                why,
            });
        }
        quorum(&first, &unsigned, &roster)?;
        let owners = roster
            .members
            .iter()
            .map(|m| (m.index, m.identity))
            .collect();
        let links = vec![first];
        Ok(Self {
            network,
            links,
            first_hash: hash,
            hash,
            current: roster,
            owners,
        })
    }

    /// Verifies the next roster and puts it in force.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn append(mut self, next: SignedRoster) -> Result<Self, RosterError> {
        let unsigned = Unsigned::<Roster>::from_body(self.network, &next.body)?;
        let roster = unsigned.value().clone();
        roster.check()?;
        self.current.check_next(self.hash, &roster)?;
        for member in &roster.members {
            let owner = self.owners.entry(member.index).or_insert(member.identity);
            if *owner != member.identity {
                let (number, index) = (roster.number, member.index);
                return Err(RosterError::Renumbered { number, index });
            }
        }
        quorum(&next, &unsigned, &self.current)?;
        self.hash = unsigned.digest();
        self.links.push(next);
        self.current = roster;
        Ok(self)
    }

    /// The canonical bytes of the whole chain.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&Links(self.links.clone()))
    }

    /// The roster in force.
    #[must_use]
    pub const fn current(&self) -> &Roster {
        &self.current
    }

    /// Hash of the roster in force.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The roster of the chain with this hash: in force, or in force once.
    ///
    /// What was agreed under an older roster is judged by that roster.
    #[must_use]
    pub fn with_hash(&self, hash: &[u8; 32]) -> Option<Roster> {
        self.links.iter().rev().find_map(|link| {
            let unsigned = Unsigned::<Roster>::from_body(self.network, &link.body).ok()?;
            (unsigned.digest() == *hash).then(|| unsigned.value().clone())
        })
    }

    /// Hash of the first roster, which is pinned.
    #[must_use]
    pub const fn first_hash(&self) -> [u8; 32] {
        self.first_hash
    }

    /// The chain's network.
    #[must_use]
    pub const fn network(&self) -> NetworkId {
        self.network
    }

    /// Whether `index` was given to some identity key in any roster of the chain.
    #[must_use]
    pub fn owner_of(&self, index: u16) -> Option<&IdentityPublic> {
        self.owners.get(&index)
    }
}

fn quorum(
    signed: &SignedRoster,
    unsigned: &Unsigned<Roster>,
    authority: &Roster,
) -> Result<(), RosterError> {
    // Before any of them is looked at: each costs a check over the whole body.
    count("signatures", signed.signatures.len(), 0, MAX_GUARDIANS)?;
    let got = signed.valid(unsigned, authority);
    if got >= usize::from(authority.guardian_quorum) {
        return Ok(());
    }
    let needed = authority.guardian_quorum;
    Err(RosterError::Signatures {
        number: unsigned.value().number,
        got,
        needed,
    })
}

#[cfg(test)]
mod tests;
