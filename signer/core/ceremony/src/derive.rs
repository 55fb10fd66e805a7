//! How every secret and hash of a ceremony is derived, byte by byte.
//!
//! Notation: `||` joins bytes; `u16(x)`, `u32(x)` are big endian; `T"..."` is the ASCII text and
//! one zero byte after it; `H` is SHA-256; `Extract` and `Expand` are HKDF-SHA-256 (RFC 5869);
//! `CID` is the 32-byte id of the ceremony; `x_i` is the dealer's share index (0 for the dealer of
//! an import), `x_j` the receiver's; `k` counts keys from 0; `l` counts coefficients from 0.
//!
//! **Messages** are deterministic CBOR (RFC 8949, 4.2.1). A body is the array `[text tag, 1,
//! bytes(32) network, payload]`. A signed message is the array `[bytes body, bytes(64) r || s]`, a
//! cosigned one the map `{0: bytes body, 1: [{0: text guardian, 1: bytes(64) r || s}, ...]}` with
//! guardians by rising name; a certificate and a group descriptor are their body. Payloads are maps
//! with these keys, in this order; what is optional and absent is left out:
//!
//! | tag | keys |
//! | --- | --- |
//! | `symbolon.offer` | 0 bytes(32) cluster, 1 uint member, 2 text group, 3 uint group epoch, 4 bytes(33) encryption key |
//! | `symbolon.plan` | 0 bytes(32) cluster, 1 bytes(32) roster hash, 2 bytes(32) nonce, 3 uint kind (0 DKG, 1 import), 4 text group, 5 uint class (0 hot, 1 cold), 6 uint keys, 7 uint t, 8 array of receivers `{0: uint member, 1: bytes(33) encryption key, 2: bytes signed offer}`, 9 array of uint dealers, 10 text import dealer (import only), 11 bytes imported public keys (import only), 12 uint group epoch, 13 uint not after (optional), 14 bytes duty codes |
//! | `symbolon.deal` | 0 bytes(32) CID, 1 uint dealer, 2 bytes commitments (key by key, constant first), 3 bytes proofs, 4 array of envelopes `{0: uint receiver, 1: bytes(33) E_ij, 2: bytes ciphertext and tag}` |
//! | `symbolon.confirmation` | 0 bytes(32) CID, 1 uint member, 2 bytes(32) T, 3 array of bytes(32) H(D_i), 4 bytes(33) next encryption key |
//! | `symbolon.certificate` | 0 bytes(32) CID, 1 array of bytes signed confirmations |
//! | `symbolon.activation` | 0 bytes(32) CID, 1 uint member, 2 bytes(32) T |
//! | `symbolon.complaint` | 0 bytes(32) CID, 1 uint member, 2 uint dealer, 3 bytes(32) H(D_i), 4 uint reason (0 does not open, 1 bad scalar, 2 wrong share) |
//! | `symbolon.opening` | 0 bytes(32) CID, 1 uint dealer, 2 uint receiver, 3 bytes(32) H(D_i), 4 bytes(32) e_ij |
//! | `symbolon.group` | 0 bytes cosigned plan, 1 array of bytes(32) H(D_i), 2 bytes group public keys, 3 bytes public shares (key by key, receivers in the order of the plan), 4 array of bytes signed confirmations |
//!
//! P-256 points are SEC1 compressed, BLS12-381 points compressed as in the Ethereum consensus
//! specification.
//!
//! **Digest of a message**: `H(T"symbolon-signature-v1" || T"<tag>" || body)`. CID is the digest of
//! the plan and `H(D_i)` the digest of the deal: signatures are not part of either. An identity key
//! signs this digest with ECDSA P-256 as its prehash.
//!
//! **Seed** (32 bytes): `PRK = Extract(salt = "symbolon-ceremony-v1/seed", ikm = seed)`; the salt
//! has no zero byte at its end.
//!
//! **Coefficient** l of key k, modulo the order r of BLS12-381:
//! `a = Expand(PRK, T"symbolon-ceremony-v1/coefficient" || CID || u32(k) || u16(l), 48) mod r`, read
//! big endian. In an import the coefficient 0 is the imported key instead.
//!
//! **Ephemeral key** for receiver j, modulo the order of P-256:
//! `e_ij = Expand(PRK, T"symbolon-ceremony-v1/ephemeral" || CID || u16(x_j), 48) mod n`, read big
//! endian; `E_ij` is its public point, SEC1 compressed (33 bytes).
//!
//! **Proof of possession**: a BLS signature (in G2, 96 bytes) by `a` of l = 0 over the 86 bytes
//! `CID || u16(x_i) || u32(k) || C` under the domain tag [`symbolon_threshold::POP_DST`], where `C`
//! is the compressed commitment to that coefficient.
//!
//! **Envelope**: `Z` is the x coordinate (32 bytes) of `e_ij * EK_j`;
//! `K = Expand(Extract(salt = "symbolon-ceremony-v1/envelope", ikm = Z), CID || u16(x_i) || u16(x_j)
//! || E_ij, 32)`; the salt has no zero byte at its end. The plaintext is `f_0(x_j) || f_1(x_j) ||
//! ...`, one share of 32 bytes big endian for each key. The ciphertext is AES-256-GCM under `K`,
//! nonce of twelve zero bytes, additional data `CID`, then the tag of 16 bytes. A key is used once,
//! because the ephemeral key is.
//!
//! **Transcript**: `keys = H(T"symbolon-ceremony-v1/keys" || u32(m) || u16(n) || for each key: PK_k ||
//! for each receiver in the order of the plan: S_jk)`, points compressed, and
//! `T = H(T"symbolon-ceremony-v1/transcript" || CID || H(D_1) || ... || keys)`, deals in the order of
//! the plan's dealers.
//!
//! No two uses share a tag, and no output is used for two purposes.

