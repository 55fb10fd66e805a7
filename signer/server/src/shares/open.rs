//! Opening sealed shares, and saying which blob is wrong when one does not open.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use hsm_api::{DekId, ShareCipher};
use symbolon_duties::ValidatorPublicKey;
use symbolon_threshold::{IndexError, SecretScalar, SecretShare, ShareIndex};

use super::file::{GroupShares, KeyParts};
use super::held::HeldShare;

/// An opened share of one key.
pub(crate) type Opened = Arc<HeldShare>;

/// One share that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key {index} ({key}): {why}")]
pub struct BadShare {
    /// Position of the key in its group, from 0.
    pub index: u32,
    /// The key.
    pub key: ValidatorPublicKey,
    /// What is wrong.
    pub why: String,
}

/// Why the shares of a group are not used; none of them is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenSharesError {
    /// Sealed by another server, or before the data key was replaced.
    #[error(
        "group {group:?}: the shares are sealed under data key {sealed_under}, this server's is \
         {own}: they belong to another server or token"
    )]
    OtherDek {
        /// Label of the group.
        group: String,
        /// Data key in the file.
        sealed_under: DekId,
        /// Data key of this server.
        own: DekId,
    },
    /// The file is another member's.
    #[error("group {group:?}: the shares are of member {got}, this server is member {own}")]
    OtherMember {
        /// Label of the group.
        group: String,
        /// Member in the file.
        got: u16,
        /// This member.
        own: u16,
    },
    /// Blobs that do not open, or hold another share than the public one.
    #[error("group {group:?}: {} of {count} shares cannot be used: {}", bad.len(), list(bad))]
    Bad {
        /// Label of the group.
        group: String,
        /// Shares in the file.
        count: usize,
        /// Those that cannot be used.
        bad: Vec<BadShare>,
    },
    /// The member's index is none.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Opens all shares of a group in their order, on all cores, and checks each against its public
/// share when `verify` is set.
pub(crate) fn open_group(
    group: &GroupShares,
    cipher: &ShareCipher,
    member: u16,
    verify: bool,
) -> Result<Vec<Opened>, OpenSharesError> {
    check_owner(group, cipher, member)?;
    let keys: Vec<(u32, KeyParts)> = (0_u32..).zip(group.keys()).collect();
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let chunk = keys.len().div_ceil(threads).max(MIN_CHUNK);
    let results: Vec<Result<Opened, BadShare>> = if keys.len() <= chunk {
        keys.iter()
            .map(|(index, key)| open(group, cipher, *index, key, verify))
            .collect()
    } else {
        thread::scope(|scope| {
            let part = |keys: &[(u32, KeyParts)]| -> Vec<_> {
                keys.iter()
                    .map(|(index, key)| open(group, cipher, *index, key, verify))
                    .collect()
            };
            let running: Vec<_> = keys
                .chunks(chunk)
                .map(|keys| (keys, scope.spawn(move || part(keys))))
                .collect();
            let finished = running.into_iter().flat_map(|(keys, thread)| {
                // A thread that died is answered as shares that cannot be used.
                thread.join().unwrap_or_else(|_| {
                    let died = |(index, key): &(u32, KeyParts)| {
                        Err(bad(*index, key, "the check did not finish"))
                    };
                    keys.iter().map(died).collect()
                })
            });
            finished.collect()
        })
    };
    let mut opened = Vec::with_capacity(results.len());
    let mut wrong = Vec::new();
    for result in results {
        match result {
            Ok(share) => opened.push(share),
            Err(bad) => wrong.push(bad),
        }
    }
    if wrong.is_empty() {
        return Ok(opened);
    }
    let (group, count) = (group.label().to_owned(), group.len());
    Err(OpenSharesError::Bad {
        group,
        count,
        bad: wrong,
    })
}

/// Opens the share of one key, for one batch.
pub(crate) fn open_one(
    group: &GroupShares,
    cipher: &ShareCipher,
    index: u32,
    key: &KeyParts,
) -> Result<Opened, BadShare> {
    open(group, cipher, index, key, false)
}

fn check_owner(
    group: &GroupShares,
    cipher: &ShareCipher,
    member: u16,
) -> Result<(), OpenSharesError> {
    let label = || group.label().to_owned();
    if group.member() != member {
        let got = group.member();
        return Err(OpenSharesError::OtherMember {
            group: label(),
            got,
            own: member,
        });
    }
    if group.dek() != cipher.dek_id() {
        let (sealed_under, own) = (group.dek(), cipher.dek_id());
        return Err(OpenSharesError::OtherDek {
            group: label(),
            sealed_under,
            own,
        });
    }
    Ok(())
}

