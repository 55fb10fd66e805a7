//! The file of one group: its public part and the sealed shares of this member.
//!
//! Canonical CBOR. Each blob is bound to cluster, group, group epoch, key index, member and data
//! key by its cipher; the file as a whole by its hash, which stands in the journal.

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use symbolon_duties::{DutyKind, ValidatorPublicKey};
use symbolon_protocol::cbor::{CborError, from_bytes, to_bytes};
use symbolon_signing::DutySet;
use symbolon_threshold::{IndexError, Scale, ScaleError, ShareIndex, Threshold, ThresholdError};

use hsm_api::{DekId, SealedShare, ShareBinding, ShareError};

/// The shares of one group at one member, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupShares {
    raw: Raw,
    scale: Scale,
    duties: DutySet,
}

/// What a group's file is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupParts {
    /// Identifier of the cluster.
    pub cluster: [u8; 32],
    /// Identifier of the group.
    pub group: [u8; 32],
    /// Label of the group.
    pub label: String,
    /// Group epoch of the shares.
    pub group_epoch: u32,
    /// This member.
    pub member: u16,
    /// The data key under which the shares are sealed.
    pub dek: DekId,
    /// Partial signatures that a signature needs.
    pub threshold: u16,
    /// Share indices of all members, rising.
    pub members: Vec<u16>,
    /// Whether nobody ever held the keys whole.
    pub born_in_ceremony: bool,
    /// Codes of the kinds of duty that the keys may sign.
    pub duties: Vec<u8>,
    /// For each key: group public key, this member's public share, sealed share.
    pub keys: Vec<KeyParts>,
}

/// One key of a group's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyParts {
    /// The group public key.
    pub key: ValidatorPublicKey,
    /// This member's public share, compressed.
    pub public_share: [u8; POINT],
    /// This member's share, sealed.
    pub sealed: SealedShare,
}

