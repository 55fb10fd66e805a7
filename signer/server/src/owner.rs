//! The one thread that decides: it owns the marks and is the only one that writes to the journal.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::pool::{Lanes, Priority};

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// Hands jobs to the thread that owns a state. Clones share the thread.
pub(crate) struct Owner<S> {
    lanes: Arc<Lanes<Job<S>>>,
}

/// Waits for the owner's thread to end.
pub(crate) struct OwnerThread<S> {
    lanes: Arc<Lanes<Job<S>>>,
    thread: JoinHandle<S>,
}

/// The owner has stopped: the program is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server is stopping")]
pub(crate) struct Stopping;

impl<S: Send + 'static> Owner<S> {
    /// Starts the thread.
    pub(crate) fn start(mut state: S) -> io::Result<(Self, OwnerThread<S>)> {
        let lanes = Arc::new(Lanes::<Job<S>>::new());
        let jobs = Arc::clone(&lanes);
        let thread = thread::Builder::new()
            .name("owner".to_owned())
            .spawn(move || {
                while let Some(job) = jobs.pop() {
                    job(&mut state);
                }
                state
            })?;
        Ok((
            Self {
                lanes: Arc::clone(&lanes),
            },
            OwnerThread { lanes, thread },
        ))
    }

    /// Runs `job` on the thread, after all that is queued before it in its lane, and gives its
    /// result. The job runs even when nobody waits any more.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        priority: Priority,
        job: impl FnOnce(&mut S) -> R + Send + 'static,
    ) -> Result<R, Stopping> {
        self.queue(priority, job)?.await.map_err(|_| Stopping)
    }

    /// As [`Owner::run`], for threads that may block.
    pub(crate) fn run_blocking<R: Send + 'static>(
        &self,
        priority: Priority,
        job: impl FnOnce(&mut S) -> R + Send + 'static,
    ) -> Result<R, Stopping> {
        self.queue(priority, job)?
            .blocking_recv()
            .map_err(|_| Stopping)
    }

    fn queue<R: Send + 'static>(
        &self,
        priority: Priority,
        job: impl FnOnce(&mut S) -> R + Send + 'static,
    ) -> Result<oneshot::Receiver<R>, Stopping> {
        let (sender, receiver) = oneshot::channel();
        let job: Job<S> = Box::new(move |state| {
            // The caller may have gone; what was decided stands.
            sender.send(job(state)).ok();
        });
        self.lanes.push(priority, job).map_err(|_| Stopping)?;
        Ok(receiver)
    }
}

impl<S> OwnerThread<S> {
    /// Lets everything queued be done, then gives the state back.
    pub(crate) fn stop(self) -> Option<S> {
        self.lanes.close();
        self.thread.join().ok()
    }
}

impl<S> Clone for Owner<S> {
    fn clone(&self) -> Self {
        Self {
            lanes: Arc::clone(&self.lanes),
        }
    }
}

impl<S> fmt::Debug for Owner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn jobs_see_each_others_changes_and_the_state_comes_back() {
        let (owner, thread) = Owner::start(0_u32).unwrap();
        for _ in 0..3 {
            owner
                .run(Priority::Normal, |state| *state += 1)
                .await
                .unwrap();
        }
        assert_eq!(owner.run(Priority::Urgent, |state| *state).await, Ok(3));
        assert_eq!(thread.stop(), Some(3));
        assert_eq!(
            owner.run(Priority::Normal, |state| *state).await,
            Err(Stopping)
        );
    }
}
