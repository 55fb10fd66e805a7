//! The one thread that owns the worker: starts it, talks to it, kills it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::HsmError;
use crate::worker::child::{OpeningFailure, Silence, Worker};
use crate::worker::message::{Answer, PROTOCOL, Request, Response};
use crate::worker::queue::{Job, Queue};
use crate::worker::{PinSource, WorkerConfig};

/// What callers and metrics may see of the supervisor.
#[derive(Default)]
pub(crate) struct Board {
    /// Process id of the running worker, zero without one.
    pub(crate) pid: AtomicU32,
    /// Workers started.
    pub(crate) starts: AtomicU64,
    /// Workers killed because a call hung.
    pub(crate) hangs: AtomicU64,
    /// Logins that were tried.
    pub(crate) logins: AtomicU64,
    /// The refusal after which nothing is tried any more.
    pub(crate) refused: Mutex<Option<HsmError>>,
}

impl Board {
    pub(crate) fn refusal(&self) -> Option<HsmError> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The supervisor's state.
pub(crate) struct Supervisor {
    config: WorkerConfig,
    queue: Arc<Queue>,
    board: Arc<Board>,
    worker: Option<Worker>,
    /// Whether the device has accepted the PIN in this run.
    pin_accepted: bool,
    /// Failures since the last answered call.
    failures: u32,
    /// No start before this moment.
    not_before: Instant,
}

impl Supervisor {
    pub(crate) fn new(config: WorkerConfig, queue: Arc<Queue>, board: Arc<Board>) -> Self {
        Self {
            config,
            queue,
            board,
            worker: None,
            pin_accepted: false,
            failures: 0,
            not_before: Instant::now(),
        }
    }

    /// Serves the queue until it is closed.
    pub(crate) fn run(mut self) {
        while let Some(job) = self.queue.pop() {
            let result = self.serve(&job);
            // The caller may have given up: then nobody wants the result.
            let _unwanted = job.reply.send(result);
        }
        self.drop_worker();
    }

    fn serve(&mut self, job: &Job) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        // Every call may be made again: a worker that dies between asking and answering, or while
        // it starts, is replaced.
        let mut tries = 1;
        loop {
            match self.attempt(job)? {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Again(error) if tries == ATTEMPTS => return Err(error),
                Attempt::Again(_) => tries += 1,
            }
        }
    }

