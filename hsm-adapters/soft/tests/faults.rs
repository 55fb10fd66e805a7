//! Faults of the software device, seen through the worker client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hsm_api::{
    Dek, Hsm, HsmError, Kek, KeyName, ObjectLabel, PinSource, ProvisionPlan, SealKind, SealedDek,
    TokenSelector, WorkerClient, WorkerConfig,
};
use hsm_soft::{FaultPlan, SoftHsm, SoftOpener, soon};
use symbolon_secmem::{Locked, SecretBytes};
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
    kek: Kek,
    sealed: SealedDek,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let device =
            SoftHsm::at("bench", &folder.path().join("store"), FaultPlan::default()).unwrap();
        let kek = device
            .provision(&ProvisionPlan::new(member()), soon())
            .unwrap()
            .kek;
        let sealed = device.seal_dek(&kek, &dek(), soon()).unwrap();
        Self {
            folder,
            kek,
            sealed,
        }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn config(&self, pin: &str, faults: &str) -> WorkerConfig {
        let selector = TokenSelector {
            label: "bench".to_owned(),
            serial: None,
        };
        let pin = PinSource::Given(SecretBytes::from_string(pin.to_owned()).unwrap());
        let program = env!("CARGO_BIN_EXE_hsm-soft-worker").into();
        let mut config = WorkerConfig::new(program, PathBuf::new(), selector, pin);
        config.args = vec![self.store().into(), faults.into()];
        config.hang_after = Duration::from_millis(200);
        config
    }

    fn client(&self, faults: &str) -> WorkerClient {
        WorkerClient::start(self.config(SoftOpener::PIN, faults)).unwrap()
    }

    fn logins(&self) -> u64 {
        SoftHsm::at("bench", &self.store(), FaultPlan::default())
            .unwrap()
            .logins()
    }
}

fn member() -> ObjectLabel {
    ObjectLabel::parse("m1").unwrap()
}

fn dek() -> Dek {
    Dek::new(Locked::init_with(|key| key.fill(5)))
}

fn shortly() -> Instant {
    Instant::now() + Duration::from_millis(300)
}

#[test]
fn everything_sealed_says_software() {
    let bench = Bench::new();
    let header = bench.sealed.header();
    assert_eq!(header.kind, SealKind::Software);
    assert!(header.token.label().starts_with("software"));
    assert_eq!(bench.kek.kind, SealKind::Software);
    let hsm = bench.client("");
    assert_eq!(
        hsm.open_dek(&bench.sealed, soon()).unwrap().id(),
        dek().id()
    );
}

#[test]
fn a_crash_is_survived_within_the_call() {
    let bench = Bench::new();
    // Login is the first call, so each worker dies in its third.
    let hsm = bench.client("crash@3");
    for _ in 0..6 {
        assert_eq!(
            hsm.open_dek(&bench.sealed, soon()).unwrap().id(),
            dek().id()
        );
    }
    let status = hsm.status();
    assert!(status.starts >= 5 && status.hangs == 0, "{status:?}");
}

#[test]
fn a_call_that_always_crashes_ends_as_gone_and_backs_off() {
    let bench = Bench::new();
    let hsm = bench.client("crash@2");
    let error = hsm.open_dek(&bench.sealed, soon()).unwrap_err();
    assert!(
        matches!(&error, HsmError::DeviceGone { detail } if detail.contains("died during open DEK")),
        "{error}"
    );
    assert_eq!(hsm.status().starts, 3, "tried again, not for ever");
    let start = Instant::now();
    hsm.open_dek(&bench.sealed, soon()).unwrap_err();
    assert!(
        start.elapsed() >= Duration::from_millis(100),
        "no pause before the next start"
    );
}

#[test]
fn a_hang_ends_at_the_deadline_and_the_next_call_works() {
    let bench = Bench::new();
    let hsm = bench.client("hang@3");
    hsm.token(soon()).unwrap();
    let start = Instant::now();
    let error = hsm.open_dek(&bench.sealed, shortly()).unwrap_err();
    assert!(matches!(error, HsmError::Timeout { .. }), "{error}");
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        hsm.open_dek(&bench.sealed, soon()).unwrap().id(),
        dek().id()
    );
    assert_eq!(hsm.status().hangs, 1);
}

#[test]
fn a_late_answer_is_a_timeout_for_its_caller_only() {
    let bench = Bench::new();
    let mut config = bench.config(SoftOpener::PIN, "delay=300@3");
    config.hang_after = Duration::from_secs(2);
    let hsm = WorkerClient::start(config).unwrap();
    hsm.token(soon()).unwrap();
    let deadline = Instant::now() + Duration::from_millis(100);
    assert!(matches!(hsm.token(deadline), Err(HsmError::Timeout { .. })));
    assert_eq!(
        hsm.open_dek(&bench.sealed, soon()).unwrap().id(),
        dek().id()
    );
    assert_eq!((hsm.status().starts, hsm.status().hangs), (1, 0));
}

