//! What the owner's thread owns: the state, and the only hand that writes to the journal.

use std::collections::BTreeSet;
use std::sync::Arc;

use symbolon_duties::{Network, ValidatorPublicKey};
use symbolon_journal::{AppendError, Head, Receipt, Record, Sequence, Ticket, Writer};
use symbolon_protocol::sign::SignItem;
use symbolon_signing::{
    BatchDecision, Context, HeldKey, Keys, MarkUpdate, Permissions, Permits, Window,
};
use symbolon_slashing::{ImportError, ImportPlan, Interchange, Mark, raise_to_floor};

use super::boot::BootId;
use super::clock::unix_now;
use super::ledger::JournalLedger;
use super::open::Floor;
use super::record::{EnabledRecord, Stored};
use super::state::{ReplayError, State};
use crate::keyring::Keyring;

/// The state and the journal behind it.
pub(crate) struct Memory {
    pub(super) state: State,
    pub(super) writer: Writer,
    /// Last record that the newest snapshot covers.
    snapshot_at: Sequence,
}

/// What a decision needs beside the state.
pub(crate) struct SignContext {
    pub(crate) requestor: String,
    pub(crate) ring: Arc<Keyring>,
    pub(crate) network: Arc<Network>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) window: Window,
}

/// Why something is not remembered.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RememberError {
    /// The journal did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// It does not fit what is remembered.
    #[error(transparent)]
    State(#[from] ReplayError),
    /// The interchange file.
    #[error(transparent)]
    Import(#[from] ImportError),
}

struct View<'a> {
    ring: &'a Keyring,
    disabled: &'a BTreeSet<ValidatorPublicKey>,
}

impl Keys for View<'_> {
    fn held(&self, key: &ValidatorPublicKey) -> Option<HeldKey<'_>> {
        let entry = self.ring.get(key)?;
        Some(HeldKey {
            group: entry.group.label(),
            group_epoch: entry.group.group_epoch(),
            duties: entry.group.duties(),
            enabled: !self.disabled.contains(key),
        })
    }
}

impl Memory {
    /// `snapshot_at` is the last record that the newest snapshot covers.
    pub(super) const fn new(state: State, writer: Writer, snapshot_at: Sequence) -> Self {
        Self {
            state,
            writer,
            snapshot_at,
        }
    }

    /// Decides about a batch and queues its marks.
    pub(crate) fn decide(
        &mut self,
        items: &[SignItem],
        with: &SignContext,
    ) -> Result<BatchDecision<Ticket<Permits>>, AppendError> {
        let context = Context {
            requestor: &with.requestor,
            keys: &View {
                ring: &with.ring,
                disabled: &self.state.disabled,
            },
            network: &with.network,
            permissions: &with.permissions,
            window: with.window,
            now: unix_now(),
        };
        let decision = self
            .state
            .marks
            .decide(items, &context, &JournalLedger(&self.writer))?;
        self.snapshot_when_due();
        Ok(decision)
    }

    /// Remembers `records`; they count at once, and are durable when the ticket says so.
    pub(crate) fn remember(
        &mut self,
        records: Vec<Stored>,
    ) -> Result<Ticket<Receipt>, RememberError> {
        let encoded: Vec<Record> = records.iter().map(Stored::to_record).collect();
        let ticket = self.writer.submit(&encoded)?;
        for record in records {
            self.state.apply(record)?;
        }
        self.snapshot_when_due();
        Ok(ticket)
    }

    /// As [`Memory::remember`], for a group whose shares were rebuilt: what the lost machine signed
    /// is not known here, so the marks of `keys` rise to the floor in the same batch.
    pub(crate) fn remember_recovered(
        &mut self,
        mut records: Vec<Stored>,
        network: &Network,
        keys: &[ValidatorPublicKey],
    ) -> Result<(Ticket<Receipt>, Floor), RememberError> {
        let floor = self.floor(network);
        let Floor {
            source,
            target,
            slot,
            ..
        } = floor;
        records.extend(keys.iter().map(|key| {
            let mark = raise_to_floor(&self.state.marks.get(key), source, target, slot);
            Stored::Mark(MarkUpdate { key: *key, mark })
        }));
        Ok((self.remember(records)?, floor))
    }

