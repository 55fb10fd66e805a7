//! A message under the signatures of guardians.
//!
//! Bytes: the CBOR map `{0: body, 1: [{0: guardian, 1: signature}, ...]}`, entries by rising name.
//! Each signature covers what an envelope's signature covers ([`Unsigned::digest`]).

use core::fmt;
use std::collections::BTreeSet;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use symbolon_protocol::cbor::{from_bytes, to_bytes};
use symbolon_protocol::roster::Roster;
use symbolon_protocol::{
    EnvelopeError, IdentityError, IdentitySignature, IdentitySigner, Message, NetworkId, Unsigned,
};

/// Most guardians that can sign one message: as many as a roster can have.
const MAX_SIGNATURES: usize = 64;

/// A message with the guardians' signatures gathered so far; nobody has checked them yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Cosigned<T> {
    unsigned: Unsigned<T>,
    signatures: Vec<Cosignature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Cosignature {
    #[n(0)]
    guardian: String,
    #[n(1)]
    signature: IdentitySignature,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Parts {
    #[n(0)]
    body: ByteVec,
    #[n(1)]
    signatures: Vec<Cosignature>,
}

/// Why a cosigned message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignedError {
    /// The bytes or the body are not what they should be.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Guardians are named twice or not in rising order, or too many.
    #[error("the guardians under this {0} are not 0 to 64 names in rising order")]
    Order(&'static str),
    /// Too few valid signatures.
    #[error("this {what} has {got} valid guardian signatures, {needed} are needed")]
    Quorum {
        /// Type of the message.
        what: &'static str,
        /// Valid signatures by distinct guardians of the roster.
        got: usize,
        /// The roster's quorum.
        needed: u16,
    },
}

impl<T: Message> Cosigned<T> {
    /// Starts gathering signatures under `value`.
    #[must_use]
    pub fn new(network: NetworkId, value: T) -> Self {
        Self {
            unsigned: Unsigned::new(network, value),
            signatures: Vec::new(),
        }
    }

    /// Parses the canonical form.
    ///
    /// # Errors
    ///
    /// Too long, not canonical, of another type, version or network, guardians out of order.
    pub fn from_bytes(network: NetworkId, bytes: &[u8]) -> Result<Self, CosignedError> {
        let parts: Parts = from_bytes(T::TAG, bytes, T::MAX_LEN).map_err(EnvelopeError::from)?;
        let names = parts.signatures.iter().map(|entry| &entry.guardian);
        if parts.signatures.len() > MAX_SIGNATURES || !names.is_sorted_by(|a, b| a < b) {
            return Err(CosignedError::Order(T::TAG));
        }
        let unsigned = Unsigned::from_body(network, &parts.body)?;
        Ok(Self {
            unsigned,
            signatures: parts.signatures,
        })
    }

    /// The canonical bytes of message and signatures.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = self.unsigned.body().to_vec().into();
        to_bytes(&Parts {
            body,
            signatures: self.signatures.clone(),
        })
    }

    /// The message, which is not verified yet.
    #[must_use]
    pub const fn unverified(&self) -> &Unsigned<T> {
        &self.unsigned
    }

    /// Adds (or replaces) one guardian's signature.
    ///
    /// # Errors
    ///
    /// What the key's holder said.
    pub fn sign(&mut self, guardian: &str, key: &dyn IdentitySigner) -> Result<(), IdentityError> {
        let signature = key.sign_digest(&self.unsigned.digest())?;
        self.signatures.retain(|entry| entry.guardian != guardian);
        self.signatures.push(Cosignature {
            guardian: guardian.to_owned(),
            signature,
        });
        self.signatures.sort_by(|a, b| a.guardian.cmp(&b.guardian));
        Ok(())
    }

    /// Takes over the signatures that another copy of the same message has.
    ///
    /// `false`, and nothing happens, when `other` is another message.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.unsigned.body() != other.unsigned.body() {
            return false;
        }
        for entry in &other.signatures {
            if !self
                .signatures
                .iter()
                .any(|own| own.guardian == entry.guardian)
            {
                self.signatures.push(entry.clone());
            }
        }
        self.signatures.sort_by(|a, b| a.guardian.cmp(&b.guardian));
        true
    }

    /// The guardians of `roster` whose signature under this message is valid.
    #[must_use]
    pub fn signers<'a>(&self, roster: &'a Roster) -> BTreeSet<&'a str> {
        let signed = |guardian: &&symbolon_protocol::roster::Guardian| {
            self.signatures.iter().any(|entry| {
                entry.guardian == guardian.name
                    && self.unsigned.is_signed_by(&guardian.key, &entry.signature)
            })
        };
        roster
            .guardians
            .iter()
            .filter(signed)
            .map(|guardian| guardian.name.as_str())
            .collect()
    }

    /// Checks that a guardian quorum of `roster` signed.
    ///
    /// # Errors
    ///
    /// [`CosignedError::Quorum`].
    pub fn check_quorum(&self, roster: &Roster) -> Result<(), CosignedError> {
        let (got, needed) = (self.signers(roster).len(), roster.guardian_quorum);
        if got >= usize::from(needed) && needed > 0 {
            return Ok(());
        }
        Err(CosignedError::Quorum {
            what: T::TAG,
            got,
            needed,
        })
    }
}

impl<T: fmt::Debug> fmt::Debug for Cosigned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cosigned").field(&self.unsigned).finish()
    }
}
