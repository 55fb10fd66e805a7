//! The marks of all keys, and decisions over whole batches.

use std::collections::{BTreeMap, HashMap};

use symbolon_duties::{DutyKind, Epoch, SigningRoot, Slot, ValidatorPublicKey};
use symbolon_protocol::sign::{Refusal, SignItem};
use symbolon_slashing::{Mark, merge, raise_to_floor};

use super::decide::{Context, Decision, Keys, decide};
use super::permit::Permits;
use super::update::{Ledger, MarkUpdate};

/// The marks of all keys of one member, as they will be once all queued updates are durable.
#[derive(Debug, Default)]
pub struct Marks {
    table: HashMap<ValidatorPublicKey, Mark>,
}

/// What was decided about a batch.
#[derive(Debug)]
#[must_use = "the duties of a batch are signed or refused as this says"]
pub struct BatchDecision<T> {
    /// For each duty the refusal, where it was refused.
    pub refusals: Vec<Option<Refusal>>,
    /// The permits for all others.
    pub release: Release<T>,
    /// Permits of repeated messages among them.
    pub repeats: usize,
}

/// When permits may be used.
#[derive(Debug)]
pub enum Release<T> {
    /// At once: no mark is involved.
    Now(Permits),
    /// As soon as the ticket gives them out.
    Durable(T),
}

/// A journal in which a mark goes down, or one root takes the place of another, is not this
/// member's, or not in its order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mark of key {key} goes down or changes its root in the journal: it was mixed or altered, \
     do not start"
)]
pub struct MarkWentBack {
    /// The key.
    pub key: ValidatorPublicKey,
}

impl Marks {
    /// Takes one update back from the store, in the order in which they were written.
    ///
    /// # Errors
    ///
    /// [`MarkWentBack`].
    pub fn replay(&mut self, update: &MarkUpdate) -> Result<(), MarkWentBack> {
        let entry = self.table.entry(update.key).or_default();
        if !rises(entry, &update.mark) {
            return Err(MarkWentBack { key: update.key });
        }
        *entry = update.mark;
        Ok(())
    }

    /// The mark of a key; the default one where nothing was ever signed.
    #[must_use]
    pub fn get(&self, key: &ValidatorPublicKey) -> Mark {
        self.table.get(key).copied().unwrap_or_default()
    }

