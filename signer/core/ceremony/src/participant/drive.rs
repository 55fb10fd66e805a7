//! The loop between a participant and whoever performs its effects.

use symbolon_protocol::IdentitySignature;
use symbolon_secmem::Locked;
use symbolon_threshold::SecretShare;

use super::{Effect, KeyRef, Participant, Pending, Step, StepError};
use crate::derive::Seed;
use crate::encryption_key::EncryptionKey;
use crate::file_name::FileName;
use crate::name::CeremonyId;
use crate::wire::CeremonyReply;

/// Whoever has the HSM and the disk. Each call must have happened in full when it returns.
pub trait Performer {
    /// Why something could not be done.
    type Error;

    /// Makes an ECDH key in the HSM, or finds it when it is there.
    ///
    /// # Errors
    ///
    /// The device's.
    fn create_key(&mut self, key: &KeyRef) -> Result<EncryptionKey, Self::Error>;

    /// Signs a digest with the identity key.
    ///
    /// # Errors
    ///
    /// The device's.
    fn sign_identity(&mut self, digest: &[u8; 32]) -> Result<IdentitySignature, Self::Error>;

    /// The x coordinate of the point times this ECDH key.
    ///
    /// # Errors
    ///
    /// The device's, also when the key is not there.
    fn ecdh(&mut self, key: &KeyRef, peer: &EncryptionKey) -> Result<Locked<32>, Self::Error>;

    /// Reads a file that was persisted.
    ///
    /// # Errors
    ///
    /// The disk's, also when the file is not there.
    fn load_file(&mut self, ceremony: CeremonyId, name: FileName) -> Result<Vec<u8>, Self::Error>;

    /// Opens a sealed seed.
    ///
    /// # Errors
    ///
    /// The disk's or the device's.
    fn load_seed(&mut self, ceremony: CeremonyId) -> Result<Seed, Self::Error>;

    /// Opens the first `keys` sealed shares of a ceremony, in the order of their keys.
    ///
    /// # Errors
    ///
    /// The disk's or the device's.
    fn load_shares(
        &mut self,
        ceremony: CeremonyId,
        keys: usize,
    ) -> Result<Vec<SecretShare>, Self::Error>;

    /// Writes files, then sealed secrets, then the record, each durable before the next.
    ///
    /// # Errors
    ///
    /// The disk's. After a failed flush of the record the process must stop: whether it is durable
    /// is not known.
    fn persist(&mut self, pending: &Pending) -> Result<(), Self::Error>;

    /// Erases the sealed seed of a ceremony, if it is there.
    ///
    /// # Errors
    ///
    /// The disk's.
    fn erase_seed(&mut self, ceremony: CeremonyId) -> Result<(), Self::Error>;

    /// Erases the sealed shares of a ceremony, if they are there.
    ///
    /// # Errors
    ///
    /// The disk's.
    fn erase_shares(&mut self, ceremony: CeremonyId) -> Result<(), Self::Error>;

    /// Destroys an ECDH key in the HSM, if it is there.
    ///
    /// # Errors
    ///
    /// The device's.
    fn destroy_key(&mut self, key: &KeyRef) -> Result<(), Self::Error>;
}

/// A command that did not end in an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriveError<E> {
    /// The machine refuses: [`StepError::to_reply`] is the answer to the coordinator.
    #[error(transparent)]
    Refused(#[from] StepError),
    /// An effect could not be performed; repeating the command takes it up again.
    #[error("the ceremony step could not be performed: {0}")]
    Failed(E),
}

/// Runs one command to its answer.
///
/// # Errors
///
/// [`DriveError`].
pub fn drive<P: Performer>(
    participant: &mut Participant,
    command: Step,
    performer: &mut P,
) -> Result<CeremonyReply, DriveError<P::Error>> {
    let mut step = command;
    loop {
        step = match participant.step(step)? {
            Effect::Show(reply) => return Ok(reply),
            effect => perform(effect, performer).map_err(DriveError::Failed)?,
        };
    }
}

/// Performs one effect and gives the step that answers it.
fn perform<P: Performer>(effect: Effect, performer: &mut P) -> Result<Step, P::Error> {
    Ok(match effect {
        Effect::CreateKey(key) => Step::Key(performer.create_key(&key)?),
        Effect::SignIdentity(digest) => Step::Signature(performer.sign_identity(&digest)?),
        Effect::Ecdh { key, peer } => Step::Shared(performer.ecdh(&key, &peer)?),
        Effect::LoadFile { ceremony, name } => Step::File(performer.load_file(ceremony, name)?),
        Effect::LoadSeed(ceremony) => Step::Seed(performer.load_seed(ceremony)?),
        Effect::LoadShares { ceremony, keys } => {
            Step::Shares(performer.load_shares(ceremony, keys)?)
        }
        Effect::Persist(pending) => {
            performer.persist(&pending)?;
            Step::Durable(pending.durable())
        }
        Effect::EraseSeed(ceremony) => {
            performer.erase_seed(ceremony)?;
            Step::Done
        }
        Effect::EraseShares(ceremony) => {
            performer.erase_shares(ceremony)?;
            Step::Done
        }
        Effect::DestroyKey(key) => {
            performer.destroy_key(&key)?;
            Step::Done
        }
        Effect::Show(_) => Step::Done,
    })
}
