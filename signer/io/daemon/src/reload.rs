//! SIGHUP: read the files again.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The requests to read the files again, one after the other.
#[derive(Debug)]
pub struct Reload(Signal);

impl Reload {
    /// Listens for SIGHUP, which from now on no longer ends the process.
    ///
    /// # Errors
    ///
    /// The system's, if the signal cannot be caught.
    pub fn on_hangup() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next request; several that come close together count as one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // The runtime is going down: there will be none.
            std::future::pending::<()>().await;
        }
    }
}
