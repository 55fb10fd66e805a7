//! Names of the objects of a member on its token.

use std::fmt;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::SealFamily;

/// Label (`CKA_LABEL`) and identifier (`CKA_ID`) of one key on a token.
///
/// Neither is unique by the standard, so an adapter looks for both and refuses more than one hit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(map)]
pub struct KeyId {
    #[n(0)]
    label: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    cka_id: [u8; CKA_ID_BYTES],
}

impl KeyId {
    /// The identifier of a named key.
    ///
    /// The label is the readable name cut to [`LABEL_MAX`] bytes; the `CKA_ID` is the start of
    /// SHA-256 over the whole name, so two long names never share it.
    #[must_use]
    pub fn of(name: &KeyName) -> Self {
        Self::named(&name.to_string())
    }

    pub(crate) fn named(full: &str) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(ID_TAG)
            .chain_update(full.as_bytes())
            .finalize()
            .into();
        let mut cka_id = [0; CKA_ID_BYTES];
        cka_id.copy_from_slice(&digest[..CKA_ID_BYTES]);
        let label = if full.len() <= LABEL_MAX {
            full.to_owned()
        } else {
            let tail: String = cka_id[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            // Names are ASCII, so any cut is a character boundary.
            format!("{}~{tail}", &full[..LABEL_MAX - 9])
        };
        Self { label, cka_id }
    }

    /// `CKA_LABEL`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// `CKA_ID`.
    #[must_use]
    pub const fn cka_id(&self) -> &[u8; CKA_ID_BYTES] {
        &self.cka_id
    }

    pub(crate) fn is_bounded(&self) -> bool {
        !self.label.is_empty() && self.label.len() <= LABEL_MAX
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.label)
    }
}

/// What a key on the token is for. The name decides label and `CKA_ID`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyName {
    /// The key encryption key, one for each family of sealing schemes.
    Kek(ObjectLabel, SealFamily),
    /// The identity key: P-256, ECDSA only.
    Identity(ObjectLabel),
    /// The ECDH key of one member for one group and group epoch; destroyed after the ceremony
    /// that ends the epoch.
    Ceremony {
        /// The member that holds the key.
        member: ObjectLabel,
        /// The label of the group.
        group: ObjectLabel,
        /// The group epoch.
        group_epoch: u64,
    },
}

impl KeyName {
    /// The identifier of this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of(self)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kek(member, family) => write!(f, "symbolon/{member}/kek/{}", family.name()),
            Self::Identity(member) => write!(f, "symbolon/{member}/identity"),
            Self::Ceremony {
                member,
                group,
                group_epoch,
            } => {
                write!(f, "symbolon/{member}/ek/{group}/{group_epoch}")
            }
        }
    }
}

/// A name inside object labels: 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `-`.
///
/// The set leaves out `/`, so that parts of a name cannot run into each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectLabel(String);

impl ObjectLabel {
    /// Parses a label.
    ///
    /// # Errors
    ///
    /// [`ObjectLabelError`] when the text is empty, too long, or holds another character.
    pub fn parse(text: &str) -> Result<Self, ObjectLabelError> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        if (1..=OBJECT_LABEL_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ObjectLabelError)
        }
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no object label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a member or group label on a token has 1 to 64 characters of a-z, 0-9, '.', '_', '-'; rename it"
)]
pub struct ObjectLabelError;

/// Length of a `CKA_ID` of ours, in bytes.
pub const CKA_ID_BYTES: usize = 16;

/// Longest object label, in bytes: the least of the devices (YubiHSM 2).
pub const LABEL_MAX: usize = 40;

/// Longest member or group label, in bytes.
pub const OBJECT_LABEL_MAX: usize = 64;

const ID_TAG: &[u8] = b"symbolon/cka-id/v1\0";

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> ObjectLabel {
        ObjectLabel::parse(text).unwrap()
    }

    #[test]
    fn short_names_are_readable() {
        let id = KeyName::Kek(label("m1"), SealFamily::Rsa).id();
        assert_eq!(id.label(), "symbolon/m1/kek/rsa");
    }

    #[test]
    fn long_names_stay_apart_and_fit_the_smallest_device() {
        let group = label(&"g".repeat(OBJECT_LABEL_MAX));
        let ids: Vec<KeyId> = (0..3)
            .map(|group_epoch| {
                KeyName::Ceremony {
                    member: label("m1"),
                    group: group.clone(),
                    group_epoch,
                }
                .id()
            })
            .collect();
        assert!(ids.iter().all(|id| id.label().len() <= LABEL_MAX));
        assert_ne!(ids[0].label(), ids[1].label());
        assert_ne!(ids[1].cka_id(), ids[2].cka_id());
    }

    #[test]
    fn labels_refuse_separators_and_foreign_characters() {
        for text in [
            "",
            "a/b",
            "A",
            "a b",
            "\u{e4}",
            &"x".repeat(OBJECT_LABEL_MAX + 1),
        ] {
            assert_eq!(ObjectLabel::parse(text), Err(ObjectLabelError), "{text:?}");
        }
    }
}
