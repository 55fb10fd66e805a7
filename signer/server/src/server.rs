//! A server from its start to its stop.

mod prepare;
mod watch;

pub(crate) use prepare::journal_key;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use symbolon_ceremony::wire::{MAX_CEREMONY_REPLY, MAX_CEREMONY_REQUEST};
use symbolon_daemon::health::Health;
use symbolon_daemon::shutdown::{Shutdown, StopTrigger};
use symbolon_daemon::status::StatusServer;
use symbolon_protocol::admin::MAX_ADMIN_FRAME;
use symbolon_protocol::sign::SessionFrame;
use symbolon_rpc::wire::admin_server::AdminServer;
use symbolon_rpc::wire::ceremony_server::CeremonyServer;
use symbolon_rpc::wire::signer_server::SignerServer;
use symbolon_rpc::{Limits, Listener};
use tokio::task::{JoinHandle, JoinSet};

use crate::ceremonies::Ceremonies;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::StartError;
use crate::hooks::Hooks;
use crate::identity::HsmIdentity;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::owner::OwnerThread;
use crate::parties::Parties;
use crate::reload::Reloader;
use crate::service::{AdminService, CeremonyService, SignerService};
use crate::session::{Session, keep_fresh};
use crate::store::Memory;

/// A server that is ready to serve.
pub struct Server {
    config: Arc<Config>,
    hooks: Hooks,
    listener: Listener,
    health: Health,
    parts: Parts,
    status_address: SocketAddr,
    status: JoinHandle<()>,
    /// Keeps the status port open until the server has stopped.
    status_stop: StopTrigger,
}

/// What [`Server::start`] prepared.
struct Parts {
    engine: Arc<Engine>,
    owner: OwnerThread<Memory>,
    parties: Arc<Parties>,
    identity: Arc<HsmIdentity>,
    hsm: Arc<hsm_api::WorkerClient>,
    session: Arc<ArcSwap<Session>>,
    ceremonies: Arc<Ceremonies>,
    notices: Notices,
}

