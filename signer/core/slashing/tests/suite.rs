//! The public interchange suite and the import samples of Web3Signer, against the pure rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use symbolon_duties::{Epoch, Root, SigningRoot, Slot, ValidatorPublicKey};
use symbolon_slashing::{
    ImportPlan, Interchange, Mark, ParseError, Verdict, check_attestation, check_block, import,
};

const SUITES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/suites");

/// The folder of a suite, or nothing with a line that says so; in CI its absence is a failure.
fn suite(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(SUITES).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "suite {name} is missing");
    println!("left out: suite {name} is not beside the repository");
    None
}

type Marks = BTreeMap<ValidatorPublicKey, Mark>;

/// Every key is held, as a store that keeps the history of all keys would answer.
fn plan(file: &Interchange, network: Root, marks: &Marks) -> Option<ImportPlan> {
    import(file, network, |key| {
        Some(marks.get(key).copied().unwrap_or_default())
    })
    .ok()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("field {field} in {value}"))
}

fn number(value: &Value, field: &str) -> u64 {
    text(value, field).parse().unwrap()
}

fn flag(value: &Value, field: &str) -> bool {
    value[field].as_bool().unwrap()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    cases: usize,
    steps: usize,
    signed: usize,
    refused: usize,
    /// Repeats of a root that the mark still holds, where a store without roots would refuse and a
    /// store of whole histories signs.
    repeated: usize,
}

/// `should_succeed` is what a store of minima must do, `should_succeed_complete` what a store of
/// whole histories may do; a mark with roots lies between: it may repeat in that gap, never sign.
fn judge(case: &str, message: &Value, verdict: Verdict, mark: &mut Mark, counts: &mut Counts) {
    let minimal = flag(message, "should_succeed");
    let complete = flag(message, "should_succeed_complete");
    match verdict {
        Verdict::Sign(new) => {
            assert!(minimal && complete, "{case}: signed {message}");
            counts.signed += 1;
            *mark = new;
        }
        Verdict::Repeat => {
            assert!(complete, "{case}: repeated {message}");
            counts.repeated += 1;
        }
        Verdict::Refuse(reason) => {
            assert!(!minimal, "{case}: refused {message}: {reason}");
            counts.refused += 1;
        }
    }
}

fn run_case(case: &Value, counts: &mut Counts) {
    let name = text(case, "name");
    let network: Root = text(case, "genesis_validators_root").parse().unwrap();
    let mut marks = Marks::new();
    counts.cases += 1;
    for step in case["steps"].as_array().unwrap() {
        counts.steps += 1;
        let file = Interchange::parse(step["interchange"].to_string().as_bytes()).unwrap();
        let Some(plan) = plan(&file, network, &marks) else {
            assert!(!flag(step, "should_succeed"), "{name}: not imported");
            continue;
        };
        assert!(flag(step, "should_succeed"), "{name}: imported");
        marks.extend(plan.changes.iter().map(|change| (change.key, change.new)));
        for block in step["blocks"].as_array().unwrap() {
            let mark = marks
                .entry(text(block, "pubkey").parse().unwrap())
                .or_default();
            let root: SigningRoot = text(block, "signing_root").parse().unwrap();
            let verdict = check_block(mark, Slot(number(block, "slot")), root);
            judge(name, block, verdict, mark, counts);
        }
        for vote in step["attestations"].as_array().unwrap() {
            let mark = marks
                .entry(text(vote, "pubkey").parse().unwrap())
                .or_default();
            let root: SigningRoot = text(vote, "signing_root").parse().unwrap();
            let source = Epoch(number(vote, "source_epoch"));
            let target = Epoch(number(vote, "target_epoch"));
            let verdict = check_attestation(mark, source, target, root);
            judge(name, vote, verdict, mark, counts);
        }
    }
}

#[test]
fn every_case_of_the_interchange_suite_passes() {
    let Some(folder) = suite("slashing-protection-interchange-tests/tests/generated") else {
        return;
    };
    let mut counts = Counts::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        run_case(&serde_json::from_slice(&bytes).unwrap(), &mut counts);
    }
    println!("interchange suite: {counts:?}");
    let expected = Counts {
        cases: 38,
        steps: 49,
        signed: 37,
        refused: 111,
        repeated: 2,
    };
    assert_eq!(counts, expected);
}

const SAMPLE_NETWORK: &str = "0x04700007fabc8282644aed6d1c7c9e21d38a03a0c4ba193f3afe428824b3a673";

