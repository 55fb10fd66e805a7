//! Deterministic CBOR (RFC 8949, section 4.2.1) with a length bound.
//!
//! A decoder that accepts more than one form of the same value lets two parties see different
//! hashes of one message. So whatever is decoded is encoded again and must give the same bytes:
//! this refuses longer integers, indefinite lengths, unsorted, doubled or unknown map keys and
//! trailing bytes at once.
//!
//! **Shapes**: a struct is a map with the field numbers of its type as keys, without the fields that
//! are `None`; envelopes, `[tag, version, network, payload]` and `[body, signature]`, are arrays. A
//! variant is `[number, [fields]]`, or its number alone when its enum is marked `index_only`. Keys,
//! hashes, points and signatures are byte strings.

use minicbor::{Decode, Encode};

/// Bytes that are not the canonical form of the expected object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// The input is longer than this kind of object may be.
    #[error("{what} is {got} bytes long, at most {max} are allowed")]
    TooLong {
        /// Kind of object.
        what: &'static str,
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The input is not CBOR of the expected shape.
    #[error("{what} does not decode: {cause}")]
    Shape {
        /// Kind of object.
        what: &'static str,
        /// What the decoder met.
        cause: String,
    },
    /// The input decodes, but a canonical encoder would have written other bytes.
    #[error("{what} is not in canonical form")]
    NotCanonical {
        /// Kind of object.
        what: &'static str,
    },
}

/// The canonical bytes of `value`.
#[must_use]
pub fn to_bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    match minicbor::encode(value, &mut bytes) {
        Ok(()) => bytes,
        // A Vec never refuses a write, and no encoder of ours reports an error of its own.
        Err(_) => Vec::new(),
    }
}

/// Decodes `bytes` as a `T`, called `what` in errors, of at most `max` bytes.
///
/// # Errors
///
/// Too long, not a `T`, or not in canonical form.
pub fn from_bytes<'b, T>(what: &'static str, bytes: &'b [u8], max: usize) -> Result<T, CborError>
where
    T: Decode<'b, ()> + Encode<()>,
{
    if bytes.len() > max {
        return Err(CborError::TooLong {
            what,
            got: bytes.len(),
            max,
        });
    }
    let value: T = minicbor::decode(bytes).map_err(|cause| CborError::Shape {
        what,
        cause: cause.to_string(),
    })?;
    if to_bytes(&value) != bytes {
        return Err(CborError::NotCanonical { what });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Pair {
        #[n(0)]
        a: u64,
        #[n(1)]
        b: Option<u64>,
    }

    fn decode(bytes: &[u8]) -> Result<Pair, CborError> {
        from_bytes("pair", bytes, 64)
    }

    #[test]
    fn accepts_its_own_form() {
        let pair = Pair { a: 1, b: Some(2) };
        assert_eq!(decode(&to_bytes(&pair)).unwrap(), pair);
    }

    #[test]
    fn refuses_every_second_form() {
        let not_canonical = CborError::NotCanonical { what: "pair" };
        for (name, bytes) in [
            ("long integer", vec![0xa2, 0x00, 0x18, 0x01, 0x01, 0x02]),
            ("unsorted keys", vec![0xa2, 0x01, 0x02, 0x00, 0x01]),
            (
                "unknown key",
                vec![0xa3, 0x00, 0x01, 0x01, 0x02, 0x05, 0x06],
            ),
            ("indefinite map", vec![0xbf, 0x00, 0x01, 0x01, 0x02, 0xff]),
            (
                "doubled key",
                vec![0xa3, 0x00, 0x01, 0x00, 0x01, 0x01, 0x02],
            ),
            ("trailing byte", vec![0xa2, 0x00, 0x01, 0x01, 0x02, 0x00]),
        ] {
            assert_eq!(decode(&bytes).unwrap_err(), not_canonical, "{name}");
        }
        assert!(matches!(decode(&[0xa0]), Err(CborError::Shape { .. })));
        assert!(matches!(
            decode(&[0; 65]),
            Err(CborError::TooLong {
                got: 65,
                max: 64,
                ..
            })
        ));
    }
}
