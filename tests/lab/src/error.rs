//! What goes wrong in a laboratory.

use std::io;
use std::path::{Path, PathBuf};

use hsm_soft::SoftHsmError;
use symbolon_daemon::files::FileError;

/// What goes wrong in a laboratory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// What was asked for cannot be had.
    #[error("{0}")]
    Options(String),
    /// No token.
    #[error(transparent)]
    Token(#[from] SoftHsmError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The system's refusal.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// A program is not there.
    #[error("{} is missing; build it: {command}", path.display())]
    NoProgram {
        /// Where it should be.
        path: PathBuf,
        /// What builds it.
        command: String,
    },
    /// The programs do not build.
    #[error("the programs do not build: {command}: {said}")]
    Build {
        /// The command line.
        command: String,
        /// What it said last.
        said: String,
    },
    /// A command of `symbolon` failed.
    #[error("{line}\n{said}")]
    Command {
        /// The command line.
        line: String,
        /// What it said.
        said: String,
    },
    /// A process ended.
    #[error("{name} ended; its log {} ends with:\n{tail}", log.display())]
    Died {
        /// The process.
        name: String,
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// A process is not ready.
    #[error("{name} is not ready after {seconds} s ({last}); its log {} ends with:\n{tail}",
        log.display())]
    NotReady {
        /// The process.
        name: String,
        /// How long it was given.
        seconds: u64,
        /// What it answered last.
        last: String,
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// There is no laboratory in the folder.
    #[error("there is no laboratory in {}: symbolon-lab up --dir {} makes one", dir.display(),
        dir.display())]
    NoLab {
        /// The folder.
        dir: PathBuf,
    },
    /// The record does not parse.
    #[error("{} does not parse: {cause}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: serde_json::Error,
    },
    /// A cluster runs there.
    #[error("a cluster runs in {} already: symbolon-lab down --dir {} ends it", dir.display(),
        dir.display())]
    Runs {
        /// The folder.
        dir: PathBuf,
    },
    /// Another command works on it.
    #[error("another symbolon-lab works on {}; try again when it is done", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds something else.
    #[error("{} is not empty and no laboratory: give another folder", dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// No such server.
    #[error("there is no server {index}; the servers are 1 to {servers}")]
    NoServer {
        /// The number given.
        index: u16,
        /// How many there are.
        servers: usize,
    },
    /// A server or the requestor does not answer as it should.
    #[error("{who}: {cause}")]
    Answer {
        /// Who was asked.
        who: String,
        /// What came, or why nothing did.
        cause: String,
    },
}

impl LabError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io {
            action,
            path,
            cause,
        }
    }

    pub(crate) fn answer(who: &str, cause: impl std::fmt::Display) -> Self {
        Self::Answer {
            who: who.to_owned(),
            cause: cause.to_string(),
        }
    }
}
