//! The form of answers, and the keys in paths and lists.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use symbolon_web3signer::{AnswerFormat, parse_identifier, render_public_keys, render_signature};

#[test]
fn the_form_of_the_answer_follows_the_accept_header() {
    for (accept, format) in [
        (Some("application/json"), AnswerFormat::Json),
        (Some("*/*"), AnswerFormat::Json),
        (
            Some("text/plain, Application/JSON;q=0.5"),
            AnswerFormat::Json,
        ),
        (Some("text/plain"), AnswerFormat::Text),
        (Some("text/plain; charset=utf-8"), AnswerFormat::Text),
        (Some(""), AnswerFormat::Text),
        (None, AnswerFormat::Text),
    ] {
        assert_eq!(AnswerFormat::from_accept(accept), format, "{accept:?}");
    }
    let digits = "ab".repeat(96);
    let (kind, body) = render_signature(AnswerFormat::Json, &[0xab; 96]);
    assert_eq!(
        (kind, body),
        (
            "application/json",
            format!("{{\"signature\":\"0x{digits}\"}}")
        )
    );
    let (kind, body) = render_signature(AnswerFormat::Text, &[0xab; 96]);
    assert_eq!(
        (kind, body),
        ("text/plain; charset=utf-8", format!("0x{digits}"))
    );
}

#[test]
fn keys_are_listed_and_looked_up_in_hexadecimal() {
    let digits = "ab".repeat(48);
    let key = parse_identifier(&format!("0x{digits}")).unwrap();
    assert_eq!(parse_identifier(&digits.to_uppercase()).unwrap(), key);
    assert_eq!(
        parse_identifier("0xabcd").unwrap_err().to_string(),
        "the key in the path is no BLS public key: \
         expected 0x and 96 hexadecimal digits, got 6 characters"
    );
    let (kind, body) = render_public_keys([&key, &key]);
    assert_eq!(kind, "application/json");
    assert_eq!(body, format!("[\"0x{digits}\",\"0x{digits}\"]"));
    assert_eq!(render_public_keys([]).1, "[]");
}
