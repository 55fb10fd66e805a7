//! Opening the journal, and the floor after a start at which something may be missing.

use std::fmt;
use std::path::Path;

use symbolon_duties::{Epoch, Network, Slot, ValidatorPublicKey};
use symbolon_journal::{
    AppendError, Journal, JournalKey, OpenError, Options, QueueLimits, Sequence, TornTail, Writer,
};

use super::clock::{ClockBehind, check, unix_now};
use super::ledger::JournalLedger;
use super::memory::Memory;
use super::record::{RecordError, Stored};
use super::state::{ReplayError, State};

/// Why a member's memory is not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The journal.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A record of it.
    #[error("journal record {sequence}: {cause}")]
    Record {
        /// Its position.
        sequence: u64,
        /// What is wrong.
        #[source]
        cause: RecordError,
    },
    /// The records together.
    #[error("the journal does not replay: {0}")]
    Replay(#[from] ReplayError),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] ClockBehind),
    /// Nothing can be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// No thread.
    #[error("the journal's thread does not start: {0}")]
    Thread(#[from] std::io::Error),
}

/// How a start found the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    /// It was made just now.
    pub(crate) created: bool,
    /// The last process closed it in order.
    pub(crate) clean: bool,
    /// Its last frame was broken: marks may be missing.
    pub(crate) torn: Option<TornTail>,
}

/// Marks raised because some may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floor {
    /// Where it was taken from.
    pub(crate) from: FloorSource,
    /// Attestation sources must reach it.
    pub(crate) source: Epoch,
    /// Attestation targets must lie above it.
    pub(crate) target: Epoch,
    /// Blocks must lie above it.
    pub(crate) slot: Slot,
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match self.from {
            FloorSource::Clock => "the network's clock",
            FloorSource::HighestMarks => "the highest marks here, for want of a genesis time",
        };
        let Self {
            source,
            target,
            slot,
            ..
        } = self;
        write!(f, "source {source}, target {target}, slot {slot} by {from}")
    }
}

/// Where a floor was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FloorSource {
    /// The network's clock: nothing of a later epoch can have been signed.
    Clock,
    /// The highest marks of all keys, where the genesis time is not known.
    HighestMarks,
}

/// Opens and replays the journal in `dir`. `create` makes one where there is none.
pub(crate) fn open(
    dir: &Path,
    key: &JournalKey,
    network: &Network,
    create: bool,
) -> Result<(Memory, Start), StoreError> {
    let options = Options {
        create,
        ..Options::default()
    };
    let (journal, replay) = Journal::open(dir, key, &options)?;
    let mut state = match &replay.snapshot {
        Some(bytes) => State::from_snapshot(bytes)?,
        None => State::default(),
    };
    for entry in &replay.entries {
        let sequence = entry.sequence.0;
        let stored =
            Stored::parse(&entry.record).map_err(|cause| StoreError::Record { sequence, cause })?;
        state.apply(stored)?;
    }
    if network.genesis_time().is_some() {
        check(unix_now(), state.clock)?;
    }
    let start = Start {
        created: replay.created,
        clean: replay.clean,
        torn: replay.torn_tail,
    };
    let writer = Writer::start(journal, QueueLimits::default(), |error| {
        tracing::error!(%error, "the journal failed; this process stops at once");
        // Memory is ahead of the disk: whatever it would say next could be wrong.
        std::process::abort();
    })?;
    let first = replay
        .entries
        .first()
        .map(|entry| entry.sequence.0.saturating_sub(1));
    let covered = first.map_or(replay.head.sequence, Sequence);
    Ok((Memory::new(state, writer, covered), start))
}

impl Memory {
    /// Raises all marks, and those of `keys`, after a start that may have lost some. Returns once
    /// the floor is durable.
    pub(crate) fn apply_floor(
        &mut self,
        network: &Network,
        keys: impl IntoIterator<Item = ValidatorPublicKey>,
    ) -> Result<Floor, StoreError> {
        let floor = self.floor(network);
        let Floor {
            source,
            target,
            slot,
            ..
        } = floor;
        let updates = self.state.marks.floor(keys, source, target, slot);
        if !updates.is_empty() {
            let ledger = JournalLedger(&self.writer);
            self.state.marks.raise(updates, (), &ledger)?.wait()?;
        }
        Ok(floor)
    }

    /// The floor as of now.
    pub(super) fn floor(&self, network: &Network) -> Floor {
        // Highest time seen: a clock that was turned back must not lower the floor.
        let now = unix_now().max(self.state.clock);
        let Some(slot) = network.slot_at(now) else {
            let (source, target, slot) = self.state.marks.highest();
            return Floor {
                from: FloorSource::HighestMarks,
                source,
                target,
                slot,
            };
        };
        let epoch = network.epoch_of(slot);
        let next = network.first_slot_of(Epoch(epoch.0.saturating_add(1)));
        let slot = Slot(next.0.saturating_sub(1));
        Floor {
            from: FloorSource::Clock,
            source: epoch,
            target: epoch,
            slot,
        }
    }
}
