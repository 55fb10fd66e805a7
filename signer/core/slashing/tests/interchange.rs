//! Reading, planning and writing interchange files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use proptest::prelude::*;
use symbolon_duties::{Epoch, Root, SigningRoot, Slot, ValidatorPublicKey};
use symbolon_slashing::{
    AttestationMark, BlockMark, ImportError, Interchange, MAX_INTERCHANGE_BYTES, Mark, ParseError,
    export, import,
};

const NETWORK: Root = Root([4; 32]);

fn key(n: u8) -> ValidatorPublicKey {
    ValidatorPublicKey([n; 48])
}

fn file(data: &str) -> String {
    format!(
        r#"{{"metadata":{{"interchange_format_version":"5","genesis_validators_root":"{NETWORK}"}},
            "data":[{data}]}}"#
    )
}

fn validator(n: u8, blocks: &str, attestations: &str) -> String {
    format!(
        r#"{{"pubkey":"{}","signed_blocks":[{blocks}],"signed_attestations":[{attestations}]}}"#,
        key(n)
    )
}

fn parse(data: &str) -> Interchange {
    Interchange::parse(file(data).as_bytes()).unwrap()
}

fn error(text: &str) -> String {
    Interchange::parse(text.as_bytes()).unwrap_err().to_string()
}

fn mark(slot: u64, source: u64, target: u64, root: Option<SigningRoot>) -> Mark {
    Mark {
        block: Some(BlockMark {
            slot: Slot(slot),
            root,
        }),
        attestation: Some(AttestationMark {
            source: Epoch(source),
            target: Epoch(target),
            root,
        }),
    }
}

