//! Why a server does not start, or stops.

use std::path::PathBuf;

use hsm_api::HsmError;
use symbolon_ceremony::ResumeError;
use symbolon_daemon::files::FileError;
use symbolon_daemon::settings::SettingsError;
use symbolon_daemon::status::StatusError;
use symbolon_protocol::roster::RosterError;
use symbolon_signing::PermissionError;

use crate::keyring::SharedKey;
use crate::shares::{OpenSharesError, ShareFileError};
use crate::store::StoreError;

/// Why a server does not start, or stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration file.
    #[error("{}: {cause}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        cause: String,
    },
    /// A setting in it.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Some file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The roster.
    #[error("{}: {cause}", path.display())]
    Roster {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: RosterError,
    },
    /// The roster does not name this member, or names another key.
    #[error("the roster in force and this server do not go together: {0}")]
    Membership(String),
    /// The permissions.
    #[error("{}: {cause}", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        #[source]
        cause: PermissionError,
    },
    /// The device.
    #[error("{doing}: {cause}")]
    Hsm {
        /// What was tried.
        doing: &'static str,
        /// What the device said.
        #[source]
        cause: HsmError,
    },
    /// The journal and what it remembers.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal is gone while shares are there.
    #[error(
        "{} holds shares, but there is no journal in {}: signing without the marks could be \
         slashed. Restore the journal, or make the shares anew by a recovery", shares.display(),
        journal.display()
    )]
    JournalMissing {
        /// Folder of the shares.
        shares: PathBuf,
        /// Folder of the journal.
        journal: PathBuf,
    },
    /// A file of shares.
    #[error("{}: {cause}", path.display())]
    ShareFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: ShareFileError,
    },
    /// Shares of a group.
    #[error("{}: {cause}", path.display())]
    Shares {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        #[source]
        cause: OpenSharesError,
    },
    /// A file of shares is not the one that the journal names.
    #[error(
        "{} is not the file that the journal names (its hash differs): it was replaced or \
         altered; restore it", path.display()
    )]
    ShareFileChanged {
        /// The file.
        path: PathBuf,
    },
    /// A key in two groups.
    #[error(transparent)]
    SharedKey(#[from] SharedKey),
    /// Secrets could be swapped to disk.
    #[error(
        "the system refused to lock {bytes} bytes of secret memory: raise the limit of locked \
         memory (LimitMEMLOCK, ulimit -l), or set signing.allow_unlocked_memory"
    )]
    Unlocked {
        /// How many.
        bytes: usize,
    },
    /// Ceremonies.
    #[error("the ceremonies cannot be taken up again: {0}")]
    Ceremonies(#[from] ResumeError),
    /// The session key.
    #[error("no session key: {0}")]
    Session(String),
    /// TLS, listening, gRPC.
    #[error(transparent)]
    Serve(#[from] symbolon_rpc::ServeError),
    /// Key and certificate.
    #[error(transparent)]
    Tls(#[from] symbolon_rpc::TlsError),
    /// The status port.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The system refused a thread, a socket or a signal handler.
    #[error("{doing}: {cause}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}

impl StartError {
    /// Whether a change of configuration or files is asked for, rather than a try at another time.
    pub(crate) const fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Config { .. }
                | Self::Settings(_)
                | Self::File(_)
                | Self::Roster { .. }
                | Self::Membership(_)
                | Self::Permissions { .. }
                | Self::Tls(_)
                | Self::Unlocked { .. }
        )
    }
}