impl Server {
    /// Opens device, journal and shares, binds both ports, and is ready. The status port answers
    /// from the beginning.
    ///
    /// # Errors
    ///
    /// [`StartError`], which says what to do.
    pub async fn start(config: Config, hooks: Hooks) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let health = Health::new(PROGRAM, env!("CARGO_PKG_VERSION"), [DEVICE, SIGNING]);
        let (metrics, registry) = Metrics::new();
        let status = StatusServer::bind(config.metrics).await?;
        let status_address = status
            .address()
            .map_err(system("ask for the status address"))?;
        let (status_stop, stopped) = Shutdown::manual();
        let status = tokio::spawn(status.serve(Arc::new(registry), health.clone(), stopped));
        let opened = open(&config, Arc::new(metrics), &health).await;
        if opened.is_err() {
            // Nobody will run this server: its port is given back.
            status_stop.stop();
        }
        let (parts, listener) = opened?;
        Ok(Self {
            config,
            hooks,
            listener,
            health,
            parts,
            status_address,
            status,
            status_stop,
        })
    }

    /// Where gRPC is served.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Where metrics and health are served.
    #[must_use]
    pub const fn status_address(&self) -> SocketAddr {
        self.status_address
    }

    /// Serves until `stop` is requested; then answers what is in flight, writes the closing frame
    /// of the journal, and returns.
    ///
    /// # Errors
    ///
    /// The journal could not be closed, or gRPC failed.
    pub async fn run(self, stop: Shutdown) -> Result<(), StartError> {
        let Parts {
            engine,
            owner,
            parties,
            identity,
            hsm,
            session,
            ceremonies,
            notices,
        } = self.parts;
        let reloader = Arc::new(Reloader {
            parties: Arc::clone(&parties),
            engine: Arc::clone(&engine),
            permissions: self.config.permissions.clone(),
        });
        let member = self.config.member;
        let signer = SignerService {
            member,
            max_batch: self.config.signing.max_batch,
            parties: Arc::clone(&parties),
            engine: Arc::clone(&engine),
            session: Arc::clone(&session),
            hooks: self.hooks,
        };
        let admin = AdminService {
            member,
            parties: Arc::clone(&parties),
            engine: Arc::clone(&engine),
            reloader: Arc::clone(&reloader),
            health: self.health.clone(),
            notices: notices.clone(),
        };
        let ceremony = CeremonyService {
            parties: Arc::clone(&parties),
            ceremonies,
        };
        let (router, reporter) = symbolon_rpc::router()?;
        reporter.set_serving::<SignerServer<SignerService>>().await;
        let signer = SignerServer::new(signer)
            .max_decoding_message_size(framed(SessionFrame::MAX_LEN))
            .max_encoding_message_size(framed(SessionFrame::MAX_LEN));
        let admin = AdminServer::new(admin)
            .max_decoding_message_size(framed(MAX_ADMIN_FRAME))
            .max_encoding_message_size(framed(MAX_ADMIN_FRAME));
        let ceremony = CeremonyServer::new(ceremony)
            .max_decoding_message_size(framed(MAX_CEREMONY_REQUEST))
            .max_encoding_message_size(framed(MAX_CEREMONY_REPLY));
        let router = router
            .add_service(signer)
            .add_service(admin)
            .add_service(ceremony);

        let mut tasks = JoinSet::new();
        tasks.spawn(keep_fresh(
            session,
            parties.network(),
            member,
            identity.clone(),
        ));
        tasks.spawn(watch::gauges(
            Arc::clone(&engine),
            parties,
            Arc::clone(&hsm),
            notices.clone(),
        ));
        tasks.spawn(watch::device(
            hsm,
            engine.custody.residency(),
            self.health.clone(),
            notices,
        ));
        tasks.spawn(watch::clock(engine.owner.clone()));
        tasks.spawn(watch::hangups(reloader)?);
        drop(engine);

        self.health.ready(SIGNING);
        let address = self
            .listener
            .address()
            .map_err(system("ask for the address"))?;
        tracing::info!(member, %address, "serving");
        let served = self.listener.serve(router, stop.requested());
        let served = stop.grant(GRACE, served).await.unwrap_or_else(|| {
            tracing::warn!("calls in flight were cut off");
            Ok(())
        });
        self.health.waiting(SIGNING, "stopping");
        tasks.shutdown().await;
        let closed = tokio::task::spawn_blocking(move || owner.stop().map(Memory::close));
        match closed.await {
            Ok(Some(result)) => result.map_err(crate::store::StoreError::from)?,
            Ok(None) => tracing::error!("the owner's thread died"),
            Err(error) => tracing::error!(%error, "the journal was not closed"),
        }
        self.status_stop.stop();
        if let Err(error) = self.status.await {
            tracing::warn!(%error, "the status port ended badly");
        }
        Ok(served?)
    }
}

/// Most bytes of a gRPC message around a payload.
const fn framed(bytes: usize) -> usize {
    bytes.saturating_add(64)
}

/// Everything that may fail at a start, on a thread that may block, and the port.
async fn open(
    config: &Arc<Config>,
    metrics: Arc<Metrics>,
    health: &Health,
) -> Result<(Parts, Listener), StartError> {
    let (config, health) = (Arc::clone(config), health.clone());
    let listen = config.listen;
    let prepare = move || prepare::prepare(&config, metrics, &health);
    let (parts, tls) = match tokio::task::spawn_blocking(prepare).await {
        Ok(prepared) => prepared?,
        Err(error) => return Err(system("prepare")(std::io::Error::other(error))),
    };
    let listener = Listener::bind(listen, &tls, parts.parties.pins(), Limits::default()).await?;
    Ok((parts, listener))
}

fn system(doing: &'static str) -> impl Fn(std::io::Error) -> StartError {
    move |cause| StartError::System { doing, cause }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("member", &self.config.member)
            .finish_non_exhaustive()
    }
}

const PROGRAM: &str = "symbolon-server";

/// Part of the health: the device.
const DEVICE: &str = "device";

/// Part of the health: answering requestors.
const SIGNING: &str = "signing";

/// How long calls in flight may take after a request to stop.
const GRACE: Duration = Duration::from_secs(10);
