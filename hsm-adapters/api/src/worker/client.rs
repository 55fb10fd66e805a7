//! The device as the server sees it: a worker behind a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Instant;

use symbolon_secmem::Locked;
use zeroize::Zeroizing;

use crate::worker::WorkerConfig;
use crate::worker::message::{Answer, Call, Request, Response, encode};
use crate::worker::queue::{Job, Queue};
use crate::worker::supervisor::{Board, Supervisor};
use crate::{
    AnchorName, AnchorRecord, Capabilities, Dek, Health, Hsm, HsmError, Kek, KeyId, P256Public,
    ProvisionPlan, ProvisionReport, RANDOM_MAX, SealedDek, TokenId,
};

/// A device in a worker process. Cheap to share; calls are served one after another.
pub struct WorkerClient {
    queue: Arc<Queue>,
    board: Arc<Board>,
    numbers: AtomicU64,
}

/// What a [`WorkerClient`] has done so far, for metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Process id of the running worker.
    pub pid: Option<u32>,
    /// Workers started.
    pub starts: u64,
    /// Workers killed because a call hung.
    pub hangs: u64,
    /// Logins that were tried.
    pub logins: u64,
    /// Calls that wait.
    pub waiting: usize,
    /// The refusal after which no login is tried any more.
    pub refused: Option<HsmError>,
}

impl WorkerClient {
    /// Starts the supervising thread. The worker itself starts with the first call; call
    /// [`Hsm::token`] to find out whether it can be opened.
    ///
    /// # Errors
    ///
    /// [`HsmError::Other`] when the system has no thread to spare.
    pub fn start(config: WorkerConfig) -> Result<Self, HsmError> {
        let queue = Arc::new(Queue::new(config.queue));
        let board = Arc::new(Board::default());
        let supervisor = Supervisor::new(config, Arc::clone(&queue), Arc::clone(&board));
        thread::Builder::new()
            .name("hsm-supervisor".to_owned())
            .spawn(move || supervisor.run())
            .map_err(|error| HsmError::Other {
                code: error.to_string(),
                function: "spawn".to_owned(),
            })?;
        Ok(Self {
            queue,
            board,
            numbers: AtomicU64::new(0),
        })
    }

    /// What it has done so far.
    #[must_use]
    pub fn status(&self) -> WorkerStatus {
        let pid = self.board.pid.load(Ordering::Relaxed);
        WorkerStatus {
            pid: (pid != 0).then_some(pid),
            starts: self.board.starts.load(Ordering::Relaxed),
            hangs: self.board.hangs.load(Ordering::Relaxed),
            logins: self.board.logins.load(Ordering::Relaxed),
            waiting: self.queue.waiting(),
            refused: self.board.refusal(),
        }
    }

    fn call<T>(
        &self,
        request: Request<'_>,
        deadline: Instant,
        take: impl FnOnce(Response<'_>) -> Option<T>,
    ) -> Result<T, HsmError> {
        let operation = request.name();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let left = deadline.saturating_duration_since(Instant::now());
        let budget_millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let call = encode(&Call {
            number,
            budget_millis,
            request,
        })?;
        let (reply, answers) = sync_channel(1);
        self.queue.push(Job {
            call,
            number,
            operation,
            deadline,
            reply,
        })?;
        // The supervisor may wait longer for a slow device; this caller does not.
        let patience = deadline.saturating_duration_since(Instant::now());
        let answer = match answers.recv_timeout(patience) {
            Ok(result) => result?,
            Err(RecvTimeoutError::Timeout) => {
                return Err(HsmError::Timeout {
                    operation: operation.to_owned(),
                });
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(HsmError::gone("the worker client was shut down"));
            }
        };
        let decoded = minicbor::decode::<Answer<'_>>(&answer).map(|answer| answer.response);
        match decoded {
            Ok(Response::Failed(error)) => Err(error),
            Ok(response) => take(response).ok_or_else(|| odd(operation)),
            Err(_) => Err(odd(operation)),
        }
    }
}

impl Hsm for WorkerClient {
    fn token(&self, deadline: Instant) -> Result<TokenId, HsmError> {
        self.call(Request::Token, deadline, |response| match response {
            Response::Token(token) => Some(token),
            _ => None,
        })
    }

    fn probe(&self, deadline: Instant) -> Result<Capabilities, HsmError> {
        self.call(Request::Probe, deadline, |response| match response {
            Response::Capabilities(capabilities) => Some(capabilities),
            _ => None,
        })
    }

