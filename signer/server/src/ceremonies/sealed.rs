//! Secrets of a ceremony at rest: the dealer's seed, and shares that are not active yet.

use std::time::Instant;

use hkdf::Hkdf;
use hsm_api::{DekId, Hsm, HsmError, SealedShare, ShareBinding, ShareCipher, ShareError};
use minicbor::{Decode, Encode};
use sha2::Sha256;
use symbolon_ceremony::{CeremonyId, Seed};
use symbolon_protocol::cbor::{CborError, from_bytes, to_bytes};
use symbolon_protocol::roster::ClusterId;
use symbolon_secmem::Locked;
use symbolon_threshold::{ScalarError, SecretScalar, SecretShare, ShareIndex};

use super::performer::fill;

/// Sealed secrets of one ceremony in one file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SealedFile {
    #[n(0)]
    magic: String,
    /// The data key.
    #[n(1)]
    dek: DekId,
    /// Group epoch of shares; 0 for a seed.
    #[n(2)]
    group_epoch: u32,
    #[cbor(n(3), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// Why a file of sealed secrets is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SealedFileError {
    /// Not canonical CBOR of this shape.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Something else.
    #[error("the file holds no sealed {0}")]
    Content(&'static str),
    /// Under the key of another server.
    #[error("sealed under data key {sealed_under}, this server's is {own}")]
    OtherDek {
        /// Data key in the file.
        sealed_under: DekId,
        /// This server's.
        own: DekId,
    },
    /// A blob.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// What a blob holds.
    #[error("the blob of key {key} opens, but holds no share: {cause}")]
    Scalar {
        /// Position of the key.
        key: u32,
        /// What is wrong.
        #[source]
        cause: ScalarError,
    },
}

/// Where the secrets of a ceremony belong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) cluster: ClusterId,
    pub(crate) ceremony: CeremonyId,
    pub(crate) member: ShareIndex,
}

impl Place {
    fn binding(&self, group_epoch: u32, key_index: u32) -> ShareBinding {
        ShareBinding {
            cluster_id: self.cluster.0,
            group_id: self.ceremony.0,
            group_epoch: group_epoch.into(),
            key_index,
            member_index: self.member.get(),
        }
    }

    /// Group epochs begin at 1 and keys are few: no share is bound to the place of a seed.
    fn seed_binding(&self) -> ShareBinding {
        self.binding(0, u32::MAX)
    }
}

impl SealedFile {
    /// Seals a seed.
    pub(crate) fn seal_seed(
        cipher: &ShareCipher,
        place: &Place,
        seed: &Seed,
    ) -> Result<Self, SealError> {
        let locked = Locked::init_with(|bytes| seed.expose(|seed| bytes.copy_from_slice(seed)));
        let sealed = cipher.seal(&place.seed_binding(), nonce()?, &locked)?;
        Ok(Self::new(SEED, cipher, 0, sealed.as_bytes().to_vec()))
    }

    /// Seals the plain shares of a ceremony; their position is the key index.
    pub(crate) fn seal_shares(
        cipher: &ShareCipher,
        place: &Place,
        group_epoch: u32,
        shares: &[SecretShare],
    ) -> Result<Self, SealError> {
        let mut sealed = Vec::with_capacity(shares.len().saturating_mul(SealedShare::LEN));
        for (index, share) in (0_u32..).zip(shares) {
            let locked = Locked::init_with(|bytes| {
                share
                    .scalar()
                    .expose(|scalar| bytes.copy_from_slice(scalar));
            });
            let blob = cipher.seal(&place.binding(group_epoch, index), nonce()?, &locked)?;
            sealed.extend_from_slice(blob.as_bytes());
        }
        Ok(Self::new(SHARES, cipher, group_epoch, sealed))
    }