    /// All marks, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = MarkUpdate> {
        self.table.iter().map(|(key, mark)| MarkUpdate {
            key: *key,
            mark: *mark,
        })
    }

    /// Decides about the duties of a batch in their order, each against the marks that those
    /// before it leave behind, and queues the new marks with the permits that wait for them.
    ///
    /// # Errors
    ///
    /// When the ledger does not take the marks: nothing was decided, the marks are as before.
    pub fn decide<K: Keys, L: Ledger>(
        &mut self,
        items: &[SignItem],
        context: &Context<'_, K>,
        ledger: &L,
    ) -> Result<BatchDecision<L::Ticket<Permits>>, L::Error> {
        let mut overlay = BTreeMap::<ValidatorPublicKey, Mark>::new();
        let mut permits = Permits::default();
        let mut refusals = Vec::with_capacity(items.len());
        let mut repeats = 0_usize;
        for (position, item) in items.iter().enumerate() {
            let known = overlay.get(&item.key).or_else(|| self.table.get(&item.key));
            let mark = known.copied().unwrap_or_default();
            let (new, permit) = match decide(item, context, &mark) {
                Decision::Refuse(refusal) => {
                    refusals.push(Some(refusal));
                    continue;
                }
                Decision::Unmarked(permit) => (None, permit),
                Decision::Repeat(permit) => {
                    repeats = repeats.saturating_add(1);
                    (Some(mark), permit)
                }
                Decision::Sign(new, permit) => (Some(new), permit),
            };
            overlay.extend(new.map(|new| (item.key, new)));
            refusals.push(None);
            permits.push(position, permit);
        }
        if overlay.is_empty() {
            return Ok(BatchDecision {
                refusals,
                release: Release::Now(permits),
                repeats,
            });
        }
        let ticket = self.commit(overlay, permits, ledger)?;
        Ok(BatchDecision {
            refusals,
            release: Release::Durable(ticket),
            repeats,
        })
    }

    /// Raises marks to at least those given, of which several may be of one key; `value` waits for
    /// them.
    ///
    /// # Errors
    ///
    /// When the ledger does not take them: the marks are as before.
    pub fn raise<L: Ledger, T: Send + 'static>(
        &mut self,
        to: impl IntoIterator<Item = MarkUpdate>,
        value: T,
        ledger: &L,
    ) -> Result<L::Ticket<T>, L::Error> {
        let mut raised = BTreeMap::new();
        for MarkUpdate { key, mark } in to {
            let entry = raised.entry(key).or_insert_with(|| self.get(&key));
            *entry = merge(entry, &mark);
        }
        self.commit(raised, value, ledger)
    }

    /// What [`Marks::raise`] needs to bring all marks, and those of `keys`, to a floor.
    pub fn floor(
        &self,
        keys: impl IntoIterator<Item = ValidatorPublicKey>,
        source: Epoch,
        target: Epoch,
        slot: Slot,
    ) -> Vec<MarkUpdate> {
        let mut all: Vec<_> = self.table.keys().copied().chain(keys).collect();
        all.sort_unstable();
        all.dedup();
        let raise = |key| {
            let mark = raise_to_floor(&self.get(&key), source, target, slot);
            MarkUpdate { key, mark }
        };
        all.into_iter().map(raise).collect()
    }

    /// The element-wise maximum over all keys: source, target, slot; zero where there is none.
    #[must_use]
    pub fn highest(&self) -> (Epoch, Epoch, Slot) {
        let votes = || self.table.values().filter_map(|mark| mark.attestation);
        let blocks = self.table.values().filter_map(|mark| mark.block);
        (
            votes().map(|vote| vote.source).max().unwrap_or_default(),
            votes().map(|vote| vote.target).max().unwrap_or_default(),
            blocks.map(|block| block.slot).max().unwrap_or_default(),
        )
    }

    fn commit<L: Ledger, T: Send + 'static>(
        &mut self,
        new: BTreeMap<ValidatorPublicKey, Mark>,
        value: T,
        ledger: &L,
    ) -> Result<L::Ticket<T>, L::Error> {
        let updates: Vec<_> = new
            .iter()
            .map(|(key, mark)| MarkUpdate {
                key: *key,
                mark: *mark,
            })
            .collect();
        let ticket = ledger.queue(&updates, value)?;
        self.table.extend(new);
        Ok(ticket)
    }
}

/// Whether `new` may follow on `old`: no part of it lies below, and at the same slot or target a
/// root may stay or be dropped, but no other takes its place.
fn rises(old: &Mark, new: &Mark) -> bool {
    let block = |mark: &Mark| mark.block.map(|block| (block.slot, block.root));
    let vote = |mark: &Mark| mark.attestation.map(|vote| (vote.target, vote.root));
    let source = |mark: &Mark| mark.attestation.map(|vote| vote.source);
    follows(block(old), block(new)) && follows(vote(old), vote(new)) && source(new) >= source(old)
}

fn follows<V: Ord>(
    old: Option<(V, Option<SigningRoot>)>,
    new: Option<(V, Option<SigningRoot>)>,
) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some((old, old_root)), Some((new, new_root))) => {
            new > old || (new == old && (new_root.is_none() || new_root == old_root))
        }
    }
}

/// Whether a batch has a duty that goes before all others: a proposal is worth most and is late
/// first, and it cannot begin before its reveal.
#[must_use]
pub fn is_urgent(items: &[SignItem]) -> bool {
    let urgent = |kind| matches!(kind, DutyKind::Block | DutyKind::RandaoReveal);
    items.iter().any(|item| urgent(item.duty.kind()))
}
