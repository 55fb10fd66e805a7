//! The wrapper of everything that is signed: a type tag, a version and a network in front of the
//! payload, and a signature over all of it.
//!
//! `Unsigned<T>` becomes `Signed<T>` by a signature and `Verified<T>` by checking one; only the
//! last is an argument of the next step.

use core::fmt;
use core::ops::Deref;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::cbor::{CborError, from_bytes, to_bytes};
use crate::identity::{IdentityError, IdentityPublic, IdentitySignature, IdentitySigner};
use crate::session::{SessionPublic, SessionSecret, SessionSignature};

/// SHA-256 of a genesis fork version and a genesis validators root: one chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct NetworkId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl fmt::Debug for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkId({})", hex::encode(self.0))
    }
}

/// A payload that may stand in an envelope.
pub trait Message: Encode<()> + for<'b> Decode<'b, ()> {
    /// Names the type in the signed bytes, so that no message can pass for another.
    const TAG: &'static str;
    /// Raised with every change of the payload's meaning.
    const VERSION: u16;
    /// Most bytes that the whole signed object may have.
    const MAX_LEN: usize;
}

/// Why an envelope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes are not the canonical form of the object.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The object is of another type.
    #[error("expected a {expected}, got a {got:?}")]
    Tag {
        /// Type expected.
        expected: &'static str,
        /// Type named in the object.
        got: String,
    },
    /// The object is of a version that this program does not know.
    #[error("{what} has version {got}, this program knows version {expected}")]
    Version {
        /// Type of the object.
        what: &'static str,
        /// Version known.
        expected: u16,
        /// Version found.
        got: u16,
    },
    /// The object was made for another chain.
    #[error("{what} belongs to another network: expected {expected:?}, got {got:?}")]
    Network {
        /// Type of the object.
        what: &'static str,
        /// This network.
        expected: NetworkId,
        /// The object's network.
        got: NetworkId,
    },
    /// The signature is not the named key's signature over these bytes.
    #[error("the signature of this {what} is not by {signer}")]
    Signature {
        /// Type of the object.
        what: &'static str,
        /// Who should have signed.
        signer: String,
    },
}

#[derive(Encode, Decode)]
struct Body<'a, T> {
    #[n(0)]
    tag: &'a str,
    #[n(1)]
    version: u16,
    #[n(2)]
    network: NetworkId,
    #[n(3)]
    payload: T,
}

#[derive(Encode, Decode)]
struct SignedParts<'a> {
    #[cbor(b(0), with = "minicbor::bytes")]
    body: &'a [u8],
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// The bytes that a signature over `body` covers.
fn preimage<T: Message>(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len().saturating_add(64));
    bytes.extend_from_slice(b"symbolon-signature-v1\0");
    bytes.extend_from_slice(T::TAG.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(body);
    bytes
}

/// A message with its canonical body, not signed yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsigned<T> {
    network: NetworkId,
    value: T,
    body: Vec<u8>,
}

impl<T: Message> Unsigned<T> {
    /// Puts `value` in an envelope of `network`.
    #[must_use]
    pub fn new(network: NetworkId, value: T) -> Self {
        let body = to_bytes(&Body {
            tag: T::TAG,
            version: T::VERSION,
            network,
            payload: &value,
        });
        Self {
            network,
            value,
            body,
        }
    }

    /// Parses a body.
    ///
    /// # Errors
    ///
    /// Too long, not canonical, of another type, version or network.
    pub fn from_body(network: NetworkId, body: &[u8]) -> Result<Self, EnvelopeError> {
        check_header::<T>(network, body)?;
        let parsed: Body<'_, T> = from_bytes(T::TAG, body, T::MAX_LEN)?;
        Ok(Self {
            network,
            value: parsed.payload,
            body: body.to_vec(),
        })
    }

    /// The canonical bytes that are hashed and signed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The payload.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The chain that the message is for.
    #[must_use]
    pub const fn network(&self) -> NetworkId {
        self.network
    }

