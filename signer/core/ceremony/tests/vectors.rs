//! The vectors that are checked in are those that the code makes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

#[test]
fn vectors_are_what_the_code_makes() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/ceremony"
    );
    for (name, expected) in support::vectors::all() {
        let stored = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
        let differs = stored
            .lines()
            .zip(expected.lines())
            .find(|(stored, made)| stored != made);
        assert!(differs.is_none(), "{name}: {differs:?}");
        assert_eq!(stored.len(), expected.len(), "{name}");
    }
}