use hkdf::Hkdf;
use p256::elliptic_curve::generic_array::GenericArray;
use p256::elliptic_curve::hash2curve::FromOkm;
use p256::{NonZeroScalar, SecretKey};
use sha2::{Digest, Sha256};
use symbolon_secmem::Locked;
use symbolon_threshold::{G1Point, GroupPublicKey, PublicShare, ShareIndex};
use zeroize::Zeroizing;

use crate::deal::DealerId;
use crate::name::{CeremonyId, DealHash, TranscriptHash};

/// The secret that a dealer's whole deal follows from.
///
/// # Security
///
/// Whoever has it has the dealer's part of every key of the ceremony. It is sealed before the deal
/// is shown, and erased when the ceremony is active or dropped.
pub struct Seed(Locked<32>);

/// A seed from which no deal can be made (probability 2^-224).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seed gives an unusable key; make a new plan")]
pub struct SeedError;

impl Seed {
    /// Takes 32 bytes that came from the HSM's and the system's random numbers.
    #[must_use]
    pub const fn new(bytes: Locked<32>) -> Self {
        Self(bytes)
    }

    /// Lets `read` see the bytes, to seal them.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.0.expose(read)
    }

    /// The 48 bytes that coefficient `degree` of `key` is reduced from.
    pub fn coefficient(&self, ceremony: CeremonyId, key: u32, degree: u16, wide: &mut [u8; 48]) {
        let (key, degree) = (key.to_be_bytes(), degree.to_be_bytes());
        self.expand(&[COEFFICIENT, &ceremony.0, &key, &degree], wide);
    }

    /// The ephemeral secret of the envelope for `receiver`.
    ///
    /// # Errors
    ///
    /// [`SeedError`] when it is zero.
    pub fn ephemeral(
        &self,
        ceremony: CeremonyId,
        receiver: ShareIndex,
    ) -> Result<SecretKey, SeedError> {
        let receiver = receiver.get().to_be_bytes();
        let wide = Locked::<48>::init_with(|wide| {
            self.expand(&[EPHEMERAL, &ceremony.0, &receiver], wide);
        });
        let scalar = wide.expose(|wide| p256::Scalar::from_okm(GenericArray::from_slice(wide)));
        let scalar: Option<NonZeroScalar> = NonZeroScalar::new(scalar).into();
        scalar.map(SecretKey::from).ok_or(SeedError)
    }

    fn expand(&self, info: &[&[u8]], out: &mut [u8; 48]) {
        let prk = self.0.expose(|seed| Hkdf::<Sha256>::new(Some(SEED), seed));
        // 48 bytes are far below the 8160 that HKDF-SHA-256 can give.
        if prk.expand_multi_info(info, out).is_err() {
            out.fill(0);
        }
    }
}

