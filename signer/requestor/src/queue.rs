//! Duties that wait for the next batch: coalesced, bounded, proposals first, no timer.
//!
//! A duty that arrives while nothing is in flight leaves at once; what arrives while a batch is in
//! flight rides in the next one. A batch that has been out for longer than [`STALL`] holds nobody
//! back, and a proposal never waits for one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use symbolon_duties::{Duty, DutyKind, ForkVersion, SigningRoot, ValidatorPublicKey};
use symbolon_threshold::SignerSet;
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::directory::KnownKey;

/// How long a batch may be out before the next one leaves anyway.
pub(crate) const STALL: Duration = Duration::from_millis(25);

/// Most batches in flight to one set of members.
const MAX_IN_FLIGHT: usize = 8;

/// One duty to be signed.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) key: Arc<KnownKey>,
    pub(crate) duty: Duty,
    pub(crate) fork_version: Option<ForkVersion>,
    pub(crate) root: SigningRoot,
    /// Nobody wants the answer later than this.
    pub(crate) deadline: Instant,
}

impl Job {
    fn name(&self) -> Name {
        (self.key.bytes, self.root)
    }

    fn members(&self) -> &SignerSet {
        self.key.key.group().lagrange().group()
    }
}

/// Key and root: two requests for the same share one answer.
type Name = (ValidatorPublicKey, SigningRoot);

/// No room for another request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// All requests that have no answer yet.
#[derive(Debug)]
pub(crate) struct Queue {
    max_batch: usize,
    max_waiting: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lanes: HashMap<SignerSet, Lane>,
    open: HashMap<Name, Vec<oneshot::Sender<Answer>>>,
    /// Requests that wait, coalesced ones counted each.
    requests: usize,
}

/// Duties for one set of members.
#[derive(Debug, Default)]
struct Lane {
    proposals: VecDeque<Job>,
    others: VecDeque<Job>,
    in_flight: usize,
    newest: Option<Instant>,
}

impl Queue {
    pub(crate) fn new(max_batch: usize, max_waiting: usize) -> Self {
        Self {
            max_batch,
            max_waiting,
            inner: Mutex::default(),
        }
    }

    /// Lets a duty in. `Ok(true)` when it opened a new job, not joined one.
    pub(crate) fn push(&self, job: Job) -> Result<(oneshot::Receiver<Answer>, bool), Overloaded> {
        let mut inner = self.lock();
        let proposal = is_proposal(&job.duty);
        // A sixteenth is kept free for proposals.
        let room = if proposal {
            self.max_waiting
                .saturating_add(self.max_waiting / 16)
                .saturating_add(1)
        } else {
            self.max_waiting
        };
        if inner.requests >= room {
            return Err(Overloaded);
        }
        inner.requests = inner.requests.saturating_add(1);
        let (sender, receiver) = oneshot::channel();
        let waiters = inner.open.entry(job.name()).or_default();
        waiters.push(sender);
        if waiters.len() > 1 {
            return Ok((receiver, false));
        }
        let lane = inner.lanes.entry(job.members().clone()).or_default();
        if proposal {
            lane.proposals.push_back(job);
        } else {
            lane.others.push_back(job);
        }
        Ok((receiver, true))
    }

    /// The next batch for these members, if one may leave now. The caller ends it with
    /// [`landed`](Self::landed). Duties past their deadline are dropped on the way.
    pub(crate) fn take(&self, members: &SignerSet, now: Instant) -> Option<Vec<Job>> {
        let mut inner = self.lock();
        let Inner {
            lanes,
            open,
            requests,
        } = &mut *inner;
        let lane = lanes.get_mut(members)?;
        let mut dropped = Vec::new();
        for jobs in [&mut lane.proposals, &mut lane.others] {
            let expired = |job: &Job| job.deadline <= now || is_abandoned(open, &job.name());
            if jobs.iter().any(expired) {
                let all = std::mem::take(jobs);
                let (gone, kept): (VecDeque<_>, VecDeque<_>) = all.into_iter().partition(expired);
                dropped.extend(gone);
                *jobs = kept;
            }
        }
        for job in dropped {
            let waiters = open.remove(&job.name()).unwrap_or_default();
            *requests = requests.saturating_sub(waiters.len());
            send(waiters, &Answer::late());
        }
        if !lane.may_leave(now) {
            return None;
        }
        let mut batch: Vec<Job> = Vec::new();
        for jobs in [&mut lane.proposals, &mut lane.others] {
            let room = self.max_batch.saturating_sub(batch.len()).min(jobs.len());
            batch.extend(jobs.drain(..room));
        }
        lane.in_flight = lane.in_flight.saturating_add(1);
        lane.newest = Some(now);
        Some(batch)
    }

    /// Answers everybody who waits for this key and root.
    pub(crate) fn answer(&self, job: &Job, answer: &Answer) {
        let mut inner = self.lock();
        let waiters = inner.open.remove(&job.name()).unwrap_or_default();
        inner.requests = inner.requests.saturating_sub(waiters.len());
        drop(inner);
        send(waiters, answer);
    }

    /// A batch has its end.
    pub(crate) fn landed(&self, members: &SignerSet) {
        let mut inner = self.lock();
        let Some(lane) = inner.lanes.get_mut(members) else {
            return;
        };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        if lane.in_flight == 0 {
            lane.newest = None;
            if lane.is_empty() {
                inner.lanes.remove(members);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn is_empty(&self) -> bool {
        self.proposals.is_empty() && self.others.is_empty()
    }

    fn may_leave(&self, now: Instant) -> bool {
        if self.is_empty() || self.in_flight >= MAX_IN_FLIGHT {
            return false;
        }
        let stalled = self
            .newest
            .is_none_or(|newest| now.duration_since(newest) >= STALL);
        self.in_flight == 0 || !self.proposals.is_empty() || stalled
    }
}

/// A block, or the randao reveal without which there is none.
const fn is_proposal(duty: &Duty) -> bool {
    matches!(duty.kind(), DutyKind::Block | DutyKind::RandaoReveal)
}

/// Whether everybody who asked is gone.
fn is_abandoned(open: &HashMap<Name, Vec<oneshot::Sender<Answer>>>, name: &Name) -> bool {
    open.get(name)
        .is_none_or(|waiters| waiters.iter().all(oneshot::Sender::is_closed))
}

fn send(waiters: Vec<oneshot::Sender<Answer>>, answer: &Answer) {
    for waiter in waiters {
        // Whoever left has its answer already: that it was too late.
        waiter.send(answer.clone()).ok();
    }
}
