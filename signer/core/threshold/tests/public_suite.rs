//! The public BLS suite (ethereum/bls12-381-tests) and RFC 9380's vectors for G2.
//!
//! Three cases treat the point at infinity as usable. Nothing of ours ever is infinity, so its
//! refusal is what is checked there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;

use common::{cases, suite};
use serde_json::Value;
use symbolon_threshold::whole::WholeSecretKey;
use symbolon_threshold::{
    Combined, G1Point, GroupPublicKey, HashedRoot, PointError, ScalarError, Signature, aggregate,
    aggregate_verify, check_batch, fast_aggregate_verify, hash_to_g2, verify_batch,
};

/// Runs every case of a folder; returns without a check when the suite is missing.
fn run(folder: &str, check: impl Fn(&str, &Value, &Value)) {
    let Some(path) = suite("bls12-381-tests") else {
        return;
    };
    let cases = cases(&path.join(folder));
    for (name, case) in &cases {
        check(name, &case["input"], &case["output"]);
    }
    println!("{folder}: {} cases", cases.len());
}

#[test]
fn every_folder_is_covered() {
    let Some(path) = suite("bls12-381-tests") else {
        return;
    };
    let mut folders: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let covered = [
        "aggregate",
        "aggregate_verify",
        "batch_verify",
        "deserialization_G1",
        "deserialization_G2",
        "fast_aggregate_verify",
        "hash_to_G2",
        "sign",
        "verify",
    ];
    assert_eq!(folders, covered);
}

#[test]
fn deserialization_g1() {
    run("deserialization_G1", |name, input, output| {
        let decoded = key(&input["pubkey"]);
        if name.starts_with("deserialization_succeeds_infinity") {
            assert_eq!(decoded, Err(PointError::Infinity), "{name}");
        } else {
            assert_eq!(decoded.is_ok(), output.as_bool().unwrap(), "{name}");
        }
        if let Ok(point) = decoded {
            assert_eq!(
                hex_of(&point.to_compressed()),
                input["pubkey"].as_str().unwrap()
            );
            let wide = G1Point::from_uncompressed(&point.to_uncompressed());
            assert_eq!(wide, Ok(point), "{name}");
        }
    });
}

#[test]
fn deserialization_g2() {
    run("deserialization_G2", |name, input, output| {
        let decoded = signature(&input["signature"]);
        if name.starts_with("deserialization_succeeds_infinity") {
            assert_eq!(decoded, Err(PointError::Infinity), "{name}");
        } else {
            assert_eq!(decoded.is_ok(), output.as_bool().unwrap(), "{name}");
        }
        if let Ok(point) = decoded {
            assert_eq!(
                hex_of(&point.to_compressed()),
                input["signature"].as_str().unwrap()
            );
        }
    });
}

#[test]
fn hash_to_g2_of_the_suite() {
    const DST: &[u8] = b"QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    run("hash_to_G2", |name, input, output| {
        let point = hash_to_g2(input["msg"].as_str().unwrap().as_bytes(), DST);
        assert_eq!(point.to_uncompressed(), affine(output), "{name}");
    });
}

#[test]
fn hash_to_g2_of_rfc_9380() {
    let Some(folder) = suite("hash-to-curve") else {
        return;
    };
    let all = cases(&folder);
    let (_, file) = all
        .iter()
        .find(|(name, _)| name == "BLS12381G2_XMD_SHA-256_SSWU_RO_")
        .unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let message = vector["msg"].as_str().unwrap();
        let point = hash_to_g2(message.as_bytes(), file["dst"].as_str().unwrap().as_bytes());
        assert_eq!(point.to_uncompressed(), affine(&vector["P"]), "{message}");
    }
}

#[test]
fn sign() {
    run("sign", |name, input, output| {
        let secret = WholeSecretKey::take_from(&mut bytes(&input["privkey"]));
        match output.as_str() {
            None => assert_eq!(secret.unwrap_err(), ScalarError::Zero, "{name}"),
            Some(expected) => {
                let secret = secret.unwrap();
                let root = root(&input["message"]);
                let signature = secret.sign(&root);
                assert_eq!(hex_of(&signature.to_compressed()), expected, "{name}");
                assert!(
                    signature.verify(&secret.public_key(), &root).is_ok(),
                    "{name}"
                );
            }
        }
    });
}

