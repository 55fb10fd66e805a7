//! Restarts, kills and damage: no mark is lost, or everybody hears of it.

use std::fs;
use std::time::Duration;

use symbolon_ceremony::wire::CeremonyReply;
use symbolon_protocol::admin::AdminRequest;
use symbolon_protocol::sign::{RefusalClass, RefusalCode, SignAnswer};

use crate::client::{LIMIT, TestClient, block, now, vote};
use crate::fixture::{Template, TestMember};
use crate::process::Process;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_marks() {
    let template = Template::get();
    let member = template.member(1);
    let (slot, epoch) = (now(template).0, template.network.epoch_of(now(template)).0);
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    let first = client.signed(block(template, slot, 1)).await;
    client.signed(vote(template, epoch - 1, epoch, 1)).await;
    server.stop().await;
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    assert_eq!(
        client.refused(block(template, slot, 2)).await.0,
        RefusalCode::DoubleProposal
    );
    let vote = |variant| vote(template, epoch - 1, epoch, variant);
    assert_eq!(client.refused(vote(2)).await.0, RefusalCode::DoubleVote);
    client.signed(vote(1)).await;
    assert_eq!(client.signed(block(template, slot, 1)).await, first);
    server.stop().await;
}

/// Every answer that came out before a kill holds after it, and what was in flight when it came
/// is signed under one root at most.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_conflicting_leaves_a_server_that_is_killed() {
    let template = Template::get();
    let member = template.member(1);
    let mut process = Process::start(&member);
    let mut slot = now(template).0;
    for round in 0..5_u64 {
        let client = TestClient::new(template, "req-1", 1, &process.address);
        let (progress, mut signed) = tokio::sync::watch::channel(slot);
        let from = slot + 1;
        let loading = tokio::spawn(async move {
            for slot in from.. {
                match client.send(vec![block(template, slot, 1)]).await {
                    Ok(answers) => {
                        assert!(matches!(answers[0], SignAnswer::Partial(_)), "{answers:?}");
                        progress.send_replace(slot);
                    }
                    Err(_) => return,
                }
            }
        });
        signed
            .wait_for(|slot| *slot >= from + 3 * round)
            .await
            .unwrap();
        // Somewhere within the next request.
        tokio::time::sleep(Duration::from_micros(700 * round)).await;
        process.kill();
        loading.await.unwrap();
        let (last, in_flight) = (*signed.borrow(), *signed.borrow() + 1);

        process = Process::start(&member);
        let client = TestClient::new(template, "req-1", 1, &process.address);
        let other = client.one(block(template, last, 2)).await;
        assert!(matches!(other, SignAnswer::Refused(_)), "{other:?}");
        let mut roots = 0;
        // The other root first: it passes where the mark of the first was not on disk yet.
        for variant in [2, 1, 3] {
            let answer = client.one(block(template, in_flight, variant)).await;
            roots += usize::from(matches!(answer, SignAnswer::Partial(_)));
        }
        assert_eq!(roots, 1, "round {round}");
        slot = in_flight;
    }
    assert_eq!(process.terminate(), 0);
}

