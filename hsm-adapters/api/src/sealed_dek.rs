//! The sealed DEK as it lies on disk: how, on which token and under which key it was sealed.

use hmac::{Hmac, Mac};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use symbolon_secmem::Locked;

use crate::{Dek, DekId, HsmError, KeyId, SealKind, TokenId, canonical};

/// What is known about a sealed DEK without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SealHeader {
    /// The scheme.
    #[n(0)]
    pub kind: SealKind,
    /// The token that holds the key.
    #[n(1)]
    pub token: TokenId,
    /// The key encryption key.
    #[n(2)]
    pub key: KeyId,
    /// How to tell a wrong key or a broken device from an altered blob.
    #[n(3)]
    pub check: KeyCheck,
    /// The DEK inside.
    #[n(4)]
    pub dek: DekId,
    /// Initialisation vector, where the scheme has one outside the sealed bytes.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub iv: Vec<u8>,
}

/// Tells a wrong key from an altered blob: devices' own error codes do not.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum KeyCheck {
    /// SHA-256 of the public key, for key pairs.
    #[n(0)]
    PublicKey(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// [`KNOWN_ANSWER`] sealed under the same key and scheme, for symmetric keys.
    #[n(1)]
    KnownAnswer {
        /// Initialisation vector of the known answer.
        #[cbor(n(0), with = "minicbor::bytes")]
        iv: Vec<u8>,
        /// The sealed known answer.
        #[cbor(n(1), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
}

/// A DEK sealed by a device, with a header that the DEK itself authenticates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedDek {
    header: SealHeader,
    sealed: Vec<u8>,
    tag: [u8; 32],
}

impl SealedDek {
    /// Puts together what a device sealed; `dek` authenticates the header and is not kept.
    ///
    /// # Errors
    ///
    /// [`HsmError::BadBlob`] when a field is over its bound: the device gave something odd.
    pub fn new(header: SealHeader, sealed: Vec<u8>, dek: &Dek) -> Result<Self, HsmError> {
        let tag = mac(&header, &sealed, &dek.header_key())
            .finalize()
            .into_bytes()
            .into();
        let made = Self {
            header,
            sealed,
            tag,
        };
        made.bounded()?;
        Ok(made)
    }

    /// Accepts 32 opened bytes as the DEK of this blob, or refuses them.
    ///
    /// A device that answers with a wrong plaintext, and a header that was altered, end here.
    ///
    /// # Errors
    ///
    /// [`HsmError::BadBlob`].
    pub fn accept(&self, opened: Locked<32>) -> Result<Dek, HsmError> {
        let dek = Dek::new(opened);
        if dek.id() != self.header.dek {
            return Err(HsmError::bad_blob(format!(
                "the device opened DEK {}, the header names {}: wrong answer or altered blob",
                dek.id(),
                self.header.dek
            )));
        }
        mac(&self.header, &self.sealed, &dek.header_key())
            .verify_slice(&self.tag)
            .map_err(|_| HsmError::bad_blob("the header was altered after sealing"))?;
        Ok(dek)
    }

    /// Decodes what lies on disk; at most [`SEALED_DEK_MAX`] bytes.
    ///
    /// # Errors
    ///
    /// [`HsmError::BadBlob`] when it is no sealed DEK, truncated, or not in canonical form.
    pub fn decode(bytes: &[u8]) -> Result<Self, HsmError> {
        let file: File = canonical::decode(bytes, SEALED_DEK_MAX)
            .map_err(|error| HsmError::bad_blob(format!("sealed DEK: {error}")))?;
        if file.magic != MAGIC {
            return Err(HsmError::bad_blob("the file is no sealed DEK"));
        }
        if file.version != VERSION {
            return Err(HsmError::bad_blob(format!(
                "sealed DEK of format version {}, this program reads {VERSION}",
                file.version
            )));
        }
        let made = Self {
            header: file.header,
            sealed: file.sealed,
            tag: file.tag,
        };
        made.bounded()?;
        Ok(made)
    }

    /// The bytes to store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical::encode(&File {
            magic: MAGIC.to_owned(),
            version: VERSION,
            header: self.header.clone(),
            sealed: self.sealed.clone(),
            tag: self.tag,
        })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &SealHeader {
        &self.header
    }

    /// Canonical bytes of magic, version and header: what the DEK authenticates, and what others
    /// that encrypt under the DEK may bind to.
    #[must_use]
    pub fn header_bytes(&self) -> Vec<u8> {
        header_bytes(&self.header)
    }

    /// SHA-256 of [`SealedDek::header_bytes`].
    #[must_use]
    pub fn header_hash(&self) -> [u8; 32] {
        Sha256::digest(self.header_bytes()).into()
    }

    /// The sealed bytes, for the adapter.
    #[must_use]
    pub fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// Refuses to open on any token but the one it was sealed on.
    ///
    /// # Errors
    ///
    /// [`HsmError::WrongToken`].
    pub fn check_token(&self, open: &TokenId) -> Result<(), HsmError> {
        if &self.header.token == open {
            return Ok(());
        }
        Err(HsmError::WrongToken {
            sealed_on: self.header.token.clone(),
            opened_on: open.clone(),
        })
    }

    fn bounded(&self) -> Result<(), HsmError> {
        let header = &self.header;
        let check = match &header.check {
            KeyCheck::PublicKey(_) => true,
            KeyCheck::KnownAnswer { iv, sealed } => {
                iv.len() <= IV_MAX && sealed.len() <= SEALED_MAX
            }
        };
        let fits = check
            && header.token.is_bounded()
            && header.key.is_bounded()
            && header.iv.len() <= IV_MAX
            && (1..=SEALED_MAX).contains(&self.sealed.len());
        if fits {
            Ok(())
        } else {
            Err(HsmError::bad_blob(
                "a field of the sealed DEK has an impossible length",
            ))
        }
    }
}