    /// SHA-256 over everything that a signature covers: the message's name.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(preimage::<T>(&self.body)).into()
    }

    /// Signs with an identity key.
    ///
    /// # Errors
    ///
    /// What the key's holder said.
    pub fn sign(self, signer: &dyn IdentitySigner) -> Result<Signed<T>, IdentityError> {
        let signature = signer.sign_digest(&self.digest())?;
        Ok(Signed {
            unsigned: self,
            signature: signature.0,
        })
    }

    /// Signs with a session key.
    #[must_use]
    pub fn sign_session(self, secret: &SessionSecret) -> Signed<T> {
        let signature = secret.sign(&self.digest());
        Signed {
            unsigned: self,
            signature: signature.0,
        }
    }

    /// Whether `signature` is `key`'s over this message.
    #[must_use]
    pub fn is_signed_by(&self, key: &IdentityPublic, signature: &IdentitySignature) -> bool {
        key.verifies(&preimage::<T>(&self.body), signature)
    }
}

/// Reads the header only, so that a wrong type, version or network is said as such and not as a
/// payload that does not decode.
fn check_header<T: Message>(network: NetworkId, body: &[u8]) -> Result<(), EnvelopeError> {
    if body.len() > T::MAX_LEN {
        let error = CborError::TooLong {
            what: T::TAG,
            got: body.len(),
            max: T::MAX_LEN,
        };
        return Err(error.into());
    }
    let (tag, version, got) = header(body).map_err(|cause| CborError::Shape {
        what: T::TAG,
        cause: cause.to_string(),
    })?;
    if tag != T::TAG {
        let got = tag
            .chars()
            .take(64)
            .filter(char::is_ascii_graphic)
            .collect();
        return Err(EnvelopeError::Tag {
            expected: T::TAG,
            got,
        });
    }
    if version != T::VERSION {
        return Err(EnvelopeError::Version {
            what: T::TAG,
            expected: T::VERSION,
            got: version,
        });
    }
    if got != network {
        return Err(EnvelopeError::Network {
            what: T::TAG,
            expected: network,
            got,
        });
    }
    Ok(())
}

fn header(body: &[u8]) -> Result<(&str, u16, NetworkId), minicbor::decode::Error> {
    let mut decoder = minicbor::Decoder::new(body);
    if decoder.array()? != Some(4) {
        return Err(minicbor::decode::Error::message(
            "expected tag, version, network, payload",
        ));
    }
    Ok((decoder.str()?, decoder.u16()?, decoder.decode()?))
}

/// A message with a signature that nobody has checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed<T> {
    unsigned: Unsigned<T>,
    signature: [u8; 64],
}

impl<T: Message> Signed<T> {
    /// Parses the signed form.
    ///
    /// # Errors
    ///
    /// Too long, not canonical, of another type, version or network.
    pub fn from_bytes(network: NetworkId, bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let parts: SignedParts<'_> = from_bytes(T::TAG, bytes, T::MAX_LEN)?;
        let unsigned = Unsigned::from_body(network, parts.body)?;
        Ok(Self {
            unsigned,
            signature: parts.signature,
        })
    }

    /// The canonical bytes of message and signature.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&SignedParts {
            body: &self.unsigned.body,
            signature: self.signature,
        })
    }

    /// Joins a body and a signature that were stored apart.
    #[must_use]
    pub const fn from_parts(unsigned: Unsigned<T>, signature: [u8; 64]) -> Self {
        Self {
            unsigned,
            signature,
        }
    }

    /// The message, which nobody has verified yet.
    #[must_use]
    pub const fn unverified(&self) -> &Unsigned<T> {
        &self.unsigned
    }

    /// The raw signature.
    #[must_use]
    pub const fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// Checks the signature of an identity key; `name` says whose it is in the error.
    ///
    /// # Errors
    ///
    /// The signature is not that key's.
    pub fn verify(self, key: &IdentityPublic, name: &str) -> Result<Verified<T>, EnvelopeError> {
        if !self
            .unsigned
            .is_signed_by(key, &IdentitySignature(self.signature))
        {
            return Err(EnvelopeError::Signature {
                what: T::TAG,
                signer: name.to_owned(),
            });
        }
        Ok(Verified { signed: self })
    }

    /// Checks the signature of a session key; `name` says whose it is in the error.
    ///
    /// # Errors
    ///
    /// The signature is not that key's.
    pub fn verify_session(
        self,
        key: &SessionPublic,
        name: &str,
    ) -> Result<Verified<T>, EnvelopeError> {
        if !key.verifies(&self.unsigned.digest(), &SessionSignature(self.signature)) {
            return Err(EnvelopeError::Signature {
                what: T::TAG,
                signer: name.to_owned(),
            });
        }
        Ok(Verified { signed: self })
    }
}

