//! The right to make one partial signature.

use core::fmt;

use symbolon_duties::{DutyKind, SigningRoot, ValidatorPublicKey};

/// One partial signature may be made: with the share of this key and group epoch, over this root.
///
/// # Security
///
/// Not `Clone` and made only by a decision, so that each use was decided. A share's sign call
/// takes it by value.
#[must_use = "a permit that is dropped signs nothing"]
#[derive(PartialEq, Eq)]
pub struct Permit {
    key: ValidatorPublicKey,
    group_epoch: u32,
    kind: DutyKind,
    root: SigningRoot,
}

impl Permit {
    pub(super) const fn new(
        key: ValidatorPublicKey,
        group_epoch: u32,
        kind: DutyKind,
        root: SigningRoot,
    ) -> Self {
        Self {
            key,
            group_epoch,
            kind,
            root,
        }
    }

    /// The validator.
    #[must_use]
    pub const fn key(&self) -> &ValidatorPublicKey {
        &self.key
    }

    /// Group epoch of the share.
    #[must_use]
    pub const fn group_epoch(&self) -> u32 {
        self.group_epoch
    }

    /// Kind of the duty.
    #[must_use]
    pub const fn kind(&self) -> DutyKind {
        self.kind
    }

    /// What is signed, as computed here.
    #[must_use]
    pub const fn root(&self) -> SigningRoot {
        self.root
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({}, {}, {})", self.kind, self.key, self.root)
    }
}

/// The permits of one batch, each with the position of its duty in the batch.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use = "permits that are dropped sign nothing"]
pub struct Permits(Vec<(usize, Permit)>);

impl Permits {
    pub(super) fn push(&mut self, position: usize, permit: Permit) {
        self.0.push((position, permit));
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every duty was refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Permits {
    type Item = (usize, Permit);
    type IntoIter = std::vec::IntoIter<(usize, Permit)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
