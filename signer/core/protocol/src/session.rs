//! Session keys: Ed25519, for at most a day, certified by an identity key.
//!
//! A device signs once a day, yet every answer is attributable to it.

use core::fmt;

use minicbor::{Decode, Encode};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::envelope::{EnvelopeError, Message, NetworkId, Signed, Verified};
use crate::roster::{Party, PartyId, Roster};

/// Longest life of a session key, in seconds.
pub const MAX_SESSION_SECONDS: u64 = 24 * 60 * 60;

/// How far two clocks may differ, in seconds, when a session key's dates are checked.
pub const CLOCK_TOLERANCE_SECONDS: u64 = 60;

/// The public half of a session key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SessionPublic(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

/// An Ed25519 signature over a message's digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionSignature(pub [u8; 64]);

impl SessionPublic {
    /// Whether `signature` is this key's over `digest`.
    #[must_use]
    pub fn verifies(&self, digest: &[u8; 32], signature: &SessionSignature) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(digest, &signature.0)
            .is_ok()
    }
}

impl fmt::Debug for SessionPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionPublic({})", hex::encode(self.0))
    }
}

/// The secret half, in memory only.
pub struct SessionSecret {
    pair: Ed25519KeyPair,
    public: SessionPublic,
}

/// A seed that gives no key, or a certificate that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The Ed25519 library refused the seed.
    #[error("no session key could be made from this seed; draw another")]
    Seed,
    /// The envelope is wrong.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The holder is not in the roster.
    #[error("{0} is not in the roster")]
    UnknownHolder(PartyId),
    /// The certificate lives longer than a session may.
    #[error(
        "the session key of {holder} is certified for {seconds} s, at most {MAX_SESSION_SECONDS} are allowed"
    )]
    TooLong {
        /// Holder named in the certificate.
        holder: PartyId,
        /// Its life in seconds.
        seconds: u64,
    },
    /// The certificate is not valid yet, or no longer.
    #[error(
        "the session key of {holder} is valid from {from} to {until}, now is {now} (unix seconds): restart its holder, or correct the clocks"
    )]
    Expired {
        /// Holder named in the certificate.
        holder: PartyId,
        /// First second.
        from: u64,
        /// Last second.
        until: u64,
        /// The time given.
        now: u64,
    },
}

impl SessionSecret {
    /// Makes a key from 32 random bytes.
    ///
    /// # Errors
    ///
    /// The library refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SessionError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SessionError::Seed)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| SessionError::Seed)?;
        Ok(Self {
            pair,
            public: SessionPublic(public),
        })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> SessionPublic {
        self.public
    }

    /// Signs a message's digest.
    #[must_use]
    pub fn sign(&self, digest: &[u8; 32]) -> SessionSignature {
        let signature = self.pair.sign(digest);
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        SessionSignature(bytes)
    }
}

/// What an identity key certifies about a session key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionKey {
    /// Whose session this is.
    #[n(0)]
    pub holder: PartyId,
    /// The session key.
    #[n(1)]
    pub key: SessionPublic,
    /// First second of its life (unix time).
    #[n(2)]
    pub not_before: u64,
    /// Last second of its life (unix time).
    #[n(3)]
    pub not_after: u64,
}

impl Message for SessionKey {
    const TAG: &'static str = "symbolon.session-key";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 1024;
}

impl SessionKey {
    /// Parses a certificate and checks it against the roster and the clock.
    ///
    /// # Errors
    ///
    /// Not canonical, holder not in the roster, signature not by the holder's identity key, longer
    /// than a day, not valid at `now` (unix seconds).
    pub fn verify(
        network: NetworkId,
        bytes: &[u8],
        roster: &Roster,
        now: u64,
    ) -> Result<Verified<Self>, SessionError> {
        let verified = Self::verify_at_any_time(network, bytes, roster)?;
        let from = verified.not_before.saturating_sub(CLOCK_TOLERANCE_SECONDS);
        let until = verified.not_after.saturating_add(CLOCK_TOLERANCE_SECONDS);
        if !(from..=until).contains(&now) {
            return Err(SessionError::Expired {
                holder: verified.holder.clone(),
                from: verified.not_before,
                until: verified.not_after,
                now,
            });
        }
        Ok(verified)
    }

    /// As [`SessionKey::verify`], for evidence that is looked at later.
    ///
    /// # Errors
    ///
    /// As there, without the clock.
    pub fn verify_at_any_time(
        network: NetworkId,
        bytes: &[u8],
        roster: &Roster,
    ) -> Result<Verified<Self>, SessionError> {
        let signed = Signed::<Self>::from_bytes(network, bytes)?;
        let holder = signed.unverified().value().holder.clone();
        let identity = match roster.party(&holder) {
            Some(Party::Member(member)) => member.identity,
            Some(Party::Client(client)) => client.identity,
            None => return Err(SessionError::UnknownHolder(holder)),
        };
        let verified = signed.verify(&identity, &holder.to_string())?;
        let seconds = verified.not_after.saturating_sub(verified.not_before);
        if seconds > MAX_SESSION_SECONDS {
            return Err(SessionError::TooLong { holder, seconds });
        }
        Ok(verified)
    }
}
