//! Looking at a member's journal without starting the member: for people, when a start was refused.
//!
//! Needs the device, which alone opens the key that the journal is chained with. Takes no lock, so
//! it may run beside the server; changes nothing.

use symbolon_journal::{Entry, OpenError, Report, dump, verify};

use crate::config::Config;
use crate::error::StartError;
use crate::server::journal_key;
use crate::store::{StoreError, Stored};

/// Checks every frame of the journal.
///
/// # Errors
///
/// The device does not open the data key, or there is no journal.
pub fn verify_journal(config: &Config) -> Result<Report, StartError> {
    let key = journal_key(config)?;
    Ok(verify(&config.journal_dir(), &key).map_err(StoreError::from)?)
}

/// Every record that the journal still holds, oldest first, a line each.
///
/// # Errors
///
/// As [`verify_journal`]; the iterator ends with the first damage.
pub fn dump_journal(
    config: &Config,
) -> Result<impl Iterator<Item = Result<String, OpenError>> + use<>, StartError> {
    let key = journal_key(config)?;
    let entries = dump(&config.journal_dir(), &key).map_err(StoreError::from)?;
    Ok(entries.map(|entry| entry.map(|entry| line(&entry))))
}

fn line(entry: &Entry) -> String {
    let sequence = entry.sequence.0;
    match Stored::parse(&entry.record) {
        Ok(stored) => format!("{sequence} {stored}"),
        Err(error) => format!("{sequence} unreadable: {error}"),
    }
}