    fn new(magic: &str, cipher: &ShareCipher, group_epoch: u32, sealed: Vec<u8>) -> Self {
        Self {
            magic: magic.to_owned(),
            dek: cipher.dek_id(),
            group_epoch,
            sealed,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, SealedFileError> {
        Ok(from_bytes("sealed file", bytes, MAX_LEN)?)
    }

    /// Opens a seed.
    pub(crate) fn open_seed(
        &self,
        cipher: &ShareCipher,
        place: &Place,
    ) -> Result<Seed, SealedFileError> {
        self.check(SEED, "seed", cipher)?;
        let blob = SealedShare::parse(u32::MAX, &self.sealed)?;
        Ok(Seed::new(cipher.open(&place.seed_binding(), &blob)?))
    }

    /// Opens all shares.
    pub(crate) fn open_shares(
        &self,
        cipher: &ShareCipher,
        place: &Place,
    ) -> Result<Vec<SecretShare>, SealedFileError> {
        let open = |(key, blob): (u32, SealedShare)| {
            let locked = cipher.open(&place.binding(self.group_epoch, key), &blob)?;
            let scalar = SecretScalar::from_locked(locked)
                .map_err(|cause| SealedFileError::Scalar { key, cause })?;
            Ok(SecretShare::new(place.member, scalar))
        };
        self.check(SHARES, "shares", cipher)?;
        (0..).zip(self.blobs()?).map(open).collect()
    }

    /// The sealed shares as they are.
    pub(crate) fn blobs(&self) -> Result<Vec<SealedShare>, SealedFileError> {
        let parse = |(key, blob)| SealedShare::parse(key, blob);
        let blobs = self.sealed.chunks(SealedShare::LEN);
        Ok((0..).zip(blobs).map(parse).collect::<Result<_, _>>()?)
    }

    fn check(
        &self,
        magic: &str,
        what: &'static str,
        cipher: &ShareCipher,
    ) -> Result<(), SealedFileError> {
        if self.magic != magic {
            return Err(SealedFileError::Content(what));
        }
        if self.dek != cipher.dek_id() {
            let (sealed_under, own) = (self.dek, cipher.dek_id());
            return Err(SealedFileError::OtherDek { sealed_under, own });
        }
        Ok(())
    }
}

/// Why something was not sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    /// The cipher.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// No nonce.
    #[error(transparent)]
    Random(#[from] HsmError),
}

fn nonce() -> Result<[u8; hsm_api::NONCE], HsmError> {
    let mut nonce = [0; hsm_api::NONCE];
    fill(&mut nonce)?;
    Ok(nonce)
}

/// A seed from the device's random numbers and the system's.
pub(super) fn mixed_seed(hsm: &dyn Hsm, deadline: Instant) -> Result<Seed, HsmError> {
    let device = Locked::<32>::try_init_with(|bytes| hsm.random(bytes, deadline))?;
    let system = Locked::<32>::try_init_with(|bytes| fill(bytes))?;
    let mixed = Locked::try_init_with(|out: &mut [u8; 32]| {
        let extracted =
            system.expose(|salt| device.expose(|input| Hkdf::<Sha256>::new(Some(salt), input)));
        extracted
            .expand(SEED_INFO, out)
            .map_err(|error| HsmError::Other {
                code: error.to_string(),
                function: "hkdf".to_owned(),
            })
    })?;
    Ok(Seed::new(mixed))
}

/// A seed from the system's random numbers alone.
pub(super) fn system_seed() -> Result<Seed, HsmError> {
    Ok(Seed::new(Locked::try_init_with(|bytes: &mut [u8; 32]| {
        fill(bytes)
    })?))
}

const SEED: &str = "symbolon-sealed-seed-v1";
const SHARES: &str = "symbolon-sealed-shares-v1";
const SEED_INFO: &[u8] = b"symbolon/ceremony/seed/v1";

/// Most bytes of a file: 1000 shares are 61 kB.
const MAX_LEN: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use hsm_api::Dek;
    use proptest::prelude::*;

    use super::*;

    fn cipher(seed: u8) -> ShareCipher {
        Dek::new(Locked::init_with(|key| key.fill(seed))).share_cipher()
    }

    fn place(ceremony: u8) -> Place {
        Place {
            cluster: ClusterId([1; 32]),
            ceremony: CeremonyId([ceremony; 32]),
            member: ShareIndex::try_from(2).unwrap(),
        }
    }

    fn shares() -> Vec<SecretShare> {
        let share = |byte: u8| {
            let scalar = SecretScalar::take_from(&mut [byte; 32]).unwrap();
            SecretShare::new(place(3).member, scalar)
        };
        (1..=3).map(share).collect()
    }

    #[test]
    fn shares_and_seed_open_in_their_place_and_nowhere_else() {
        let file = SealedFile::seal_shares(&cipher(9), &place(3), 1, &shares()).unwrap();
        let file = SealedFile::from_bytes(&file.to_bytes()).unwrap();
        let opened = file.open_shares(&cipher(9), &place(3)).unwrap();
        assert!(
            opened
                .iter()
                .zip(shares())
                .all(|(a, b)| a.scalar().ct_eq(b.scalar()))
        );
        assert!(file.open_shares(&cipher(9), &place(4)).is_err());
        let other = file.open_shares(&cipher(8), &place(3)).unwrap_err();
        assert!(matches!(other, SealedFileError::OtherDek { .. }));
        assert!(file.open_seed(&cipher(9), &place(3)).is_err());

        let seed = Seed::new(Locked::init_with(|bytes| bytes.fill(7)));
        let file = SealedFile::seal_seed(&cipher(9), &place(3), &seed).unwrap();
        let opened = file.open_seed(&cipher(9), &place(3)).unwrap();
        assert!(opened.expose(|bytes| *bytes == [7; 32]));
        assert!(file.open_seed(&cipher(9), &place(4)).is_err());
        assert!(file.open_shares(&cipher(9), &place(3)).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(file) = SealedFile::from_bytes(&bytes) {
                drop(file.open_shares(&cipher(9), &place(3)));
            }
        }
    }
}
