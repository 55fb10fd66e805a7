//! The trait that every device satisfies.

use std::time::Instant;

use symbolon_secmem::Locked;

use crate::{
    AnchorName, AnchorRecord, Capabilities, Dek, Health, HsmError, Kek, KeyId, P256Public,
    ProvisionPlan, ProvisionReport, SealedDek, TokenId,
};

/// A device: holds keys, does few and small things with them.
///
/// All calls block until done, failed, or past `deadline`. A device in this process cannot stop a
/// vendor call that hangs; [`crate::WorkerClient`] can, because it kills the process that makes it.
/// Call it from a thread that may block.
///
/// A device never does BLS. It opens the DEK, proves who the member is, and takes part in the
/// ceremony's ECDH.
pub trait Hsm: Send + Sync {
    /// The token in use.
    ///
    /// # Errors
    ///
    /// Those of opening the device.
    fn token(&self, deadline: Instant) -> Result<TokenId, HsmError>;

    /// Finds out what works by doing it, and leaves no object behind.
    ///
    /// # Errors
    ///
    /// Only when the device cannot be reached; a failed trial is a finding.
    fn probe(&self, deadline: Instant) -> Result<Capabilities, HsmError>;

    /// Makes random numbers and, when `identity` is given, a signature that it verifies.
    fn health(&self, identity: Option<&KeyId>, deadline: Instant) -> Health;

    /// Fills `out` with the device's random numbers, at most [`RANDOM_MAX`] bytes.
    ///
    /// # Errors
    ///
    /// [`HsmError::Policy`] above the maximum, else the device's.
    fn random(&self, out: &mut [u8], deadline: Instant) -> Result<(), HsmError>;

    /// Makes or finds the key encryption key and the identity key of a member.
    ///
    /// # Errors
    ///
    /// [`HsmError::Unsupported`] when no scheme of the plan works; [`HsmError::Policy`] when a key
    /// exists but is extractable, readable or of the wrong kind.
    fn provision(
        &self,
        plan: &ProvisionPlan,
        deadline: Instant,
    ) -> Result<ProvisionReport, HsmError>;

    /// The public key of a P-256 key on the token.
    ///
    /// # Errors
    ///
    /// [`HsmError::NotFound`], [`HsmError::Ambiguous`], [`HsmError::Policy`].
    fn p256_public(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError>;

    /// ECDSA over a SHA-256 digest: `r || s`, big endian. The caller hashes.
    ///
    /// # Errors
    ///
    /// [`HsmError::NotFound`], [`HsmError::Ambiguous`], [`HsmError::Policy`].
    fn sign_p256(
        &self,
        key: &KeyId,
        digest: &[u8; 32],
        deadline: Instant,
    ) -> Result<[u8; 64], HsmError>;

    /// Makes or finds an ECDH key on P-256.
    ///
    /// # Errors
    ///
    /// [`HsmError::Unsupported`], [`HsmError::Ambiguous`], [`HsmError::Policy`].
    fn ensure_ecdh_key(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError>;

    /// ECDH: the x coordinate, 32 bytes, before any KDF.
    ///
    /// # Errors
    ///
    /// [`HsmError::Unsupported`], [`HsmError::NotFound`], [`HsmError::Ambiguous`].
    fn ecdh_p256(
        &self,
        key: &KeyId,
        peer: &P256Public,
        deadline: Instant,
    ) -> Result<Locked<32>, HsmError>;

    /// Destroys a key pair or secret key and looks that it is gone. `false` when it never was there.
    ///
    /// # Errors
    ///
    /// [`HsmError::Ambiguous`]; [`HsmError::Policy`] when the token keeps it all the same.
    fn destroy_key(&self, key: &KeyId, deadline: Instant) -> Result<bool, HsmError>;

    /// Seals a DEK.
    ///
    /// # Errors
    ///
    /// [`HsmError::NotFound`], [`HsmError::Ambiguous`], [`HsmError::Unsupported`]; a seal that does
    /// not open again at once is [`HsmError::BadBlob`].
    fn seal_dek(&self, kek: &Kek, dek: &Dek, deadline: Instant) -> Result<SealedDek, HsmError>;

    /// Opens a sealed DEK.
    ///
    /// # Errors
    ///
    /// [`HsmError::WrongToken`] on another token, [`HsmError::BadBlob`] when it was altered,
    /// [`HsmError::NotFound`] when its key is not there.
    fn open_dek(&self, sealed: &SealedDek, deadline: Instant) -> Result<Dek, HsmError>;

    /// The element-wise maximum of all copies of an anchor; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`HsmError::BadBlob`] when a copy under this label cannot be read.
    fn anchor_read(
        &self,
        name: &AnchorName,
        deadline: Instant,
    ) -> Result<Option<AnchorRecord>, HsmError>;

    /// Advances an anchor: creates the new copy, reads it back, destroys the old ones.
    ///
    /// # Errors
    ///
    /// [`HsmError::Policy`] when any part would go down; [`HsmError::Unsupported`] where the token
    /// keeps no data objects.
    fn anchor_advance(
        &self,
        name: &AnchorName,
        next: AnchorRecord,
        deadline: Instant,
    ) -> Result<(), HsmError>;
}

/// Most random bytes in one call.
pub const RANDOM_MAX: usize = 4096;
