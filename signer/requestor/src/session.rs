//! This requestor's session key: drawn at start, certified by its identity, renewed twice a day.

use std::sync::Arc;

use arc_swap::ArcSwap;
use symbolon_protocol::roster::PartyId;
use symbolon_protocol::session::{MAX_SESSION_SECONDS, SessionKey, SessionSecret};
use symbolon_protocol::sign::{SessionFrame, SignBatch};
use symbolon_protocol::{IdentitySigner as _, NetworkId, SoftIdentity, Unsigned};

use crate::error::StartError;

/// Who this requestor is, and the session key that signs for it.
pub(crate) struct Sessions {
    identity: SoftIdentity,
    holder: PartyId,
    network: NetworkId,
    current: ArcSwap<Session>,
}

struct Session {
    secret: SessionSecret,
    certificate: Vec<u8>,
    not_before: u64,
}

/// A batch, signed and framed once for all members.
pub(crate) struct SignedBatch {
    pub(crate) digest: [u8; 32],
    pub(crate) frame: Arc<[u8]>,
}

impl Sessions {
    pub(crate) fn new(
        identity: SoftIdentity,
        name: &str,
        network: NetworkId,
        now: u64,
    ) -> Result<Self, StartError> {
        let holder = PartyId::Client(name.to_owned());
        let first = Session::begin(&identity, &holder, network, now)?;
        Ok(Self {
            identity,
            holder,
            network,
            current: ArcSwap::from_pointee(first),
        })
    }

    /// Begins a new session when half of the current one's life is over, or the clock was set.
    pub(crate) fn renew(&self, now: u64) -> Result<(), StartError> {
        let age = self.current.load().not_before.abs_diff(now);
        if age < MAX_SESSION_SECONDS / 2 {
            return Ok(());
        }
        let next = Session::begin(&self.identity, &self.holder, self.network, now)?;
        self.current.store(Arc::new(next));
        tracing::info!("a new session key is in use");
        Ok(())
    }

    pub(crate) fn sign(&self, batch: SignBatch) -> SignedBatch {
        let session = self.current.load();
        let unsigned = Unsigned::new(self.network, batch);
        let digest = unsigned.digest();
        let message = unsigned.sign_session(&session.secret).to_bytes();
        let frame = SessionFrame::new(session.certificate.clone(), message).to_bytes();
        SignedBatch {
            digest,
            frame: frame.into(),
        }
    }
}

impl Session {
    fn begin(
        identity: &SoftIdentity,
        holder: &PartyId,
        network: NetworkId,
        now: u64,
    ) -> Result<Self, StartError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(StartError::Randomness)?;
        let secret = SessionSecret::from_seed(&seed)?;
        let key = SessionKey {
            holder: holder.clone(),
            key: secret.public(),
            not_before: now,
            not_after: now.saturating_add(MAX_SESSION_SECONDS),
        };
        let certificate = Unsigned::new(network, key).sign(identity)?.to_bytes();
        Ok(Self {
            secret,
            certificate,
            not_before: now,
        })
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let identity = self.identity.public();
        f.debug_struct("Sessions")
            .field("identity", &identity)
            .finish_non_exhaustive()
    }
}