    /// Disables or enables keys.
    pub(crate) fn set_enabled(
        &mut self,
        keys: &[ValidatorPublicKey],
        enabled: bool,
    ) -> Result<Ticket<Receipt>, RememberError> {
        let record =
            |key: &ValidatorPublicKey| Stored::Enabled(EnabledRecord { key: *key, enabled });
        self.remember(keys.iter().map(record).collect())
    }

    /// The run of the machine in which the journal was opened last.
    pub(crate) const fn last_boot(&self) -> Option<BootId> {
        self.state.boot
    }

    /// Remembers in which run of the machine the journal is open now. A floor that the run before
    /// left owing must be durable by then.
    pub(crate) fn set_boot(&mut self, boot: BootId) -> Result<(), RememberError> {
        if self.state.boot != Some(boot) {
            self.remember(vec![Stored::Boot(boot)])?.wait()?;
        }
        Ok(())
    }

    /// Remembers the time.
    pub(crate) fn tick(&mut self) -> Result<Ticket<Receipt>, RememberError> {
        self.remember(vec![Stored::Clock(unix_now())])
    }

    /// Plans an import of another client's history, and carries it out unless `dry_run`; the
    /// ticket gives the plan once the marks are durable.
    pub(crate) fn import(
        &mut self,
        interchange: &Interchange,
        network: &Network,
        ring: &Keyring,
        dry_run: bool,
    ) -> Result<(ImportPlan, Option<Ticket<()>>), RememberError> {
        let current =
            |key: &ValidatorPublicKey| ring.get(key).is_some().then(|| self.state.marks.get(key));
        let root = network.genesis_validators_root();
        let plan = symbolon_slashing::import(interchange, root, current)?;
        if dry_run || plan.changes.is_empty() {
            return Ok((plan, None));
        }
        let updates: Vec<_> = plan
            .changes
            .iter()
            .map(|change| MarkUpdate {
                key: change.key,
                mark: change.new,
            })
            .collect();
        let ticket = self
            .state
            .marks
            .raise(updates, (), &JournalLedger(&self.writer))?;
        self.snapshot_when_due();
        Ok((plan, Some(ticket)))
    }

    /// The marks of `keys`, or all.
    pub(crate) fn marks(&self, keys: &[ValidatorPublicKey]) -> Vec<(ValidatorPublicKey, Mark)> {
        if keys.is_empty() {
            return self
                .state
                .marks
                .iter()
                .map(|update| (update.key, update.mark))
                .collect();
        }
        keys.iter()
            .map(|key| (*key, self.state.marks.get(key)))
            .collect()
    }

    pub(crate) fn is_enabled(&self, key: &ValidatorPublicKey) -> bool {
        !self.state.disabled.contains(key)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &super::GroupRecord> {
        self.state.groups.values()
    }

    /// Records of the ceremonies' participant, in their order.
    pub(crate) fn ceremonies(&self) -> &[Vec<u8>] {
        &self.state.ceremonies
    }

    pub(crate) fn head(&self) -> Head {
        self.writer.head()
    }

    /// A handle that reads the journal's counters.
    pub(crate) fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// Writes what is queued and the closing frame.
    pub(crate) fn close(mut self) -> Result<(), AppendError> {
        if let Err(error) = self.tick() {
            tracing::warn!(%error, "the time of the stop was not recorded");
        }
        self.writer.close()
    }

    /// The owner's thread is the only one that submits, so that the state is that of the last
    /// submitted record here.
    fn snapshot_when_due(&mut self) {
        let last = self.writer.submitted();
        if last.0.saturating_sub(self.snapshot_at.0) < SNAPSHOT_EVERY {
            return;
        }
        self.snapshot_at = last;
        // A snapshot that fails poisons the journal, which stops the process by itself.
        if let Err(error) = self.writer.snapshot(last, self.state.to_snapshot()) {
            tracing::warn!(%error, "no snapshot was taken");
        }
    }
}

/// Records between snapshots: a start reads at most this many.
const SNAPSHOT_EVERY: u64 = 100_000;
