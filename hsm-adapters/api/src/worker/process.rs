//! The worker process around [`serve`](super::serve).

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getpid, kill_process, set_dumpable_behavior,
    setrlimit,
};
use rustix::stdio;

use crate::worker::{Opener, serve};

/// The whole of a worker's `main`: hardens the process, keeps the pipe to the parent out of the
/// module's reach, serves until the parent is gone.
///
/// A module that prints to standard output writes to standard error instead; one that reads from
/// standard input reads nothing. No core image is written, and no other process of the same user
/// may look inside.
///
/// # Errors
///
/// When the system refuses any of this; nothing was served then.
pub fn run_worker<O: Opener>(opener: &O) -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    let input: OwnedFd = fcntl_dupfd_cloexec(stdio::stdin(), FIRST_FREE)?;
    let output: OwnedFd = fcntl_dupfd_cloexec(stdio::stdout(), FIRST_FREE)?;
    stdio::dup2_stdin(File::open("/dev/null")?)?;
    stdio::dup2_stdout(stdio::stderr())?;
    serve(opener, File::from(input), File::from(output), || {
        // The module hangs, so nothing gentler would end.
        let _impossible = kill_process(getpid(), Signal::KILL);
    });
    Ok(())
}

/// Above standard input, output and error.
const FIRST_FREE: i32 = 3;