/// Why bytes are not a group's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareFileError {
    /// Not canonical CBOR of this shape.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Another kind of file.
    #[error("the file holds no shares")]
    Magic,
    /// A version that this program does not read.
    #[error("the file has format version {got}, this program reads {VERSION}")]
    Version {
        /// Version found.
        got: u8,
    },
    /// Lists that do not belong together.
    #[error(
        "the file has {keys} bytes of keys, {shares} of public shares and {sealed} of blobs: truncated"
    )]
    Lengths {
        /// Bytes of public keys.
        keys: usize,
        /// Bytes of public shares.
        shares: usize,
        /// Bytes of sealed shares.
        sealed: usize,
    },
    /// An index is none.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Impossible t of n.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// The members make no group.
    #[error(transparent)]
    Scale(#[from] ScaleError),
    /// This member is not one of the group.
    #[error("member {0} is not a member of the group")]
    NotAMember(u16),
    /// A code that names no kind of duty.
    #[error("the file names an unknown kind of duty ({0})")]
    Duty(u8),
    /// A blob is none.
    #[error(transparent)]
    Share(#[from] ShareError),
}

impl GroupShares {
    /// Puts a file together.
    ///
    /// # Errors
    ///
    /// The parts are no group.
    pub fn new(parts: GroupParts) -> Result<Self, ShareFileError> {
        let bytes = |part: fn(&KeyParts) -> &[u8]| -> Vec<u8> {
            parts.keys.iter().flat_map(part).copied().collect()
        };
        Self::check(Raw {
            magic: MAGIC.to_owned(),
            version: VERSION,
            cluster: parts.cluster,
            group: parts.group,
            group_epoch: parts.group_epoch,
            member: parts.member,
            dek: parts.dek,
            threshold: parts.threshold,
            born_in_ceremony: parts.born_in_ceremony,
            keys: bytes(|key| key.key.as_bytes()),
            public_shares: bytes(|key| &key.public_share),
            sealed: bytes(|key| key.sealed.as_bytes()),
            label: parts.label,
            members: parts.members,
            duties: parts.duties,
        })
    }

    /// Parses a file.
    ///
    /// # Errors
    ///
    /// [`ShareFileError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ShareFileError> {
        Self::check(from_bytes("share file", bytes, Self::MAX_LEN)?)
    }

    fn check(raw: Raw) -> Result<Self, ShareFileError> {
        if raw.magic != MAGIC {
            return Err(ShareFileError::Magic);
        }
        if raw.version != VERSION {
            return Err(ShareFileError::Version { got: raw.version });
        }
        let count = raw.keys.len() / POINT;
        let lengths = [(raw.keys.len(), POINT), (raw.public_shares.len(), POINT)];
        let whole = lengths
            .into_iter()
            .chain([(raw.sealed.len(), SealedShare::LEN)]);
        if count == 0
            || whole
                .into_iter()
                .any(|(len, each)| len != count.saturating_mul(each))
        {
            let (keys, shares) = (raw.keys.len(), raw.public_shares.len());
            return Err(ShareFileError::Lengths {
                keys,
                shares,
                sealed: raw.sealed.len(),
            });
        }
        let indices: Vec<_> = raw
            .members
            .iter()
            .map(|member| ShareIndex::try_from(u64::from(*member)))
            .collect::<Result<_, _>>()?;
        let n = u64::try_from(indices.len()).unwrap_or(u64::MAX);
        let threshold = Threshold::new(raw.threshold.into(), n)?;
        let scale = Scale::for_group(&indices, threshold)?;
        if !raw.members.contains(&raw.member) {
            return Err(ShareFileError::NotAMember(raw.member));
        }
        let kind = |code: &u8| DutyKind::from_code(*code).ok_or(ShareFileError::Duty(*code));
        let duties = raw.duties.iter().map(kind).collect::<Result<_, _>>()?;
        for (index, blob) in (0_u32..).zip(raw.sealed.chunks_exact(SealedShare::LEN)) {
            SealedShare::parse(index, blob)?;
        }
        Ok(Self { raw, scale, duties })
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&self.raw)
    }

    /// SHA-256 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.to_bytes()).into()
    }

    /// Name of the file in the folder of shares.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}.shares", self.raw.label, self.raw.group_epoch)
    }

    /// Identifier of the cluster.
    #[must_use]
    pub const fn cluster(&self) -> &[u8; 32] {
        &self.raw.cluster
    }

    /// Label of the group.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.raw.label
    }

    /// Identifier of the group.
    #[must_use]
    pub const fn group(&self) -> &[u8; 32] {
        &self.raw.group
    }

    /// Group epoch of the shares.
    #[must_use]
    pub const fn group_epoch(&self) -> u32 {
        self.raw.group_epoch
    }

    /// The member that holds the shares.
    #[must_use]
    pub const fn member(&self) -> u16 {
        self.raw.member
    }

    /// The data key under which they are sealed.
    #[must_use]
    pub const fn dek(&self) -> DekId {
        self.raw.dek
    }

    /// Partial signatures that a signature needs.
    #[must_use]
    pub const fn threshold(&self) -> u16 {
        self.raw.threshold
    }

    /// Share indices of all members.
    #[must_use]
    pub fn members(&self) -> &[u16] {
        &self.raw.members
    }

    /// Whether nobody ever held the keys whole.
    #[must_use]
    pub const fn born_in_ceremony(&self) -> bool {
        self.raw.born_in_ceremony
    }

    /// The representation in which the group's partial signatures travel.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// Kinds of duty that the keys may sign.
    #[must_use]
    pub const fn duties(&self) -> DutySet {
        self.duties
    }

    /// Number of keys.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a file without keys is refused"
    )]
    pub fn len(&self) -> usize {
        self.raw.keys.len() / POINT
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = KeyParts> {
        let (points, _) = self.raw.keys.as_chunks::<POINT>();
        let (shares, _) = self.raw.public_shares.as_chunks::<POINT>();
        let sealed = self.raw.sealed.chunks_exact(SealedShare::LEN);
        points
            .iter()
            .zip(shares)
            .zip(sealed)
            .filter_map(|((key, share), sealed)| {
                // Every blob was parsed when the file was checked.
                let sealed = SealedShare::parse(0, sealed).ok()?;
                Some(KeyParts {
                    key: ValidatorPublicKey(*key),
                    public_share: *share,
                    sealed,
                })
            })
    }

    /// The place to which the share of one key is bound.
    #[must_use]
    pub const fn binding(&self, key_index: u32) -> ShareBinding {
        ShareBinding {
            cluster_id: self.raw.cluster,
            group_id: self.raw.group,
            group_epoch: self.raw.group_epoch as u64,
            key_index,
            member_index: self.raw.member,
        }
    }

    /// Most bytes of a file.
    pub const MAX_LEN: usize = 4 * 1024 * 1024;
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Raw {
    #[n(0)]
    magic: String,
    #[n(1)]
    version: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    cluster: [u8; 32],
    #[cbor(n(3), with = "minicbor::bytes")]
    group: [u8; 32],
    #[n(4)]
    label: String,
    #[n(5)]
    group_epoch: u32,
    #[n(6)]
    member: u16,
    #[n(7)]
    dek: DekId,
    #[n(8)]
    threshold: u16,
    #[n(9)]
    members: Vec<u16>,
    #[n(10)]
    born_in_ceremony: bool,
    #[cbor(n(11), with = "minicbor::bytes")]
    duties: Vec<u8>,
    #[cbor(n(12), with = "minicbor::bytes")]
    keys: Vec<u8>,
    #[cbor(n(13), with = "minicbor::bytes")]
    public_shares: Vec<u8>,
    #[cbor(n(14), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// Bytes of a compressed point of G1.
pub(crate) const POINT: usize = 48;

const MAGIC: &str = "symbolon-shares";
const VERSION: u8 = 1;

#[cfg(test)]
pub(crate) mod tests {
    use hsm_api::Dek;
    use proptest::prelude::*;
    use symbolon_secmem::Locked;
    use symbolon_threshold::{SecretScalar, SecretShare};

    use super::*;

    pub(crate) fn dek(seed: u8) -> Dek {
        Dek::new(Locked::init_with(|key| key.fill(seed)))
    }

    /// Three keys of a 2-of-3 group at member 2, sealed under `dek(9)`.
    pub(crate) fn parts() -> GroupParts {
        let mut parts = GroupParts {
            cluster: [1; 32],
            group: [2; 32],
            label: "north".into(),
            group_epoch: 1,
            member: 2,
            dek: dek(9).id(),
            threshold: 2,
            members: vec![1, 2, 3],
            born_in_ceremony: true,
            duties: vec![0, 1],
            keys: Vec::new(),
        };
        for index in 0..3_u8 {
            let scalar = SecretScalar::take_from(&mut [index + 1; 32]).unwrap();
            let public = SecretShare::new(ShareIndex::try_from(2).unwrap(), scalar).public_share();
            let binding = ShareBinding {
                cluster_id: parts.cluster,
                group_id: parts.group,
                group_epoch: 1,
                key_index: index.into(),
                member_index: 2,
            };
            let share = Locked::init_with(|bytes| bytes.fill(index + 1));
            parts.keys.push(KeyParts {
                key: ValidatorPublicKey([index; 48]),
                public_share: public.point().to_compressed(),
                sealed: dek(9)
                    .share_cipher()
                    .seal(&binding, [index; 12], &share)
                    .unwrap(),
            });
        }
        parts
    }

    #[test]
    fn a_file_survives_a_round_trip() {
        let group = GroupShares::new(parts()).unwrap();
        let again = GroupShares::from_bytes(&group.to_bytes()).unwrap();
        assert_eq!(again, group);
        assert_eq!(again.keys().collect::<Vec<_>>(), parts().keys);
        assert_eq!(again.file_name(), "north-1.shares");
        assert!(again.duties().hold(DutyKind::Block));
        assert!(!again.duties().hold(DutyKind::RandaoReveal));
    }

    #[test]
    fn impossible_groups_are_refused() {
        let with = |change: fn(&mut GroupParts)| {
            let mut parts = parts();
            change(&mut parts);
            GroupShares::new(parts).unwrap_err()
        };
        assert!(matches!(
            with(|p| p.keys.clear()),
            ShareFileError::Lengths { .. }
        ));
        assert!(matches!(
            with(|p| p.members = vec![1, 3]),
            ShareFileError::NotAMember(2)
        ));
        assert!(matches!(
            with(|p| p.members = vec![0, 2]),
            ShareFileError::Index(_)
        ));
        assert!(matches!(
            with(|p| p.threshold = 4),
            ShareFileError::Threshold(_)
        ));
        assert!(matches!(
            with(|p| p.duties = vec![99]),
            ShareFileError::Duty(99)
        ));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(GroupShares::from_bytes(&bytes).is_err());
        }

        #[test]
        fn a_bent_file_never_panics(at in 0..1000_usize, bit in 0..8_u8) {
            let mut bytes = GroupShares::new(parts()).unwrap().to_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            drop(GroupShares::from_bytes(&bytes));
        }
    }
}
