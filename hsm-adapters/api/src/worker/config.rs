//! How to start and talk to a worker.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::worker::{PinSource, TokenSelector};

/// Settings of a [`crate::WorkerClient`].
#[derive(Debug)]
pub struct WorkerConfig {
    /// The worker program.
    pub program: PathBuf,
    /// Its arguments; the shipped worker takes none.
    pub args: Vec<OsString>,
    /// The vendor's PKCS#11 module.
    pub module: PathBuf,
    /// The token.
    pub token: TokenSelector,
    /// Where the PIN comes from.
    pub pin: PinSource,
    /// The whole environment of the worker, for vendor modules that are configured by it
    /// (`SOFTHSM2_CONF`). Nothing of this process's environment is passed on.
    pub env: BTreeMap<String, String>,
    /// Calls that may wait; one more is answered [`crate::HsmError::Busy`].
    pub queue: usize,
    /// How long a start may take: load, find, log in.
    pub open_timeout: Duration,
    /// How long a call may run, whatever its caller's deadline, before the worker is killed. A
    /// caller with a short deadline gets its timeout, but does not end a device that is merely slow.
    pub hang_after: Duration,
    /// Longest pause between two starts; pauses double from 100 ms.
    pub backoff_max: Duration,
}

impl WorkerConfig {
    /// Settings with no environment, a queue of 256, 20 s to open,
    /// 3 s to hang, pauses up to 5 s.
    #[must_use]
    pub const fn new(
        program: PathBuf,
        module: PathBuf,
        token: TokenSelector,
        pin: PinSource,
    ) -> Self {
        Self {
            program,
            args: Vec::new(),
            module,
            token,
            pin,
            env: BTreeMap::new(),
            queue: 256,
            open_timeout: Duration::from_secs(20),
            hang_after: Duration::from_secs(3),
            backoff_max: Duration::from_secs(5),
        }
    }
}
