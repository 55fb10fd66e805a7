//! Opening signed frames of a session: whose they are, and that the roster knows them.

use symbolon_protocol::roster::{PartyId, Roster};
use symbolon_protocol::session::{SessionError, SessionKey};
use symbolon_protocol::sign::SessionFrame;
use symbolon_protocol::{EnvelopeError, Message, NetworkId, Signed, Verified};

/// Why a frame is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The certificate of the session key does not hold.
    #[error("its session key is refused: {0}")]
    Session(#[from] SessionError),
    /// The session belongs to somebody else.
    #[error("it comes from {expected}, but is signed in a session of {got}")]
    OtherHolder {
        /// Who should have signed.
        expected: PartyId,
        /// Whose session it is.
        got: PartyId,
    },
    /// The message is not what it should be, or not signed by the session key.
    #[error(transparent)]
    Message(#[from] EnvelopeError),
}

/// Opens a frame of `holder`, whose session key must be valid at `now` (unix seconds).
///
/// `known` is the last certificate of this holder that was found good: a frame with the very same
/// one costs no signature check of it, only a look at its dates.
///
/// # Errors
///
/// [`FrameError`], the first check that failed.
pub fn open<T: Message>(
    network: NetworkId,
    frame: &SessionFrame,
    roster: &Roster,
    holder: &PartyId,
    now: u64,
    known: &mut Option<KnownSession>,
) -> Result<Verified<T>, FrameError> {
    if !known
        .as_ref()
        .is_some_and(|known| known.covers(&frame.certificate, holder, now))
    {
        let key = SessionKey::verify(network, &frame.certificate, roster, now)?;
        if key.holder != *holder {
            let (expected, got) = (holder.clone(), key.holder.clone());
            return Err(FrameError::OtherHolder { expected, got });
        }
        *known = Some(KnownSession {
            certificate: frame.certificate.to_vec(),
            key: (*key).clone(),
        });
    }
    let key = known.as_ref().map(|known| known.key.key);
    let message = Signed::<T>::from_bytes(network, &frame.message)?;
    let signer = holder.to_string();
    let Some(key) = key else {
        return Err(EnvelopeError::Signature {
            what: T::TAG,
            signer,
        }
        .into());
    };
    Ok(message.verify_session(&key, &signer)?)
}

/// A session certificate that was found good under some roster; forget it with the roster.
#[derive(Debug, Clone)]
pub struct KnownSession {
    certificate: Vec<u8>,
    key: SessionKey,
}

impl KnownSession {
    fn covers(&self, certificate: &[u8], holder: &PartyId, now: u64) -> bool {
        self.certificate == certificate
            && self.key.holder == *holder
            && (self.key.not_before..=self.key.not_after).contains(&now)
    }
}
