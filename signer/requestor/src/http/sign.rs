//! `POST /api/v1/eth2/sign/{identifier}`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use symbolon_duties::ValidatorPublicKey;
use symbolon_web3signer::{
    AnswerFormat, RequestError, SignRequest, parse_identifier, parse_sign_request, render_signature,
};

use super::body::SMALL_BODY;
use super::{Front, text};
use crate::answer::Answer;
use crate::engine::{Engine, MARGIN};
use crate::metrics::StatusLabel;
use crate::queue::Job;

/// Answers by the deadline, whatever happens.
pub(super) async fn sign(
    State(front): State<Front>,
    Path(identifier): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let started = Instant::now();
    let request = front.next_request();
    let engine = &front.engine;
    let mut told = Told {
        request,
        key: None,
        kind: "-",
        reason: None,
    };
    let response = match answer(&front, &identifier, &headers, body, started, &mut told).await {
        Ok(response) => response,
        Err(response) => *response,
    };
    let status = response.status().as_u16();
    let took = started.elapsed();
    if status == StatusCode::OK.as_u16() {
        engine.metrics.seconds.observe(took.as_secs_f64());
    }
    engine
        .metrics
        .answers
        .get_or_create(&StatusLabel { status })
        .inc();
    told.log(status, took);
    response
}

async fn answer(
    front: &Front,
    identifier: &str,
    headers: &HeaderMap,
    body: Body,
    started: Instant,
    told: &mut Told,
) -> Result<Response, Box<Response>> {
    let engine = &front.engine;
    let deadline = started + engine.config().signing.deadline;
    let bytes = front.bodies.read(headers, body, deadline).await?;
    let request = parse(engine, bytes)
        .await
        .map_err(|error| told.refuse(&error))?;
    told.kind = request.duty.kind().name();
    let bytes = parse_identifier(identifier).map_err(|error| told.refuse(&error))?;
    told.key = Some(bytes);
    if request
        .duty
        .named_pubkey()
        .is_some_and(|named| *named != bytes)
    {
        let why = "the message names another public key than the path";
        return Err(told.reply(StatusCode::BAD_REQUEST, why));
    }
    let state = engine.state();
    let Some(key) = state.directory.key(&bytes) else {
        return Err(told.reply(StatusCode::NOT_FOUND, "no such key here"));
    };
    let answer = engine
        .sign(Job {
            key: Arc::clone(key),
            duty: request.duty,
            fork_version: request.fork_version,
            root: request.signing_root,
            deadline: deadline.checked_sub(MARGIN).unwrap_or(deadline),
        })
        .await;
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    match answer {
        Answer::Signed(signature) => {
            let format = AnswerFormat::from_accept(accept(headers).as_deref());
            let (content_type, body) = render_signature(format, &signature);
            Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
        }
        Answer::Refused { text: why, .. } | Answer::Failed(why) => Err(told.reply(status, &why)),
    }
}

async fn parse(engine: &Arc<Engine>, body: Bytes) -> Result<SignRequest, Unparsed> {
    if body.len() <= SMALL_BODY {
        return Ok(parse_sign_request(&body, engine.network())?);
    }
    let engine = Arc::clone(engine);
    let parsed = tokio::task::spawn_blocking(move || parse_sign_request(&body, engine.network()));
    Ok(parsed.await.map_err(|_| Unparsed::Stopped)??)
}

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
enum Unparsed {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("the requestor is stopping")]
    Stopped,
}

/// All values of the `Accept` headers, as one.
fn accept(headers: &HeaderMap) -> Option<String> {
    let values: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// What the log says of a request.
struct Told {
    request: u64,
    key: Option<ValidatorPublicKey>,
    kind: &'static str,
    reason: Option<String>,
}

impl Told {
    /// The answer to a request that is itself at fault.
    fn refuse(&mut self, error: &(impl ToString + ?Sized)) -> Box<Response> {
        self.reply(StatusCode::BAD_REQUEST, &error.to_string())
    }

    fn reply(&mut self, status: StatusCode, why: &str) -> Box<Response> {
        self.reason = Some(why.to_owned());
        Box::new(text(status, why))
    }

    fn log(&self, status: u16, took: Duration) {
        let key = self.key.map(|key| key.to_string()).unwrap_or_default();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (request, kind) = (self.request, self.kind);
        match (status, &self.reason) {
            (200, _) => tracing::debug!(request, validator = key, kind, millis, "signed"),
            (_, reason) => {
                let reason = reason.as_deref().unwrap_or("the body could not be read");
                tracing::warn!(
                    request,
                    validator = key,
                    kind,
                    status,
                    millis,
                    reason,
                    "not signed"
                );
            }
        }
    }
}
