//! Planning an import: what every mark would become.

use symbolon_duties::{Epoch, Root, Slot, ValidatorPublicKey};

use crate::{Interchange, Mark, merge};

/// What an import would change; nothing is changed until the caller stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPlan {
    /// The keys whose mark changes, in the order of their bytes. Store all of them or none, each as
    /// [`merge`] of `new` with the mark that the store holds by then.
    pub changes: Vec<Change>,
    /// What to tell the person who asked.
    pub report: Report,
}

/// One key whose mark an import changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: ValidatorPublicKey,
    /// The mark before.
    pub old: Mark,
    /// The mark after: the element-wise maximum of `old` and the file.
    pub new: Mark,
}

/// Counts of an import, equally true of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Signed blocks in the file.
    pub blocks: u64,
    /// Signed attestations in the file.
    pub attestations: u64,
    /// Entries whose signing root was no root and was left out.
    pub unusable_roots: u64,
    /// Keys that had signed nothing before and have a mark now.
    pub new: u64,
    /// Keys whose mark rises, or loses a root because the file does not confirm it.
    pub raised: u64,
    /// Keys whose mark already says all that the file says.
    pub unchanged: u64,
    /// Keys that are not held here: their histories are not taken.
    pub unknown: Vec<ValidatorPublicKey>,
    /// The highest block slot among the changes, to compare with the clock: a mark in the far future
    /// stops its key.
    pub highest_slot: Option<Slot>,
    /// The highest source or target epoch among the changes, to compare with the clock likewise.
    pub highest_epoch: Option<Epoch>,
}

/// Why an interchange file is not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is of another chain.
    #[error(
        "interchange is for the chain with genesis_validators_root {got}, this network has \
         {expected}; import a file of this network"
    )]
    OtherNetwork {
        /// Root of this network.
        expected: Root,
        /// Root in the file.
        got: Root,
    },
}

/// Plans an import into the marks that `current` gives: all of the file or, on an error, nothing.
///
/// `current` answers `None` for a key that is not held here, and the default mark for one that is
/// held and never signed. Marks only rise; importing a file twice changes nothing the second time.
/// Histories that are slashable in themselves, or against the marks, are taken as their maximum.
///
/// # Errors
///
/// [`ImportError::OtherNetwork`].
pub fn import(
    interchange: &Interchange,
    genesis_validators_root: Root,
    mut current: impl FnMut(&ValidatorPublicKey) -> Option<Mark>,
) -> Result<ImportPlan, ImportError> {
    let got = interchange.genesis_validators_root();
    if got != genesis_validators_root {
        return Err(ImportError::OtherNetwork {
            expected: genesis_validators_root,
            got,
        });
    }
    let mut changes = Vec::new();
    let mut report = Report::default();
    for (key, history) in interchange.histories() {
        report.blocks = report.blocks.saturating_add(history.blocks);
        report.attestations = report.attestations.saturating_add(history.attestations);
        report.unusable_roots = report.unusable_roots.saturating_add(history.unusable_roots);
        let Some(old) = current(key) else {
            report.unknown.push(*key);
            continue;
        };
        let new = merge(&old, &history.mark);
        let count = if new == old {
            &mut report.unchanged
        } else if old == Mark::default() {
            &mut report.new
        } else {
            &mut report.raised
        };
        *count = count.saturating_add(1);
        if new != old {
            let attestation = new.attestation.map(|vote| vote.source.max(vote.target));
            report.highest_slot = report.highest_slot.max(new.block.map(|block| block.slot));
            report.highest_epoch = report.highest_epoch.max(attestation);
            changes.push(Change {
                key: *key,
                old,
                new,
            });
        }
    }
    Ok(ImportPlan { changes, report })
}
