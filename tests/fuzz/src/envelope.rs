//! What holds for every message in an envelope.

use symbolon_protocol::{Message, Signed, Unsigned};

use crate::fixture::NETWORK;

/// Reads `data` as a signed message, or as the body of one; what is accepted is written again as
/// the same bytes, from the wrapper and from the payload alone.
pub(crate) fn round_trip<T: Message + Clone>(data: &[u8]) -> Option<Unsigned<T>> {
    let unsigned = match Signed::<T>::from_bytes(NETWORK, data) {
        Ok(signed) => {
            assert_eq!(signed.to_bytes(), data);
            signed.unverified().clone()
        }
        Err(_) => {
            let unsigned = Unsigned::<T>::from_body(NETWORK, data).ok()?;
            assert_eq!(unsigned.body(), data);
            unsigned
        }
    };
    let again = Unsigned::new(NETWORK, unsigned.value().clone());
    assert_eq!(again.body(), unsigned.body());
    assert_eq!(again.digest(), unsigned.digest());
    Some(unsigned)
}
