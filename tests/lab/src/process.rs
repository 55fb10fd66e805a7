//! Processes that outlive whoever started them, known by more than a number.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// What tells one process from all others, also after its number was given to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The number.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did (`/proc/PID/stat`, field 22).
    pub start_ticks: u64,
    /// What it runs, without links.
    pub exe: PathBuf,
}

/// How a process came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was gone already.
    Before,
    /// It stopped when asked to.
    Asked,
    /// It had to be killed.
    Killed,
}

/// Starts a program in a process group of its own, so that a Ctrl-C meant for the laboratory does
/// not reach it; what it prints is appended to `log`.
///
/// # Errors
///
/// The system's refusal.
pub fn spawn_detached(
    program: &Path,
    arguments: &[&OsStr],
    environment: &[(&str, &str)],
    folder: &Path,
    log: &Path,
) -> io::Result<(Child, ProcessId)> {
    let log = File::options().create(true).append(true).open(log)?;
    let child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    let (_, _, start_ticks) = stat(child.id())?;
    let exe = program.canonicalize()?;
    let id = ProcessId {
        pid: child.id(),
        start_ticks,
        exe,
    };
    Ok((child, id))
}

impl ProcessId {
    /// Whether this very process still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        match stat(self.pid) {
            // A zombie has no program any more, once its last thread has let go of files and ports;
            // then only its parent has yet to take notice.
            Ok((_, 'Z', start_ticks)) => start_ticks == self.start_ticks && self.has_threads(),
            Ok((_, 'X', _)) | Err(_) => false,
            Ok((name, _, start_ticks)) => {
                start_ticks == self.start_ticks && self.is_its_program(&name)
            }
        }
    }

    /// Whether threads beside the first one are still ending.
    fn has_threads(&self) -> bool {
        fs::read_dir(format!("/proc/{}/task", self.pid)).is_ok_and(|tasks| tasks.count() > 1)
    }

    /// A process that forbids core dumps hides its program from all but root; its name, cut to what
    /// the system keeps, has to do then.
    fn is_its_program(&self, name: &str) -> bool {
        let Ok(path) = fs::read_link(format!("/proc/{}/exe", self.pid)) else {
            let own = self.exe.file_name().unwrap_or_default().as_encoded_bytes();
            return name.as_bytes() == own.get(..MAX_NAME.min(own.len())).unwrap_or_default();
        };
        // A program that was built anew meanwhile is still the program that runs.
        let text = path.to_string_lossy();
        text.strip_suffix(" (deleted)")
            .map_or(path.as_path(), Path::new)
            == self.exe
    }

    /// Sends a signal to this very process; `false` if it is gone.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(false);
        };
        // The descriptor holds on to the process: its number cannot change hands between the
        // look at it and the signal.
        let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if !self.is_running() {
            return Ok(false);
        }
        match pidfd_send_signal(descriptor, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks it to stop, waits for `grace`, then kills it.
    ///
    /// # Errors
    ///
    /// The system's refusal, or it does not even end when killed.
    pub fn end(&self, grace: Duration) -> io::Result<Ended> {
        if !self.signal(Signal::TERM)? {
            return Ok(Ended::Before);
        }
        if self.wait_gone(grace) {
            return Ok(Ended::Asked);
        }
        self.kill().map(|_| Ended::Killed)
    }

    /// Kills it as a power cut would, and waits until it is gone.
    ///
    /// # Errors
    ///
    /// The system's refusal, or it does not end.
    pub fn kill(&self) -> io::Result<Ended> {
        if !self.signal(Signal::KILL)? {
            return Ok(Ended::Before);
        }
        if self.wait_gone(KILL_TIME) {
            return Ok(Ended::Killed);
        }
        Err(io::Error::other(format!(
            "process {} does not end",
            self.pid
        )))
    }

    fn wait_gone(&self, limit: Duration) -> bool {
        let started = Instant::now();
        while self.is_running() {
            if started.elapsed() > limit {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }
}

/// Name, state and start time.
fn stat(pid: u32) -> io::Result<(String, char, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse_stat(&text).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat does not parse")))
}

/// The program's name stands in parentheses and may hold anything, also parentheses.
fn parse_stat(text: &str) -> Option<(String, char, u64)> {
    let (before, rest) = text.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some((name.to_owned(), state, start))
}

/// `TASK_COMM_LEN` without its end.
const MAX_NAME: usize = 15;
const POLL: Duration = Duration::from_millis(5);
const KILL_TIME: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path, seconds: &str) -> (Child, ProcessId) {
        let arguments = [OsStr::new(seconds)];
        spawn_detached(
            Path::new("/bin/sleep"),
            &arguments,
            &[],
            folder,
            &folder.join("log"),
        )
        .unwrap()
    }

    #[test]
    fn a_process_is_ended_once() {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, id) = sleeper(folder.path(), "60");
        assert!(id.is_running());
        assert_eq!(id.end(Duration::from_secs(5)).unwrap(), Ended::Asked);
        assert!(!id.is_running(), "a zombie does not run");
        child.wait().unwrap();
        assert_eq!(id.end(Duration::from_secs(5)).unwrap(), Ended::Before);
        assert_eq!(id.kill().unwrap(), Ended::Before);
    }

    #[test]
    fn another_process_of_the_same_number_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, id) = sleeper(folder.path(), "60");
        for stranger in [
            ProcessId {
                start_ticks: id.start_ticks + 1,
                ..id.clone()
            },
            ProcessId {
                exe: "/bin/true".into(),
                ..id.clone()
            },
            ProcessId {
                pid: u32::MAX,
                ..id.clone()
            },
            ProcessId {
                pid: 0,
                ..id.clone()
            },
        ] {
            assert!(!stranger.is_running());
            assert_eq!(stranger.kill().unwrap(), Ended::Before);
        }
        assert!(id.is_running());
        id.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn odd_program_names_do_not_confuse() {
        let fields: Vec<String> = (4..=30).map(|n| n.to_string()).collect();
        let text = format!("7 (a) b) (c) S {}", fields.join(" "));
        assert_eq!(parse_stat(&text), Some(("a) b) (c".to_owned(), 'S', 22)));
        assert_eq!(parse_stat("7 (a) S 1 2"), None);
        assert_eq!(parse_stat(""), None);
    }
}