    fn attempt(&mut self, job: &Job) -> Result<Attempt, HsmError> {
        let timeout = || HsmError::Timeout {
            operation: job.operation.to_owned(),
        };
        if job.deadline <= Instant::now() {
            return Err(timeout());
        }
        let hang_after = self.config.hang_after;
        let worker = match self.open(job.deadline) {
            Ok(worker) => worker,
            Err(error @ HsmError::DeviceGone { .. }) => return Ok(Attempt::Again(error)),
            Err(error) => return Err(error),
        };
        let patience = job.deadline.max(Instant::now() + hang_after);
        match worker.exchange(job.call.clone(), job.number, patience) {
            Ok(answer) => Ok(self.judge(answer)),
            Err(Silence::Deadline) => {
                self.board.hangs.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    operation = job.operation,
                    "the HSM worker hangs and is killed"
                );
                self.fail();
                Err(timeout())
            }
            Err(Silence::Died(how)) => {
                tracing::warn!(operation = job.operation, %how, "the HSM worker died");
                self.fail();
                Ok(Attempt::Again(HsmError::gone(format!(
                    "the worker died during {}: {how}",
                    job.operation
                ))))
            }
        }
    }

    /// A device that says it is gone is opened anew, in a new process: no other way of starting
    /// over works with all modules.
    fn judge(&mut self, answer: Zeroizing<Vec<u8>>) -> Attempt {
        let failure = match minicbor::decode::<Answer<'_>>(&answer).map(|answer| answer.response) {
            Ok(Response::Failed(error)) => Some(error),
            _ => None,
        };
        match failure {
            Some(error @ HsmError::DeviceGone { .. }) => {
                tracing::warn!(%error, "the HSM worker lost its device and is replaced");
                self.fail();
                Attempt::Again(error)
            }
            Some(error @ (HsmError::AuthFailed { .. } | HsmError::AuthLocked { .. })) => {
                self.refuse(error);
                Attempt::Answered(answer)
            }
            _ => {
                self.failures = 0;
                Attempt::Answered(answer)
            }
        }
    }

    /// The worker, started and logged in.
    fn open(&mut self, deadline: Instant) -> Result<&Worker, HsmError> {
        if let Some(refused) = self.board.refusal() {
            return Err(refused);
        }
        if self.worker.is_none() {
            self.wait_for_backoff(deadline)?;
            match self.start() {
                Ok(worker) => self.worker = Some(worker),
                Err(error) => {
                    tracing::warn!(%error, "the HSM worker could not open its token");
                    self.fail();
                    return Err(error);
                }
            }
        }
        self.worker
            .as_ref()
            .ok_or_else(|| HsmError::gone("no worker"))
    }

    fn wait_for_backoff(&self, deadline: Instant) -> Result<(), HsmError> {
        let wait = self.not_before.saturating_duration_since(Instant::now());
        if self.not_before >= deadline {
            return Err(HsmError::gone(format!(
                "the worker starts again in {} ms",
                wait.as_millis()
            )));
        }
        if self.queue.pause(wait) {
            Ok(())
        } else {
            Err(HsmError::gone("the worker client was shut down"))
        }
    }

    fn start(&mut self) -> Result<Worker, HsmError> {
        let deadline = Instant::now() + self.config.open_timeout;
        let program = self.config.program.display();
        let mut worker = Worker::spawn(&self.config)
            .map_err(|error| HsmError::gone(format!("cannot start {program}: {error}")))?;
        self.board.starts.fetch_add(1, Ordering::Relaxed);
        self.board
            .pid
            .store(worker.pid().unwrap_or(0), Ordering::Relaxed);
        let module = text(&self.config.module)?;
        let token = &self.config.token;
        let find = Request::Find {
            protocol: PROTOCOL,
            module,
            label: &token.label,
            serial: token.serial.as_deref(),
        };
        if let Err(failure) = worker.opening(find, deadline) {
            worker.kill();
            return Err(describe(failure, "find token"));
        }
        self.board.logins.fetch_add(1, Ordering::Relaxed);
        let login = match &self.config.pin {
            PinSource::File(path) => {
                worker.opening(Request::LoginFromFile { path: text(path)? }, deadline)
            }
            PinSource::Given(pin) => {
                pin.expose(|pin| worker.opening(Request::Login { pin }, deadline))
            }
        };
        match login {
            Ok(()) => {
                self.pin_accepted = true;
                tracing::info!(
                    pid = worker.pid(),
                    token = token.label,
                    "the HSM worker is ready"
                );
                Ok(worker)
            }
            Err(failure) => {
                worker.kill();
                Err(self.login_failed(failure))
            }
        }
    }

    /// Decides whether a login may ever be tried again.
    fn login_failed(&self, failure: OpeningFailure) -> HsmError {
        let error = describe(failure, "login");
        if matches!(
            error,
            HsmError::AuthFailed { .. } | HsmError::AuthLocked { .. }
        ) {
            self.refuse(error.clone());
        } else if !self.pin_accepted && may_be_the_pin(&error) {
            let refusal = HsmError::policy(format!(
                "the login failed before the token ever accepted the PIN ({error}); it is not sent \
                 again, because it may be wrong: look at the worker's log, then start again"
            ));
            self.refuse(refusal.clone());
            return refusal;
        }
        error
    }

    fn refuse(&self, error: HsmError) {
        *self
            .board
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn fail(&mut self) {
        self.drop_worker();
        self.not_before = Instant::now() + pause_after(self.failures, self.config.backoff_max);
        self.failures = self.failures.saturating_add(1);
    }

    fn drop_worker(&mut self) {
        self.board.pid.store(0, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            worker.kill();
        }
    }
}

enum Attempt {
    Answered(Zeroizing<Vec<u8>>),
    Again(HsmError),
}

/// None after the first failure, then 100 ms, doubling up to `max`.
fn pause_after(failures: u32, max: Duration) -> Duration {
    match failures {
        0 => Duration::ZERO,
        more => max.min(BACKOFF_FIRST.saturating_mul(1 << (more - 1).min(16))),
    }
}

/// Whether a failed login may have been a wrong PIN that cost an attempt: the worker fell silent, or
/// the token gave a code that says nothing about it. What a rule of ours refused never was sent.
const fn may_be_the_pin(error: &HsmError) -> bool {
    matches!(
        error,
        HsmError::DeviceGone { .. } | HsmError::Timeout { .. } | HsmError::Other { .. }
    )
}

fn describe(failure: OpeningFailure, operation: &str) -> HsmError {
    match failure {
        OpeningFailure::Answered(error) => error,
        OpeningFailure::Silent(Silence::Deadline) => HsmError::Timeout {
            operation: operation.to_owned(),
        },
        OpeningFailure::Silent(Silence::Died(how)) => {
            HsmError::gone(format!("the worker died during {operation}: {how}"))
        }
    }
}

fn text(path: &std::path::Path) -> Result<&str, HsmError> {
    path.to_str()
        .ok_or_else(|| HsmError::policy(format!("{} is not UTF-8", path.display())))
}

/// Attempts for one call: a request that itself kills the worker must not do so for ever.
const ATTEMPTS: u32 = 3;
const BACKOFF_FIRST: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let max = Duration::from_secs(1);
        let pauses: Vec<u128> = (0..7)
            .map(|failures| pause_after(failures, max).as_millis())
            .collect();
        assert_eq!(pauses, [0, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(pause_after(u32::MAX, max), max);
    }
}