impl core::fmt::Debug for Seed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The message that a proof of possession signs.
#[must_use]
pub fn possession_message(
    ceremony: CeremonyId,
    dealer: DealerId,
    key: u32,
    constant: &G1Point,
) -> [u8; 86] {
    let mut message = [0; 86];
    let parts: [&[u8]; 4] = [
        &ceremony.0,
        &dealer.number().to_be_bytes(),
        &key.to_be_bytes(),
        &constant.to_compressed(),
    ];
    for (to, from) in message.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
    message
}

/// The key of one envelope from the shared secret `Z`.
pub(crate) fn envelope_key(
    shared: &Locked<32>,
    ceremony: CeremonyId,
    dealer: DealerId,
    receiver: ShareIndex,
    ephemeral: &[u8; 33],
) -> Zeroizing<[u8; 32]> {
    let prk = shared.expose(|shared| Hkdf::<Sha256>::new(Some(ENVELOPE), shared));
    let (dealer, receiver) = (dealer.number().to_be_bytes(), receiver.get().to_be_bytes());
    let mut key = Zeroizing::new([0; 32]);
    // 32 bytes are far below the 8160 that HKDF-SHA-256 can give.
    if prk
        .expand_multi_info(
            &[&ceremony.0, &dealer, &receiver, ephemeral],
            key.as_mut_slice(),
        )
        .is_err()
    {
        key.fill(0);
    }
    key
}

/// The transcript T: `shares` holds, for each key, the public share of every receiver.
#[must_use]
pub fn transcript(
    ceremony: CeremonyId,
    deals: &[DealHash],
    keys: &[GroupPublicKey],
    shares: &[Vec<PublicShare>],
) -> TranscriptHash {
    let receivers = shares.first().map_or(0, Vec::len);
    let mut hash = Sha256::new();
    hash.update(KEYS);
    hash.update(u32::try_from(keys.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.update(u16::try_from(receivers).unwrap_or(u16::MAX).to_be_bytes());
    for (key, shares) in keys.iter().zip(shares) {
        hash.update(key.to_compressed());
        for share in shares {
            hash.update(share.point().to_compressed());
        }
    }
    let all_keys = hash.finalize();
    let mut hash = Sha256::new();
    hash.update(TRANSCRIPT);
    hash.update(ceremony.0);
    for deal in deals {
        hash.update(deal.0);
    }
    hash.update(all_keys);
    TranscriptHash(hash.finalize().into())
}

/// The seed of a batch check: fresh bytes, mixed with what is checked.
pub(crate) fn batch_seed(fresh: &[u8; 32], deals: &[DealHash]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(BATCH);
    hash.update(fresh);
    for deal in deals {
        hash.update(deal.0);
    }
    hash.finalize().into()
}

const SEED: &[u8] = b"symbolon-ceremony-v1/seed";
const ENVELOPE: &[u8] = b"symbolon-ceremony-v1/envelope";
const COEFFICIENT: &[u8] = b"symbolon-ceremony-v1/coefficient\0";
const EPHEMERAL: &[u8] = b"symbolon-ceremony-v1/ephemeral\0";
const KEYS: &[u8] = b"symbolon-ceremony-v1/keys\0";
const TRANSCRIPT: &[u8] = b"symbolon-ceremony-v1/transcript\0";
const BATCH: &[u8] = b"symbolon-ceremony-v1/batch\0";
