//! One warm connection to each server, and what is known of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use symbolon_protocol::roster::{PartyId, Roster};
use symbolon_protocol::sign::{SessionFrame, SignReply};
use symbolon_protocol::{NetworkId, Verified};
use symbolon_rpc::{CallError, PeerClient, Pins, TlsIdentity};
use symbolon_signing::frame::{self, KnownSession};
use symbolon_threshold::ShareIndex;

use crate::error::StartError;

/// How often a connection without traffic is tried, so that it is warm or known to be down.
pub(crate) const KEEP_WARM: Duration = Duration::from_secs(2);

/// How long such a trial may take.
const TRIAL: Duration = Duration::from_secs(3);

/// All servers of a roster, by share index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers {
    by_index: BTreeMap<ShareIndex, Arc<Peer>>,
}

/// One server.
pub(crate) struct Peer {
    index: ShareIndex,
    name: String,
    client: PeerClient,
    roster: Arc<Roster>,
    session: Mutex<Option<KnownSession>>,
    contact: Mutex<Contact>,
}

/// How the last call went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Contact {
    /// No call has ended yet.
    #[default]
    Untried,
    /// It answered.
    Up,
    /// It answered that it takes no batch; its reason.
    Refusing(String),
    /// It did not answer; the reason.
    Down(String),
}

impl Peers {
    pub(crate) fn connect(
        roster: &Arc<Roster>,
        identity: &TlsIdentity,
        pins: &Pins,
    ) -> Result<Self, StartError> {
        let mut by_index = BTreeMap::new();
        for member in &roster.members {
            let index = ShareIndex::try_from(u64::from(member.index));
            let (Some(address), Ok(index)) = (&member.address, index) else {
                continue;
            };
            let party = PartyId::Member(member.index);
            let (pins, max) = (pins.clone(), SessionFrame::MAX_LEN);
            let peer = Peer {
                index,
                name: member.name.clone(),
                client: PeerClient::new(party, address, identity, pins, max)?,
                roster: Arc::clone(roster),
                session: Mutex::default(),
                contact: Mutex::default(),
            };
            by_index.insert(index, Arc::new(peer));
        }
        Ok(Self { by_index })
    }

    pub(crate) fn get(&self, index: ShareIndex) -> Option<&Arc<Peer>> {
        self.by_index.get(&index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.by_index.values()
    }
}

impl Peer {
    pub(crate) const fn index(&self) -> ShareIndex {
        self.index
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sends a batch, returns the reply's bytes.
    pub(crate) async fn ask(&self, frame: &[u8], limit: Duration) -> Result<Vec<u8>, CallError> {
        let answer = self.client.sign(frame.to_vec(), limit).await;
        self.note(match &answer {
            Ok(_) => Contact::Up,
            Err(error @ CallError::Refused { .. }) => Contact::Refusing(error.to_string()),
            Err(error) => Contact::Down(error.to_string()),
        });
        answer
    }

    /// Opens the connection when it is down, and learns whether the server lives.
    pub(crate) async fn keep_warm(&self) {
        match self.client.check(TRIAL).await {
            Ok(true) if matches!(self.contact(), Contact::Refusing(_)) => {}
            Ok(true) => self.note(Contact::Up),
            Ok(false) => self.note(Contact::Down("it says that it does not serve".to_owned())),
            Err(error) => self.note(Contact::Down(error.to_string())),
        }
    }

    /// Checks that bytes are a reply signed by this member.
    pub(crate) fn open(
        &self,
        network: NetworkId,
        bytes: &[u8],
        now: u64,
    ) -> Result<SignReply, String> {
        let frame = SessionFrame::from_bytes(bytes).map_err(|error| error.to_string())?;
        let holder = PartyId::Member(self.index.get());
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let reply: Result<Verified<SignReply>, _> =
            frame::open(network, &frame, &self.roster, &holder, now, &mut session);
        reply
            .map(|reply| (*reply).clone())
            .map_err(|error| error.to_string())
    }

    pub(crate) fn contact(&self) -> Contact {
        self.contact
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Says in the log when a server goes or comes back, once.
    fn note(&self, now: Contact) {
        let (member, name) = (self.index.get(), self.name());
        let mut contact = self.contact.lock().unwrap_or_else(PoisonError::into_inner);
        let same = std::mem::discriminant(&*contact) == std::mem::discriminant(&now);
        match &now {
            _ if same => {}
            Contact::Untried => {}
            Contact::Up => tracing::info!(member, name, "server is up"),
            Contact::Refusing(why) => tracing::warn!(member, name, why, "server refuses batches"),
            Contact::Down(why) => tracing::warn!(member, name, why, "server is down"),
        }
        *contact = now;
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
