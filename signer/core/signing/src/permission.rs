//! Who may ask for which duties of which keys.
//!
//! The file is a list of grants; what no grant allows is refused.
//!
//! ```
//! use symbolon_duties::{DutyKind, ValidatorPublicKey};
//! use symbolon_signing::Permissions;
//!
//! let permissions = Permissions::parse(
//!     r#"
//!     [[allow]]
//!     requestor = "req-1"
//!     keys = ["group:north"]
//!     duties = ["validating"]
//!     "#,
//! )?;
//! let key = ValidatorPublicKey([7; 48]);
//! assert!(permissions.check("req-1", &key, "north", DutyKind::Block).is_ok());
//! assert!(permissions.check("req-1", &key, "north", DutyKind::VoluntaryExit).is_err());
//! # Ok::<(), symbolon_signing::PermissionError>(())
//! ```

use std::collections::HashSet;

use serde::Deserialize;
use symbolon_duties::{DutyKind, ValidatorPublicKey};
use toml::Spanned;

/// Longest permissions file that is read, in bytes.
pub const MAX_PERMISSIONS_BYTES: usize = 16 << 20;

/// The grants of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    grants: Vec<Grant>,
}

/// What no grant allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No grant names the requestor.
    #[error("requestor {requestor:?} has no permission here")]
    Requestor {
        /// Who asked.
        requestor: String,
    },
    /// Grants name the requestor, none of them the key.
    #[error("requestor {requestor:?} has no permission for this key")]
    Key {
        /// Who asked.
        requestor: String,
    },
    /// Grants name requestor and key, none of them the kind of duty.
    #[error("requestor {requestor:?} may not ask for {kind} with this key")]
    Duty {
        /// Who asked.
        requestor: String,
        /// For what.
        kind: DutyKind,
    },
}

/// Why a permissions file is refused; nothing of it is used then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionError {
    /// More bytes than [`MAX_PERMISSIONS_BYTES`].
    #[error("permissions have {got} bytes, at most {MAX_PERMISSIONS_BYTES} are read")]
    TooLong {
        /// Bytes given.
        got: usize,
    },
    /// Not TOML, an unknown key, a missing key, or a value of the wrong type.
    #[error("permissions: line {line}: {cause}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What the parser met.
        cause: String,
    },
    /// A value that means nothing.
    #[error("permissions: line {line}: {key} = {value:?}: expected {expected}")]
    Value {
        /// Line, from 1.
        line: usize,
        /// Name of the setting.
        key: &'static str,
        /// The value, cut to 100 characters.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// An empty list grants nothing and is surely a mistake.
    #[error("permissions: line {line}: {key} is empty; name at least one or remove the grant")]
    Empty {
        /// Line, from 1.
        line: usize,
        /// Name of the setting.
        key: &'static str,
    },
}

impl Permissions {
    /// Parses a permissions file. The empty file grants nothing.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, PermissionError> {
        if text.len() > MAX_PERMISSIONS_BYTES {
            return Err(PermissionError::TooLong { got: text.len() });
        }
        let file: File = toml::from_str(text).map_err(|error| {
            let line = line(text, error.span().map_or(0, |span| span.start));
            PermissionError::Syntax {
                line,
                cause: printable(error.message()),
            }
        })?;
        let grants = file.allow.into_iter().map(|raw| Grant::parse(text, raw));
        Ok(Self {
            grants: grants.collect::<Result<_, _>>()?,
        })
    }

    /// Whether `requestor` may have a duty of `kind` signed with `key`, which belongs to the group
    /// called `group`.
    ///
    /// # Errors
    ///
    /// [`Denied`], which says how near the grants came.
    pub fn check(
        &self,
        requestor: &str,
        key: &ValidatorPublicKey,
        group: &str,
        kind: DutyKind,
    ) -> Result<(), Denied> {
        let (mut known, mut has_key) = (false, false);
        for grant in self
            .grants
            .iter()
            .filter(|grant| grant.requestor.is(requestor))
        {
            known = true;
            if grant.keys.hold(key, group) {
                has_key = true;
                if grant.duties.hold(kind) {
                    return Ok(());
                }
            }
        }
        let requestor = requestor.to_owned();
        Err(match (known, has_key) {
            (_, true) => Denied::Duty { requestor, kind },
            (true, false) => Denied::Key { requestor },
            (false, false) => Denied::Requestor { requestor },
        })
    }

    /// How many grants there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.grants.len()
    }

    /// Whether nothing is granted to anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    requestor: Requestor,
    keys: Keys,
    duties: DutySet,
}

