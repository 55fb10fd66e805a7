//! Permissions files (TOML).

use symbolon_duties::{DutyKind, ValidatorPublicKey};
use symbolon_signing::Permissions;

use crate::Seed;

/// A few grants.
pub const MAX_LEN: usize = 2048;

/// A file without a grant allows nothing; a file with one grant more allows nothing less.
pub fn check(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let Ok(permissions) = Permissions::parse(text) else {
        return;
    };
    let grants = permissions.len();
    assert_eq!(permissions.is_empty(), grants == 0);
    let more = format!("{text}\n{GRANT}");
    let more = Permissions::parse(&more).ok();
    for requestor in ["req-1", "req-2", "*", ""] {
        for key in [KEY, ValidatorPublicKey([0; 48])] {
            for (group, kind) in ["north", "south"].into_iter().zip(DutyKind::ALL.repeat(2)) {
                let allowed = permissions.check(requestor, &key, group, kind).is_ok();
                assert!(!(allowed && permissions.is_empty()));
                if let Some(more) = &more {
                    assert_eq!(more.len(), grants + 1);
                    let still = more.check(requestor, &key, group, kind).is_ok();
                    assert!(still || !allowed);
                }
            }
        }
    }
    if let Some(more) = more {
        assert!(more.check("req-9", &KEY, "west", DutyKind::RandaoReveal).is_ok());
    }
}

const KEY: ValidatorPublicKey = ValidatorPublicKey([7; 48]);

const GRANT: &str = "\
[[allow]]
requestor = \"req-9\"
keys = [\"group:west\"]
duties = [\"validating\"]
";

/// Each form of a grant.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let named = format!(
        "# who may what\n[[allow]]\nrequestor = \"req-1\"\nkeys = [\"{KEY}\", \"group:north\"]\n\
         duties = [\"BLOCK\", 'attestation']\n"
    );
    let all = "[[allow]]\nrequestor = \"*\"\nkeys = [\"*\"]\nduties = [\"*\"]\n";
    let inline = "allow = [{ requestor = \"req-2\", keys = [\"group:south\"], duties = [\"validating\"] }]\n";
    vec![
        ("named", named.into_bytes()),
        ("all", all.as_bytes().to_vec()),
        ("grant", GRANT.as_bytes().to_vec()),
        ("inline", inline.as_bytes().to_vec()),
        ("empty", Vec::new()),
    ]
}
