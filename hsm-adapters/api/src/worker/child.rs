//! One worker process and the thread that talks to its pipe.

use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::HsmError;
use crate::worker::message::{Answer, Call, Request, Response, encode};
use crate::worker::serve::GRACE;
use crate::worker::{WorkerConfig, frame};

/// A running worker. Dropping it closes its pipe; it ends by itself or is killed.
pub(crate) struct Worker {
    process: Option<Child>,
    calls: Sender<Zeroizing<Vec<u8>>>,
    answers: Receiver<io::Result<Zeroizing<Vec<u8>>>>,
    number: u64,
}

/// How a call to a worker ended when it gave no answer.
#[derive(Debug)]
pub(crate) enum Silence {
    /// Nothing came before the deadline.
    Deadline,
    /// The pipe broke, or what came was no answer to this call.
    Died(String),
}

impl Worker {
    /// Starts the program with exactly the environment of the configuration.
    pub(crate) fn spawn(config: &WorkerConfig) -> io::Result<Self> {
        let mut process = Command::new(&config.program)
            .args(&config.args)
            .env_clear()
            .envs(&config.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (mut stdin, mut stdout) =
            pipes.ok_or_else(|| io::Error::other("no pipe to the worker"))?;
        let (calls, outgoing) = channel::<Zeroizing<Vec<u8>>>();
        let (incoming, answers) = channel();
        // Never joined: it ends when the pipe does, which killing the worker brings about.
        thread::Builder::new()
            .name("hsm-worker-pipe".to_owned())
            .spawn(move || {
                for call in outgoing {
                    let answer = frame::write(&mut stdin, &call)
                        .and_then(|()| frame::read(&mut stdout))
                        .and_then(|frame| frame.ok_or_else(|| io::ErrorKind::UnexpectedEof.into()));
                    let broken = answer.is_err();
                    if incoming.send(answer).is_err() || broken {
                        return;
                    }
                }
            })?;
        Ok(Self {
            process: Some(process),
            calls,
            answers,
            number: 0,
        })
    }

    /// Process id.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Sends an encoded call and waits for its answer until the deadline.
    pub(crate) fn exchange(
        &self,
        call: Zeroizing<Vec<u8>>,
        number: u64,
        deadline: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, Silence> {
        let died = |what: &str| Silence::Died(what.to_owned());
        self.calls
            .send(call)
            .map_err(|_| died("its pipe is closed"))?;
        let left = deadline.saturating_duration_since(Instant::now());
        let answer = match self.answers.recv_timeout(left) {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Silence::Died(error.to_string())),
            Err(RecvTimeoutError::Timeout) => return Err(Silence::Deadline),
            Err(RecvTimeoutError::Disconnected) => return Err(died("its pipe is closed")),
        };
        match minicbor::decode::<Answer<'_>>(&answer) {
            Ok(decoded) if decoded.number == number => Ok(answer),
            _ => Err(died("it answered with something else")),
        }
    }

    /// One of the two calls that open the token. These are numbered from the top down, so that
    /// they never meet a caller's number.
    pub(crate) fn opening(
        &mut self,
        request: Request<'_>,
        deadline: Instant,
    ) -> Result<(), OpeningFailure> {
        self.number += 1;
        let number = u64::MAX - self.number;
        let left = deadline.saturating_duration_since(Instant::now());
        let budget_millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let call = encode(&Call {
            number,
            budget_millis,
            request,
        })
        .map_err(OpeningFailure::Answered)?;
        let answer = self
            .exchange(call, number, deadline)
            .map_err(OpeningFailure::Silent)?;
        match minicbor::decode::<Answer<'_>>(&answer).map(|answer| answer.response) {
            Ok(Response::Failed(error)) => Err(OpeningFailure::Answered(error)),
            Ok(_) => Ok(()),
            Err(error) => Err(OpeningFailure::Silent(Silence::Died(error.to_string()))),
        }
    }

    /// Kills the process at once.
    pub(crate) fn kill(mut self) {
        if let Some(process) = self.process.take() {
            reap(process, Duration::ZERO);
        }
    }
}

/// Why a token was not opened.
#[derive(Debug)]
pub(crate) enum OpeningFailure {
    /// The worker said so.
    Answered(HsmError),
    /// The worker said nothing.
    Silent(Silence),
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            reap(process, GRACE + Duration::from_secs(1));
        }
    }
}

/// Waits for the end of a process, and kills it after `patience`, on a thread of its own: a process
/// that hangs inside the kernel must not hold up the next worker.
fn reap(mut process: Child, patience: Duration) {
    let reaper = move || {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if !matches!(process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // Both fail only when the process has ended and was waited for.
        let _ended = process.kill().and_then(|()| process.wait());
    };
    // Without a thread to spare the child stays a zombie until this process ends.
    let _thread = thread::Builder::new()
        .name("hsm-worker-reaper".to_owned())
        .spawn(reaper);
}
