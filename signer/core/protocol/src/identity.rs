//! Identity keys (P-256, held by an HSM where there is one) and what they sign.

use core::fmt;

use minicbor::{Decode, Encode};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use crate::words::words;

/// A P-256 public key: on the curve, not the point at infinity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityPublic {
    compressed: [u8; 33],
    uncompressed: [u8; 65],
}

/// An ECDSA signature over SHA-256: `r` and `s`, 32 bytes each, big endian.
///
/// Not unique: with `s`, also its negative verifies, and devices draw their own nonces. So the
/// digest that names a message leaves its signature out. [`SoftIdentity`] takes the nonce of RFC
/// 6979 and leaves `s` as it comes.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct IdentitySignature(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 64]);

/// Why a key or signature of an identity is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not a compressed or uncompressed point of P-256.
    #[error("not a P-256 public key: expected 33 or 65 bytes of a point on the curve")]
    BadPublicKey,
    /// The key that should sign did not.
    #[error("the identity key did not sign: {0}")]
    Signer(String),
}

impl IdentityPublic {
    /// Parses a SEC1 point, compressed (33 bytes) or uncompressed (65 bytes).
    ///
    /// # Errors
    ///
    /// Any other bytes, the point at infinity among them.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, IdentityError> {
        // The p256 crate also reads the compact form (tag 5): a second form of the same key.
        if !matches!(bytes, [2..=4, ..]) {
            return Err(IdentityError::BadPublicKey);
        }
        let key =
            p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| IdentityError::BadPublicKey)?;
        Self::from_key(&key)
    }

    fn from_key(key: &p256::PublicKey) -> Result<Self, IdentityError> {
        let short = key.to_encoded_point(true);
        let long = key.to_encoded_point(false);
        Ok(Self {
            compressed: short
                .as_bytes()
                .try_into()
                .map_err(|_| IdentityError::BadPublicKey)?,
            uncompressed: long
                .as_bytes()
                .try_into()
                .map_err(|_| IdentityError::BadPublicKey)?,
        })
    }

    /// The compressed form, as it stands in signed objects.
    #[must_use]
    pub const fn compressed(&self) -> &[u8; 33] {
        &self.compressed
    }

    /// The uncompressed form, as devices take it.
    #[must_use]
    pub const fn uncompressed(&self) -> &[u8; 65] {
        &self.uncompressed
    }

    /// SHA-256 of the compressed form.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.compressed).into()
    }

    /// The first `n` words of the fingerprint, for people to compare aloud.
    #[must_use]
    pub fn fingerprint_words(&self, n: usize) -> String {
        words(&self.fingerprint(), n)
    }

    /// Whether `signature` is this key's signature over SHA-256 of `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &IdentitySignature) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.uncompressed)
            .verify(message, &signature.0)
            .is_ok()
    }
}

impl fmt::Debug for IdentityPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityPublic({})", hex::encode(self.compressed))
    }
}

impl fmt::Display for IdentityPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.compressed))
    }
}

impl fmt::Debug for IdentitySignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentitySignature({})", hex::encode(self.0))
    }
}

impl<C> Encode<C> for IdentityPublic {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.compressed)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for IdentityPublic {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?;
        if bytes.len() != 33 {
            return Err(minicbor::decode::Error::message(
                "expected a 33-byte P-256 point",
            ));
        }
        Self::from_sec1(bytes).map_err(minicbor::decode::Error::message)
    }
}

/// Whoever signs with an identity key: a device, or software where no device is asked for.
pub trait IdentitySigner {
    /// The public half.
    fn public(&self) -> IdentityPublic;

    /// Signs a SHA-256 digest (ECDSA, `r` and `s` of 32 bytes each).
    ///
    /// # Errors
    ///
    /// What the device said.
    fn sign_digest(&self, digest: &[u8; 32]) -> Result<IdentitySignature, IdentityError>;
}

/// An identity key in software: for requestors, operators and guardians, which hold no shares.
pub struct SoftIdentity {
    key: p256::ecdsa::SigningKey,
    public: IdentityPublic,
}

impl SoftIdentity {
    /// Takes the secret scalar as 32 bytes, big endian.
    ///
    /// # Errors
    ///
    /// Zero, or not below the order of the curve.
    pub fn from_bytes(secret: &[u8; 32]) -> Result<Self, IdentityError> {
        let key = p256::ecdsa::SigningKey::from_bytes(secret.into())
            .map_err(|_| IdentityError::Signer("not a P-256 secret key".into()))?;
        Self::new(key)
    }

    /// Takes a PKCS#8 document in DER form.
    ///
    /// # Errors
    ///
    /// Not a P-256 key in PKCS#8.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, IdentityError> {
        use p256::pkcs8::DecodePrivateKey;
        let key = p256::ecdsa::SigningKey::from_pkcs8_der(der)
            .map_err(|_| IdentityError::Signer("not a P-256 key in PKCS#8 form".into()))?;
        Self::new(key)
    }

    fn new(key: p256::ecdsa::SigningKey) -> Result<Self, IdentityError> {
        let public = IdentityPublic::from_key(&p256::PublicKey::from(key.verifying_key()))?;
        Ok(Self { key, public })
    }
}

impl IdentitySigner for SoftIdentity {
    fn public(&self) -> IdentityPublic {
        self.public
    }

    fn sign_digest(&self, digest: &[u8; 32]) -> Result<IdentitySignature, IdentityError> {
        use p256::ecdsa::signature::hazmat::PrehashSigner;
        let signature: p256::ecdsa::Signature = self
            .key
            .sign_prehash(digest)
            .map_err(|e| IdentityError::Signer(e.to_string()))?;
        Ok(IdentitySignature(signature.to_bytes().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_under_its_key_and_no_other() {
        let one = SoftIdentity::from_bytes(&[1; 32]).unwrap();
        let two = SoftIdentity::from_bytes(&[2; 32]).unwrap();
        let digest = Sha256::digest(b"message").into();
        let signature = one.sign_digest(&digest).unwrap();
        assert!(one.public().verifies(b"message", &signature));
        assert!(!one.public().verifies(b"other", &signature));
        assert!(!two.public().verifies(b"message", &signature));
    }

    #[test]
    fn refuses_infinity_off_curve_and_other_lengths() {
        for bytes in [
            vec![0],
            vec![2; 32],
            vec![0xff; 33],
            vec![4; 65],
            Vec::new(),
        ] {
            assert_eq!(
                IdentityPublic::from_sec1(&bytes),
                Err(IdentityError::BadPublicKey)
            );
        }
        assert!(SoftIdentity::from_bytes(&[0; 32]).is_err());
        assert!(SoftIdentity::from_bytes(&[0xff; 32]).is_err());
    }

    #[test]
    fn the_compact_form_is_refused() {
        let mut bytes = *SoftIdentity::from_bytes(&[3; 32])
            .unwrap()
            .public()
            .compressed();
        bytes[0] = 5;
        assert_eq!(
            IdentityPublic::from_sec1(&bytes),
            Err(IdentityError::BadPublicKey)
        );
    }

    #[test]
    fn both_forms_of_a_point_are_one_key() {
        let key = SoftIdentity::from_bytes(&[3; 32]).unwrap().public();
        assert_eq!(IdentityPublic::from_sec1(key.compressed()).unwrap(), key);
        assert_eq!(IdentityPublic::from_sec1(key.uncompressed()).unwrap(), key);
        let bytes = crate::cbor::to_bytes(&key);
        assert_eq!(bytes.len(), 35);
        assert_eq!(
            crate::cbor::from_bytes::<IdentityPublic>("key", &bytes, 35).unwrap(),
            key
        );
    }
}
