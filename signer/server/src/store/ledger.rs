//! The journal as the ledger of marks.

use symbolon_journal::{AppendError, Pending, Record, Ticket, Writer};
use symbolon_signing::{Ledger, MarkUpdate};

use super::record::Stored;

/// Queues marks; what waits for them is given out against the journal's receipt.
pub(crate) struct JournalLedger<'a>(pub(crate) &'a Writer);

impl Ledger for JournalLedger<'_> {
    type Ticket<T> = Ticket<T>;
    type Error = AppendError;

    fn queue<T: Send + 'static>(
        &self,
        updates: &[MarkUpdate],
        value: T,
    ) -> Result<Ticket<T>, AppendError> {
        let records: Vec<Record> = updates
            .iter()
            .map(|update| Stored::Mark(*update).to_record())
            .collect();
        self.0.commit(Pending::new(&records, value)?)
    }
}
