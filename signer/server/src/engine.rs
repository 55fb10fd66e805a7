//! From a verified batch to its answers: decide, make durable, sign.

mod sign;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use symbolon_duties::Network;
use symbolon_journal::AppendError;
use symbolon_protocol::sign::{Refusal, RefusalCode, SignAnswer, SignBatch, SignItem};
use symbolon_signing::{Permissions, Permits, Release, Window, is_urgent};

use crate::custody::{BatchShares, Custody, CustodyError};
use crate::hashed::HashedRoots;
use crate::keyring::Keyring;
use crate::metrics::Metrics;
use crate::owner::Owner;
use crate::pool::{Pool, Priority};
use crate::store::{Memory, SignContext};

/// Everything that signing needs.
pub(crate) struct Engine {
    pub(crate) owner: Owner<Memory>,
    pub(crate) ring: ArcSwap<Keyring>,
    pub(crate) permissions: ArcSwap<Permissions>,
    pub(crate) network: Arc<Network>,
    pub(crate) custody: Arc<Custody>,
    pub(crate) metrics: Arc<Metrics>,
    window: Window,
    pool: Pool,
    roots: HashedRoots,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// The parts of an [`Engine`] that are not its own.
pub(crate) struct EngineParts {
    pub(crate) owner: Owner<Memory>,
    pub(crate) ring: Keyring,
    pub(crate) permissions: Permissions,
    pub(crate) network: Arc<Network>,
    pub(crate) custody: Arc<Custody>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) window: Window,
    pub(crate) max_waiting: usize,
}

/// What the owner's thread made of a batch.
enum Ruling {
    /// The batch came to its turn too late.
    Late,
    /// The journal did not take its marks.
    NotTaken(AppendError),
    /// Decided.
    Decided(symbolon_signing::BatchDecision<symbolon_journal::Ticket<Permits>>),
}

impl Engine {
    pub(crate) fn new(parts: EngineParts) -> std::io::Result<Self> {
        Ok(Self {
            owner: parts.owner,
            ring: ArcSwap::from_pointee(parts.ring),
            permissions: ArcSwap::from_pointee(parts.permissions),
            network: parts.network,
            custody: parts.custody,
            metrics: parts.metrics,
            window: parts.window,
            pool: Pool::start()?,
            roots: HashedRoots::default(),
            waiting: AtomicUsize::new(0),
            max_waiting: parts.max_waiting,
        })
    }

    /// Duties that wait for their answer now.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Answers every duty of a batch, in its order, or refuses it.
    pub(crate) async fn answer(
        &self,
        requestor: &str,
        batch: &Arc<SignBatch>,
        deadline: Instant,
    ) -> Vec<SignAnswer> {
        let answers = match self.decide_and_sign(requestor, batch, deadline).await {
            Ok(answers) => answers,
            Err(refusal) => vec![SignAnswer::Refused(refusal); batch.items.len()],
        };
        for (item, answer) in batch.items.iter().zip(&answers) {
            match answer {
                SignAnswer::Partial(_) => self.metrics.signed(item.duty.kind()),
                SignAnswer::Refused(refusal) => {
                    self.metrics.refused(item.duty.kind(), refusal.code);
                }
            }
        }
        answers
    }

    async fn decide_and_sign(
        &self,
        requestor: &str,
        batch: &Arc<SignBatch>,
        deadline: Instant,
    ) -> Result<Vec<SignAnswer>, Refusal> {
        let _admitted = self.admit(batch.items.len())?;
        let priority = Priority::of(is_urgent(&batch.items));
        let ring = self.ring.load_full();
        // The device before the decision: a device that is away must not cost a mark.
        let shares = self.open_shares(&ring, &batch.items, deadline).await?;
        let with = SignContext {
            requestor: requestor.to_owned(),
            ring,
            network: Arc::clone(&self.network),
            permissions: self.permissions.load_full(),
            window: self.window,
        };
        let job = {
            let batch = Arc::clone(batch);
            move |memory: &mut Memory| {
                if Instant::now() >= deadline {
                    return Ruling::Late;
                }
                match memory.decide(&batch.items, &with) {
                    Ok(decision) => Ruling::Decided(decision),
                    Err(error) => Ruling::NotTaken(error),
                }
            }
        };
        let decision = match self.owner.run(priority, job).await {
            Ok(Ruling::Decided(decision)) => decision,
            Ok(Ruling::Late) => return Err(late()),
            Ok(Ruling::NotTaken(error)) => {
                return Err(Refusal::new(RefusalCode::Overloaded, error));
            }
            Err(stopping) => return Err(Refusal::new(RefusalCode::Overloaded, stopping)),
        };
        let permits = match decision.release {
            Release::Now(permits) => permits,
            Release::Durable(ticket) => {
                let decided = Instant::now();
                let permits = ticket
                    .await
                    .map_err(|error| Refusal::new(RefusalCode::Overloaded, error))?;
                self.metrics.committed(decided.elapsed());
                permits
            }
        };
        let mut answers: Vec<Option<SignAnswer>> = decision
            .refusals
            .into_iter()
            .map(|refusal| refusal.map(SignAnswer::Refused))
            .collect();
        for (position, answer) in self.sign(permits, &shares, priority, deadline).await {
            if let Some(place) = answers.get_mut(position) {
                *place = Some(answer);
            }
        }
        // What was neither refused nor signed was dropped by a thread that saw the deadline pass.
        let late = || SignAnswer::Refused(late());
        Ok(answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(late))
            .collect())
    }

    /// Counts the duties in, or refuses them where too many wait.
    fn admit(&self, duties: usize) -> Result<Admitted<'_>, Refusal> {
        let before = self.waiting.fetch_add(duties, Ordering::Relaxed);
        let admitted = Admitted {
            waiting: &self.waiting,
            duties,
        };
        if before.saturating_add(duties) > self.max_waiting {
            let text = format!(
                "{before} duties wait already, at most {} may",
                self.max_waiting
            );
            return Err(Refusal::new(RefusalCode::Overloaded, text));
        }
        Ok(admitted)
    }

    async fn open_shares(
        &self,
        ring: &Arc<Keyring>,
        items: &[SignItem],
        deadline: Instant,
    ) -> Result<BatchShares, Refusal> {
        let unavailable =
            |error: &dyn fmt::Display| Refusal::new(RefusalCode::DeviceUnavailable, error);
        let custody = Arc::clone(&self.custody);
        let ring = Arc::clone(ring);
        let keys: Vec<_> = items.iter().map(|item| item.key).collect();
        let open = move || custody.for_batch(&ring, &keys, deadline);
        let opened: Result<BatchShares, CustodyError> = match self.custody.residency() {
            crate::config::Residency::Resident => open(),
            crate::config::Residency::PerBatch => tokio::task::spawn_blocking(open)
                .await
                .map_err(|error| unavailable(&error))?,
        };
        opened.map_err(|error| unavailable(&error))
    }
}

fn late() -> Refusal {
    let text = "the deadline passed before the duty was signed; ask again while it is of use";
    Refusal::new(RefusalCode::DeadlinePassed, text)
}

/// Duties that were counted in; counted out when dropped.
struct Admitted<'a> {
    waiting: &'a AtomicUsize,
    duties: usize,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.duties, Ordering::Relaxed);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