    fn health(&self, identity: Option<&KeyId>, deadline: Instant) -> Health {
        let request = Request::Health {
            identity: identity.cloned(),
        };
        self.call(request, deadline, |response| match response {
            Response::Health(health) => Some(health),
            _ => None,
        })
        .unwrap_or_else(|error| Health::Degraded {
            reason: error.to_string(),
        })
    }

    fn random(&self, out: &mut [u8], deadline: Instant) -> Result<(), HsmError> {
        let len = u32::try_from(out.len()).unwrap_or(u32::MAX);
        if out.len() > RANDOM_MAX {
            return Err(HsmError::policy(format!(
                "at most {RANDOM_MAX} random bytes in one call"
            )));
        }
        self.call(
            Request::Random { len },
            deadline,
            |response| match response {
                Response::Secret(bytes) if bytes.len() == out.len() => {
                    out.copy_from_slice(bytes);
                    Some(())
                }
                _ => None,
            },
        )
    }

    fn provision(
        &self,
        plan: &ProvisionPlan,
        deadline: Instant,
    ) -> Result<ProvisionReport, HsmError> {
        let request = Request::Provision {
            member: plan.member.as_str(),
            order: plan.order.clone(),
        };
        self.call(request, deadline, |response| match response {
            Response::Provisioned(report) => Some(report),
            _ => None,
        })
    }

    fn p256_public(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError> {
        self.call(Request::Public { key: key.clone() }, deadline, |response| {
            public(&response)
        })
    }

    fn sign_p256(
        &self,
        key: &KeyId,
        digest: &[u8; 32],
        deadline: Instant,
    ) -> Result<[u8; 64], HsmError> {
        let request = Request::Sign {
            key: key.clone(),
            digest: *digest,
        };
        self.call(request, deadline, |response| match response {
            Response::Signature(signature) => Some(signature),
            _ => None,
        })
    }

    fn ensure_ecdh_key(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError> {
        self.call(
            Request::EnsureEcdhKey { key: key.clone() },
            deadline,
            |response| public(&response),
        )
    }

    fn ecdh_p256(
        &self,
        key: &KeyId,
        peer: &P256Public,
        deadline: Instant,
    ) -> Result<Locked<32>, HsmError> {
        self.call(
            Request::Ecdh {
                key: key.clone(),
                peer: *peer,
            },
            deadline,
            |response| secret(&response),
        )
    }

    fn destroy_key(&self, key: &KeyId, deadline: Instant) -> Result<bool, HsmError> {
        self.call(
            Request::DestroyKey { key: key.clone() },
            deadline,
            |response| match response {
                Response::Destroyed(existed) => Some(existed),
                _ => None,
            },
        )
    }

    fn seal_dek(&self, kek: &Kek, dek: &Dek, deadline: Instant) -> Result<SealedDek, HsmError> {
        let bytes = dek.key().expose(|dek| {
            self.call(
                Request::SealDek {
                    kek: kek.clone(),
                    dek,
                },
                deadline,
                |response| match response {
                    Response::Sealed(sealed) => Some(sealed.to_vec()),
                    _ => None,
                },
            )
        })?;
        SealedDek::decode(&bytes)
    }

    fn open_dek(&self, sealed: &SealedDek, deadline: Instant) -> Result<Dek, HsmError> {
        let opened = self.call(
            Request::OpenDek {
                sealed: &sealed.encode(),
            },
            deadline,
            |response| secret(&response),
        )?;
        // Checked again on this side: the worker runs code that is not ours.
        sealed.accept(opened)
    }

    fn anchor_read(
        &self,
        name: &AnchorName,
        deadline: Instant,
    ) -> Result<Option<AnchorRecord>, HsmError> {
        self.call(
            Request::AnchorRead {
                member: name.member().as_str(),
            },
            deadline,
            |response| match response {
                Response::Anchor(record) => Some(record),
                _ => None,
            },
        )
    }

    fn anchor_advance(
        &self,
        name: &AnchorName,
        next: AnchorRecord,
        deadline: Instant,
    ) -> Result<(), HsmError> {
        let request = Request::AnchorAdvance {
            member: name.member().as_str(),
            next,
        };
        self.call(request, deadline, |response| {
            matches!(response, Response::Done).then_some(())
        })
    }
}

impl Drop for WorkerClient {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn public(response: &Response<'_>) -> Option<P256Public> {
    match response {
        Response::Public(key) => Some(*key),
        _ => None,
    }
}

fn secret(response: &Response<'_>) -> Option<Locked<32>> {
    match response {
        Response::Secret(bytes) => Locked::take_from(&mut Zeroizing::new(bytes.to_vec())),
        _ => None,
    }
}

fn odd(operation: &str) -> HsmError {
    HsmError::gone(format!(
        "the worker answered {operation} with something else"
    ))
}
