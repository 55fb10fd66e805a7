//! Which password file belongs to which keystore file.

use std::collections::BTreeMap;

/// A keystore file and its password file, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Name of the keystore file.
    pub keystore: &'a str,
    /// Name of the password file.
    pub password: &'a str,
}

/// Why keystore and password files do not pair up; the message names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// A keystore file without a password file.
    #[error("keystore {keystore:?} has no password file {expected:?}")]
    NoPassword {
        /// The lonely file.
        keystore: String,
        /// The name that its password file must have.
        expected: String,
    },
    /// A password file without a keystore file.
    #[error("password file {password:?} has no keystore {expected:?}")]
    NoKeystore {
        /// The lonely file.
        password: String,
        /// The name that its keystore must have.
        expected: String,
    },
    /// A file with another ending.
    #[error("file {name:?} does not end in {expected:?}; move it away or rename it")]
    OtherEnding {
        /// The file.
        name: String,
        /// The ending that files of its folder must have.
        expected: &'static str,
    },
    /// A name given twice.
    #[error("file {name:?} is given twice")]
    Twice {
        /// The file.
        name: String,
    },
}

/// Pairs `keystore-x.json` with `keystore-x.txt`, the convention of Web3Signer and Teku.
///
/// Names are without folders and compared byte by byte. Every file must find its partner: a file left
/// over is more likely a mistake than meant. The pairs are in the order of the names.
///
/// # Errors
///
/// [`PairingError`] for the first file at fault, in the order of the names.
pub fn pair_files<'a>(
    keystores: &'a [impl AsRef<str>],
    passwords: &'a [impl AsRef<str>],
) -> Result<Vec<Pair<'a>>, PairingError> {
    let keystores = by_stem(keystores, KEYSTORE_ENDING)?;
    let mut passwords = by_stem(passwords, PASSWORD_ENDING)?;
    let mut pairs = Vec::with_capacity(keystores.len());
    for (stem, keystore) in keystores {
        let Some(password) = passwords.remove(stem) else {
            let expected = format!("{stem}{PASSWORD_ENDING}");
            return Err(PairingError::NoPassword {
                keystore: keystore.into(),
                expected,
            });
        };
        pairs.push(Pair { keystore, password });
    }
    match passwords.pop_first() {
        None => Ok(pairs),
        Some((stem, password)) => Err(PairingError::NoKeystore {
            password: password.into(),
            expected: format!("{stem}{KEYSTORE_ENDING}"),
        }),
    }
}

fn by_stem<'a>(
    names: &'a [impl AsRef<str>],
    ending: &'static str,
) -> Result<BTreeMap<&'a str, &'a str>, PairingError> {
    let mut sorted: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    sorted.sort_unstable();
    let mut stems = BTreeMap::new();
    for name in sorted {
        let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) else {
            return Err(PairingError::OtherEnding {
                name: name.into(),
                expected: ending,
            });
        };
        if stems.insert(stem, name).is_some() {
            return Err(PairingError::Twice { name: name.into() });
        }
    }
    Ok(stems)
}

const KEYSTORE_ENDING: &str = ".json";
const PASSWORD_ENDING: &str = ".txt";

#[cfg(test)]
mod tests {
    use super::*;

    fn pair<'a>(
        keystores: &'a [&'a str],
        passwords: &'a [&'a str],
    ) -> Result<Vec<(&'a str, &'a str)>, String> {
        pair_files(keystores, passwords)
            .map(|pairs| {
                pairs
                    .iter()
                    .map(|pair| (pair.keystore, pair.password))
                    .collect()
            })
            .map_err(|e| e.to_string())
    }

    #[test]
    fn files_of_one_stem_pair_up_in_order() {
        let pairs = pair(
            &["keystore-b.json", "keystore-a.json"],
            &["keystore-a.txt", "keystore-b.txt"],
        );
        let expected = vec![
            ("keystore-a.json", "keystore-a.txt"),
            ("keystore-b.json", "keystore-b.txt"),
        ];
        assert_eq!(pairs, Ok(expected));
        assert_eq!(pair(&[], &[]), Ok(vec![]));
    }

    #[test]
    fn the_lonely_file_is_named() {
        let no_password = pair(&["keystore-a.json", "keystore-b.json"], &["keystore-a.txt"]);
        assert_eq!(
            no_password.unwrap_err(),
            "keystore \"keystore-b.json\" has no password file \"keystore-b.txt\""
        );
        let no_keystore = pair(&["keystore-a.json"], &["keystore-A.txt", "keystore-a.txt"]);
        assert_eq!(
            no_keystore.unwrap_err(),
            "password file \"keystore-A.txt\" has no keystore \"keystore-A.json\""
        );
    }

    #[test]
    fn other_endings_and_repeated_names_are_refused() {
        let other = pair(&["keystore-a.json", "notes.md"], &["keystore-a.txt"]).unwrap_err();
        assert_eq!(
            other,
            "file \"notes.md\" does not end in \".json\"; move it away or rename it"
        );
        assert!(
            pair(&["a.json"], &["a.password"])
                .unwrap_err()
                .contains("\"a.password\"")
        );
        assert!(
            pair(&[".json"], &[".txt"])
                .unwrap_err()
                .contains("\".json\"")
        );
        let twice = pair(&["a.json", "a.json"], &["a.txt"]).unwrap_err();
        assert_eq!(twice, "file \"a.json\" is given twice");
    }
}
