//! P-256 public keys, on the curve by construction.

use std::fmt;

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use p256::{EncodedPoint, PublicKey, elliptic_curve::sec1::ToEncodedPoint};

/// A P-256 public key: SEC1 uncompressed, on the curve, not the identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct P256Public([u8; 65]);

impl P256Public {
    /// Parses SEC1 bytes, compressed (33 bytes) or uncompressed (65 bytes).
    ///
    /// # Errors
    ///
    /// [`P256PublicError`] for any other length or form, and for a point that is not on the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, P256PublicError> {
        // The p256 crate also reads the compact form (tag 5): a second form of the same key.
        let known = match bytes {
            [2 | 3, x @ ..] => x.len() == 32,
            [4, xy @ ..] => xy.len() == 64,
            _ => false,
        };
        let refused = P256PublicError { got: bytes.len() };
        if !known {
            return Err(refused);
        }
        let key = PublicKey::from_sec1_bytes(bytes).map_err(|_| refused)?;
        Ok(Self::from_key(&key))
    }

    /// Parses a `CKA_EC_POINT`: 65 raw bytes, or 67 bytes as a DER OCTET STRING. Devices give both.
    ///
    /// # Errors
    ///
    /// As [`P256Public::from_sec1`].
    pub fn from_ec_point(attribute: &[u8]) -> Result<Self, P256PublicError> {
        match attribute {
            [0x04, 0x41, point @ ..] if point.len() == 65 => Self::from_sec1(point),
            [0x04, ..] if attribute.len() == 65 => Self::from_sec1(attribute),
            _ => Err(P256PublicError {
                got: attribute.len(),
            }),
        }
    }

    /// The key of the `p256` crate.
    #[must_use]
    pub fn from_key(key: &PublicKey) -> Self {
        let mut bytes = [0; 65];
        bytes.copy_from_slice(key.to_encoded_point(false).as_bytes());
        Self(bytes)
    }

    /// SEC1 uncompressed form: `04 || x || y`.
    #[must_use]
    pub const fn uncompressed(&self) -> &[u8; 65] {
        &self.0
    }

    /// SEC1 compressed form, as in signed objects.
    #[must_use]
    pub fn compressed(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[0] = 2 | (self.0[64] & 1);
        bytes[1..].copy_from_slice(&self.0[1..33]);
        bytes
    }

    /// The key for the `p256` crate.
    ///
    /// # Errors
    ///
    /// Never in practice: the point was checked when this value was made.
    pub fn to_key(&self) -> Result<PublicKey, P256PublicError> {
        EncodedPoint::from_bytes(self.0)
            .ok()
            .and_then(|point| PublicKey::from_sec1_bytes(point.as_bytes()).ok())
            .ok_or(P256PublicError { got: 65 })
    }
}

impl fmt::Debug for P256Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P256Public(")?;
        for byte in self.compressed() {
            write!(f, "{byte:02x}")?;
        }
        write!(f, ")")
    }
}

impl<C> Encode<C> for P256Public {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for P256Public {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        Self::from_sec1(d.bytes()?).map_err(DecodeError::custom)
    }
}

/// The bytes are no P-256 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{got} bytes that are no P-256 point on the curve; expected SEC1, 33 or 65 bytes")]
pub struct P256PublicError {
    got: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> P256Public {
        let secret = p256::SecretKey::from_slice(&[7; 32]).unwrap();
        P256Public::from_key(&secret.public_key())
    }

    #[test]
    fn all_forms_give_the_same_key() {
        let key = key();
        let der = [&[0x04, 0x41][..], key.uncompressed()].concat();
        assert_eq!(P256Public::from_sec1(&key.compressed()), Ok(key));
        assert_eq!(P256Public::from_ec_point(key.uncompressed()), Ok(key));
        assert_eq!(P256Public::from_ec_point(&der), Ok(key));
        assert_eq!(P256Public::from_key(&key.to_key().unwrap()), key);
    }

    #[test]
    fn points_off_the_curve_and_odd_forms_are_refused() {
        let mut off = *key().uncompressed();
        off[64] ^= 1;
        assert!(P256Public::from_sec1(&off).is_err());
        assert!(P256Public::from_ec_point(&off).is_err());
        for bytes in [&[0_u8][..], &[], &[4; 64], &[4; 66], &[2; 32]] {
            assert!(P256Public::from_sec1(bytes).is_err());
            assert!(P256Public::from_ec_point(bytes).is_err());
        }
        let mut hybrid = *key().uncompressed();
        hybrid[0] = 6 | (hybrid[64] & 1);
        assert!(P256Public::from_sec1(&hybrid).is_err());
        let mut compact = key().compressed();
        compact[0] = 5;
        assert!(P256Public::from_sec1(&compact).is_err());
    }
}
