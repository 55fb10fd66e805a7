//! Everything that answers a duty: directory, connections, queue, and what is remembered of members.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use symbolon_duties::Network;
use symbolon_protocol::{IdentitySigner as _, NetworkId, SoftIdentity};
use symbolon_rpc::{Pins, TlsIdentity};
use symbolon_signing::health::Health;
use symbolon_signing::quarantine::Quarantine;
use symbolon_threshold::SignerSet;

use crate::answer::Answer;
use crate::batch;
use crate::config::Config;
use crate::directory::Directory;
use crate::error::StartError;
use crate::evidence_store::EvidenceStore;
use crate::metrics::{MemberLabel, Metrics};
use crate::peers::{KEEP_WARM, Peers};
use crate::queue::{Job, Overloaded, Queue, STALL};
use crate::session::Sessions;

/// How much earlier than a client's deadline its duty is given up, so that the reason why reaches
/// the client instead of a bare time-out.
pub(crate) const MARGIN: Duration = Duration::from_millis(20);

/// The heart of the requestor.
pub(crate) struct Engine {
    config: Config,
    tls: TlsIdentity,
    pins: Pins,
    state: ArcSwap<State>,
    started: Instant,
    pub(crate) sessions: Sessions,
    pub(crate) queue: Queue,
    pub(crate) evidence: EvidenceStore,
    pub(crate) metrics: Metrics,
    health: Mutex<Health>,
    quarantine: Mutex<Quarantine>,
}

/// What a reload replaces.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) directory: Directory,
    pub(crate) peers: Peers,
}

impl Engine {
    /// Reads everything that the configuration names.
    pub(crate) fn open(config: Config, registry: &mut Registry) -> Result<Arc<Self>, StartError> {
        let tls = TlsIdentity::load(&config.identity_cert, &config.identity_key)?;
        let identity = SoftIdentity::from_pkcs8_der(tls.pkcs8())?;
        let directory = Directory::load(&config, &identity.public(), &tls.pin())?;
        let network = directory.network();
        let pins = Pins::of(directory.roster());
        let roster = Arc::new(directory.roster().clone());
        let peers = Peers::connect(&roster, &tls, &pins)?;
        let evidence = EvidenceStore::open(&config.evidence_dir, network)?;
        let quarantine = evidence.culprits(&directory)?;
        let sessions = Sessions::new(identity, &config.name, network, unix_seconds())?;
        let metrics = Metrics::new();
        metrics.register(registry);
        let engine = Self {
            tls,
            pins,
            state: ArcSwap::from_pointee(State { directory, peers }),
            started: Instant::now(),
            sessions,
            queue: Queue::new(config.signing.max_batch, config.signing.max_waiting),
            evidence,
            metrics,
            health: Mutex::default(),
            quarantine: Mutex::new(quarantine),
            config,
        };
        engine.say_what_is_loaded();
        Ok(Arc::new(engine))
    }

    /// Reads roster, groups and evidence again. Whatever fails leaves the old state in force.
    pub(crate) fn reload(&self) -> Result<(), StartError> {
        let old = self.state.load();
        let identity = SoftIdentity::from_pkcs8_der(self.tls.pkcs8())?;
        let directory = Directory::load(&self.config, &identity.public(), &self.tls.pin())?;
        let quarantine = self.evidence.culprits(&directory)?;
        self.pins.replace(directory.roster(), |_| true);
        // The connections, and the sessions known on them, belong to a roster.
        let peers = if directory.roster_hash() == old.directory.roster_hash() {
            old.peers.clone()
        } else {
            let roster = Arc::new(directory.roster().clone());
            Peers::connect(&roster, &self.tls, &self.pins)?
        };
        self.state.store(Arc::new(State { directory, peers }));
        *self.quarantine() = quarantine;
        self.say_what_is_loaded();
        self.show_members();
        Ok(())
    }

    /// Signs one duty, by its deadline at the latest.
    pub(crate) async fn sign(self: &Arc<Self>, job: Job) -> Answer {
        let _waiting = Raised::by_one(&self.metrics.waiting);
        let deadline = job.deadline;
        let members = job.key.key.group().lagrange().group().clone();
        let (answer, opened) = match self.queue.push(job) {
            Ok(pushed) => pushed,
            Err(Overloaded) => return Answer::unavailable("too many requests wait; try again"),
        };
        if opened {
            self.kick(&members);
        } else {
            self.metrics.coalesced.inc();
        }
        // The batch ends at the deadline and says why; the margin lets that through.
        match tokio::time::timeout_at((deadline + MARGIN).into(), answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Answer::late(),
        }
    }

    /// Lets every batch leave that may.
    pub(crate) fn kick(self: &Arc<Self>, members: &SignerSet) {
        while let Some(jobs) = self.queue.take(members, Instant::now()) {
            let (engine, lane) = (Arc::clone(self), members.clone());
            tokio::task::spawn_blocking(move || batch::run(&engine, lane, jobs));
            let (engine, lane) = (Arc::clone(self), members.clone());
            tokio::spawn(async move {
                tokio::time::sleep(STALL).await;
                engine.kick(&lane);
            });
        }
    }

    /// Keeps connections warm, the session fresh and the gauges right; never ends.
    pub(crate) async fn tend(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(KEEP_WARM);
        loop {
            ticks.tick().await;
            if let Err(error) = self.sessions.renew(unix_seconds()) {
                tracing::error!(%error, "no new session key; the current one is used on");
            }
            for peer in self.state.load().peers.iter() {
                let peer = Arc::clone(peer);
                tokio::spawn(async move { peer.keep_warm().await });
            }
            self.show_members();
        }
    }

    fn show_members(&self) {
        let state = self.state.load();
        for peer in state.peers.iter() {
            let label = MemberLabel {
                member: peer.index().get(),
            };
            let health = self.health().of(peer.index());
            let held = self.quarantine().holds(peer.index());
            self.metrics
                .latency
                .get_or_create(&label)
                .set(health.latency_micros / 1e6);
            self.metrics.score.get_or_create(&label).set(health.score);
            self.metrics
                .quarantined
                .get_or_create(&label)
                .set(i64::from(held));
        }
        let keys = state.directory.public_keys().len();
        self.metrics
            .keys
            .set(i64::try_from(keys).unwrap_or(i64::MAX));
    }

    fn say_what_is_loaded(&self) {
        let state = self.state.load();
        let directory = &state.directory;
        tracing::info!(
            roster = directory.roster().number,
            groups = directory.groups().len(),
            keys = directory.public_keys().len(),
            "roster and groups are in force"
        );
        for problem in directory.problems() {
            tracing::error!(problem, "a group is left out");
        }
        for (member, reason) in self.quarantine().iter() {
            tracing::warn!(
                member = member.get(),
                reason = reason.text,
                "member in quarantine"
            );
        }
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) const fn network(&self) -> &Network {
        &self.config.network
    }

    pub(crate) fn network_id(&self) -> NetworkId {
        NetworkId(self.config.network.id())
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn quarantine(&self) -> MutexGuard<'_, Quarantine> {
        self.quarantine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the start, by a clock that nobody sets.
    pub(crate) fn uptime_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Holds a gauge up, also when whoever waits goes away.
pub(crate) struct Raised<'a>(&'a Gauge);

impl<'a> Raised<'a> {
    pub(crate) fn by_one(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The wall clock, in seconds.
pub(crate) fn unix_seconds() -> u64 {
    unix_millis() / 1000
}

/// The wall clock, in milliseconds.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
