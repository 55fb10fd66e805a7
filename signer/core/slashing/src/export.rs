//! Writing EIP-3076 interchange files, version 5.

use core::fmt;
use std::collections::BTreeMap;

use symbolon_duties::{Root, SigningRoot, ValidatorPublicKey};

use crate::{INTERCHANGE_VERSION, Mark, merge};

/// Writes marks as an interchange file in minimal form: at most one block and one attestation for
/// each key, with the signing root where it is known.
///
/// Deterministic: keys in the order of their bytes, one key's marks merged. A reader that takes the
/// maximum of the file is bound by every message that these marks cover.
#[must_use]
pub fn export(
    genesis_validators_root: Root,
    marks: impl IntoIterator<Item = (ValidatorPublicKey, Mark)>,
) -> String {
    let mut sorted = BTreeMap::<_, Mark>::new();
    for (key, mark) in marks {
        let entry = sorted.entry(key).or_default();
        *entry = merge(entry, &mark);
    }
    Minimal {
        genesis_validators_root,
        marks: sorted,
    }
    .to_string()
}

/// Written by hand because nothing in it needs escaping and nothing can fail.
struct Minimal {
    genesis_validators_root: Root,
    marks: BTreeMap<ValidatorPublicKey, Mark>,
}

impl fmt::Display for Minimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{{")?;
        writeln!(f, "  \"metadata\": {{")?;
        writeln!(
            f,
            "    \"interchange_format_version\": \"{INTERCHANGE_VERSION}\","
        )?;
        writeln!(
            f,
            "    \"genesis_validators_root\": \"{}\"",
            self.genesis_validators_root
        )?;
        writeln!(f, "  }},")?;
        write!(f, "  \"data\": [")?;
        for (n, (key, mark)) in self.marks.iter().enumerate() {
            writeln!(f, "{}\n    {{", if n == 0 { "" } else { "," })?;
            writeln!(f, "      \"pubkey\": \"{key}\",")?;
            let block = mark
                .block
                .map(|block| (format!("\"slot\": \"{}\"", block.slot), block.root));
            list(f, "signed_blocks", block)?;
            writeln!(f, ",")?;
            let vote = mark.attestation.map(|vote| {
                let source = format!("\"source_epoch\": \"{}\"", vote.source);
                (
                    format!("{source},\n          \"target_epoch\": \"{}\"", vote.target),
                    vote.root,
                )
            });
            list(f, "signed_attestations", vote)?;
            write!(f, "\n    }}")?;
        }
        writeln!(f, "{}]", if self.marks.is_empty() { "" } else { "\n  " })?;
        writeln!(f, "}}")
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    entry: Option<(String, Option<SigningRoot>)>,
) -> fmt::Result {
    let Some((fields, root)) = entry else {
        return write!(f, "      \"{name}\": []");
    };
    write!(f, "      \"{name}\": [\n        {{\n          {fields}")?;
    if let Some(root) = root {
        write!(f, ",\n          \"signing_root\": \"{root}\"")?;
    }
    write!(f, "\n        }}\n      ]")
}
