//! The bounded queue between callers and the supervisor.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::HsmError;

/// One call that waits for the worker.
pub(crate) struct Job {
    /// The encoded call.
    pub(crate) call: Zeroizing<Vec<u8>>,
    /// Its number, which the answer repeats.
    pub(crate) number: u64,
    /// Its name in messages.
    pub(crate) operation: &'static str,
    /// When the caller gives up.
    pub(crate) deadline: Instant,
    /// Where the answer goes.
    pub(crate) reply: SyncSender<Result<Zeroizing<Vec<u8>>, HsmError>>,
}

/// Waiting jobs, in order of arrival.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    bound: usize,
}

impl Queue {
    pub(crate) fn new(bound: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            bound,
        }
    }

    /// Adds a job, or says that the queue is full. Jobs past their deadline make room first.
    pub(crate) fn push(&self, job: Job) -> Result<(), HsmError> {
        let mut state = self.lock();
        if state.closed {
            return Err(HsmError::gone("the worker client was shut down"));
        }
        if state.jobs.len() >= self.bound {
            let now = Instant::now();
            state.jobs.retain(|waiting| waiting.deadline > now);
        }
        if state.jobs.len() >= self.bound {
            let waiting = u32::try_from(state.jobs.len()).unwrap_or(u32::MAX);
            return Err(HsmError::Busy { waiting });
        }
        state.jobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// The next job; `None` once the queue is closed.
    pub(crate) fn pop(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sleeps; `false` when the queue is closed meanwhile.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return !state.closed;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Jobs that wait now.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Refuses all waiting and later jobs.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        // Dropping a job's sender wakes its caller.
        state.jobs.clear();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn job(deadline: Instant) -> Job {
        let (reply, _) = sync_channel(1);
        Job {
            call: Zeroizing::new(Vec::new()),
            number: 0,
            operation: "test",
            deadline,
            reply,
        }
    }

    #[test]
    fn a_full_queue_refuses_and_dead_jobs_make_room() {
        let queue = Queue::new(2);
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        queue.push(job(later)).unwrap();
        queue.push(job(now)).unwrap();
        queue.push(job(later)).unwrap();
        assert_eq!(queue.push(job(later)), Err(HsmError::Busy { waiting: 2 }));
        assert_eq!(queue.waiting(), 2);
    }

    #[test]
    fn a_closed_queue_gives_and_takes_nothing() {
        let queue = Queue::new(2);
        queue
            .push(job(Instant::now() + Duration::from_secs(60)))
            .unwrap();
        queue.close();
        assert!(queue.pop().is_none());
        assert!(!queue.pause(Duration::from_secs(60)));
        assert!(matches!(
            queue.push(job(Instant::now())),
            Err(HsmError::DeviceGone { .. })
        ));
    }
}