#[test]
fn a_gone_device_is_opened_again() {
    let bench = Bench::new();
    let hsm = bench.client("gone@3");
    for _ in 0..4 {
        assert!(hsm.token(soon()).is_ok());
    }
    assert!(hsm.status().starts > 1);
}

#[test]
fn a_wrong_plaintext_is_never_accepted() {
    let bench = Bench::new();
    let hsm = bench.client("wrong@2");
    let error = hsm.open_dek(&bench.sealed, soon()).unwrap_err();
    assert!(
        matches!(&error, HsmError::BadBlob { detail } if detail.contains("wrong answer")),
        "{error}"
    );
    assert_eq!(
        hsm.open_dek(&bench.sealed, soon()).unwrap().id(),
        dek().id()
    );
    let device = SoftHsm::in_memory("other", FaultPlan::parse("wrong@3").unwrap()).unwrap();
    let report = device
        .provision(&ProvisionPlan::new(member()), soon())
        .unwrap();
    let good = device
        .sign_p256(&report.identity, &[1; 32], soon())
        .unwrap();
    assert_ne!(
        device
            .sign_p256(&report.identity, &[1; 32], soon())
            .unwrap(),
        good
    );
}

#[test]
fn a_refused_pin_is_never_sent_again() {
    let bench = Bench::new();
    let hsm = WorkerClient::start(bench.config("000000", "")).unwrap();
    for _ in 0..3 {
        assert!(matches!(
            hsm.token(soon()),
            Err(HsmError::AuthFailed { .. })
        ));
    }
    assert_eq!(bench.logins(), 1);
    assert!(!hsm.health(None, soon()).is_good());
}

#[test]
fn a_pin_that_nobody_confirmed_is_never_sent_again() {
    for fault in ["crash@1", "hang@1"] {
        let bench = Bench::new();
        let mut config = bench.config(SoftOpener::PIN, fault);
        config.open_timeout = Duration::from_millis(1500);
        let hsm = WorkerClient::start(config).unwrap();
        for _ in 0..3 {
            let error = hsm.token(soon()).unwrap_err();
            assert!(
                matches!(&error, HsmError::Policy { detail } if detail.contains("not sent again")),
                "{error}"
            );
        }
        assert_eq!(bench.logins(), 1, "{fault}");
    }
}

#[test]
fn an_authentication_failure_in_mid_run_stops_all_logins() {
    let bench = Bench::new();
    let hsm = bench.client("auth@3");
    hsm.token(soon()).unwrap();
    assert!(matches!(
        hsm.token(soon()),
        Err(HsmError::AuthFailed { .. })
    ));
    assert!(matches!(
        hsm.token(soon()),
        Err(HsmError::AuthFailed { .. })
    ));
    assert_eq!(bench.logins(), 1);
}

#[test]
fn keys_of_another_use_are_refused() {
    let device = SoftHsm::in_memory("m1", FaultPlan::default()).unwrap();
    let report = device
        .provision(&ProvisionPlan::new(member()), soon())
        .unwrap();
    let ceremony = KeyName::Ceremony {
        member: member(),
        group: member(),
        group_epoch: 1,
    }
    .id();
    let public = device.ensure_ecdh_key(&ceremony, soon()).unwrap();
    assert!(matches!(
        device.sign_p256(&ceremony, &[1; 32], soon()),
        Err(HsmError::Policy { .. })
    ));
    assert!(matches!(
        device.ecdh_p256(&report.identity, &public, soon()),
        Err(HsmError::Policy { .. })
    ));
    assert!(device.destroy_key(&ceremony, soon()).unwrap());
    assert!(!device.destroy_key(&ceremony, soon()).unwrap());
    assert!(matches!(
        device.p256_public(&ceremony, soon()),
        Err(HsmError::NotFound { .. })
    ));
}

/// Devices exist that answer a wrong PIN with a general error. Until the PIN was accepted once, any
/// failed login may have cost one of its attempts.
#[test]
fn a_login_that_fails_for_no_known_reason_is_not_repeated() {
    let bench = Bench::new();
    for fault in ["fail@1", "gone@1"] {
        let hsm = bench.client(fault);
        for _ in 0..3 {
            assert!(hsm.token(soon()).is_err());
        }
        let status = hsm.status();
        assert_eq!(status.logins, 1, "{fault}");
        assert!(
            matches!(status.refused, Some(HsmError::Policy { .. })),
            "{fault}"
        );
    }
}
