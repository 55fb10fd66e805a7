//! Threads for BLS: arithmetic never runs on the threads that carry the network.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// How soon a job is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Before all jobs that are not urgent: proposals.
    Urgent,
    /// In the order of arrival.
    Normal,
}

impl Priority {
    pub(crate) const fn of(urgent: bool) -> Self {
        if urgent { Self::Urgent } else { Self::Normal }
    }
}

/// Jobs in two lanes; the urgent lane is always emptied first.
pub(crate) struct Lanes<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

struct State<T> {
    urgent: VecDeque<T>,
    normal: VecDeque<T>,
    closed: bool,
}

impl<T> Lanes<T> {
    pub(crate) fn new() -> Self {
        let state = State {
            urgent: VecDeque::new(),
            normal: VecDeque::new(),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            ready: Condvar::new(),
        }
    }

    /// Queues a job; gives it back when the lanes are closed.
    pub(crate) fn push(&self, priority: Priority, job: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        match priority {
            Priority::Urgent => state.urgent.push_back(job),
            Priority::Normal => state.normal.push_back(job),
        }
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// The next job; `None` once the lanes are closed and empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.urgent.pop_front() {
                return Some(job);
            }
            if let Some(job) = state.normal.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more jobs; those queued are still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads that work the same lanes.
pub(crate) struct Pool {
    lanes: Arc<Lanes<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts one thread for each core.
    pub(crate) fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let lanes = Arc::new(Lanes::<Job>::new());
        let start = |number: usize| {
            let lanes = Arc::clone(&lanes);
            thread::Builder::new()
                .name(format!("bls-{number}"))
                .spawn(move || {
                    while let Some(job) = lanes.pop() {
                        job();
                    }
                })
        };
        let threads = (0..count).map(start).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { lanes, threads })
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Queues a job. A pool that is stopping drops it, with whatever would have told its result.
    pub(crate) fn run(&self, priority: Priority, job: impl FnOnce() + Send + 'static) {
        drop(self.lanes.push(priority, Box::new(job)));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.lanes.close();
        let this = thread::current().id();
        for thread in self.threads.drain(..).filter(|it| it.thread().id() != this) {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgent_jobs_go_first_and_closed_lanes_are_emptied() {
        let lanes = Lanes::new();
        for job in [1, 2] {
            lanes.push(Priority::Normal, job).unwrap();
        }
        lanes.push(Priority::Urgent, 3).unwrap();
        lanes.close();
        assert_eq!(lanes.push(Priority::Urgent, 4), Err(4));
        let order: Vec<_> = std::iter::from_fn(|| lanes.pop()).collect();
        assert_eq!(order, [3, 1, 2]);
    }

    #[test]
    fn a_dropped_pool_has_done_its_jobs() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let pool = Pool::start().unwrap();
        for number in 0..50 {
            let sender = sender.clone();
            pool.run(Priority::Normal, move || sender.send(number).unwrap());
        }
        drop(pool);
        drop(sender);
        assert_eq!(receiver.iter().count(), 50);
    }
}