/// Bends the last byte that was written to the journal.
fn tear(member: &TestMember) {
    let folder = member.path("data/journal");
    let names = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = names
        .filter(|path| path.extension().is_some_and(|ext| ext == "log"))
        .collect();
    segments.sort();
    let last = segments.iter().rev().find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("segment-")
    });
    let path = last.unwrap();
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[at] ^= 0x55;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_raises_every_mark_and_is_said_loudly() {
    let template = Template::get();
    let member = template.member(1);
    let process = Process::start(&member);
    let client = TestClient::new(template, "req-1", 1, &process.address);
    let (slot, epoch) = (now(template).0, template.network.epoch_of(now(template)).0);
    client.signed(block(template, slot - 1000, 1)).await;
    process.kill();
    tear(&member);

    let process = Process::start(&member);
    let client = TestClient::new(template, "req-1", 1, &process.address);
    let operator = TestClient::new(template, "op-1", 1, &process.address);
    let status = operator.status().await;
    assert!(
        status
            .degraded
            .iter()
            .any(|line| line.contains("was broken and cut")),
        "{status:?}"
    );
    assert!(status.ready);
    // Whatever was lost lies in this epoch or before: nothing of it is signed again, of any key.
    assert!(
        client
            .refused(block(template, slot, 1))
            .await
            .0
            .name()
            .contains("block")
    );
    let (code, _) = client.refused(vote(template, epoch, epoch, 1)).await;
    assert_eq!(code, RefusalCode::DoubleVote);
    let (code, _) = client
        .refused(vote(template, epoch - 1, epoch + 1, 1))
        .await;
    assert_eq!(code, RefusalCode::AttestationBelowMark);
    client.signed(block(template, slot + 40, 1)).await;
    client.signed(vote(template, epoch, epoch + 1, 1)).await;
    assert_eq!(process.terminate(), 0);

    // In order again, and the floor is kept.
    let server = member.start().await;
    let operator = TestClient::new(template, "op-1", 1, &server.address);
    assert!(operator.status().await.degraded.is_empty());
    let client = TestClient::requestor(template, &server);
    client.refused(vote(template, epoch, epoch, 1)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_away_refuses_and_costs_no_mark() {
    let template = Template::get();
    let member = template.member(1);
    member.configure("\"resident\"", "\"per-batch\"");
    let process = Process::start(&member);
    let client = TestClient::new(template, "req-1", 1, &process.address);
    let slot = now(template).0;
    client.signed(block(template, slot, 1)).await;
    fs::rename(member.path("tokens"), member.path("unplugged")).unwrap();
    for worker in process.workers() {
        let kill = std::process::Command::new("kill")
            .args(["-KILL", &worker])
            .status();
        assert!(kill.unwrap().success());
    }
    let (code, text) = client.refused(block(template, slot + 1, 1)).await;
    assert_eq!(code, RefusalCode::DeviceUnavailable, "{text}");
    fs::rename(member.path("unplugged"), member.path("tokens")).unwrap();
    // The worker comes back by itself; another root is free, because nothing was marked.
    let mut last = None;
    for _ in 0..100 {
        match client.one(block(template, slot + 1, 2)).await {
            SignAnswer::Partial(partial) => {
                last = Some(partial);
                break;
            }
            SignAnswer::Refused(refusal) => {
                assert_eq!(refusal.code, RefusalCode::DeviceUnavailable, "{refusal}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    assert!(last.is_some(), "the device did not come back");
    assert_eq!(process.terminate(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_reload_and_stop_the_program_and_a_wrong_setting_is_exit_code_two() {
    let template = Template::get();
    let member = template.member(1);
    let process = Process::start(&member);
    let client = TestClient::new(template, "req-1", 1, &process.address);
    client.signed(block(template, now(template).0, 1)).await;
    member.permissions("# nobody\n");
    process.signal("-HUP");
    process.wait_for("reloaded: roster 1 and 0 grants");
    assert_eq!(
        client.refused(block(template, now(template).0, 1)).await.0,
        RefusalCode::NotPermitted
    );
    let operator = TestClient::new(template, "op-1", 1, &process.address);
    assert_eq!(operator.admin(AdminRequest::ListKeys).await.len(), 1);
    assert_eq!(process.terminate(), 0);

    member.configure("max_batch = 64", "max_batch = 64\nmax_bath = 3");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_symbolon-server"))
        .arg("--config")
        .arg(member.path("server.toml"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("server.toml") && said.contains("max_bath"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn recovered_shares_sign_nothing_that_the_lost_machine_may_have_signed() {
    let template = Template::get();
    let member = template.member(1);
    let (slot, epoch) = (now(template).0, template.network.epoch_of(now(template)).0);
    let server = member.start().await;
    TestClient::requestor(template, &server)
        .signed(block(template, slot, 1))
        .await;
    server.stop().await;
    // The disk is lost; the token and the sealed data key are not.
    for lost in ["journal", "shares", "ceremonies"] {
        fs::remove_dir_all(member.path("data").join(lost)).unwrap();
    }
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    assert_eq!(
        client.refused(block(template, slot, 2)).await.0,
        RefusalCode::UnknownKey
    );
    let operator = TestClient::new(template, "op-1", 1, &server.address);
    let reply = operator
        .peer
        .ceremony(template.recovery.to_bytes(), LIMIT)
        .await
        .unwrap();
    let reply = CeremonyReply::from_bytes(&reply).unwrap();
    assert!(matches!(reply, CeremonyReply::Activation(_)), "{reply:?}");
    let status = operator.status().await;
    assert!(
        status
            .degraded
            .iter()
            .any(|line| line.contains("were recovered")),
        "{status:?}"
    );
    assert_eq!(
        client.refused(block(template, slot, 2)).await.0.class(),
        RefusalClass::Slashing
    );
    let (code, _) = client.refused(vote(template, epoch - 1, epoch, 1)).await;
    assert_eq!(code.class(), RefusalClass::Slashing);
    client.signed(block(template, slot + 40, 1)).await;
    server.stop().await;

    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    assert_eq!(
        client.refused(block(template, slot, 2)).await.0.class(),
        RefusalClass::Slashing
    );
    server.stop().await;
}
