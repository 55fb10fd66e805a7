//! The rules that a single roster, and one roster after another, must keep.

use std::collections::HashSet;
use std::hash::Hash;

use super::Roster;
use crate::cbor::CborError;
use crate::envelope::EnvelopeError;

const MAX_MEMBERS: usize = 255;
const MAX_CLIENTS: usize = 256;
pub(super) const MAX_GUARDIANS: usize = 64;

/// Why a roster is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// The bytes are not a roster.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The envelope is wrong.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A name is empty, too long or has characters that could mislead on a screen.
    #[error(
        "the name {0:?} is refused: use 1 to 32 of a-z, 0-9 and -, beginning with a letter or digit"
    )]
    Name(String),
    /// Two entries share what must be one party's own.
    #[error("two entries have the same {what}: {value}")]
    Doubled {
        /// What is shared.
        what: &'static str,
        /// The shared value.
        value: String,
    },
    /// Entries are not in rising order.
    #[error("{0} are not in rising order")]
    Order(&'static str),
    /// A list is empty or too long.
    #[error("the roster has {got} {what}, allowed are {min} to {max}")]
    Count {
        /// Which list.
        what: &'static str,
        /// Entries found.
        got: usize,
        /// Fewest allowed.
        min: usize,
        /// Most allowed.
        max: usize,
    },
    /// Index zero.
    #[error("member {0:?} has share index 0; indices are 1 to 65535")]
    IndexZero(String),
    /// An online member without a pin, or the other way round.
    #[error("member {0:?} needs both an address and a TLS pin, or neither (offline)")]
    HalfOnline(String),
    /// The guardian quorum cannot be met, or is zero.
    #[error("a guardian quorum of {quorum} is impossible with {guardians} guardians")]
    Quorum {
        /// Quorum asked for.
        quorum: u16,
        /// Guardians listed.
        guardians: usize,
    },
    /// The first roster's hash is not the pinned one.
    #[error("the first roster has hash {got}, this program is pinned to {expected}")]
    Pin {
        /// Pinned hash.
        expected: String,
        /// Hash found.
        got: String,
    },
    /// A chain without a roster, or with too many.
    #[error("a roster chain holds 1 to 10000 rosters, got {0}")]
    ChainLength(usize),
    /// Numbers do not rise by one, or the hash of the roster before is wrong.
    #[error("roster {number} does not follow on the one before it: {why}")]
    Broken {
        /// Number in the roster that does not fit.
        number: u32,
        /// What does not fit.
        why: &'static str,
    },
    /// A member index was given to another identity key.
    #[error(
        "roster {number} gives share index {index} to another identity key; an index is never reused"
    )]
    Renumbered {
        /// Number of the roster.
        number: u32,
        /// The index.
        index: u16,
    },
    /// Too few valid guardian signatures.
    #[error("roster {number} has {got} valid guardian signatures, {needed} are needed")]
    Signatures {
        /// Number of the roster.
        number: u32,
        /// Valid signatures by distinct guardians.
        got: usize,
        /// Quorum of the roster that must sign.
        needed: u16,
    },
}

impl Roster {
    /// Checks everything that one roster can be checked for alone.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<(), RosterError> {
        count("members", self.members.len(), 1, MAX_MEMBERS)?;
        count("clients", self.clients.len(), 0, MAX_CLIENTS)?;
        count("guardians", self.guardians.len(), 1, MAX_GUARDIANS)?;
        name(&self.name)?;
        if self.guardian_quorum == 0 || usize::from(self.guardian_quorum) > self.guardians.len() {
            return Err(RosterError::Quorum {
                quorum: self.guardian_quorum,
                guardians: self.guardians.len(),
            });
        }
        for member in &self.members {
            name(&member.name)?;
            if member.index == 0 {
                return Err(RosterError::IndexZero(member.name.clone()));
            }
            if member.address.is_some() != member.tls_pin.is_some() {
                return Err(RosterError::HalfOnline(member.name.clone()));
            }
            if let Some(address) = &member.address {
                check_address(address)?;
            }
        }
        for client in &self.clients {
            name(&client.name)?;
            if !client.provider.is_empty() {
                name(&client.provider)?;
            }
        }
        for guardian in &self.guardians {
            name(&guardian.name)?;
        }
        rising("members", self.members.iter().map(|member| member.index))?;
        rising("clients", self.clients.iter().map(|client| &client.name))?;
        rising(
            "guardians",
            self.guardians.iter().map(|guardian| &guardian.name),
        )?;
        distinct(
            "member name",
            self.members.iter().map(|member| &member.name),
        )?;
        let identities = self.members.iter().map(|member| member.identity);
        distinct(
            "identity key",
            identities.chain(self.clients.iter().map(|c| c.identity)),
        )?;
        distinct(
            "guardian key",
            self.guardians.iter().map(|guardian| guardian.key),
        )?;
        distinct(
            "TLS pin",
            self.tls_pins().map(|(_, pin)| hex::encode(pin.0)),
        )?;
        Ok(())
    }

    /// Checks that `next` may follow on this roster (signatures apart).
    pub(super) fn check_next(&self, hash: [u8; 32], next: &Self) -> Result<(), RosterError> {
        let broken = |why| {
            Err(RosterError::Broken {
                number: next.number,
                why,
            })
        };
        if Some(next.number) != self.number.checked_add(1) {
            return broken("its number is not the next one");
        }
        if next.previous != Some(hash) {
            return broken("it names another roster as the one before");
        }
        if next.cluster != self.cluster {
            return broken("it belongs to another cluster");
        }
        Ok(())
    }
}

pub(super) fn count(
    what: &'static str,
    got: usize,
    min: usize,
    max: usize,
) -> Result<(), RosterError> {
    if (min..=max).contains(&got) {
        return Ok(());
    }
    Err(RosterError::Count {
        what,
        got,
        min,
        max,
    })
}

fn name(text: &str) -> Result<(), RosterError> {
    let good = (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-');
    if good {
        return Ok(());
    }
    Err(RosterError::Name(text.chars().take(64).collect()))
}

fn check_address(text: &str) -> Result<(), RosterError> {
    let good = text.len() <= 255
        && text.bytes().all(|b| b.is_ascii_graphic())
        && text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
        });
    if good {
        return Ok(());
    }
    Err(RosterError::Name(text.chars().take(64).collect()))
}

fn rising<T: PartialOrd>(
    what: &'static str,
    items: impl Iterator<Item = T>,
) -> Result<(), RosterError> {
    if items.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(RosterError::Order(what))
}

fn distinct<T: Hash + Eq + ToString>(
    what: &'static str,
    items: impl Iterator<Item = T>,
) -> Result<(), RosterError> {
    let mut seen = HashSet::new();
    for item in items {
        let value = item.to_string();
        if !seen.insert(item) {
            return Err(RosterError::Doubled { what, value });
        }
    }
    Ok(())
}
