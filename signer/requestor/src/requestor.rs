//! The running program.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use symbolon_daemon::health::Health;
use symbolon_daemon::reload::Reload;
use symbolon_daemon::shutdown::Shutdown;
use symbolon_daemon::status::StatusServer;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::engine::Engine;
use crate::error::StartError;
use crate::http::{self, Front, Reloads};

/// A requestor whose ports are bound and whose files are read.
pub struct Requestor {
    engine: Arc<Engine>,
    reloads: Arc<Reloads>,
    listener: TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    status: StatusServer,
    registry: Registry,
    health: Health,
}

/// What a stop waits for beyond the deadline of the last request.
const GRACE: Duration = Duration::from_secs(1);

/// The part whose readiness is that of the whole.
const HTTP: &str = "http";

impl Requestor {
    /// Reads roster, groups and evidence, binds the ports; serves nothing yet.
    ///
    /// # Errors
    ///
    /// [`StartError`], which names the file or address at fault.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let (listen, metrics) = (config.listen, config.metrics);
        let tls = config.front_tls.as_ref().map(http::acceptor).transpose()?;
        let mut registry = Registry::default();
        let engine = Engine::open(config, &mut registry)?;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|cause| StartError::Listen {
                address: listen,
                cause,
            })?;
        let status = StatusServer::bind(metrics).await?;
        let health = Health::new("symbolon-requestor", env!("CARGO_PKG_VERSION"), [HTTP]);
        let reloads = Arc::new(Reloads::default());
        Ok(Self {
            engine,
            reloads,
            listener,
            tls,
            status,
            registry,
            health,
        })
    }

    /// Where validator clients are served.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where metrics and health are served.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn status_address(&self) -> std::io::Result<SocketAddr> {
        self.status.address()
    }

    /// Serves until the stop is requested, reading all files again on SIGHUP; then lets what runs
    /// come to its end.
    ///
    /// # Errors
    ///
    /// Signals cannot be caught.
    pub async fn run(self, stop: Shutdown) -> Result<(), StartError> {
        let mut hangup = Reload::on_hangup().map_err(StartError::Signals)?;
        let tending = tokio::spawn(Arc::clone(&self.engine).tend());
        let (engine, reloads) = (Arc::clone(&self.engine), Arc::clone(&self.reloads));
        let reloading = tokio::spawn(async move {
            loop {
                hangup.next().await;
                if !reloads.start(&engine) {
                    tracing::warn!("SIGHUP: a reload runs already");
                }
            }
        });
        let registry = Arc::new(self.registry);
        let status = self
            .status
            .serve(registry, self.health.clone(), stop.clone());
        let status = tokio::spawn(status);
        let grace = self.engine.config().signing.deadline + GRACE;
        let router = http::router(Front::new(self.engine, self.reloads));
        self.health.ready(HTTP);
        if let Ok(address) = self.listener.local_addr() {
            tracing::info!(%address, tls = self.tls.is_some(), "serving validator clients");
        }
        http::serve(self.listener, self.tls, router, stop.requested(), grace).await;
        self.health.waiting(HTTP, "stopping");
        for task in [tending, reloading, status] {
            task.abort();
        }
        Ok(())
    }
}