impl Grant {
    fn parse(text: &str, raw: RawGrant) -> Result<Self, PermissionError> {
        Ok(Self {
            requestor: Requestor::parse(text, raw.requestor)?,
            keys: Keys::parse(text, raw.keys)?,
            duties: DutySet::parse(text, raw.duties)?,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requestor {
    Any,
    Named(String),
}

impl Requestor {
    fn parse(text: &str, raw: Spanned<String>) -> Result<Self, PermissionError> {
        if raw.get_ref() == ANY {
            return Ok(Self::Any);
        }
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=32).contains(&raw.get_ref().len()) && raw.get_ref().chars().all(name) {
            return Ok(Self::Named(raw.into_inner()));
        }
        Err(wrong(
            text,
            "requestor",
            &raw,
            "a client name of the roster, or \"*\"",
        ))
    }

    fn is(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(named) => named == name,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Keys {
    any: bool,
    keys: HashSet<ValidatorPublicKey>,
    groups: HashSet<String>,
}

impl Keys {
    fn parse(text: &str, raw: Spanned<Vec<Spanned<String>>>) -> Result<Self, PermissionError> {
        let mut keys = Self::default();
        for entry in nonempty(text, "keys", raw)? {
            let value = entry.get_ref();
            if value == ANY {
                keys.any = true;
            } else if let Some(group) = value.strip_prefix("group:").filter(|name| !name.is_empty())
            {
                keys.groups.insert(group.to_owned());
            } else if let Some(Ok(key)) = value.strip_prefix("0x").map(str::parse) {
                keys.keys.insert(key);
            } else {
                let expected =
                    "\"*\", a public key of 48 bytes after 0x, or \"group:\" and a label";
                return Err(wrong(text, "keys", &entry, expected));
            }
        }
        Ok(keys)
    }

    fn hold(&self, key: &ValidatorPublicKey, group: &str) -> bool {
        self.any || self.keys.contains(key) || self.groups.contains(group)
    }
}

/// A set of kinds of duty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DutySet(
    /// One bit for each code of [`DutyKind`].
    u32,
);

impl DutySet {
    /// All kinds.
    #[must_use]
    pub fn all() -> Self {
        DutyKind::ALL.into_iter().collect()
    }

    /// Whether `kind` is in the set.
    #[must_use]
    pub fn hold(self, kind: DutyKind) -> bool {
        self.0 & bit(kind) != 0
    }

    fn parse(text: &str, raw: Spanned<Vec<Spanned<String>>>) -> Result<Self, PermissionError> {
        let mut duties = Self::default();
        for entry in nonempty(text, "duties", raw)? {
            match entry.get_ref().as_str() {
                "all" => duties.add(|_| true),
                "validating" => {
                    duties.add(|kind| !matches!(kind, DutyKind::VoluntaryExit | DutyKind::Deposit))
                }
                name => {
                    let name = name.strip_suffix("_V2").unwrap_or(name);
                    let Ok(named) = name.parse::<DutyKind>() else {
                        let expected = "a name such as BLOCK, ATTESTATION or VOLUNTARY_EXIT, or the sets \
                             \"validating\" and \"all\"";
                        return Err(wrong(text, "duties", &entry, expected));
                    };
                    duties.add(|kind| kind == named);
                }
            }
        }
        Ok(duties)
    }

    fn add(&mut self, wanted: impl Fn(DutyKind) -> bool) {
        for kind in DutyKind::ALL.into_iter().filter(|kind| wanted(*kind)) {
            self.0 |= bit(kind);
        }
    }
}

impl FromIterator<DutyKind> for DutySet {
    fn from_iter<I: IntoIterator<Item = DutyKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | bit(kind)))
    }
}

fn bit(kind: DutyKind) -> u32 {
    1_u32.checked_shl(u32::from(kind.code())).unwrap_or(0)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<RawGrant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGrant {
    requestor: Spanned<String>,
    keys: Spanned<Vec<Spanned<String>>>,
    duties: Spanned<Vec<Spanned<String>>>,
}

fn nonempty(
    text: &str,
    key: &'static str,
    raw: Spanned<Vec<Spanned<String>>>,
) -> Result<Vec<Spanned<String>>, PermissionError> {
    if raw.get_ref().is_empty() {
        return Err(PermissionError::Empty {
            line: line(text, raw.span().start),
            key,
        });
    }
    Ok(raw.into_inner())
}

fn wrong(
    text: &str,
    key: &'static str,
    value: &Spanned<String>,
    expected: &'static str,
) -> PermissionError {
    PermissionError::Value {
        line: line(text, value.span().start),
        key,
        value: value.get_ref().chars().take(100).collect(),
        expected,
    }
}

fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}

/// The parser quotes the file: cut, and free of control codes that would reach a terminal.
fn printable(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(200).map(clean).collect()
}

const ANY: &str = "*";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: ValidatorPublicKey = ValidatorPublicKey([0xab; 48]);
    const OTHER: ValidatorPublicKey = ValidatorPublicKey([0xcd; 48]);