#[test]
fn errors_name_the_validator_the_entry_and_the_field() {
    let good = validator(1, "", "");
    let cases = [
        (
            validator(2, r#"{"slot":"1"},{"slot":7}"#, ""),
            "validator 2, block 2, slot: ",
        ),
        (
            validator(2, r#"{"slot":"+7"}"#, ""),
            "validator 2, block 1, slot: expected a quoted",
        ),
        (
            validator(2, r#"{"slot":""}"#, ""),
            "validator 2, block 1, slot: expected a quoted",
        ),
        (
            validator(2, r#"{"slot":"18446744073709551616"}"#, ""),
            "validator 2, block 1, slot: expected a quoted",
        ),
        (
            validator(
                2,
                "",
                r#"{"source_epoch":"1","target_epoch":"2","signing_root":"12"}"#,
            ),
            "validator 2, attestation 1, signing_root: expected a signing root",
        ),
        (
            validator(2, r#"{"slot":"1","signing_root":"0x1g"}"#, ""),
            "validator 2, block 1, signing_root: expected a signing root",
        ),
        (
            validator(2, r#"{"slot":"1","sloth":"2"}"#, ""),
            "validator 2, block 1, sloth: unknown field",
        ),
        (
            validator(2, r#"{"slot":"1","slot":"2"}"#, ""),
            "validator 2, block 1: duplicate field",
        ),
        (
            r#"{"pubkey":"0x12","signed_blocks":[],"signed_attestations":[]}"#.into(),
            "validator 2, pubkey: expected 0x and 96 hexadecimal digits, got 4 characters",
        ),
        (
            r#"{"pubkey":"0x12","signed_blocks":7}"#.into(),
            "validator 2",
        ),
    ];
    for (bad, expected) in cases {
        let message = error(&file(&format!("{good},{bad}")));
        assert!(
            message.starts_with(&format!("interchange: {expected}")),
            "{message}"
        );
        assert!(message.contains(" at line "), "{message}");
    }
}

#[test]
fn errors_quote_little_of_the_file_and_no_control_codes() {
    let name = format!("\\u001b[31m\\n{}", "x".repeat(1 << 20));
    let entry = format!(r#"{{"slot":"1","{name}":"2"}}"#);
    for bad in [validator(1, &entry, ""), format!(r#""{name}""#)] {
        let message = error(&file(&bad));
        assert!(message.len() < 400, "{} bytes", message.len());
        assert!(!message.contains(char::is_control), "{message}");
    }
}

#[test]
fn other_versions_forms_and_lengths_are_refused() {
    let version = |version: &str| {
        format!(r#"{{"metadata":{{"interchange_format_version":"{version}"}},"blocks":1}}"#)
    };
    assert_eq!(
        error(&version("4")),
        "interchange format version \"4\" is not supported; export version 5"
    );
    assert!(error(&version(&"9".repeat(99))).contains("\"9999999999999999\""));
    let message = error(&file("").replacen('{', "{\"blocks\":1,", 1));
    assert!(
        message.starts_with("interchange: blocks: unknown field `blocks`"),
        "{message}"
    );
    for text in ["", "  ", "12345", "\"hunter2\"", "[{}]", "null"] {
        let parsed = Interchange::parse(text.as_bytes());
        assert!(matches!(parsed, Err(ParseError::NotAnObject)), "{text}");
    }
    assert!(error("{}").starts_with("interchange: top level: missing field `metadata`"));
    assert!(error(&format!("{} x", file(""))).starts_with("interchange: after the last entry: "));
    let long = vec![b' '; MAX_INTERCHANGE_BYTES + 1];
    let parsed = Interchange::parse(&long);
    assert!(matches!(parsed, Err(ParseError::TooLong { got }) if got == long.len()));
}

#[test]
fn a_validator_named_twice_has_one_history() {
    let root = SigningRoot([3; 32]);
    let first = validator(1, r#"{"slot":"9"},{"slot":"4"}"#, "");
    let vote = format!(r#"{{"source_epoch":"1","target_epoch":"2","signing_root":"{root}"}}"#);
    let second = validator(
        1,
        &format!(r#"{{"slot":"10","signing_root":"{root}"}}"#),
        &vote,
    );
    let parsed = parse(&format!("{first},{},{second}", validator(2, "", "")));
    let histories: Vec<_> = parsed.histories().collect();
    assert_eq!(histories.len(), 2);
    assert_eq!(histories[0].1.mark, mark(10, 1, 2, Some(root)));
    assert_eq!((histories[0].1.blocks, histories[0].1.attestations), (3, 1));
    assert_eq!(histories[1].1.mark, Mark::default());
}

#[test]
fn a_zero_or_short_root_is_no_root() {
    let zero = SigningRoot([0; 32]);
    let blocks = format!(r#"{{"slot":"9","signing_root":"{zero}"}}"#);
    let vote = r#"{"source_epoch":"1","target_epoch":"2","signing_root":"0x1234"}"#;
    let parsed = parse(&validator(1, &blocks, vote));
    let (_, history) = parsed.histories().next().unwrap();
    assert_eq!(
        (history.mark, history.unusable_roots),
        (mark(9, 1, 2, None), 2)
    );
}

#[test]
fn an_import_is_a_plan_with_a_report() {
    let entries = |slot: u64| {
        let vote = format!(
            r#"{{"source_epoch":"{}","target_epoch":"{}"}}"#,
            slot / 32,
            slot / 32 + 1
        );
        (format!(r#"{{"slot":"{slot}"}}"#), vote)
    };
    let data: Vec<_> = [(1, 64), (2, 96), (3, 32), (4, 640)]
        .map(|(n, slot)| validator(n, &entries(slot).0, &entries(slot).1))
        .into();
    let parsed = parse(&data.join(","));
    let held = |key_: &ValidatorPublicKey| match key_.0[0] {
        1 => Some(Mark::default()),
        2 => Some(mark(90, 9, 1, None)),
        3 => Some(mark(100, 5, 6, Some(SigningRoot([1; 32])))),
        _ => None,
    };
    let plan = import(&parsed, NETWORK, held).unwrap();
    let changes: Vec<_> = plan.changes.iter().map(|c| (c.key, c.old, c.new)).collect();
    assert_eq!(
        changes,
        [
            (key(1), Mark::default(), mark(64, 2, 3, None)),
            (key(2), mark(90, 9, 1, None), mark(96, 9, 4, None)),
        ]
    );
    let report = plan.report;
    assert_eq!(
        (report.blocks, report.attestations, report.unusable_roots),
        (4, 4, 0)
    );
    assert_eq!((report.new, report.raised, report.unchanged), (1, 1, 1));
    assert_eq!(report.unknown, [key(4)]);
    assert_eq!(
        (report.highest_slot, report.highest_epoch),
        (Some(Slot(96)), Some(Epoch(9)))
    );
}

#[test]
fn a_file_of_another_network_is_refused_whole() {
    let parsed = parse(&validator(1, r#"{"slot":"9"}"#, ""));
    let error = import(&parsed, Root([5; 32]), |_| panic!("marks were asked for")).unwrap_err();
    assert_eq!(
        error,
        ImportError::OtherNetwork {
            expected: Root([5; 32]),
            got: NETWORK
        }
    );
}

#[test]
fn an_export_is_minimal_sorted_and_pretty() {
    let root = SigningRoot([0xab; 32]);
    let marks = [
        (key(2), mark(10, 1, 2, Some(root))),
        (key(1), Mark::default()),
    ];
    let text = export(NETWORK, marks);
    let (network, one, two) = (NETWORK, key(1), key(2));
    let expected = format!(
        r#"{{
  "metadata": {{
    "interchange_format_version": "5",
    "genesis_validators_root": "{network}"
  }},
  "data": [
    {{
      "pubkey": "{one}",
      "signed_blocks": [],
      "signed_attestations": []
    }},
    {{
      "pubkey": "{two}",
      "signed_blocks": [
        {{
          "slot": "10",
          "signing_root": "{root}"
        }}
      ],
      "signed_attestations": [
        {{
          "source_epoch": "1",
          "target_epoch": "2",
          "signing_root": "{root}"
        }}
      ]
    }}
  ]
}}
"#
    );
    assert_eq!(text, expected);
    let empty: serde_json::Value = serde_json::from_str(&export(NETWORK, [])).unwrap();
    assert_eq!(empty["data"], serde_json::json!([]));
}

prop_compose! {
    fn marks()(
        block in prop::option::of((any::<u64>(), any::<bool>())),
        vote in prop::option::of((any::<u64>(), any::<u64>(), any::<bool>())),
        byte in 1..=255u8,
    ) -> Mark {
        let root = |known: bool| known.then_some(SigningRoot([byte; 32]));
        Mark {
            block: block.map(|(slot, known)| BlockMark { slot: Slot(slot), root: root(known) }),
            attestation: vote.map(|(source, target, known)| AttestationMark {
                source: Epoch(source),
                target: Epoch(target),
                root: root(known),
            }),
        }
    }
}

/// Fragments of the format, so that random text gets past the first brace.
fn almost_json() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\"5\""),
        Just("\"metadata\""),
        Just("\"data\""),
        Just("\"pubkey\""),
        Just("\"signed_blocks\""),
        Just("\"slot\""),
        Just("\"interchange_format_version\""),
        Just("null"),
        Just("7"),
        Just("\"genesis_validators_root\""),
        Just("\"signing_root\""),
        Just("\"0x00\""),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| format!("{{{}", words.concat()))
}

proptest! {
    #[test]
    fn an_export_imports_to_the_same_marks(marks in prop::collection::btree_map(0..9u8, marks(), 0..9)) {
        let marks = marks.into_iter().map(|(n, mark)| (key(n), mark)).collect::<Vec<_>>();
        let text = export(NETWORK, marks.iter().rev().copied());
        prop_assert_eq!(&text, &export(NETWORK, marks.iter().copied()));
        let parsed = Interchange::parse(text.as_bytes()).unwrap();
        let read: Vec<_> = parsed.histories().map(|(key, history)| (*key, history.mark)).collect();
        prop_assert_eq!(&read, &marks);
        let held = |key: &ValidatorPublicKey| marks.iter().find(|m| m.0 == *key).map(|m| m.1);
        let again = import(&parsed, NETWORK, held).unwrap();
        prop_assert!(again.changes.is_empty());
        prop_assert_eq!(again.report.unchanged, u64::try_from(marks.len()).unwrap());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Interchange::parse(&bytes).is_err());
    }

    #[test]
    fn almost_interchange_never_panics(text in almost_json()) {
        prop_assert!(Interchange::parse(text.as_bytes()).is_err());
    }

    #[test]
    fn a_file_with_one_changed_byte_never_panics(at in any::<prop::sample::Index>(), byte: u8) {
        let root = SigningRoot([7; 32]);
        let mut bytes = export(NETWORK, [(key(1), mark(10, 1, 2, Some(root)))]).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(parsed) = Interchange::parse(&bytes) {
            prop_assert!(parsed.histories().len() <= 1);
        }
    }
}

#[test]
fn deep_nesting_is_an_error_not_an_overflow() {
    let deep = format!("{{\"data\":{}", "[".repeat(1 << 20));
    assert!(Interchange::parse(deep.as_bytes()).is_err());
    let deep = format!("{{\"metadata\":{}", "{\"a\":".repeat(1 << 18));
    assert!(Interchange::parse(deep.as_bytes()).is_err());
}