#[test]
fn verify() {
    run("verify", |name, input, output| {
        let verified = || {
            let key = GroupPublicKey::from(key(&input["pubkey"]).ok()?);
            let signature = signature(&input["signature"]).ok()?;
            let root = root(&input["message"]);
            let verdict = signature.verify(&key, &root).ok();
            let message = bytes(&input["message"]);
            assert_eq!(
                fast_aggregate_verify(&[key], &message, &signature).ok(),
                verdict
            );
            assert_eq!(
                Combined::from(signature).verify(&key, &root).ok(),
                verdict.and(Some(signature))
            );
            verdict
        };
        assert_eq!(verified().is_some(), output.as_bool().unwrap(), "{name}");
    });
}

#[test]
fn aggregate_signatures() {
    run("aggregate", |name, input, output| {
        let signatures: Result<Vec<_>, _> =
            input.as_array().unwrap().iter().map(signature).collect();
        if name == "aggregate_infinity_signature" {
            assert_eq!(signatures, Err(PointError::Infinity));
            return;
        }
        let sum = aggregate(&signatures.unwrap()).ok();
        let sum = sum.map(|signature| hex_of(&signature.to_compressed()));
        assert_eq!(sum.as_deref(), output.as_str(), "{name}");
    });
}

#[test]
fn aggregates_over_many_messages() {
    run("aggregate_verify", |name, input, output| {
        let verified = || {
            let messages: Vec<_> = input["messages"]
                .as_array()
                .unwrap()
                .iter()
                .map(bytes)
                .collect();
            let keys = keys(&input["pubkeys"])?;
            assert_eq!(keys.len(), messages.len(), "{name}");
            let pairs: Vec<_> = keys
                .into_iter()
                .zip(messages.iter().map(Vec::as_slice))
                .collect();
            aggregate_verify(&pairs, &signature(&input["signature"]).ok()?).ok()
        };
        assert_eq!(verified().is_some(), output.as_bool().unwrap(), "{name}");
    });
}

#[test]
fn aggregates_over_one_message() {
    run("fast_aggregate_verify", |name, input, output| {
        let verified = || {
            let signature = signature(&input["signature"]).ok()?;
            fast_aggregate_verify(
                &keys(&input["pubkeys"])?,
                &bytes(&input["message"]),
                &signature,
            )
            .ok()
        };
        assert_eq!(verified().is_some(), output.as_bool().unwrap(), "{name}");
    });
}

#[test]
fn batches() {
    run("batch_verify", |name, input, output| {
        let verified = || {
            let keys = keys(&input["pubkeys"])?;
            let roots: Vec<_> = input["messages"]
                .as_array()
                .unwrap()
                .iter()
                .map(root)
                .collect();
            let signatures = input["signatures"].as_array().unwrap().iter();
            let signatures: Option<Vec<Combined>> = signatures
                .map(|s| Some(signature(s).ok()?.into()))
                .collect();
            let signatures = signatures?;
            let items: Vec<_> = keys
                .iter()
                .zip(&roots)
                .zip(&signatures)
                .map(|((key, root), signature)| (key, root, signature))
                .collect();
            let verified = check_batch(&items, [9; 32]).ok();
            assert_eq!(verify_batch(&items, [7; 32]).ok(), verified, "{name}");
            verified
        };
        assert_eq!(verified().is_some(), output.as_bool().unwrap(), "{name}");
    });
}

fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Coordinates "0xc0,0xc1" in the order of the uncompressed encoding, c1 first.
fn affine(point: &Value) -> [u8; 192] {
    let coordinate = |name: &str| {
        let text = point[name].as_str().unwrap();
        let mut parts: Vec<Vec<u8>> = text
            .split(',')
            .map(|part| bytes(&Value::from(part)))
            .collect();
        parts.reverse();
        parts.concat()
    };
    [coordinate("x"), coordinate("y")]
        .concat()
        .try_into()
        .unwrap()
}

fn key(hex: &Value) -> Result<G1Point, PointError> {
    // Fixed-size arguments make a wrong length the caller's parse error.
    let Ok(bytes) = hex::decode(hex.as_str().unwrap().trim_start_matches("0x")) else {
        return Err(PointError::Encoding);
    };
    G1Point::from_compressed(&bytes.try_into().map_err(|_| PointError::Encoding)?)
}

fn keys(list: &Value) -> Option<Vec<GroupPublicKey>> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|hex| Some(key(hex).ok()?.into()))
        .collect()
}

fn signature(hex: &Value) -> Result<Signature, PointError> {
    let Ok(bytes) = hex::decode(hex.as_str().unwrap().trim_start_matches("0x")) else {
        return Err(PointError::Encoding);
    };
    Signature::from_compressed(&bytes.try_into().map_err(|_| PointError::Encoding)?)
}

fn root(hex: &Value) -> HashedRoot {
    HashedRoot::new(&bytes(hex).try_into().unwrap())
}
