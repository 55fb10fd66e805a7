//! A ceremony whose messages only ever lie in a folder that is carried from member to member; the
//! judge; and a member that lost its disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::path::Path;

use serde_json::Value;
use symbolon_lab::{KeySource, Lab, LabOptions, RequestKind};
use symbolon_suites::quiet;

fn lab() -> Lab {
    let options = LabOptions {
        servers: 3,
        threshold: 2,
        keys: KeySource::None,
        ..LabOptions::default()
    };
    Lab::up(&options, &quiet()).unwrap()
}

/// The guardian's key and passphrase of a laboratory, as options of a command.
fn guardian(lab: &Lab) -> [String; 4] {
    let entries = std::fs::read_dir(&lab.record().guardian).unwrap();
    let files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    let key = files
        .iter()
        .find(|path| path.extension().is_some_and(|e| e == "key"))
        .unwrap();
    let secret = files
        .iter()
        .find(|path| path.extension().is_none_or(|e| e != "key" && e != "card"))
        .unwrap();
    let name = key.file_stem().unwrap().to_str().unwrap();
    [
        "--guardian".into(),
        format!("{name}={}", key.display()),
        "--passphrase-file".into(),
        secret.display().to_string(),
    ]
}

fn run(lab: &Lab, line: &str, more: &[String]) -> Result<String, symbolon_lab::LabError> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    words.extend(more.iter().map(String::as_str));
    let cluster = lab.record().cluster.to_str().unwrap();
    words.extend(["--dir", cluster]);
    lab.symbolon(&words)
}

fn step(lab: &Lab, folder: &Path, member: u16) -> String {
    run(
        lab,
        &format!(
            "ceremony step {} --label carried --member {member}",
            folder.display()
        ),
        &[],
    )
    .unwrap()
}

#[test]
fn a_folder_is_enough_for_a_ceremony_a_judgement_and_a_recovery() {
    let mut lab = lab();
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("ceremony");
    let plan = format!(
        "ceremony plan {} --label carried --keys 2 --threshold 2",
        folder.display()
    );
    let early = run(&lab, &plan, &[]).unwrap_err().to_string();
    assert!(early.contains("holds no offer"), "{early}");
    // Offers; then the plan; then deals, confirmations, activations, in an order of their own.
    for member in 1..=3 {
        step(&lab, &folder, member);
    }
    let unsigned = run(&lab, &plan, &[]).unwrap_err().to_string();
    assert!(unsigned.contains("guardians sign it"), "{unsigned}");
    run(&lab, &plan, &guardian(&lab)).unwrap();
    let mut last = String::new();
    for round in 0..3 {
        for member in [3, 1, 2] {
            last = step(&lab, &folder, member);
            // Again: the same bytes, nothing new.
            if round < 2 {
                step(&lab, &folder, member);
            }
        }
    }
    assert!(last.contains("group carried: 2 keys, 2 of 3"), "{last}");

    let audit = format!("ceremony audit {} --json", folder.display());
    let report: Value = serde_json::from_str(&run(&lab, &audit, &[]).unwrap()).unwrap();
    assert_eq!(report["certified"], true);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);

    // The requestor takes the group, and it signs.
    let group = lab.record().cluster.join("groups/carried-1.group");
    let to = lab.record().requestor.dir.join("groups/carried-1.group");
    std::fs::copy(group, to).unwrap();
    lab.reload_requestor().unwrap();
    let keys = run(&lab, "key list --json", &[]).unwrap();
    let keys: Value = serde_json::from_str(&keys).unwrap();
    let key = keys[0]["public_key"].as_str().unwrap().parse().unwrap();
    assert_eq!(keys[0]["held_by"].as_array().unwrap().len(), 3);
    let network = lab.network().clone();
    let sampler = symbolon_lab::Sampler {
        network: &network,
        slot: symbolon_lab::slot_now(&network),
        key,
        salt: 0,
    };
    let reveal = sampler.sample(RequestKind::RandaoReveal).unwrap();
    let signature = lab.sign(&reveal).unwrap();

    // A member loses its disk but for its sealed data key; its HSM is alive.
    lab.kill9(2).unwrap();
    let data = lab.server(2).unwrap().dir.join("data");
    for lost in ["journal", "shares", "ceremonies"] {
        std::fs::remove_dir_all(data.join(lost)).unwrap();
    }
    lab.start(2).unwrap();
    let without = run(&lab, "key list --json", &[]).unwrap();
    let without: Value = serde_json::from_str(&without).unwrap();
    assert_eq!(without[0]["held_by"].as_array().unwrap().len(), 2);
    let recover = format!("ceremony recover {} --member 2", folder.display());
    let said = run(&lab, &recover, &[]).unwrap();
    assert!(said.contains("are there again"), "{said}");
    // Only with the recovered share are two of three left.
    lab.kill9(1).unwrap();
    assert_eq!(lab.sign(&reveal).unwrap(), signature);

    // A changed byte in a deal is somebody's doing, and not the dealer's.
    let deal = folder.join("deal-3.sym");
    let mut bytes = std::fs::read(&deal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&deal, bytes).unwrap();
    let report: Value = serde_json::from_str(&run(&lab, &audit, &[]).unwrap()).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    assert!(
        findings
            .iter()
            .all(|finding| finding["culprit"] == "the coordinator"),
        "{report}"
    );
}