fn header_bytes(header: &SealHeader) -> Vec<u8> {
    canonical::encode(&Authenticated {
        magic: MAGIC,
        version: VERSION,
        header,
    })
}

fn mac(header: &SealHeader, sealed: &[u8], key: &Locked<32>) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mac = key.expose(|key| <Hmac<Sha256> as Mac>::new_from_slice(key).expect("any length"));
    // The header is self-delimiting CBOR, so the two parts cannot run into each other.
    mac.chain_update(header_bytes(header)).chain_update(sealed)
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct File {
    #[n(0)]
    magic: String,
    #[n(1)]
    version: u8,
    #[n(2)]
    header: SealHeader,
    #[cbor(n(3), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    #[cbor(n(4), with = "minicbor::bytes")]
    tag: [u8; 32],
}

#[derive(Encode)]
#[cbor(map)]
struct Authenticated<'a> {
    #[n(0)]
    magic: &'a str,
    #[n(1)]
    version: u8,
    #[n(2)]
    header: &'a SealHeader,
}

/// Largest encoded sealed DEK, in bytes.
pub const SEALED_DEK_MAX: usize = 4096;

/// What a known-answer check seals. Public.
pub const KNOWN_ANSWER: [u8; 32] = *b"symbolon known answer, not a key";

const MAGIC: &str = "symbolon-sealed-dek";
const VERSION: u8 = 1;
const IV_MAX: usize = 16;
const SEALED_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{KeyName, ObjectLabel, SealFamily};

    fn dek(seed: u8) -> Dek {
        Dek::new(Locked::init_with(|key| key.fill(seed)))
    }

    fn blob(check: KeyCheck) -> SealedDek {
        let member = ObjectLabel::parse("m1").unwrap();
        let header = SealHeader {
            kind: SealKind::AesGcmCallerIv,
            token: TokenId::new("rack 7", "0123").unwrap(),
            key: KeyName::Kek(member, SealFamily::AesGcm).id(),
            check,
            dek: dek(3).id(),
            iv: vec![1; 12],
        };
        SealedDek::new(header, vec![2; 48], &dek(3)).unwrap()
    }

    fn both() -> [SealedDek; 2] {
        let known = KeyCheck::KnownAnswer {
            iv: vec![4; 12],
            sealed: vec![5; 48],
        };
        [blob(KeyCheck::PublicKey([6; 32])), blob(known)]
    }

    #[test]
    fn reads_back_what_it_wrote() {
        for blob in both() {
            assert_eq!(SealedDek::decode(&blob.encode()), Ok(blob));
        }
    }

    #[test]
    fn accepts_its_own_dek_only() {
        let blob = blob(KeyCheck::PublicKey([6; 32]));
        assert_eq!(
            blob.accept(Locked::init_with(|key| key.fill(3)))
                .unwrap()
                .id(),
            dek(3).id()
        );
        let wrong = blob
            .accept(Locked::init_with(|key| key.fill(4)))
            .unwrap_err();
        assert!(
            wrong.to_string().contains("wrong answer or altered blob"),
            "{wrong}"
        );
    }

    #[test]
    fn every_flipped_bit_is_refused_at_the_latest_by_the_dek() {
        for blob in both() {
            let good = blob.encode();
            for bit in 0..good.len() * 8 {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                let accepted = SealedDek::decode(&bad)
                    .and_then(|blob| blob.accept(Locked::init_with(|key| key.fill(3))));
                assert!(accepted.is_err(), "bit {bit}");
            }
            for len in 0..good.len() {
                assert!(SealedDek::decode(&good[..len]).is_err(), "length {len}");
            }
        }
    }

    #[test]
    fn another_token_is_refused_by_name() {
        let other = TokenId::new("rack 8", "0124").unwrap();
        let message = both()[0].check_token(&other).unwrap_err().to_string();
        assert!(
            message.contains("rack 7") && message.contains("rack 8"),
            "{message}"
        );
    }

    #[test]
    fn format_is_pinned() {
        let hash: [u8; 32] = Sha256::digest(both()[1].encode()).into();
        assert_eq!(hex::encode(hash), PINNED);
    }

    const PINNED: &str = "1f983ee93e4a6b8a12981bb25c34786aad8e6a8a6810ffb7949825679e08b115";

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _refused = SealedDek::decode(&bytes);
        }

        #[test]
        fn damaged_blobs_never_panic(at in 0_usize..300, with in any::<u8>()) {
            let mut bytes = both()[1].encode();
            let at = at % bytes.len();
            bytes[at] = with;
            let decoded = SealedDek::decode(&bytes);
            if let Ok(blob) = decoded {
                prop_assert_eq!(blob.encode(), bytes);
            }
        }
    }
}
