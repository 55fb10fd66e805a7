//! Why a requestor does not start, or keeps what it had on a reload.

use std::net::SocketAddr;
use std::path::PathBuf;

use symbolon_ceremony::DescriptorError;
use symbolon_daemon::files::FileError;
use symbolon_daemon::settings::SettingsError;
use symbolon_daemon::status::StatusError;
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::IdentityError;
use symbolon_protocol::roster::RosterError;
use symbolon_protocol::session::SessionError;
use symbolon_rpc::{CallError, TlsError};
use symbolon_signing::group::KnownGroupError;

/// Why a requestor does not start; on a reload, why the old state stays in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder cannot be read.
    #[error("cannot read the folder {}: {cause}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The configuration file.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A setting.
    #[error("{}: {cause}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The setting, and what is wrong with it.
        cause: String,
    },
    /// The roster.
    #[error("{}: {cause}", path.display())]
    Roster {
        /// The file.
        path: PathBuf,
        /// The rule that is broken.
        cause: Box<RosterError>,
    },
    /// The roster does not know this requestor, or knows another key of it.
    #[error("roster {number}: {why}")]
    NotInRoster {
        /// Number of the roster.
        number: u32,
        /// What does not fit.
        why: String,
    },
    /// A group descriptor.
    #[error("{}: {cause}", path.display())]
    Group {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: Box<GroupError>,
    },
    /// The TLS key or certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// TLS towards validator clients.
    #[error("TLS towards validator clients: {0}")]
    FrontTls(#[from] rustls::Error),
    /// The identity key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// No session key.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// No client for a member.
    #[error(transparent)]
    Peer(#[from] CallError),
    /// The system gives no randomness.
    #[error("the system gives no random bytes: {0}")]
    Randomness(getrandom::Error),
    /// The port for metrics and health.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// A signal cannot be caught.
    #[error("cannot catch signals: {0}")]
    Signals(std::io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        cause: std::io::Error,
    },
}

/// Why a group descriptor is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// It does not hold.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// Its parts do not fit together.
    #[error(transparent)]
    Known(#[from] KnownGroupError),
    /// A key that another file holds in the same group epoch.
    #[error("key {0} is in another descriptor of the same group epoch too: remove one of them")]
    Doubled(ValidatorPublicKey),
}
