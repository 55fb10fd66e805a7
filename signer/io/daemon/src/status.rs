//! The status port: `/metrics`, `/livez` and `/readyz` over plain HTTP/1.1, apart from all work.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::health::{Health, HealthSnapshot};
use crate::shutdown::Shutdown;

/// Why the status port is not open.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for metrics and health: {cause}")]
pub struct StatusError {
    address: SocketAddr,
    cause: io::Error,
}

/// The bound status port.
///
/// It takes no secrets in and gives none out, but it names the program and its state: bind it to
/// loopback or to a network of the operators.
#[derive(Debug)]
pub struct StatusServer {
    listener: TcpListener,
}

impl StatusServer {
    /// Binds `address`.
    ///
    /// # Errors
    ///
    /// [`StatusError`] if it is taken or not ours.
    pub async fn bind(address: SocketAddr) -> Result<Self, StatusError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|cause| StatusError { address, cause })?;
        Ok(Self { listener })
    }

    /// The address that was bound, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the stop is requested. Connections are few and short, so that nobody on this
    /// port takes file descriptors from the work.
    pub async fn serve(self, registry: Arc<Registry>, health: Health, stop: Shutdown) {
        let router = router(registry, health);
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let stopped = stop.requested();
        tokio::pin!(stopped);
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                return;
            };
            let stream = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "a status connection could not be accepted");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                },
                () = &mut stopped => return,
            };
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                // A scraper that goes away or is too slow is its own trouble.
                if let Ok(Err(error)) = tokio::time::timeout(CONNECTION, connection).await {
                    tracing::debug!(%error, "a status connection broke");
                }
                drop(slot);
            });
        }
    }
}

fn router(registry: Arc<Registry>, health: Health) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(registry)
        .route(
            "/livez",
            get(|State(health): State<Health>| async move {
                let snapshot = health.snapshot();
                answer(snapshot.live, &snapshot)
            }),
        )
        .route(
            "/readyz",
            get(|State(health): State<Health>| async move {
                let snapshot = health.snapshot();
                answer(snapshot.ready, &snapshot)
            }),
        )
        .with_state(health)
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn answer(good: bool, snapshot: &HealthSnapshot) -> Response {
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(snapshot)).into_response()
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Connections at once; more wait.
const CONNECTIONS: usize = 32;

/// Longest wait for a request.
const HEADERS: Duration = Duration::from_secs(10);

/// Longest connection; a scraper comes again.
const CONNECTION: Duration = Duration::from_secs(60);

/// Wait after a failed accept: out of file descriptors, trying again at once would spin.
const PAUSE: Duration = Duration::from_millis(50);

const BUFFER: usize = 16 * 1024;