fn sample(name: &str) -> Option<Result<ImportPlan, ParseError>> {
    let folder =
        suite("web3signer/slashing-protection/src/integration-test/resources/interchange")?;
    let bytes = std::fs::read(folder.join(name)).unwrap();
    let network = SAMPLE_NETWORK.parse().unwrap();
    Some(Interchange::parse(&bytes).map(|file| plan(&file, network, &Marks::new()).unwrap()))
}

/// Slot, source and target, and whether the root of the block is known.
type Described = (Option<u64>, Option<(u64, u64)>, bool);

fn marks_of(plan: &ImportPlan) -> Vec<Described> {
    let describe = |mark: Mark| {
        let vote = mark.attestation.map(|vote| (vote.source.0, vote.target.0));
        let root = mark.block.and_then(|block| block.root);
        (mark.block.map(|block| block.slot.0), vote, root.is_some())
    };
    plan.changes
        .iter()
        .map(|change| describe(change.new))
        .collect()
}

/// The good samples import as in Web3Signer's integration tests. `0x123456` is no signing root, so
/// its entries count without one; equal roots of a duplicated block stay, conflicting ones go.
#[test]
fn good_samples_of_web3signer_import() {
    let cases = [
        ("singleValidBlock.json", vec![(Some(12345), None, true)], 0),
        (
            "singleValidAttestation.json",
            vec![(None, Some((5, 6)), false)],
            1,
        ),
        ("duplicateBlocks.json", vec![(Some(12345), None, true)], 0),
        (
            "duplicateAttestation.json",
            vec![(None, Some((5, 6)), false)],
            2,
        ),
        (
            "conflictingBlocks.json",
            vec![(Some(12345), None, false)],
            0,
        ),
        (
            "multipleNullSigningRootBlock.json",
            vec![(Some(12346), None, false)],
            0,
        ),
        (
            "multipleNullSigningRootAttestation.json",
            vec![(None, Some((7, 8)), false)],
            0,
        ),
        ("emptyDataArray.json", vec![], 0),
        // Web3Signer refuses a source after its target; the interchange suite lets it in as a mark.
        (
            "invalidAttestationContent.json",
            vec![(None, Some((2290, 2289)), false)],
            0,
        ),
    ];
    for (name, marks, unusable_roots) in cases {
        let Some(plan) = sample(name) else { return };
        let plan = plan.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(marks_of(&plan), marks, "{name}");
        assert_eq!(plan.report.unusable_roots, unusable_roots, "{name}");
    }
}

/// Web3Signer leaves out a broken validator and takes the rest, and takes a file without data as
/// empty; here a broken file is refused as a whole and the entry is named.
#[test]
fn broken_samples_of_web3signer_are_refused_and_name_the_entry() {
    let cases = [
        (
            "missingDataField.json",
            "interchange: top level: missing field `data`",
        ),
        (
            "dataFieldNotArray.json",
            "interchange: top level: invalid type",
        ),
        (
            "missingPublicKey.json",
            "interchange: validator 1: missing field `pubkey`",
        ),
        (
            "errorInSecondBlock.json",
            "interchange: validator 1, block 2: missing field `slot`",
        ),
        (
            "errorInSecondValidator.json",
            "interchange: validator 2, attestation 1: missing field `target_epoch`",
        ),
    ];
    for (name, message) in cases {
        let Some(plan) = sample(name) else { return };
        let error = plan
            .map(|_| panic!("{name}: imported"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(message), "{name}: {error}");
    }
}

#[test]
fn acceptance_samples_of_web3signer_import_with_their_roots() {
    let Some(folder) = suite("web3signer/acceptance-tests/src/test/resources/slashing") else {
        return;
    };
    let network = SAMPLE_NETWORK.parse().unwrap();
    let load = |name| Interchange::parse(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    let one = plan(&load("slashingImport.json"), network, &Marks::new()).unwrap();
    assert_eq!(marks_of(&one), [(Some(12345), Some((5, 6)), true)]);
    let marks = one
        .changes
        .iter()
        .map(|change| (change.key, change.new))
        .collect();
    let two = plan(&load("slashingImport_two_entries.json"), network, &marks).unwrap();
    assert_eq!(marks_of(&two), [(Some(19999), Some((6, 7)), true)]);
    assert_eq!(
        (two.report.new, two.report.raised, two.report.unchanged),
        (1, 0, 1)
    );
}
