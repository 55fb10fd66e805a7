//! Sealing and opening the DEK with its header.

use hsm_api::{Dek, HsmError, KNOWN_ANSWER, Kek, KeyCheck, SealHeader, SealKind, SealedDek};
use sha2::{Digest, Sha256};
use symbolon_secmem::Locked;

use crate::fault::Fault;
use crate::key::{ec_point, rsa_numbers};
use crate::seal::{self, Keys, Sealed};
use crate::token::{Token, Work};

/// Seals, and opens again before anybody relies on it.
pub(crate) fn seal(token: &mut Token, kek: &Kek, dek: &Dek) -> Result<SealedDek, HsmError> {
    let (sealed, check) = token.with(|work| {
        let keys = Keys::find(work, &kek.key, kek.kind)?;
        let sealed = seal::seal(&work.session, kek.kind, keys, dek.key())?;
        let check = match public_hash(work, keys, kek.kind)? {
            Some(hash) => KeyCheck::PublicKey(hash),
            None => {
                let answer = seal::seal(&work.session, kek.kind, keys, &known_answer())?;
                KeyCheck::KnownAnswer {
                    iv: answer.iv,
                    sealed: answer.bytes,
                }
            }
        };
        Ok((sealed, check))
    })?;
    let header = SealHeader {
        kind: kek.kind,
        token: token.id().clone(),
        key: kek.key.clone(),
        check,
        dek: dek.id(),
        iv: sealed.iv,
    };
    let blob = SealedDek::new(header, sealed.bytes, dek)?;
    open(token, &blob)?;
    Ok(blob)
}

/// Opens a blob that was sealed on this token.
pub(crate) fn open(token: &mut Token, blob: &SealedDek) -> Result<Dek, HsmError> {
    let header = blob.header();
    blob.check_token(token.id())?;
    if let KeyCheck::PublicKey(expected) = &header.check {
        let found = token.with(|work| {
            let keys = Keys::find(work, &header.key, header.kind)?;
            public_hash(work, keys, header.kind)
        })?;
        if found != Some(*expected) {
            return Err(other_key(blob));
        }
    }
    let sealed = Sealed {
        iv: header.iv.clone(),
        bytes: blob.sealed().to_vec(),
    };
    match open_with(token, blob, &sealed) {
        Ok(opened) => blob.accept(opened),
        Err(error) => Err(diagnose(token, blob, error)),
    }
}

/// Return codes do not tell an altered blob from a broken device. So the device is asked to open
/// something that certainly is intact.
fn diagnose(token: &mut Token, blob: &SealedDek, error: HsmError) -> HsmError {
    if matches!(
        error,
        HsmError::NotFound { .. }
            | HsmError::Ambiguous { .. }
            | HsmError::Policy { .. }
            | HsmError::AuthFailed { .. }
            | HsmError::AuthLocked { .. }
            | HsmError::BadBlob { .. }
    ) {
        return error;
    }
    if matches!(answers(token, blob), Ok(true)) {
        return HsmError::bad_blob(format!(
            "the device opens its known answer but not this blob: altered or truncated ({error})"
        ));
    }
    if matches!(key_works(token, blob), Ok(true)) {
        return other_key(blob);
    }
    error
}

fn other_key(blob: &SealedDek) -> HsmError {
    HsmError::bad_blob(format!(
        "key {} on this token is not the one that sealed it (made anew since?)",
        blob.header().key
    ))
}

/// Whether the device opens the blob's known answer. A blob under a key pair has none, as its key
/// was recognised by the public half.
fn answers(token: &mut Token, blob: &SealedDek) -> Result<bool, HsmError> {
    let known = match &blob.header().check {
        KeyCheck::KnownAnswer { iv, sealed } => Sealed {
            iv: iv.clone(),
            bytes: sealed.clone(),
        },
        KeyCheck::PublicKey(_) => return key_works(token, blob),
    };
    Ok(open_with(token, blob, &known)?.ct_eq(&known_answer()))
}

/// Whether the key opens what it seals now.
fn key_works(token: &mut Token, blob: &SealedDek) -> Result<bool, HsmError> {
    let header = blob.header();
    let known = token.with(|work| {
        let keys = Keys::find(work, &header.key, header.kind)?;
        seal::seal(&work.session, header.kind, keys, &known_answer())
    })?;
    Ok(open_with(token, blob, &known)?.ct_eq(&known_answer()))
}

fn open_with(token: &mut Token, blob: &SealedDek, sealed: &Sealed) -> Result<Locked<32>, HsmError> {
    let header = blob.header();
    token.with(|work| {
        let keys = Keys::find(work, &header.key, header.kind)?;
        seal::open(&work.session, header.kind, keys, sealed)
    })
}

/// SHA-256 of the public half, for schemes that have one.
fn public_hash(work: &Work, keys: Keys, kind: SealKind) -> Result<Option<[u8; 32]>, Fault> {
    let Some(public) = keys.public else {
        return Ok(None);
    };
    let hash = Sha256::new().chain_update(b"symbolon/kek-public/v1\0");
    let hash = if kind == SealKind::EcdhP256NullHkdf {
        hash.chain_update(ec_point(&work.session, public)?.uncompressed())
    } else {
        let (modulus, exponent) = rsa_numbers(&work.session, public)?;
        let modulus = without_leading_zeros(&modulus);
        if modulus.len() < RSA_LEAST_BYTES {
            return Err(HsmError::policy(format!(
                "an RSA key of {} bits is too short to seal a DEK; provision a new one",
                modulus.len() * 8
            ))
            .into());
        }
        let len = u32::try_from(modulus.len()).unwrap_or(u32::MAX);
        hash.chain_update(len.to_be_bytes())
            .chain_update(modulus)
            .chain_update(without_leading_zeros(&exponent))
    };
    Ok(Some(hash.finalize().into()))
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn known_answer() -> Locked<32> {
    Locked::init_with(|bytes| *bytes = KNOWN_ANSWER)
}

const RSA_LEAST_BYTES: usize = 256;
