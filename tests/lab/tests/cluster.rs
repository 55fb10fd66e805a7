//! A cluster of real processes through the program that customers use: up, lie, die, down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use symbolon_lab::{
    Lab, LabRecord, Program, Programs, RequestKind, interop_key, proved_lies,
    write_interop_keystores,
};

/// Runs the program; its standard output must be one JSON document.
fn lab(arguments: &[&str]) -> Value {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(arguments: &[&str]) -> Output {
    // Makes sure that all programs are there.
    let programs = Programs::find().unwrap();
    assert!(programs.path(Program::Cli).is_file());
    Command::new(env!("CARGO_BIN_EXE_symbolon-lab"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Ends the cluster of a test that failed.
struct Ending<'a>(&'a Path);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            Lab::abandon(self.0).unwrap();
        }
    }
}

fn sign(dir: &Path, kind: RequestKind) {
    let lab = Lab::open(dir).unwrap();
    lab.sign(&lab.sampler().unwrap().sample(kind).unwrap())
        .unwrap();
}

#[test]
fn up_fault_kill_start_status_down() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("lab");
    let _ending = Ending(&dir);
    let at = dir.to_str().unwrap();
    let up = lab(&[
        "up",
        "--dir",
        at,
        "--servers",
        "3",
        "--threshold",
        "2",
        "--keys",
        "2",
        "--json",
    ]);
    assert_eq!(up["servers"].as_array().unwrap().len(), 3);
    assert_eq!(up["public_keys"].as_array().unwrap().len(), 2);
    let written = LabRecord::read(&dir).unwrap();
    assert_eq!(written.requestor_url, up["requestor_url"].as_str().unwrap());
    for server in &written.servers {
        assert_eq!(
            server.process.as_ref().map(|process| process.pid),
            server.pid
        );
        assert!(server.process.as_ref().unwrap().is_running());
    }
    sign(&dir, RequestKind::RandaoReveal);

    // In a running cluster nothing is set up anew.
    let again = run(&["up", "--dir", at]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("runs in"));

    let liar = lab(&[
        "fault", "--dir", at, "--server", "2", "--mode", "wrong", "--json",
    ]);
    assert_eq!(liar["fault"], "wrong");
    // Of three servers two answers are used: a lie counts when it comes in time.
    let opened = Lab::open(&dir).unwrap();
    let mut sampler = opened.sampler().unwrap();
    let lies = (0..50).find_map(|_| {
        sampler.slot.0 += 1;
        let sample = sampler.sample(RequestKind::AggregationSlot).unwrap();
        opened.sign(&sample).unwrap();
        let lies = proved_lies(opened.record(), opened.network()).unwrap();
        (!lies.is_empty()).then_some(lies)
    });
    assert!(lies.unwrap().iter().all(|lie| lie.name == "server-2"));
    drop(opened);

    lab(&[
        "fault", "--dir", at, "--server", "2", "--mode", "none", "--json",
    ]);
    let dead = lab(&["kill", "--dir", at, "--server", "3", "--json"]);
    assert_eq!(dead["pid"], Value::Null);
    let status = lab(&["status", "--dir", at, "--json"]);
    assert_eq!(status["answers"], true);
    assert_eq!(status["can_sign"], true);
    assert_eq!(status["processes"][2]["running"], false);
    lab(&["start", "--dir", at, "--server", "3", "--json"]);
    sign(&dir, RequestKind::VoluntaryExit);

    let down = lab(&["down", "--dir", at, "--json"]);
    assert_eq!(down["ended"], 4);
    assert!(!LabRecord::read(&dir).unwrap().is_running());
    assert_eq!(lab(&["down", "--dir", at, "--json"])["ended"], 0);
    let status = lab(&["status", "--dir", at, "--json"]);
    assert_eq!(status["answers"], false);
}

#[test]
fn imported_keys_sign_as_the_whole_key_does() {
    let folder = tempfile::tempdir().unwrap();
    let (keystores, passwords) = (folder.path().join("k"), folder.path().join("p"));
    let keys = write_interop_keystores(0..2, &keystores, &passwords).unwrap();
    let dir = folder.path().join("lab");
    let _ending = Ending(&dir);
    let up = lab(&[
        "up",
        "--dir",
        dir.to_str().unwrap(),
        "--servers",
        "2",
        "--threshold",
        "2",
        "--keystores",
        keystores.to_str().unwrap(),
        "--passwords",
        passwords.to_str().unwrap(),
        "--network",
        "hoodi",
        "--json",
    ]);
    assert_eq!(up["born_in_ceremony"], false);
    assert_eq!(up["network"]["name"], "hoodi");
    let cluster = Lab::open(&dir).unwrap();
    let sampler = symbolon_lab::Sampler {
        key: keys[1],
        ..cluster.sampler().unwrap()
    };
    let sample = sampler.sample(RequestKind::Attestation).unwrap();
    let signature = cluster.sign(&sample).unwrap();
    let root = symbolon_threshold::HashedRoot::new(sample.signing_root.as_bytes());
    let whole = interop_key(1).unwrap().sign(&root);
    assert_eq!(signature.0, whole.to_compressed());
    drop(cluster);
    assert_eq!(Lab::down(&dir).unwrap(), 3);
}

#[test]
fn what_cannot_be_had_is_said_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("none");
    let at = dir.to_str().unwrap();
    for (arguments, expected) in [
        (
            vec!["up", "--dir", at, "--threshold", "2"],
            "--threshold: 2 of 5 servers is refused",
        ),
        (
            vec!["up", "--dir", at, "--network", "nowhere"],
            "\"nowhere\" is neither a file nor one of",
        ),
        (vec!["down", "--dir", at], "there is no laboratory in"),
        (vec!["status", "--dir", at], "there is no laboratory in"),
        (
            vec!["fault", "--dir", at, "--server", "1", "--mode", "lie"],
            "\"lie\" is no fault",
        ),
        (vec!["up", "--dir", "/proc"], "not empty and no laboratory"),
    ] {
        let output = run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(expected),
            "{arguments:?}: {said}"
        );
    }
}
