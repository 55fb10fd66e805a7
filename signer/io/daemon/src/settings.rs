//! Settings: one TOML file, whose errors name file, line and key.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::files::{self, FileError};

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not text.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A key or its value.
    #[error("{}, line {line}{}: {cause}", path.display(), named(key))]
    Setting {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The key with its tables, as `signing.max_batch`; empty where the file itself is at fault.
        key: String,
        /// What is wrong and what is expected.
        cause: String,
    },
}

/// Reads the settings in `path`. Unknown keys are errors if the structs of `T` carry
/// `#[serde(deny_unknown_fields)]`, as all of ours do.
///
/// # Errors
///
/// [`SettingsError`] for an unreadable file, one above [`MAX_BYTES`], or a wrong setting.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, SettingsError> {
    let bytes = files::read_bounded(path, MAX_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| SettingsError::NotText {
        path: path.to_owned(),
    })?;
    parse(&text, path)
}

/// As [`load`], from text; `path` is for messages only.
///
/// # Errors
///
/// [`SettingsError::Setting`].
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, SettingsError> {
    let wrong = |key: String, error: &toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text
            .as_bytes()
            .iter()
            .take(at)
            .filter(|byte| **byte == b'\n');
        SettingsError::Setting {
            path: path.to_owned(),
            line: before.count().saturating_add(1),
            key,
            cause: error.message().to_owned(),
        }
    };
    let deserializer =
        toml::Deserializer::parse(text).map_err(|error| wrong(String::new(), &error))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let key = error.path().to_string();
        wrong(if key == "." { String::new() } else { key }, error.inner())
    })
}

fn named(key: &str) -> String {
    if key.is_empty() {
        String::new()
    } else {
        format!(", {key}")
    }
}

/// Longest settings file.
pub const MAX_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        member: u16,
        hsm: Hsm,
        #[serde(default)]
        peers: Vec<Peer>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Hsm {
        token: String,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Peer {
        port: u16,
    }

    fn message(text: &str) -> String {
        parse::<Sample>(text, Path::new("server.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn good_settings_are_read() {
        let text = "member = 3\n[hsm]\ntoken = \"a\"\n[[peers]]\nport = 1\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        std::fs::write(&path, text).unwrap();
        let sample: Sample = load(&path).unwrap();
        assert_eq!((sample.member, sample.hsm.token.as_str()), (3, "a"));
        assert_eq!(sample.peers[0].port, 1);
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let cases = [
            (
                "member = 3\n\n[hsm]\ntokem = \"a\"\n",
                "server.toml, line 4, hsm.tokem: unknown field",
            ),
            (
                "member = 70000\n[hsm]\ntoken = \"a\"\n",
                "server.toml, line 1, member: invalid value",
            ),
            (
                "member = 3\n[hsm]\ntoken = 5\n",
                "server.toml, line 3, hsm.token: invalid type",
            ),
            (
                "member = 3\n[hsm]\ntoken = \"a\"\n[[peers]]\nport = 1\n[[peers]]\nport = \"x\"\n",
                "server.toml, line 7, peers[1].port: invalid type",
            ),
            (
                "member = 3\n[hsm]\n",
                "server.toml, line 2, hsm: missing field `token`",
            ),
            (
                "member = 3\nmember = 4\n",
                "server.toml, line 2: duplicate key",
            ),
            ("member = 3\n[hsm\n", "server.toml, line 2: "),
        ];
        for (text, expected) in cases {
            let message = message(text);
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn large_and_binary_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(
            load::<Sample>(&path),
            Err(SettingsError::NotText { .. })
        ));
        std::fs::write(&path, vec![b'\n'; usize::try_from(MAX_BYTES).unwrap() + 1]).unwrap();
        let error = load::<Sample>(&path).unwrap_err();
        assert!(
            matches!(error, SettingsError::File(FileError::TooLarge { .. })),
            "{error}"
        );
    }
}