    fn grant(requestor: &str, keys: &str, duties: &str) -> String {
        format!("[[allow]]\nrequestor = \"{requestor}\"\nkeys = [{keys}]\nduties = [{duties}]\n")
    }

    #[test]
    fn a_grant_holds_for_its_requestor_keys_and_duties_only() {
        let text = grant(
            "req-1",
            &format!("\"{KEY}\""),
            "\"ATTESTATION\", \"BLOCK_V2\"",
        ) + &grant("*", "\"group:north\"", "\"RANDAO_REVEAL\"");
        let permissions = Permissions::parse(&text).unwrap();
        assert_eq!(
            permissions.check("req-1", &KEY, "south", DutyKind::Attestation),
            Ok(())
        );
        assert_eq!(
            permissions.check("req-1", &KEY, "south", DutyKind::Block),
            Ok(())
        );
        assert_eq!(
            permissions.check("req-9", &OTHER, "north", DutyKind::RandaoReveal),
            Ok(())
        );
        let denied = permissions.check("req-1", &KEY, "south", DutyKind::VoluntaryExit);
        assert_eq!(
            denied.unwrap_err().to_string(),
            "requestor \"req-1\" may not ask for VOLUNTARY_EXIT with this key"
        );
        assert!(matches!(
            permissions.check("req-1", &OTHER, "south", DutyKind::Block),
            Err(Denied::Key { .. })
        ));
        let permissions = Permissions::parse(&grant("req-1", "\"*\"", "\"all\"")).unwrap();
        assert!(matches!(
            permissions.check("req-2", &KEY, "north", DutyKind::Block),
            Err(Denied::Requestor { .. })
        ));
    }

    #[test]
    fn the_empty_file_grants_nothing() {
        let permissions = Permissions::parse("# nobody yet\n").unwrap();
        assert!(permissions.is_empty());
        for kind in DutyKind::ALL {
            assert!(permissions.check("req-1", &KEY, "north", kind).is_err());
        }
    }

    #[test]
    fn validating_leaves_out_exits_and_deposits() {
        let permissions = Permissions::parse(&grant("*", "\"*\"", "\"validating\"")).unwrap();
        for kind in DutyKind::ALL {
            let allowed = permissions.check("req-1", &KEY, "north", kind).is_ok();
            let money = matches!(kind, DutyKind::VoluntaryExit | DutyKind::Deposit);
            assert_eq!(allowed, !money, "{kind}");
        }
    }

    #[test]
    fn errors_name_line_and_setting() {
        for (text, expected) in [
            (
                grant("req-1", "\"0x12\"", "\"all\""),
                "line 3: keys = \"0x12\": expected",
            ),
            (
                grant("Req 1", "\"*\"", "\"all\""),
                "line 2: requestor = \"Req 1\": expected",
            ),
            (
                grant("req-1", "\"group:\"", "\"all\""),
                "line 3: keys = \"group:\": expected",
            ),
            (
                grant("req-1", "\"*\"", "\"BLOKC\""),
                "line 4: duties = \"BLOKC\": expected",
            ),
            (grant("req-1", "", "\"all\""), "line 3: keys is empty"),
            (grant("req-1", "\"*\"", ""), "line 4: duties is empty"),
            (
                grant("req-1", "\"*\"", "\"all\"") + "until = 3\n",
                "line 5: unknown field",
            ),
            (
                "[[allow]]\nrequestor = \"a\"\nkeys = [\"*\"]\n".into(),
                "missing field `duties`",
            ),
            ("[[deny]]\n".into(), "line 1: unknown field"),
            ("[[allow]\n".into(), "line 1: "),
        ] {
            let error = Permissions::parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC*") {
            drop(Permissions::parse(&text));
        }

        #[test]
        fn arbitrary_grants_never_panic(a in "\\PC{0,20}", b in "\\PC{0,20}", c in "\\PC{0,20}") {
            let quoted = |text: &str| toml::Value::from(text).to_string();
            let text = format!(
                "[[allow]]\nrequestor = {}\nkeys = [{}]\nduties = [{}]\n",
                quoted(&a), quoted(&b), quoted(&c)
            );
            drop(Permissions::parse(&text));
        }
    }
}
