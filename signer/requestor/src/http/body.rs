//! Reading a request's body: bounded in size, time and number.

use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use symbolon_web3signer::MAX_BODY_BYTES;
use tokio::sync::Semaphore;

use super::text;

/// Bodies up to this size are parsed where they are read; larger ones, whole blocks of old forks,
/// are few at a time and go to a blocking thread.
pub(super) const SMALL_BODY: usize = 64 * 1024;

/// Most large bodies at once.
const LARGE_BODIES: usize = 32;

/// The places for large bodies.
pub(super) struct Bodies {
    large: Semaphore,
}

impl Default for Bodies {
    fn default() -> Self {
        Self {
            large: Semaphore::new(LARGE_BODIES),
        }
    }
}

impl Bodies {
    /// The whole body, or the answer to one that is too large, too slow, cut off or of another
    /// type.
    pub(super) async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        deadline: Instant,
    ) -> Result<Bytes, Box<Response>> {
        if announced(headers).is_some_and(|length| length <= SMALL_BODY) {
            return read(headers, body, deadline).await;
        }
        let place = tokio::time::timeout_at(deadline.into(), self.large.acquire()).await;
        let Ok(Ok(_place)) = place else {
            let why = "too many large bodies are read; try again";
            return Err(Box::new(text(StatusCode::SERVICE_UNAVAILABLE, why)));
        };
        read(headers, body, deadline).await
    }
}

async fn read(headers: &HeaderMap, body: Body, deadline: Instant) -> Result<Bytes, Box<Response>> {
    let refuse = |status, why: &str| Err(Box::new(text(status, why)));
    if !is_json(headers) {
        let why = "the body must be application/json";
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    }
    let too_large = format!("the body is larger than {MAX_BODY_BYTES} bytes");
    if announced(headers).is_some_and(|length| length > MAX_BODY_BYTES) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, &too_large);
    }
    match tokio::time::timeout_at(deadline.into(), to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &too_large)
        }
        Ok(Err(_)) => refuse(StatusCode::BAD_REQUEST, "the body was cut off"),
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    }
}

/// Web3Signer's clients all send `application/json`; one that sends no type is let through.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|e| e.is::<http_body_util::LengthLimitError>())
}
