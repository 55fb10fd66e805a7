//! The worker's life: PIN, death, hang, and what it may not leak.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

#[allow(dead_code, reason = "each test binary uses a part of it")]
mod fixture;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fixture::{Bench, PIN, dek, soon};
use hsm_api::{AnchorName, AnchorRecord, Hsm, HsmError, PinSource, SealKind, WorkerClient};
use rustix::process::{Pid, Signal, kill_process};
use symbolon_secmem::SecretBytes;

#[test]
fn a_wrong_pin_is_tried_once() {
    let bench = Bench::new();
    let mut config = bench.config();
    config.pin = PinSource::Given(SecretBytes::from_string("135792468".to_owned()).unwrap());
    let hsm = WorkerClient::start(config).unwrap();
    for _ in 0..3 {
        let refused = hsm.token(soon()).unwrap_err();
        assert!(matches!(refused, HsmError::AuthFailed { .. }), "{refused}");
        assert!(!refused.to_string().contains("135792468"));
    }
    let status = hsm.status();
    assert_eq!((status.logins, status.starts, status.pid), (1, 1, None));
    assert!(status.refused.is_some());
    assert!(
        bench.client().token(soon()).is_ok(),
        "the right PIN still works"
    );
}

#[test]
fn a_pin_file_is_read_by_the_worker_and_must_be_private() {
    let bench = Bench::new();
    let file = bench.folder.path().join("pin");
    fs::write(&file, format!("{PIN}\n")).unwrap();
    for (mode, opens) in [(0o644, false), (0o600, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let mut config = bench.config();
        config.pin = PinSource::File(file.clone());
        let result = WorkerClient::start(config).unwrap().token(soon());
        assert_eq!(result.is_ok(), opens, "{mode:o}: {result:?}");
    }
}

#[test]
fn a_killed_worker_is_replaced_and_work_goes_on() {
    let bench = Bench::new();
    let hsm = bench.client();
    let kek = bench.kek(&hsm, SealKind::AesGcmCallerIv);
    let sealed = hsm.seal_dek(&kek, &dek(1), soon()).unwrap();
    for round in 1..=3 {
        kill(&hsm, Signal::KILL);
        assert_eq!(hsm.open_dek(&sealed, soon()).unwrap().id(), dek(1).id());
        assert_eq!(hsm.status().starts, 1 + round);
    }
    assert_eq!(hsm.status().logins, 4, "one login for each start");
}

#[test]
fn calls_in_flight_survive_kills() {
    let bench = Bench::new();
    let hsm = Arc::new(bench.client());
    let report = hsm
        .provision(&bench.plan(SealKind::AesGcmCallerIv), soon())
        .unwrap();
    let (signed, stop) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let (hsm, identity) = (Arc::clone(&hsm), report.identity.clone());
            let (signed, stop) = (Arc::clone(&signed), Arc::clone(&stop));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    hsm.sign_p256(&identity, &[3; 32], soon()).unwrap();
                    signed.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let give_up = soon();
    for round in 0..10_u32 {
        let before = signed.load(Ordering::Relaxed);
        // All three have to get through between two kills.
        while signed.load(Ordering::Relaxed) < before + 4 {
            assert!(Instant::now() < give_up, "no progress after {round} kills");
            thread::sleep(Duration::from_millis(1 + u64::from(round)));
        }
        kill(&hsm, Signal::KILL);
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.join().unwrap();
    }
    assert!(hsm.status().starts >= 10);
}

#[test]
fn a_hanging_worker_costs_one_timeout() {
    let bench = Bench::new();
    let mut config = bench.config();
    config.hang_after = Duration::from_millis(200);
    let hsm = WorkerClient::start(config).unwrap();
    let report = hsm
        .provision(&bench.plan(SealKind::AesGcmCallerIv), soon())
        .unwrap();
    let hung = hsm.status().pid;
    kill(&hsm, Signal::STOP);
    let start = Instant::now();
    let deadline = start + Duration::from_millis(300);
    let error = hsm
        .sign_p256(&report.identity, &[1; 32], deadline)
        .unwrap_err();
    assert!(
        matches!(&error, HsmError::Timeout { operation } if operation == "sign"),
        "{error}"
    );
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
    assert!(
        hsm.sign_p256(&report.identity, &[1; 32], soon()).is_ok(),
        "recovered"
    );
    let status = hsm.status();
    assert_eq!((status.hangs, status.starts), (1, 2));
    assert_ne!(status.pid, hung);
}

#[test]
fn a_short_deadline_does_not_kill_a_slow_device() {
    let bench = Bench::new();
    let mut config = bench.config();
    config.hang_after = Duration::from_secs(60);
    let hsm = WorkerClient::start(config).unwrap();
    hsm.token(soon()).unwrap();
    // Making an RSA key of 3072 bits takes longer than this caller waits.
    let deadline = Instant::now() + Duration::from_millis(20);
    let error = hsm
        .provision(&bench.plan(SealKind::RsaOaepSha1), deadline)
        .unwrap_err();
    assert!(matches!(error, HsmError::Timeout { .. }), "{error}");
    assert!(hsm.token(Instant::now() + Duration::from_secs(60)).is_ok());
    let status = hsm.status();
    assert_eq!((status.hangs, status.starts), (0, 1));
}

#[test]
fn a_full_queue_says_so() {
    let bench = Bench::new();
    let mut config = bench.config();
    config.queue = 2;
    config.hang_after = Duration::from_millis(500);
    let hsm = Arc::new(WorkerClient::start(config).unwrap());
    hsm.token(soon()).unwrap();
    kill(&hsm, Signal::STOP);
    let callers: Vec<_> = (0..6)
        .map(|_| {
            let hsm = Arc::clone(&hsm);
            thread::spawn(move || hsm.token(Instant::now() + Duration::from_millis(400)))
        })
        .collect();
    let results: Vec<_> = callers
        .into_iter()
        .map(|caller| caller.join().unwrap())
        .collect();
    let busy = results
        .iter()
        .filter(|result| matches!(result, Err(HsmError::Busy { .. })))
        .count();
    assert!((1..=4).contains(&busy), "{results:?}");
    assert!(hsm.token(soon()).is_ok(), "recovered");
}

#[test]
fn unknown_tokens_and_modules_are_named() {
    let bench = Bench::new();
    let mut config = bench.config();
    config.token.label = "rack 9".to_owned();
    let error = WorkerClient::start(config)
        .unwrap()
        .token(soon())
        .unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, HsmError::NotFound { .. }), "{message}");
    assert!(
        message.contains("rack 9") && message.contains("rack 1"),
        "{message}"
    );

    let mut config = bench.config();
    config.module = "/nonexistent/module.so".into();
    let hsm = WorkerClient::start(config).unwrap();
    let error = hsm.token(soon()).unwrap_err();
    assert!(
        error.to_string().contains("/nonexistent/module.so"),
        "{error}"
    );
    assert_eq!(hsm.status().logins, 0, "no PIN without a token");

    let twin = bench.another("rack 1");
    let error = bench.client().token(soon()).unwrap_err();
    assert!(
        matches!(error, HsmError::Ambiguous { count: 2, .. }),
        "{error}"
    );
    let mut config = twin.worker_config(fixture::worker_program()).unwrap();
    config.token.serial = Some("no such serial".to_owned());
    assert!(matches!(
        WorkerClient::start(config).unwrap().token(soon()),
        Err(HsmError::NotFound { .. })
    ));
}

