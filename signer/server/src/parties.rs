//! Who may call: the roster in force, and the session keys of requestors seen so far.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};
use symbolon_daemon::files;
use symbolon_protocol::NetworkId;
use symbolon_protocol::roster::{ClientKind, PartyId, Roster, RosterChain};
use symbolon_protocol::session::{
    CLOCK_TOLERANCE_SECONDS, SessionError, SessionKey, SessionPublic,
};
use symbolon_rpc::Pins;

use crate::error::StartError;

/// The roster in force, replaced as a whole by a reload.
pub(crate) struct Parties {
    network: NetworkId,
    path: PathBuf,
    pin: [u8; 32],
    chain: ArcSwap<RosterChain>,
    pins: Pins,
    sessions: Mutex<HashMap<[u8; 32], KnownSession>>,
}

/// A session certificate that was verified under the roster in force.
#[derive(Clone)]
struct KnownSession {
    holder: PartyId,
    key: SessionPublic,
    not_before: u64,
    not_after: u64,
}

/// Why a caller is not heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallerError {
    /// Not in the roster any more, or a member.
    #[error("{0} is no client of this server; ask for an entry in the roster")]
    NotAClient(PartyId),
    /// A client of another kind.
    #[error("{caller} is a {kind}; this call is for a {expected}")]
    Kind {
        /// Who calls.
        caller: PartyId,
        /// What it is.
        kind: ClientKind,
        /// Who may call.
        expected: ClientKind,
    },
    /// The session is another's.
    #[error("{caller} sent a session key of {holder}")]
    OtherHolder {
        /// Who calls.
        caller: PartyId,
        /// Whose session it is.
        holder: PartyId,
    },
    /// The session certificate.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Parties {
    /// Reads and verifies the roster chain.
    pub(crate) fn open(
        network: NetworkId,
        path: PathBuf,
        pin: [u8; 32],
    ) -> Result<Self, StartError> {
        let chain = read(network, &path, &pin)?;
        let pins = Pins::of(chain.current());
        let (chain, sessions) = (ArcSwap::from_pointee(chain), Mutex::default());
        Ok(Self {
            network,
            path,
            pin,
            chain,
            pins,
            sessions,
        })
    }

    /// Reads the chain again; it must go on from the one in force.
    pub(crate) fn reload(&self) -> Result<u32, StartError> {
        let chain = read(self.network, &self.path, &self.pin)?;
        let (old, new) = (self.chain.load().current().number, chain.current().number);
        if new < old || (new == old && chain.hash() != self.chain.load().hash()) {
            let why = format!("roster {old} is in force, the file ends with another roster {new}");
            return Err(StartError::Membership(why));
        }
        self.pins.replace(chain.current(), |_| true);
        self.chain.store(Arc::new(chain));
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(new)
    }

    pub(crate) fn chain(&self) -> Arc<RosterChain> {
        self.chain.load_full()
    }

    pub(crate) const fn network(&self) -> NetworkId {
        self.network
    }

    pub(crate) fn pins(&self) -> Pins {
        self.pins.clone()
    }

    /// The name of a client of this kind in the roster in force.
    pub(crate) fn client(
        &self,
        caller: &PartyId,
        expected: ClientKind,
    ) -> Result<String, CallerError> {
        let chain = self.chain.load();
        let client = match caller {
            PartyId::Client(name) => chain.current().client(name),
            PartyId::Member(_) => None,
        };
        let client = client.ok_or_else(|| CallerError::NotAClient(caller.clone()))?;
        if client.kind != expected {
            let (caller, kind) = (caller.clone(), client.kind);
            return Err(CallerError::Kind {
                caller,
                kind,
                expected,
            });
        }
        Ok(client.name.clone())
    }

    /// The session key in a certificate, which must be the caller's and valid at `now` (unix
    /// seconds).
    pub(crate) fn session(
        &self,
        caller: &PartyId,
        certificate: &[u8],
        now: u64,
    ) -> Result<SessionPublic, CallerError> {
        let name: [u8; 32] = Sha256::digest(certificate).into();
        let known = self
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .cloned();
        let session = match known.filter(|session| session.holds_at(now)) {
            Some(session) => session,
            None => self.verify(name, certificate, now)?,
        };
        if session.holder != *caller {
            let (caller, holder) = (caller.clone(), session.holder);
            return Err(CallerError::OtherHolder { caller, holder });
        }
        Ok(session.key)
    }

    fn verify(
        &self,
        name: [u8; 32],
        certificate: &[u8],
        now: u64,
    ) -> Result<KnownSession, SessionError> {
        let chain = self.chain.load_full();
        let verified = SessionKey::verify(self.network, certificate, chain.current(), now)?;
        let session = KnownSession {
            holder: verified.holder.clone(),
            key: verified.key,
            not_before: verified.not_before,
            not_after: verified.not_after,
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            sessions.clear();
        }
        // A reload in between has cleared the list for a new roster: this one is of the old.
        if Arc::ptr_eq(&chain, &self.chain.load_full()) {
            sessions.insert(name, session.clone());
        }
        Ok(session)
    }
}

impl KnownSession {
    const fn holds_at(&self, now: u64) -> bool {
        self.not_before.saturating_sub(CLOCK_TOLERANCE_SECONDS) <= now
            && now <= self.not_after.saturating_add(CLOCK_TOLERANCE_SECONDS)
    }
}

fn read(network: NetworkId, path: &Path, pin: &[u8; 32]) -> Result<RosterChain, StartError> {
    let bytes = files::read_bounded(path, MAX_ROSTER_FILE)?;
    RosterChain::from_bytes(network, &bytes, Some(pin)).map_err(|cause| StartError::Roster {
        path: path.to_owned(),
        cause,
    })
}

/// Checks that the roster names this member with the device's identity key and the TLS key.
pub(crate) fn check_membership(
    roster: &Roster,
    member: u16,
    identity: &symbolon_protocol::IdentityPublic,
    tls_pin: [u8; 32],
) -> Result<(), StartError> {
    let wrong = |why: String| Err(StartError::Membership(why));
    let Some(entry) = roster.member(member) else {
        return wrong(format!("roster {} has no member {member}", roster.number));
    };
    if entry.identity != *identity {
        return wrong(format!(
            "member {member} has identity key {} in the roster, the token holds {identity}: \
             wrong token, or a roster of another cluster",
            entry.identity
        ));
    }
    if entry.tls_pin.is_none_or(|pin| pin.0 != tls_pin) {
        return wrong(format!(
            "the TLS key is not the one that the roster pins for member {member}"
        ));
    }
    Ok(())
}

impl fmt::Debug for Parties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.chain.load().current().number;
        f.debug_struct("Parties")
            .field("roster", &number)
            .finish_non_exhaustive()
    }
}

const MAX_ROSTER_FILE: u64 = 4 * 1024 * 1024;

const MAX_SESSIONS: usize = 256;
