//! Deterministic CBOR: what decodes must be what we would have written (RFC 8949 4.2.1).

use minicbor::{Decode, Encode};

/// Canonical bytes of a value.
pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a vector has no way to fail: its error type is `Infallible`.
    match minicbor::encode(value, &mut bytes) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Decodes at most `max` bytes and refuses any but the canonical form.
pub(crate) fn decode<'b, T>(bytes: &'b [u8], max: usize) -> Result<T, CanonicalError>
where
    T: Decode<'b, ()> + Encode<()>,
{
    if bytes.len() > max {
        return Err(CanonicalError::TooLong {
            got: bytes.len(),
            max,
        });
    }
    let value: T = minicbor::decode(bytes).map_err(|_| CanonicalError::Malformed)?;
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(CanonicalError::NotCanonical)
    }
}

/// Why bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CanonicalError {
    #[error("{got} bytes, at most {max} are accepted")]
    TooLong { got: usize, max: usize },
    #[error("truncated or altered")]
    Malformed,
    #[error("not in canonical form, so not written by this program")]
    NotCanonical,
}
