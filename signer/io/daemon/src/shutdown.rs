//! SIGTERM and SIGINT: stop taking work, finish what is begun, and no longer than a deadline.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Whether the process shall stop; clones see the same.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Requests the stop; dropping it requests nothing.
#[derive(Clone, Debug)]
pub struct StopTrigger(watch::Sender<bool>);

impl Shutdown {
    /// Stops on SIGTERM or SIGINT. A second signal ends the process at once with status 130, for
    /// people who do not want to wait.
    ///
    /// # Errors
    ///
    /// The system's, if the signals cannot be caught.
    pub fn on_signals() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (trigger, shutdown) = Self::manual();
        tokio::spawn(async move {
            for count in 1.. {
                let name = tokio::select! {
                    Some(()) = terminate.recv() => "SIGTERM",
                    Some(()) = interrupt.recv() => "SIGINT",
                    else => return,
                };
                if count > 1 {
                    tracing::warn!(signal = name, "stopping at once");
                    std::process::exit(IMPATIENT);
                }
                tracing::info!(signal = name, "stopping; a second signal stops at once");
                trigger.stop();
            }
        });
        Ok(shutdown)
    }

    /// Stops when the trigger says so.
    #[must_use]
    pub fn manual() -> (StopTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (StopTrigger(sender), Self(receiver))
    }

    /// Whether the stop was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the stop is requested; fits `with_graceful_shutdown` and its like.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.0.clone();
        async move {
            if receiver.wait_for(|stop| *stop).await.is_err() {
                // The trigger is gone: nobody can request it any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Runs `work`, and after a request to stop no longer than `grace`; `None` if it was not done
    /// by then and has been dropped.
    pub async fn grant<T>(&self, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
        let requested = self.requested();
        let late = async move {
            requested.await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = late => None,
        }
    }
}

impl StopTrigger {
    /// Requests the stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Exit status after a second signal, as shells report an interrupt.
const IMPATIENT: i32 = 130;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_clones_see_the_stop() {
        let (trigger, shutdown) = Shutdown::manual();
        let waiting = tokio::spawn(shutdown.requested());
        assert!(!shutdown.is_requested());
        trigger.stop();
        waiting.await.unwrap();
        assert!(shutdown.is_requested());
        shutdown.clone().requested().await;
    }

    #[tokio::test]
    async fn work_may_finish_within_the_grace_and_is_dropped_after_it() {
        let (trigger, shutdown) = Shutdown::manual();
        let long = Duration::from_secs(60);
        let done = shutdown.grant(long, async { 1 }).await;
        assert_eq!(done, Some(1));
        trigger.stop();
        let quick = async {
            tokio::task::yield_now().await;
            2
        };
        assert_eq!(shutdown.grant(long, quick).await, Some(2));
        let stuck = std::future::pending::<()>();
        assert_eq!(shutdown.grant(Duration::from_millis(5), stuck).await, None);
    }

    #[tokio::test]
    async fn lost_trigger_is_no_request() {
        let (trigger, shutdown) = Shutdown::manual();
        drop(trigger);
        let waited = tokio::time::timeout(Duration::from_millis(20), shutdown.requested()).await;
        assert!(waited.is_err() && !shutdown.is_requested());
    }
}