/// A message whose signature was checked; dereferences to the payload.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified<T> {
    signed: Signed<T>,
}

impl<T: Message> Verified<T> {
    /// The message with its signature, to be stored or passed on.
    #[must_use]
    pub const fn signed(&self) -> &Signed<T> {
        &self.signed
    }

    /// The message's name, see [`Unsigned::digest`].
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.signed.unsigned.digest()
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.signed.unsigned.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Unsigned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unsigned").field(&self.value).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signed").field(&self.unsigned.value).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Verified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified")
            .field(&self.signed.unsigned.value)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SoftIdentity;

    #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
    #[cbor(map)]
    struct Note {
        #[n(0)]
        text: String,
    }

    impl Message for Note {
        const TAG: &'static str = "symbolon.note";
        const VERSION: u16 = 1;
        const MAX_LEN: usize = 512;
    }

    #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
    #[cbor(map)]
    struct Other {
        #[n(0)]
        text: String,
    }

    impl Message for Other {
        const TAG: &'static str = "symbolon.other";
        const VERSION: u16 = 1;
        const MAX_LEN: usize = 512;
    }

    const HERE: NetworkId = NetworkId([1; 32]);

    fn signed() -> (SoftIdentity, Signed<Note>) {
        let key = SoftIdentity::from_bytes(&[7; 32]).unwrap();
        let note = Unsigned::new(
            HERE,
            Note {
                text: "hello".into(),
            },
        );
        let signed = note.sign(&key).unwrap();
        (key, signed)
    }

    #[test]
    fn a_signed_message_survives_a_round_trip_and_verifies() {
        let (key, signed) = signed();
        let again = Signed::<Note>::from_bytes(HERE, &signed.to_bytes()).unwrap();
        assert_eq!(again, signed);
        assert_eq!(again.verify(&key.public(), "me").unwrap().text, "hello");
    }

    #[test]
    fn another_type_network_or_key_is_refused_by_name() {
        let (_, signed) = signed();
        let bytes = signed.to_bytes();
        assert!(matches!(
            Signed::<Other>::from_bytes(HERE, &bytes),
            Err(EnvelopeError::Tag {
                expected: "symbolon.other",
                ..
            })
        ));
        assert!(matches!(
            Signed::<Note>::from_bytes(NetworkId([2; 32]), &bytes),
            Err(EnvelopeError::Network { .. })
        ));
        let stranger = SoftIdentity::from_bytes(&[8; 32]).unwrap().public();
        let error = signed.verify(&stranger, "stranger").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the signature of this symbolon.note is not by stranger"
        );
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (key, signed) = signed();
        let bytes = signed.to_bytes();
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 1;
            let accepted = Signed::<Note>::from_bytes(HERE, &bent)
                .and_then(|signed| signed.verify(&key.public(), "me"));
            assert!(accepted.is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_session_signature_is_no_identity_signature() {
        let (key, _) = signed();
        let secret = SessionSecret::from_seed(&[9; 32]).unwrap();
        let note = Unsigned::new(HERE, Note { text: "x".into() }).sign_session(&secret);
        assert!(note.clone().verify(&key.public(), "me").is_err());
        assert!(note.verify_session(&secret.public(), "me").is_ok());
    }
}
