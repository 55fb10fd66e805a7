//! The Web3Signer interface towards validator clients.

mod body;
mod health;
mod reload;
mod serve;
mod sign;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use symbolon_web3signer::render_public_keys;

use crate::engine::Engine;
use body::Bodies;

pub(crate) use reload::Reloads;
pub(crate) use serve::serve;
pub(crate) use tls::acceptor;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Front {
    engine: Arc<Engine>,
    reloads: Arc<Reloads>,
    requests: Arc<AtomicU64>,
    bodies: Arc<Bodies>,
}

impl Front {
    pub(crate) fn new(engine: Arc<Engine>, reloads: Arc<Reloads>) -> Self {
        Self {
            engine,
            reloads,
            requests: Arc::default(),
            bodies: Arc::default(),
        }
    }

    /// A number for the log, so that the lines of one request are found.
    fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
}

/// All routes.
pub(crate) fn router(front: Front) -> Router {
    Router::new()
        .route("/upcheck", get(upcheck))
        .route("/healthcheck", get(health::healthcheck))
        .route("/reload", get(reload::status).post(reload::start))
        .route("/api/v1/eth2/publicKeys", get(public_keys))
        .route("/api/v1/eth2/sign/{identifier}", post(sign::sign))
        .fallback(|| async { text(StatusCode::NOT_FOUND, "no such path") })
        .with_state(front)
}

async fn upcheck() -> Response {
    text(StatusCode::OK, "OK")
}

async fn public_keys(State(front): State<Front>) -> Response {
    let keys = front.engine.state().directory.public_keys();
    let (content_type, body) = render_public_keys(&keys);
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// A short text without a newline: some clients take the body as it is.
fn text(status: StatusCode, body: impl Into<String>) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        body.into(),
    )
        .into_response()
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}
