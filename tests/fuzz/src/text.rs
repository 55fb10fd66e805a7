//! Short texts of others: identifiers, headers, names, passwords, file names.

use hsm_api::{ObjectLabel, SealKind};
use symbolon_duties::{DutyKind, ForkName, ValidatorPublicKey};
use symbolon_keystore::{Password, pair_files};
use symbolon_secmem::SecretBytes;
use symbolon_web3signer::{AnswerFormat, parse_identifier, render_signature};

use crate::Seed;

/// Nothing here is longer but passwords, whose bound is tried too.
pub const MAX_LEN: usize = 512;

/// What is accepted is written again as a text that means the same.
pub fn check(data: &[u8]) {
    password(data);
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(key) = parse_identifier(text) {
        let written = key.to_string();
        assert_eq!(parse_identifier(&written).unwrap(), key);
        assert_eq!(parse_identifier(&written[2..]).unwrap(), key);
        assert!(written.ends_with(&text[text.len() - 96..].to_ascii_lowercase()));
        assert!(matches!(text.len(), 96 | 98));
    }
    if let Ok(kind) = text.parse::<DutyKind>() {
        assert_eq!(kind.name(), text.to_ascii_uppercase());
    }
    if let Ok(fork) = text.parse::<ForkName>() {
        assert_eq!(fork.name(), text.to_ascii_uppercase());
    }
    if let Some(kind) = SealKind::from_name(text) {
        assert_eq!(kind.name(), text);
    }
    if let Ok(label) = ObjectLabel::parse(text) {
        assert_eq!(label.to_string(), text);
        assert!(text.is_ascii() && !text.contains('/'));
    }
    let format = AnswerFormat::from_accept(Some(text));
    let (content_type, body) = render_signature(format, &[1; 96]);
    assert_eq!(content_type.contains("json"), format == AnswerFormat::Json);
    assert_eq!(body.starts_with('{'), format == AnswerFormat::Json);
    file_names(text);
}

fn password(data: &[u8]) {
    let Ok(secret) = SecretBytes::take_from(&mut data.to_vec()) else {
        return;
    };
    // Not UTF-8, or too long once it is normalised, is an error; nothing more can be seen of it.
    let made = Password::new(&secret).is_ok();
    assert!(!made || core::str::from_utf8(data).is_ok());
}

/// Every line a file name: pairs hold each name once, and belong together.
fn file_names(text: &str) {
    let (passwords, keystores): (Vec<_>, Vec<_>) =
        text.lines().partition(|name| name.ends_with(".txt"));
    if let Ok(pairs) = pair_files(&keystores, &passwords) {
        assert_eq!((pairs.len(), pairs.len()), (keystores.len(), passwords.len()));
        for pair in pairs {
            assert_eq!(
                pair.keystore.strip_suffix(".json"),
                pair.password.strip_suffix(".txt")
            );
        }
    }
}

/// One for each reader.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let key = ValidatorPublicKey([0xab; 48]).to_string();
    let texts = [
        ("identifier", key.as_str()),
        ("identifier-bare", &key[2..]),
        ("accept", "text/html, application/json;q=0.9, */*;q=0.1"),
        ("duty-kind", "sync_committee_selection_proof"),
        ("fork", "electra"),
        ("seal-kind", "aes-gcm-hsmIV-appended"),
        ("label", "member-1_a.b"),
        ("password", "correct horse \u{1d52d}\u{e4}\u{1f511}\u{7f}\r\n"),
        ("file-names", "a.json\nb.json\na.txt\nb.txt\n"),
    ];
    texts.map(|(name, text)| (name, text.as_bytes().to_vec())).to_vec()
}
