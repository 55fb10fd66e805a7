//! Identity, ceremony keys and anchor on a real SoftHSM token, through the worker process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

#[allow(dead_code, reason = "each test binary uses a part of it")]
mod fixture;

use fixture::{Bench, Change, dek, label, soon};
use hsm_api::{
    AnchorName, AnchorRecord, Hsm, HsmError, KeyId, KeyName, P256Public, SealFamily, SealKind,
};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use symbolon_secmem::Locked;

#[test]
fn the_identity_signs_digests_that_software_verifies() {
    let bench = Bench::new();
    let hsm = bench.client();
    let report = hsm
        .provision(&bench.plan(SealKind::AesGcmCallerIv), soon())
        .unwrap();
    let digest = [0x42; 32];
    let signature = hsm.sign_p256(&report.identity, &digest, soon()).unwrap();
    let key = VerifyingKey::from(report.identity_public.to_key().unwrap());
    key.verify_prehash(&digest, &Signature::from_slice(&signature).unwrap())
        .unwrap();
    assert_eq!(
        hsm.p256_public(&report.identity, soon()).unwrap(),
        report.identity_public
    );
    assert!(hsm.health(Some(&report.identity), soon()).is_good());
    let wrong_use = hsm
        .ecdh_p256(&report.identity, &report.identity_public, soon())
        .unwrap_err();
    assert!(matches!(wrong_use, HsmError::Policy { .. }), "{wrong_use}");
}

#[test]
fn ceremony_keys_are_made_used_and_destroyed_by_name() {
    let bench = Bench::new();
    let hsm = bench.client();
    let id = bench.ceremony_key("validators", 3).id();
    let public = hsm.ensure_ecdh_key(&id, soon()).unwrap();
    assert_eq!(
        hsm.ensure_ecdh_key(&id, soon()).unwrap(),
        public,
        "made once"
    );
    let next = hsm
        .ensure_ecdh_key(&bench.ceremony_key("validators", 4).id(), soon())
        .unwrap();
    assert_ne!(public, next);

    let secret = p256::SecretKey::from_slice(&[9; 32]).unwrap();
    let here = p256::ecdh::diffie_hellman(
        secret.to_nonzero_scalar(),
        public.to_key().unwrap().as_affine(),
    );
    let here = Locked::<32>::init_with(|bytes| bytes.copy_from_slice(here.raw_secret_bytes()));
    let peer = P256Public::from_key(&secret.public_key());
    assert!(hsm.ecdh_p256(&id, &peer, soon()).unwrap().ct_eq(&here));

    assert!(hsm.destroy_key(&id, soon()).unwrap());
    assert!(
        !hsm.destroy_key(&id, soon()).unwrap(),
        "gone the second time"
    );
    for error in [
        hsm.ecdh_p256(&id, &peer, soon()).map(drop),
        hsm.p256_public(&id, soon()).map(drop),
    ] {
        assert!(matches!(error, Err(HsmError::NotFound { .. })), "{error:?}");
    }
    assert!(
        hsm.ecdh_p256(&bench.ceremony_key("validators", 4).id(), &peer, soon())
            .is_ok()
    );
}

#[test]
fn two_keys_with_one_label_are_refused() {
    let bench = Bench::new();
    let hsm = bench.client();
    let kek = bench.kek(&hsm, SealKind::AesGcmCallerIv);
    let sealed = hsm.seal_dek(&kek, &dek(1), soon()).unwrap();
    bench.change(&[aes(&kek.key, false)]);
    let hsm = bench.client();
    let refused = [
        hsm.open_dek(&sealed, soon()).map(drop).unwrap_err(),
        hsm.seal_dek(&kek, &dek(2), soon()).map(drop).unwrap_err(),
        hsm.provision(&bench.plan(SealKind::AesGcmCallerIv), soon())
            .map(drop)
            .unwrap_err(),
        hsm.destroy_key(&kek.key, soon()).map(drop).unwrap_err(),
    ];
    for error in refused {
        assert!(
            matches!(error, HsmError::Ambiguous { count: 2, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_missing_key_is_named() {
    let bench = Bench::new();
    let hsm = bench.client();
    let id = KeyName::Identity(label("nobody")).id();
    let error = hsm.sign_p256(&id, &[1; 32], soon()).unwrap_err();
    assert_eq!(
        error,
        HsmError::NotFound {
            object: "key \"symbolon/nobody/identity\"".to_owned()
        }
    );
}

#[test]
fn keys_that_could_leave_the_token_are_refused() {
    let bench = Bench::new();
    let extractable = KeyName::Kek(bench.member.clone(), SealFamily::AesGcm).id();
    bench.change(&[aes(&extractable, true)]);
    let hsm = bench.client();
    let refused = hsm
        .provision(&bench.plan(SealKind::AesGcmCallerIv), soon())
        .unwrap_err();
    assert!(
        matches!(&refused, HsmError::Policy { detail } if detail.contains("Extractable(false)")),
        "{refused}"
    );
}

#[test]
fn somebody_elses_key_under_our_label_is_refused() {
    let bench = Bench::new();
    let ours = KeyName::Kek(bench.member.clone(), SealFamily::AesGcm).id();
    bench.change(&[Change::Aes {
        label: ours.label().to_owned(),
        cka_id: vec![7; 4],
        extractable: false,
    }]);
    let refused = bench
        .client()
        .provision(&bench.plan(SealKind::AesGcmCallerIv), soon())
        .unwrap_err();
    assert!(
        matches!(&refused, HsmError::Policy { detail } if detail.contains("CKA_ID")),
        "{refused}"
    );
}

#[test]
fn the_anchor_only_goes_up_and_the_highest_copy_counts() {
    let bench = Bench::new();
    let hsm = bench.client();
    let name = AnchorName::of(bench.member.clone());
    let at = |generation, epoch| AnchorRecord { generation, epoch };
    assert_eq!(hsm.anchor_read(&name, soon()).unwrap(), None);
    hsm.anchor_advance(&name, at(1, 10), soon()).unwrap();
    hsm.anchor_advance(&name, at(1, 10), soon()).unwrap();
    hsm.anchor_advance(&name, at(2, 11), soon()).unwrap();
    for back in [at(1, 12), at(3, 10)] {
        let refused = hsm.anchor_advance(&name, back, soon()).unwrap_err();
        assert!(matches!(refused, HsmError::Policy { .. }), "{refused}");
    }
    assert_eq!(hsm.anchor_read(&name, soon()).unwrap(), Some(at(2, 11)));
    assert_eq!(bench.objects().len(), 1, "old copies are destroyed");

    // What a crash between create and destroy leaves, and a torn copy.
    let copy = |value: &[u8]| Change::Data {
        label: name.label(),
        value: value.to_vec(),
    };
    bench.change(&[copy(&at(2, 99).encode()), copy(b"torn")]);
    let hsm = bench.client();
    assert_eq!(hsm.anchor_read(&name, soon()).unwrap(), Some(at(2, 99)));
    hsm.anchor_advance(&name, at(2, 100), soon()).unwrap();
    assert_eq!(hsm.anchor_read(&name, soon()).unwrap(), Some(at(2, 100)));
    assert_eq!(bench.objects().len(), 1, "orphans are cleaned");
}

#[test]
fn changes_by_another_program() {
    fixture::perform_changes();
}

fn aes(id: &KeyId, extractable: bool) -> Change {
    Change::Aes {
        label: id.label().to_owned(),
        cka_id: id.cka_id().to_vec(),
        extractable,
    }
}
