//! AES-256-GCM in the device, in the three manners in which devices treat the IV.

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use hsm_api::{HsmError, SealKind};
use symbolon_secmem::Locked;

use super::{Sealed, take};
use crate::fault::Fault;

pub(super) fn seal(
    session: &Session,
    kind: SealKind,
    key: ObjectHandle,
    secret: &Locked<32>,
) -> Result<Sealed, Fault> {
    let mut given = [0; IV];
    if kind == SealKind::AesGcmCallerIv {
        getrandom::fill(&mut given).map_err(|error| HsmError::Other {
            code: error.to_string(),
            function: "getrandom".to_owned(),
        })?;
    }
    let mut iv = given;
    let params = GcmParams::new(&mut iv, AAD, TAG_BITS.into())?;
    let bytes = secret.expose(|secret| session.encrypt(&Mechanism::AesGcm(params), key, secret))?;
    let (used, sealed) = sort_out(given, iv, bytes)?;
    if used == kind {
        return Ok(sealed);
    }
    Err(HsmError::Unsupported {
        operation: format!("{kind}: the device works as {used}"),
    }
    .into())
}

pub(super) fn open(
    session: &Session,
    key: ObjectHandle,
    sealed: &Sealed,
) -> Result<Locked<32>, Fault> {
    let mut iv = sealed.iv.clone();
    let params = GcmParams::new(&mut iv, AAD, TAG_BITS.into())?;
    take(session.decrypt(&Mechanism::AesGcm(params), key, &sealed.bytes)?)
}

/// From what came back, tells which manner the device has, and finds the IV.
fn sort_out(
    given: [u8; IV],
    after: [u8; IV],
    mut bytes: Vec<u8>,
) -> Result<(SealKind, Sealed), HsmError> {
    if bytes.len() == BODY {
        let kind = match (after == given, given == [0; IV]) {
            (true, false) => SealKind::AesGcmCallerIv,
            // An all-zero IV that stays all-zero was used as it is: that must never be.
            (true, true) => {
                return Err(HsmError::Unsupported {
                    operation: "making the IV of AES-GCM".to_owned(),
                });
            }
            (false, _) => SealKind::AesGcmHsmIv,
        };
        return Ok((
            kind,
            Sealed {
                iv: after.to_vec(),
                bytes,
            },
        ));
    }
    if matches!(bytes.len(), APPENDED_12 | APPENDED_16) {
        let iv = bytes.split_off(BODY);
        return Ok((SealKind::AesGcmHsmIvAppended, Sealed { iv, bytes }));
    }
    let code = format!("a ciphertext of {} bytes for 32", bytes.len());
    Err(HsmError::Other {
        code,
        function: "Encrypt".to_owned(),
    })
}

/// Never empty: SoftHSM before 2.7.0 crashes without associated data.
const AAD: &[u8] = b"symbolon/dek/gcm/v1";
const IV: usize = 12;
const TAG_BITS: u64 = 128;
const BODY: usize = 32 + 16;
const APPENDED_12: usize = BODY + 12;
const APPENDED_16: usize = BODY + 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_manners_are_told_apart() {
        let body = vec![7; BODY];
        let (kind, sealed) = sort_out([1; IV], [1; IV], body.clone()).unwrap();
        assert_eq!((kind, sealed.iv), (SealKind::AesGcmCallerIv, vec![1; IV]));
        let (kind, sealed) = sort_out([0; IV], [2; IV], body.clone()).unwrap();
        assert_eq!((kind, sealed.iv), (SealKind::AesGcmHsmIv, vec![2; IV]));
        for tail in [12, 16] {
            let long = [body.clone(), vec![3; tail]].concat();
            let (kind, sealed) = sort_out([0; IV], [0; IV], long).unwrap();
            assert_eq!(kind, SealKind::AesGcmHsmIvAppended);
            assert_eq!((sealed.iv, sealed.bytes), (vec![3; tail], body.clone()));
        }
    }

    #[test]
    fn a_zero_iv_that_stays_and_odd_lengths_are_refused() {
        assert!(sort_out([0; IV], [0; IV], vec![7; BODY]).is_err());
        for len in [0, 32, BODY - 1, BODY + 1, BODY + 17] {
            assert!(sort_out([1; IV], [1; IV], vec![7; len]).is_err(), "{len}");
        }
    }
}
