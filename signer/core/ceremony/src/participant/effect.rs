//! What goes into a participant and what comes out of it.

use core::fmt;

use symbolon_protocol::IdentitySignature;
use symbolon_secmem::Locked;
use symbolon_threshold::SecretShare;

use crate::derive::Seed;
use crate::encryption_key::EncryptionKey;
use crate::file_name::FileName;
use crate::name::{CeremonyId, GroupEpoch, GroupLabel};
use crate::wire::{CeremonyReply, CeremonyRequest};

/// The name of a member's encryption key in its HSM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRef {
    /// The group.
    pub group: GroupLabel,
    /// The group epoch.
    pub group_epoch: GroupEpoch,
}

/// What the shell must do; the answer to each is a [`Step`], which it names.
#[derive(Debug)]
pub enum Effect {
    /// Make this ECDH key in the HSM, or find it when it is there: [`Step::Key`].
    CreateKey(KeyRef),
    /// Sign this digest with the identity key in the HSM: [`Step::Signature`].
    SignIdentity([u8; 32]),
    /// Multiply the point with this key in the HSM: [`Step::Shared`].
    Ecdh {
        /// The key.
        key: KeyRef,
        /// The point, on the curve.
        peer: EncryptionKey,
    },
    /// Read a file that was persisted: [`Step::File`].
    LoadFile {
        /// The ceremony that it belongs to.
        ceremony: CeremonyId,
        /// Its name.
        name: FileName,
    },
    /// Open the sealed seed of this ceremony: [`Step::Seed`].
    LoadSeed(CeremonyId),
    /// Open the sealed shares of this ceremony, in the order of their keys: [`Step::Shares`].
    LoadShares {
        /// The ceremony.
        ceremony: CeremonyId,
        /// How many.
        keys: usize,
    },
    /// Make all of this durable: [`Step::Durable`].
    Persist(Box<Pending>),
    /// Erase the sealed seed of this ceremony, if there is one: [`Step::Done`].
    EraseSeed(CeremonyId),
    /// Erase the sealed shares of this ceremony, if there are any: [`Step::Done`].
    EraseShares(CeremonyId),
    /// Destroy this ECDH key in the HSM, if it is there: [`Step::Done`].
    DestroyKey(KeyRef),
    /// The answer; nothing is expected after it.
    Show(CeremonyReply),
}

/// What the shell gives: a command begins, anything else answers an [`Effect`].
///
/// A command forgets whatever was going on before; what was durable is taken up again when the
/// same request is repeated.
#[derive(Debug)]
pub enum Step {
    /// A request that came from a coordinator, with fresh random numbers.
    Request(CeremonyRequest, Entropy),
    /// Give up a ceremony that is not signed yet.
    Drop(CeremonyId),
    /// Destroy shares and key of an epoch after which a later one is active.
    Destroy(CeremonyId),
    /// The public half of a key in the HSM.
    Key(EncryptionKey),
    /// A signature of the identity key.
    Signature(IdentitySignature),
    /// The x coordinate that ECDH gave.
    Shared(Locked<32>),
    /// The bytes of a file.
    File(Vec<u8>),
    /// A seed.
    Seed(Seed),
    /// The plain shares of a ceremony, in the order of their keys.
    Shares(Vec<SecretShare>),
    /// What was pending is durable.
    Durable(Durable),
    /// It is done.
    Done,
}

/// Fresh random numbers for one request.
#[derive(Debug)]
pub struct Entropy {
    /// For a new deal: from the HSM and the system, combined. Ignored where a seed is sealed.
    pub seed: Seed,
    /// For batch checks: 32 bytes that nobody else knew before.
    pub batch: [u8; 32],
}

/// What must be durable before the machine goes on, in this order: files, secrets, record.
///
/// The record is what counts: files and secrets without it are leftovers that the next attempt
/// overwrites. Only [`durable`](Self::durable) gives the step that makes the machine go on.
pub struct Pending {
    pub(super) ticket: u64,
    pub(super) ceremony: Option<CeremonyId>,
    pub(super) files: Vec<(FileName, Vec<u8>)>,
    pub(super) seed: Option<Seed>,
    pub(super) group_epoch: Option<GroupEpoch>,
    pub(super) shares: Vec<SecretShare>,
    pub(super) record: Vec<u8>,
}

/// The caller's word that something pending is durable.
pub struct Durable {
    pub(super) ticket: u64,
    pub(super) seed: Option<Seed>,
}

impl Pending {
    /// The ceremony that files and secrets belong to; `None` when there are neither.
    #[must_use]
    pub const fn ceremony(&self) -> Option<CeremonyId> {
        self.ceremony
    }

    /// Public files of the ceremony, to be kept for recovery.
    #[must_use]
    pub fn files(&self) -> &[(FileName, Vec<u8>)] {
        &self.files
    }

    /// A seed, to be sealed.
    #[must_use]
    pub const fn seed(&self) -> Option<&Seed> {
        self.seed.as_ref()
    }

    /// Plain shares, one a key, to be sealed; their position is the key index.
    #[must_use]
    pub fn shares(&self) -> &[SecretShare] {
        &self.shares
    }

    /// The group epoch of the shares.
    #[must_use]
    pub const fn group_epoch(&self) -> Option<GroupEpoch> {
        self.group_epoch
    }

    /// The public record, at most [`MAX_RECORD`](super::MAX_RECORD) bytes, for the journal.
    #[must_use]
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    /// Says that files, secrets and record are on disk and would survive a loss of power.
    #[must_use]
    pub fn durable(self) -> Durable {
        Durable {
            ticket: self.ticket,
            seed: self.seed,
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("ceremony", &self.ceremony)
            .field(
                "files",
                &self.files.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            )
            .field("seed", &self.seed.is_some())
            .field("shares", &self.shares.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Durable")
    }
}
