//! `POST /reload` and `GET /reload`; SIGHUP goes the same way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::Front;
use crate::engine::{Engine, unix_seconds};

/// The last reload, and whether one runs.
#[derive(Debug, Default)]
pub(crate) struct Reloads {
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    status: Status,
    at: Option<u64>,
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Status {
    #[default]
    Idle,
    Running,
    Completed,
    CompletedWithErrors,
    Failed,
}

impl Reloads {
    /// Starts a reload in the background; false when one runs already.
    pub(crate) fn start(self: &Arc<Self>, engine: &Arc<Engine>) -> bool {
        let mut last = self.last();
        if last.status == Status::Running {
            return false;
        }
        *last = Last {
            status: Status::Running,
            at: Some(unix_seconds()),
            error: None,
        };
        drop(last);
        let (this, engine) = (Arc::clone(self), Arc::clone(engine));
        tokio::task::spawn_blocking(move || this.finish(&engine));
        true
    }

    fn finish(&self, engine: &Engine) {
        let (status, error) = match engine.reload() {
            Ok(()) => {
                let state = engine.state();
                let problems = state.directory.problems();
                if problems.is_empty() {
                    (Status::Completed, None)
                } else {
                    (Status::CompletedWithErrors, Some(problems.join("; ")))
                }
            }
            Err(error) => {
                tracing::error!(%error, "the reload failed; everything stays as it was");
                (Status::Failed, Some(error.to_string()))
            }
        };
        *self.last() = Last {
            status,
            at: Some(unix_seconds()),
            error,
        };
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST /reload`.
pub(super) async fn start(State(front): State<Front>) -> Response {
    if front.reloads.start(&front.engine) {
        let message = "the reload runs in the background; GET /reload tells its status";
        return super::json(
            StatusCode::ACCEPTED,
            &json!({ "status": "accepted", "message": message }),
        );
    }
    let message = "a reload runs already; try again later";
    super::json(
        StatusCode::CONFLICT,
        &json!({ "status": "error", "message": message }),
    )
}

/// `GET /reload`.
pub(super) async fn status(State(front): State<Front>) -> Response {
    let last = front.reloads.last();
    let mut body = json!({ "status": last.status.name() });
    if let Some(body) = body.as_object_mut() {
        if let Some(at) = last.at {
            body.insert("lastOperationTime".to_owned(), iso_8601(at).into());
        }
        if let Some(error) = &last.error {
            body.insert("lastError".to_owned(), error.clone().into());
        }
    }
    super::json(StatusCode::OK, &body)
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
            Self::Failed => "failed",
        }
    }
}

/// `YYYY-MM-DDThh:mm:ssZ` of a unix time, by the proleptic Gregorian calendar.
fn iso_8601(unix_seconds: u64) -> String {
    let (mut days, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let (day, second) = (days + 1, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_calendar_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_606_824_023, "2020-12-01T12:00:23Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso_8601(seconds), text);
        }
    }
}
