//! The JSON schema of EIP-3076, version 5; lists fold into histories while they are read.

use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use symbolon_duties::{Epoch, Root, SigningRoot, Slot, ValidatorPublicKey};

use crate::{AttestationMark, BlockMark, Mark, SigningHistory};

#[derive(Deserialize)]
pub(crate) struct VersionOnly {
    pub(crate) metadata: VersionMetadata,
}

#[derive(Deserialize)]
pub(crate) struct VersionMetadata {
    pub(crate) interchange_format_version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) metadata: Metadata,
    pub(crate) data: Histories,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    #[serde(rename = "interchange_format_version")]
    _version: IgnoredAny,
    pub(crate) genesis_validators_root: Root,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Validator {
    pubkey: ValidatorPublicKey,
    signed_blocks: Folded<SignedBlock>,
    signed_attestations: Folded<SignedAttestation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedBlock {
    slot: Quoted,
    signing_root: Option<FileRoot>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedAttestation {
    source_epoch: Quoted,
    target_epoch: Quoted,
    signing_root: Option<FileRoot>,
}

impl From<SignedBlock> for SigningHistory {
    fn from(entry: SignedBlock) -> Self {
        let (root, unusable_roots) = usable(entry.signing_root);
        let block = Some(BlockMark {
            slot: Slot(entry.slot.0),
            root,
        });
        Self {
            mark: Mark {
                block,
                attestation: None,
            },
            blocks: 1,
            unusable_roots,
            ..Self::default()
        }
    }
}

impl From<SignedAttestation> for SigningHistory {
    fn from(entry: SignedAttestation) -> Self {
        let (root, unusable_roots) = usable(entry.signing_root);
        let (source, target) = (Epoch(entry.source_epoch.0), Epoch(entry.target_epoch.0));
        let attestation = Some(AttestationMark {
            source,
            target,
            root,
        });
        let mark = Mark {
            block: None,
            attestation,
        };
        Self {
            mark,
            attestations: 1,
            unusable_roots,
            ..Self::default()
        }
    }
}

fn usable(root: Option<FileRoot>) -> (Option<SigningRoot>, u64) {
    match root {
        None => (None, 0),
        Some(FileRoot(Some(root))) => (Some(root), 0),
        Some(FileRoot(None)) => (None, 1),
    }
}

/// All entries of one validator's list, folded as they are read.
struct Folded<E> {
    history: SigningHistory,
    entry: PhantomData<E>,
}

impl<'de, E: Deserialize<'de> + Into<SigningHistory>> Deserialize<'de> for Folded<E> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Entries<E>(PhantomData<E>);
        impl<'de, E: Deserialize<'de> + Into<SigningHistory>> Visitor<'de> for Entries<E> {
            type Value = SigningHistory;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of signed messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<SigningHistory, A::Error> {
                let mut history = SigningHistory::default();
                while let Some(entry) = list.next_element::<E>()? {
                    history.add(&entry.into());
                }
                Ok(history)
            }
        }
        let history = json.deserialize_seq(Entries::<E>(PhantomData))?;
        Ok(Self {
            history,
            entry: PhantomData,
        })
    }
}

pub(crate) struct Histories(pub(crate) BTreeMap<ValidatorPublicKey, SigningHistory>);

impl<'de> Deserialize<'de> for Histories {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Validators;
        impl<'de> Visitor<'de> for Validators {
            type Value = Histories;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of validators")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Histories, A::Error> {
                let mut histories = BTreeMap::<_, SigningHistory>::new();
                while let Some(validator) = list.next_element::<Validator>()? {
                    let history = histories.entry(validator.pubkey).or_default();
                    history.add(&validator.signed_blocks.history);
                    history.add(&validator.signed_attestations.history);
                }
                Ok(Histories(histories))
            }
        }
        json.deserialize_seq(Validators)
    }
}

/// A decimal integer in quotes.
struct Quoted(u64);

impl<'de> Deserialize<'de> for Quoted {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Quoted;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quoted decimal integer below 2^64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quoted, E> {
                // `parse` alone would take a leading plus sign.
                let digits = text.bytes().all(|b| b.is_ascii_digit());
                let number = digits.then(|| text.parse().ok()).flatten();
                number
                    .map(Quoted)
                    .ok_or_else(|| E::custom("expected a quoted decimal integer below 2^64"))
            }
        }
        json.deserialize_str(Digits)
    }
}

/// A signing root as written; `None` is hexadecimal text that cannot be one: another length than 32
/// bytes, which other clients tolerate, or zero, which some write for an unknown root.
#[derive(Clone, Copy)]
struct FileRoot(Option<SigningRoot>);

impl<'de> Deserialize<'de> for FileRoot {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Hex;
        impl Visitor<'_> for Hex {
            type Value = FileRoot;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a signing root: 0x and hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FileRoot, E> {
                let digits = text.strip_prefix("0x").filter(|digits| {
                    digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit())
                });
                let Some(digits) = digits else {
                    return Err(E::custom(
                        "expected a signing root: 0x and hexadecimal digits",
                    ));
                };
                let root = digits.parse::<SigningRoot>().ok();
                Ok(FileRoot(root.filter(|root| root.0 != [0; 32])))
            }
        }
        json.deserialize_str(Hex)
    }
}