fn open(
    group: &GroupShares,
    cipher: &ShareCipher,
    index: u32,
    key: &KeyParts,
    verify: bool,
) -> Result<Opened, BadShare> {
    let locked = cipher
        .open(&group.binding(index), &key.sealed)
        .map_err(|_| bad(index, key, &diagnose(group, cipher, index, key)))?;
    let scalar = SecretScalar::from_locked(locked).map_err(|_| {
        bad(
            index,
            key,
            "the blob opens, but holds no scalar of BLS12-381",
        )
    })?;
    let member = ShareIndex::try_from(u64::from(group.member()))
        .map_err(|error| bad(index, key, &error.to_string()))?;
    let share = SecretShare::new(member, scalar);
    if verify && share.public_share().point().to_compressed() != key.public_share {
        return Err(bad(
            index,
            key,
            "the blob opens, but its share is not the public share's",
        ));
    }
    Ok(Arc::new(HeldShare::new(
        key.key,
        group.group_epoch(),
        &share,
        group.scale(),
    )))
}

/// Why a blob does not open: swapped with another key's, or altered.
fn diagnose(group: &GroupShares, cipher: &ShareCipher, index: u32, key: &KeyParts) -> String {
    let other = (0_u32..)
        .take(group.len())
        .filter(|other| *other != index)
        .find(|other| cipher.open(&group.binding(*other), &key.sealed).is_ok());
    match other {
        Some(other) => format!("the blob of key {other} stands in its place: swapped"),
        None => "the blob does not open: altered, or of another group or group epoch".to_owned(),
    }
}

fn bad(index: u32, key: &KeyParts, why: &str) -> BadShare {
    BadShare {
        index,
        key: key.key,
        why: why.to_owned(),
    }
}

fn list(bad: &[BadShare]) -> String {
    let shown: Vec<String> = bad.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = bad.len().saturating_sub(SHOWN);
    let tail = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!("{}{tail}", shown.join("; "))
}

/// Fewer shares than this are not worth a thread.
const MIN_CHUNK: usize = 64;

/// Bad shares that a message names.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::super::file::tests::{dek, parts};
    use super::*;

    fn open_parts(change: impl FnOnce(&mut super::super::file::GroupParts)) -> OpenSharesError {
        let mut parts = parts();
        change(&mut parts);
        let group = GroupShares::new(parts).unwrap();
        open_group(&group, &dek(9).share_cipher(), 2, true)
            .err()
            .unwrap()
    }

    #[test]
    fn whole_groups_open_in_the_scale_of_the_group() {
        let group = GroupShares::new(parts()).unwrap();
        let opened = open_group(&group, &dek(9).share_cipher(), 2, true).unwrap();
        assert_eq!(opened.len(), 3);
        assert!(
            opened
                .iter()
                .all(|share| share.scale() == group.scale().to_u64())
        );
    }

    #[test]
    fn every_wrong_blob_is_named_with_its_reason() {
        let swapped = open_parts(|parts| {
            let first = parts.keys[0].sealed;
            parts.keys[0].sealed = parts.keys[2].sealed;
            parts.keys[2].sealed = first;
        });
        let text = swapped.to_string();
        assert!(text.contains("2 of 3 shares"), "{text}");
        assert!(
            text.contains("the blob of key 2 stands in its place: swapped"),
            "{text}"
        );
        let altered = open_parts(|parts| {
            let mut bytes = *parts.keys[1].sealed.as_bytes();
            bytes[20] ^= 1;
            parts.keys[1].sealed = hsm_api::SealedShare::parse(1, &bytes).unwrap();
        });
        assert!(altered.to_string().contains("key 1 (0x01"), "{altered}");
        let public = open_parts(|parts| parts.keys[1].public_share = parts.keys[0].public_share);
        assert!(
            public.to_string().contains("not the public share's"),
            "{public}"
        );
    }

    #[test]
    fn shares_of_another_server_are_refused_as_such() {
        let group = GroupShares::new(parts()).unwrap();
        let other = open_group(&group, &dek(8).share_cipher(), 2, true)
            .err()
            .unwrap();
        assert!(matches!(other, OpenSharesError::OtherDek { .. }));
        let other = open_group(&group, &dek(9).share_cipher(), 3, true)
            .err()
            .unwrap();
        assert!(matches!(
            other,
            OpenSharesError::OtherMember { got: 2, own: 3, .. }
        ));
    }
}
