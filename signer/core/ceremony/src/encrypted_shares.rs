//! Encrypting shares to a receiver, and opening them with what its HSM gives.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use symbolon_secmem::Locked;
use symbolon_threshold::{SecretScalar, ShareIndex};
use zeroize::Zeroizing;

use crate::complaint::ComplaintReason;
use crate::deal::{DealerId, EncryptedShares, GCM_TAG, SCALAR};
use crate::derive::envelope_key;
use crate::encryption_key::EncryptionKey;
use crate::name::CeremonyId;

/// Where an envelope belongs: who made it for whom in which ceremony.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leg {
    pub(crate) ceremony: CeremonyId,
    pub(crate) dealer: DealerId,
    pub(crate) receiver: ShareIndex,
}

/// The ECDH value of a software key, which only ephemeral keys are.
#[must_use]
pub fn shared_secret(secret: &SecretKey, peer: &EncryptionKey) -> Option<Locked<32>> {
    let peer = p256::PublicKey::from_sec1_bytes(peer.compressed()).ok()?;
    let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), peer.as_affine());
    Some(Locked::init_with(|bytes| {
        bytes.copy_from_slice(shared.raw_secret_bytes())
    }))
}

/// The compressed public point of an ephemeral secret.
pub(crate) fn ephemeral_public(secret: &SecretKey) -> [u8; 33] {
    let mut bytes = [0; 33];
    let point = secret.public_key().to_encoded_point(true);
    for (to, from) in bytes.iter_mut().zip(point.as_bytes()) {
        *to = *from;
    }
    bytes
}

/// Encrypts `shares` (32 bytes a key, wiped) for one receiver.
pub(crate) fn encrypt(
    leg: Leg,
    secret: &SecretKey,
    key: &EncryptionKey,
    mut shares: Zeroizing<Vec<u8>>,
) -> Option<EncryptedShares> {
    let shared = shared_secret(secret, key)?;
    let ephemeral = ephemeral_public(secret);
    let cipher = cipher(&shared, leg, &ephemeral);
    let tag = cipher
        .encrypt_in_place_detached(&Nonce::default(), &leg.ceremony.0, shares.as_mut_slice())
        .ok()?;
    // Ciphertext from here on.
    let mut ciphertext = core::mem::take(&mut *shares);
    ciphertext.extend_from_slice(&tag);
    Some(EncryptedShares {
        receiver: leg.receiver.get(),
        ephemeral: ephemeral.into(),
        ciphertext: ciphertext.into(),
    })
}

/// Opens an envelope with the ECDH value that the receiver's HSM gave: one share a key.
///
/// Lengths were checked before: the ciphertext holds whole shares and a tag.
pub(crate) fn decrypt(
    leg: Leg,
    shared: &Locked<32>,
    envelope: &EncryptedShares,
) -> Result<Vec<SecretScalar>, ComplaintReason> {
    let does_not_open = ComplaintReason::DoesNotOpen;
    let (body, tag) = envelope
        .ciphertext
        .split_last_chunk::<GCM_TAG>()
        .ok_or(does_not_open)?;
    let cipher = cipher(shared, leg, &envelope.ephemeral);
    let mut plain = Zeroizing::new(body.to_vec());
    cipher
        .decrypt_in_place_detached(
            &Nonce::default(),
            &leg.ceremony.0,
            plain.as_mut_slice(),
            Tag::from_slice(tag),
        )
        .map_err(|_| does_not_open)?;
    let scalars = plain.chunks_exact_mut(SCALAR).map(SecretScalar::take_from);
    scalars
        .collect::<Result<_, _>>()
        .map_err(|_| ComplaintReason::BadScalar)
}

fn cipher(shared: &Locked<32>, leg: Leg, ephemeral: &[u8; 33]) -> Aes256Gcm {
    let key = envelope_key(shared, leg.ceremony, leg.dealer, leg.receiver, ephemeral);
    Aes256Gcm::new(key.as_slice().into())
}
