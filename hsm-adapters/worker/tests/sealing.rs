//! Sealing the DEK on a real SoftHSM token, through the worker process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

#[allow(dead_code, reason = "each test binary uses a part of it")]
mod fixture;

use fixture::{Bench, dek, soon};
use hsm_api::{
    Dek, Hsm, HsmError, KeyCheck, KeyName, ProvisionPlan, SealKind, SealedDek, WorkerClient,
};

/// The schemes that SoftHSM 2.6 has.
const WORKING: [SealKind; 4] = [
    SealKind::RsaOaepSha1,
    SealKind::AesGcmCallerIv,
    SealKind::EcdhP256NullHkdf,
    SealKind::AesKw3394,
];

#[test]
fn the_probe_finds_what_softhsm_has_and_leaves_nothing() {
    let bench = Bench::new();
    let hsm = bench.client();
    let before = bench.objects();
    let found = hsm.probe(soon()).unwrap();
    assert_eq!(bench.objects(), before, "the probe left objects behind");
    assert_eq!(found.seal_kinds, WORKING);
    assert!(found.ecdsa_p256 && found.ecdh_p256 && found.random && found.data_objects);
    let sha256 = found
        .trials
        .iter()
        .find(|trial| trial.what == "rsa-oaep-sha256")
        .unwrap();
    assert!(
        sha256
            .failure
            .as_ref()
            .unwrap()
            .contains("CKR_ARGUMENTS_BAD"),
        "{sha256:?}"
    );
    assert_eq!(
        found.choose(&SealKind::DEFAULT_ORDER),
        Some(SealKind::RsaOaepSha1)
    );
    assert!(found.device.contains("SoftHSM"), "{}", found.device);
}

#[test]
fn each_scheme_seals_opens_and_refuses_what_was_altered() {
    let bench = Bench::new();
    let hsm = bench.client();
    for (seed, kind) in (1..).zip(WORKING) {
        let kek = bench.kek(&hsm, kind);
        assert_eq!(kek.kind, kind);
        let sealed = hsm.seal_dek(&kek, &dek(seed), soon()).unwrap();
        assert_eq!(sealed.header().kind, kind);
        assert_eq!(SealedDek::decode(&sealed.encode()).unwrap(), sealed);
        assert_eq!(hsm.open_dek(&sealed, soon()).unwrap().id(), dek(seed).id());
        refuses_altered(&hsm, &sealed);
        assert_eq!(
            hsm.open_dek(&sealed, soon()).unwrap().id(),
            dek(seed).id(),
            "{kind}: after refusals"
        );
    }
    assert_eq!(hsm.status().starts, 1, "no refusal costs the worker");
}

fn refuses_altered(hsm: &WorkerClient, sealed: &SealedDek) {
    let kind = sealed.header().kind;
    let good = sealed.encode();
    let at = good
        .windows(sealed.sealed().len())
        .position(|window| window == sealed.sealed())
        .unwrap();
    // First and last byte of the sealed bytes, and the tag of the header behind them.
    for byte in [at, at + sealed.sealed().len() - 1, good.len() - 1] {
        let mut bad = good.clone();
        bad[byte] ^= 1;
        let refused = SealedDek::decode(&bad)
            .and_then(|bad| hsm.open_dek(&bad, soon()))
            .unwrap_err();
        assert!(
            matches!(refused, HsmError::BadBlob { .. }),
            "{kind}: byte {byte}: {refused}"
        );
    }
    for len in [0, 1, at, good.len() - 1] {
        let refused = SealedDek::decode(&good[..len]).unwrap_err();
        assert!(
            refused.to_string().contains("truncated or altered"),
            "{kind}: {refused}"
        );
    }
}

#[test]
fn a_blob_copied_to_another_token_is_refused_by_name() {
    let bench = Bench::new();
    let hsm = bench.client();
    let kek = bench.kek(&hsm, SealKind::AesGcmCallerIv);
    let sealed = hsm.seal_dek(&kek, &dek(1), soon()).unwrap();
    let other = bench.another("rack 2");
    let config = other.worker_config(fixture::worker_program()).unwrap();
    let other = WorkerClient::start(config).unwrap();
    let refused = other.open_dek(&sealed, soon()).unwrap_err();
    assert!(matches!(refused, HsmError::WrongToken { .. }));
    let message = refused.to_string();
    assert!(
        message.contains("\"rack 1\"") && message.contains("\"rack 2\""),
        "{message}"
    );
}

#[test]
fn a_key_made_anew_under_the_same_name_is_noticed() {
    let bench = Bench::new();
    let hsm = bench.client();
    for kind in WORKING {
        let kek = bench.kek(&hsm, kind);
        let sealed = hsm.seal_dek(&kek, &dek(1), soon()).unwrap();
        assert!(hsm.destroy_key(&kek.key, soon()).unwrap());
        let missing = hsm.open_dek(&sealed, soon()).unwrap_err();
        assert!(matches!(missing, HsmError::NotFound { .. }), "{missing}");
        bench.kek(&hsm, kind);
        let error = hsm.open_dek(&sealed, soon()).unwrap_err();
        assert!(
            matches!(&error, HsmError::BadBlob { detail } if detail.contains("is not the one")),
            "{kind}: {error}"
        );
    }
}

#[test]
fn provisioning_twice_finds_the_same() {
    let bench = Bench::new();
    let hsm = bench.client();
    let plan = ProvisionPlan::new(bench.member.clone());
    let first = hsm.provision(&plan, soon()).unwrap();
    assert!(first.kek_made && first.identity_made);
    assert_eq!(
        first.kek.kind,
        SealKind::RsaOaepSha1,
        "the first of the default order that works"
    );
    let second = hsm.provision(&plan, soon()).unwrap();
    assert!(!second.kek_made && !second.identity_made);
    assert_eq!(
        (&second.kek, second.identity_public),
        (&first.kek, first.identity_public)
    );
    assert_eq!(first.identity, KeyName::Identity(bench.member.clone()).id());
    let only = ProvisionPlan {
        member: bench.member,
        order: vec![SealKind::RsaOaepSha256],
    };
    let refused = hsm.provision(&only, soon()).unwrap_err();
    assert!(
        matches!(&refused, HsmError::Unsupported { operation } if operation.contains("rsa-oaep-sha256"))
    );
}

#[test]
fn a_generated_dek_keeps_its_name_through_sealing() {
    let bench = Bench::new();
    let hsm = bench.client();
    let kek = bench.kek(&hsm, SealKind::EcdhP256NullHkdf);
    let (one, two) = (
        Dek::generate(&hsm, soon()).unwrap(),
        Dek::generate(&hsm, soon()).unwrap(),
    );
    assert_ne!(one.id(), two.id());
    let sealed = hsm.seal_dek(&kek, &one, soon()).unwrap();
    assert!(matches!(sealed.header().check, KeyCheck::PublicKey(_)));
    let opened = hsm.open_dek(&sealed, soon()).unwrap();
    assert!(opened.journal_key().ct_eq(&one.journal_key()));
}
