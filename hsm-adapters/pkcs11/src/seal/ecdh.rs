//! ECIES to a P-256 key in the device: the device does ECDH with the null KDF, the rest is
//! software: HKDF-SHA-256 (RFC 5869) over the shared x coordinate, AES-256-GCM.
//!
//! Sealed form: ephemeral public key (65 bytes), ciphertext (32), tag (16). The AES key is used
//! once, so its nonce is all zero.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use hkdf::Hkdf;
use hsm_api::{HsmError, P256Public};
use sha2::Sha256;
use symbolon_secmem::Locked;
use zeroize::Zeroizing;

use super::{Keys, Sealed};
use crate::ec;
use crate::fault::Fault;
use crate::key;

pub(super) fn seal(
    session: &Session,
    public: ObjectHandle,
    secret: &Locked<32>,
) -> Result<Sealed, Fault> {
    let recipient = key::ec_point(session, public)?;
    let (ephemeral, ephemeral_public) = ec::ephemeral();
    let shared = ec::software_ecdh(&ephemeral, &recipient)?;
    let bytes = encrypt(&shared, &ephemeral_public, &recipient, secret)?;
    Ok(Sealed {
        iv: Vec::new(),
        bytes,
    })
}

pub(super) fn open(session: &Session, keys: Keys, sealed: &[u8]) -> Result<Locked<32>, Fault> {
    let (ephemeral, body) = parse(sealed)?;
    let recipient = key::ec_point(session, keys.public()?)?;
    let shared = ec::ecdh(session, keys.private, &ephemeral)?;
    Ok(decrypt(&shared, &ephemeral, &recipient, body)?)
}

fn parse(sealed: &[u8]) -> Result<(P256Public, &[u8; BODY]), HsmError> {
    let bad = || HsmError::bad_blob("sealed under ECDH, but not an ephemeral point and 48 bytes");
    let (point, body) = sealed.split_at_checked(POINT).ok_or_else(bad)?;
    let point = P256Public::from_sec1(point).map_err(|_| bad())?;
    Ok((point, body.try_into().map_err(|_| bad())?))
}

fn encrypt(
    shared: &Locked<32>,
    ephemeral: &P256Public,
    recipient: &P256Public,
    secret: &Locked<32>,
) -> Result<Vec<u8>, HsmError> {
    let mut body = Zeroizing::new([0; 32]);
    secret.expose(|secret| body.copy_from_slice(secret));
    let tag = cipher(shared, ephemeral, recipient)
        .encrypt_in_place_detached(&Nonce::default(), AAD, body.as_mut_slice())
        .map_err(|_| HsmError::bad_blob("AES-GCM refused to encrypt"))?;
    Ok([ephemeral.uncompressed(), body.as_slice(), tag.as_slice()].concat())
}

fn decrypt(
    shared: &Locked<32>,
    ephemeral: &P256Public,
    recipient: &P256Public,
    body: &[u8; BODY],
) -> Result<Locked<32>, HsmError> {
    let cipher = cipher(shared, ephemeral, recipient);
    Locked::try_init_with(|secret| {
        secret.copy_from_slice(&body[..32]);
        cipher
            .decrypt_in_place_detached(&Nonce::default(), AAD, secret, Tag::from_slice(&body[32..]))
            .map_err(|_| HsmError::bad_blob("altered, or sealed for another key"))
    })
}

/// Both public keys go into the key, so that neither can be exchanged for an equivalent one.
fn cipher(shared: &Locked<32>, ephemeral: &P256Public, recipient: &P256Public) -> Aes256Gcm {
    let info = [INFO, ephemeral.uncompressed(), recipient.uncompressed()].concat();
    let mut key = Zeroizing::new([0; 32]);
    let hkdf = shared.expose(|shared| Hkdf::<Sha256>::new(None, shared));
    #[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8160 bytes")]
    hkdf.expand(&info, key.as_mut_slice()).expect("32 bytes");
    Aes256Gcm::new(key.as_slice().into())
}

const POINT: usize = 65;
const BODY: usize = 32 + 16;
const INFO: &[u8] = b"symbolon/dek/ecdh-p256-null-hkdf/v1";
const AAD: &[u8] = b"symbolon/dek/ecdh/v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_the_same_secret_and_keys_only() {
        let (one, one_public) = ec::ephemeral();
        let (two, two_public) = ec::ephemeral();
        let secret = Locked::init_with(|bytes| bytes.fill(5));
        let shared = ec::software_ecdh(&one, &two_public).unwrap();
        let sealed = encrypt(&shared, &one_public, &two_public, &secret).unwrap();
        let (ephemeral, body) = parse(&sealed).unwrap();
        assert_eq!(ephemeral, one_public);
        let back = ec::software_ecdh(&two, &one_public).unwrap();
        assert!(
            decrypt(&back, &one_public, &two_public, body)
                .unwrap()
                .ct_eq(&secret)
        );
        assert!(decrypt(&back, &two_public, &one_public, body).is_err());
        let mut altered = *body;
        altered[0] ^= 1;
        assert!(decrypt(&back, &one_public, &two_public, &altered).is_err());
    }

    #[test]
    fn odd_lengths_and_points_off_the_curve_are_refused() {
        let (_, public) = ec::ephemeral();
        let good = [&public.uncompressed()[..], &[0; BODY]].concat();
        assert!(parse(&good).is_ok());
        for len in 0..good.len() {
            assert!(parse(&good[..len]).is_err());
        }
        let mut off = good;
        off[64] ^= 1;
        assert!(parse(&off).is_err());
    }
}