#[test]
fn a_vanished_token_is_gone_and_comes_back() {
    let bench = Bench::new();
    let hsm = bench.client();
    let report = hsm
        .provision(&bench.plan(SealKind::AesGcmCallerIv), soon())
        .unwrap();
    let name = AnchorName::of(bench.member.clone());
    let record = AnchorRecord {
        generation: 1,
        epoch: 7,
    };
    hsm.anchor_advance(&name, record, soon()).unwrap();
    let (tokens, away) = (
        bench.folder.path().join("tokens"),
        bench.folder.path().join("away"),
    );
    fs::rename(&tokens, &away).unwrap();
    let shortly = Instant::now() + Duration::from_secs(1);
    let lost = hsm
        .sign_p256(&report.identity, &[1; 32], shortly)
        .unwrap_err();
    assert!(
        !matches!(lost, HsmError::AuthFailed { .. } | HsmError::Policy { .. }),
        "{lost}"
    );
    assert!(!hsm.health(Some(&report.identity), shortly).is_good());
    // A token that is away shows no objects: that must not pass for objects that do not exist.
    let anchor = hsm.anchor_read(&name, shortly);
    assert!(anchor.is_err(), "{anchor:?}");
    let destroyed = hsm.destroy_key(&report.identity, shortly);
    assert!(destroyed.is_err(), "{destroyed:?}");
    fs::rename(&away, &tokens).unwrap();
    let back = Instant::now() + Duration::from_secs(10);
    while hsm.sign_p256(&report.identity, &[1; 32], soon()).is_err() {
        assert!(Instant::now() < back, "it did not come back");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(hsm.anchor_read(&name, soon()).unwrap(), Some(record));
}

/// As above, but nothing has noticed yet that the token is away: the worker is logged in, and its
/// module answers every search with nothing.
#[test]
fn what_a_token_that_just_vanished_does_not_show_is_not_taken_for_absent() {
    let bench = Bench::new();
    let name = AnchorName::of(bench.member.clone());
    let record = AnchorRecord {
        generation: 1,
        epoch: 7,
    };
    let key = bench.ceremony_key("g", 1).id();
    let (tokens, away) = (
        bench.folder.path().join("tokens"),
        bench.folder.path().join("away"),
    );
    let read = |hsm: &WorkerClient, by| hsm.anchor_read(&name, by).map(drop);
    let destroy = |hsm: &WorkerClient, by| hsm.destroy_key(&key, by).map(drop);
    for destroying in [false, true] {
        let hsm = bench.client();
        hsm.anchor_advance(&name, record, soon()).unwrap();
        hsm.ensure_ecdh_key(&key, soon()).unwrap();
        fs::rename(&tokens, &away).unwrap();
        let by = Instant::now() + Duration::from_secs(1);
        let result = if destroying {
            destroy(&hsm, by)
        } else {
            read(&hsm, by)
        };
        fs::rename(&away, &tokens).unwrap();
        assert!(result.is_err(), "destroying: {destroying}");
    }
    let hsm = bench.client();
    assert_eq!(hsm.anchor_read(&name, soon()).unwrap(), Some(record));
    assert!(hsm.destroy_key(&key, soon()).unwrap());
    assert!(!hsm.destroy_key(&key, soon()).unwrap());
}

#[test]
fn the_worker_ends_with_its_client_and_shows_nothing() {
    let bench = Bench::new();
    let hsm = bench.client();
    hsm.token(soon()).unwrap();
    let pid = hsm.status().pid.unwrap();
    let proc = |what: &str| fs::read(format!("/proc/{pid}/{what}")).unwrap();
    let limits = String::from_utf8(proc("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let environment = String::from_utf8(proc("environ")).unwrap();
    assert!(
        environment
            .split('\0')
            .all(|entry| entry.is_empty() || entry.starts_with("SOFTHSM2_CONF="))
    );
    let arguments = String::from_utf8(proc("cmdline")).unwrap();
    assert!(!environment.contains(PIN) && !arguments.contains(PIN));
    drop(hsm);
    let until = Instant::now() + Duration::from_secs(5);
    while fs::exists(format!("/proc/{pid}")).unwrap() {
        assert!(Instant::now() < until, "the worker outlives its client");
        thread::sleep(Duration::from_millis(20));
    }
}

fn kill(hsm: &WorkerClient, signal: Signal) {
    // The worker may have been replaced or be on its way out: then the signal has nobody to hit.
    if let Some(pid) = hsm
        .status()
        .pid
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw)
    {
        let _gone = kill_process(pid, signal);
    }
}
