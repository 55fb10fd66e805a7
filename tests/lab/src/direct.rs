//! Asks servers one by one, as a requestor does: with its identity, but without its machinery.

use std::path::Path;
use std::time::Duration;

use symbolon_daemon::files;
use symbolon_duties::Network;
use symbolon_protocol::roster::{PartyId, RosterChain};
use symbolon_protocol::session::{SessionKey, SessionSecret};
use symbolon_protocol::sign::{SessionFrame, SignBatch, SignItem, SignReply};
use symbolon_protocol::{NetworkId, SoftIdentity, Unsigned};
use symbolon_rpc::{PeerClient, Pins, TlsIdentity};
use symbolon_signing::frame;
use symbolon_web3signer::parse_sign_request;
use tokio::runtime::{Builder, Runtime};

use crate::error::LabError;
use crate::network::unix_seconds;
use crate::record::LabRecord;
use crate::sample::Sample;

/// A requestor's identity with a warm connection to every server. Calls block; none may be made
/// from within an asynchronous runtime.
pub struct DirectRequestor {
    runtime: Runtime,
    network: Network,
    id: NetworkId,
    chain: RosterChain,
    secret: SessionSecret,
    certificate: Vec<u8>,
    clients: Vec<(u16, PeerClient)>,
}

impl DirectRequestor {
    /// The laboratory's own requestor.
    ///
    /// # Errors
    ///
    /// Its files or the roster cannot be read.
    pub fn of(record: &LabRecord, network: &Network) -> Result<Self, LabError> {
        Self::new(
            &record.requestor.dir,
            &record.requestor.name,
            record,
            network,
        )
    }

    /// Whoever has identity.key and identity.crt in `dir`, under any name.
    ///
    /// # Errors
    ///
    /// Files or roster cannot be read.
    pub fn new(
        dir: &Path,
        name: &str,
        record: &LabRecord,
        network: &Network,
    ) -> Result<Self, LabError> {
        let failed = |error: &dyn std::fmt::Display| LabError::answer(name, error);
        let id = NetworkId(network.id());
        let chain = roster(record, id)?;
        let tls = TlsIdentity::load(&dir.join("identity.crt"), &dir.join("identity.key"))
            .map_err(|error| failed(&error))?;
        let identity = SoftIdentity::from_pkcs8_der(tls.pkcs8()).map_err(|error| failed(&error))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| failed(&error))?;
        let secret = SessionSecret::from_seed(&seed).map_err(|error| failed(&error))?;
        let now = unix_seconds();
        let key = SessionKey {
            holder: PartyId::Client(name.to_owned()),
            key: secret.public(),
            not_before: now,
            not_after: now.saturating_add(SESSION_SECONDS),
        };
        let certificate = Unsigned::new(id, key)
            .sign(&identity)
            .map_err(|error| failed(&error))?
            .to_bytes();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let pins = Pins::of(chain.current());
        let mut clients = Vec::new();
        for member in &chain.current().members {
            let Some(address) = &member.address else {
                continue;
            };
            let party = PartyId::Member(member.index);
            let made = runtime.block_on(async {
                PeerClient::new(party, address, &tls, pins.clone(), SessionFrame::MAX_LEN)
            });
            clients.push((member.index, made.map_err(|error| failed(&error))?));
        }
        Ok(Self {
            runtime,
            network: network.clone(),
            id,
            chain,
            secret,
            certificate,
            clients,
        })
    }

    /// A batch of these requests for the shares of one group epoch.
    ///
    /// # Errors
    ///
    /// One is none of this network, or no randomness.
    pub fn batch(&self, samples: &[Sample], group_epoch: u32) -> Result<SignBatch, LabError> {
        let mut items = Vec::new();
        for sample in samples {
            let parsed = parse_sign_request(sample.body.to_string().as_bytes(), &self.network)
                .map_err(|error| LabError::answer(sample.kind.name(), error))?;
            items.push(SignItem {
                key: sample.key,
                group_epoch,
                duty: parsed.duty,
                fork_version: parsed.fork_version,
                signing_root: parsed.signing_root,
            });
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| LabError::answer("randomness", error))?;
        let ttl_ms = u32::try_from(LIMIT.as_millis()).unwrap_or(u32::MAX);
        let issued_at_ms = unix_seconds().saturating_mul(1000);
        Ok(SignBatch {
            id: id.into(),
            issued_at_ms,
            ttl_ms,
            items,
        })
    }

    /// Signs and frames a batch, as it travels.
    #[must_use]
    pub fn frame(&self, batch: SignBatch) -> Vec<u8> {
        let message = Unsigned::new(self.id, batch)
            .sign_session(&self.secret)
            .to_bytes();
        SessionFrame::new(self.certificate.clone(), message).to_bytes()
    }

    /// Sends bytes to one server; gives the bytes of its answer.
    ///
    /// # Errors
    ///
    /// There is no such server, or it gives no answer.
    pub fn send(&self, member: u16, frame: Vec<u8>) -> Result<Vec<u8>, LabError> {
        let client = self.clients.iter().find(|(index, _)| *index == member);
        let servers = self.clients.len();
        let (_, client) = client.ok_or(LabError::NoServer {
            index: member,
            servers,
        })?;
        let answer = self.runtime.block_on(client.sign(frame, LIMIT));
        answer.map_err(|error| LabError::answer(&format!("member {member}"), error))
    }

    /// Asks one server, and opens its reply: signed in a session that its HSM's identity certified.
    ///
    /// # Errors
    ///
    /// No answer, or none that is signed by the server for this batch.
    pub fn ask(&self, member: u16, batch: &SignBatch) -> Result<SignReply, LabError> {
        let answer = self.send(member, self.frame(batch.clone()))?;
        let who = format!("member {member}");
        let frame =
            SessionFrame::from_bytes(&answer).map_err(|error| LabError::answer(&who, error))?;
        let opened = frame::open::<SignReply>(
            self.id,
            &frame,
            self.chain.current(),
            &PartyId::Member(member),
            unix_seconds(),
            &mut None,
        );
        let reply = opened.map_err(|error| LabError::answer(&who, error))?;
        if *reply.batch != Unsigned::new(self.id, batch.clone()).digest() {
            return Err(LabError::answer(&who, "the reply is to another batch"));
        }
        Ok((*reply).clone())
    }
}

impl std::fmt::Debug for DirectRequestor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectRequestor")
            .field("servers", &self.clients.len())
            .finish_non_exhaustive()
    }
}

/// The roster in force of a laboratory.
pub(crate) fn roster(record: &LabRecord, id: NetworkId) -> Result<RosterChain, LabError> {
    let bytes = files::read_bounded(&record.cluster.join("roster.cbor"), MAX_ROSTER)?;
    RosterChain::from_bytes(id, &bytes, None).map_err(|error| LabError::answer("the roster", error))
}

const MAX_ROSTER: u64 = 4 * 1024 * 1024;
const SESSION_SECONDS: u64 = 3600;
const LIMIT: Duration = Duration::from_secs(5);
