//! What a real validator client sent, answered byte for byte as a right signer answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use serde_json::Value;
use symbolon_suites::{interop_lab, shared};

#[test]
fn recorded_requests_get_the_recorded_signatures() {
    let Some(folder) = shared("requests").unwrap() else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let network = folder
        .join("network-capella.yaml")
        .to_string_lossy()
        .into_owned();
    let lab = interop_lab(5, 3, 8, Some(network), work.path()).unwrap();
    let mut answered = 0;
    let mut client = lab.client();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
    {
        let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        // Twice: an identical request signs again.
        for accept in ["*/*", "text/plain"] {
            let body = recorded["body"].to_string();
            let answer = client
                .post_json(
                    recorded["path"].as_str().unwrap(),
                    &[("accept", accept)],
                    body.as_bytes(),
                )
                .unwrap();
            assert_eq!(answer.status, 200, "{}: {}", path.display(), answer.text());
            let expected = recorded["signature"].as_str().unwrap();
            let got = match accept {
                "*/*" => {
                    let json: Value = serde_json::from_str(&answer.text()).unwrap();
                    json["signature"].as_str().unwrap().to_owned()
                }
                _ => answer.text(),
            };
            assert_eq!(got, expected, "{}", path.display());
        }
        answered += 1;
    }
    assert_eq!(answered, 9);
    let keys = lab.symbolon(&[
        "key",
        "list",
        "--json",
        "--dir",
        lab.record().cluster.to_str().unwrap(),
    ]);
    let keys: Value = serde_json::from_str(&keys.unwrap()).unwrap();
    assert_eq!(keys.as_array().unwrap().len(), 8);
    assert!(
        keys.as_array()
            .unwrap()
            .iter()
            .all(|key| key["born_in_ceremony"] == false)
    );
}
