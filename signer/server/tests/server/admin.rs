//! What operators ask, and reloading.

use std::fs;
use std::time::Duration;

use symbolon_duties::DutyKind;
use symbolon_protocol::admin::{AdminReply, AdminRequest};
use symbolon_protocol::roster::SignedRoster;
use symbolon_protocol::sign::RefusalCode;
use symbolon_protocol::{NetworkId, SoftIdentity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{LIMIT, TestClient, block, every_kind, now, vote};
use crate::fixture::{KEYS, Template};

fn done(replies: &[AdminReply]) -> &str {
    match replies {
        [AdminReply::Done(text)] => text,
        other => panic!("{other:?}"),
    }
}

fn failed(replies: &[AdminReply]) -> &str {
    match replies {
        [AdminReply::Failed(text)] => text,
        other => panic!("{other:?}"),
    }
}

fn text(replies: &[AdminReply]) -> String {
    let piece = |reply: &AdminReply| match reply {
        AdminReply::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    replies.iter().map(piece).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_keys_say_what_is_here() {
    let template = Template::get();
    let member = template.member(2);
    let server = member.start().await;
    let operator = TestClient::new(template, "op-1", 2, &server.address);
    let requestor = TestClient::new(template, "req-1", 2, &server.address);
    requestor.signed(block(template, now(template).0, 1)).await;
    requestor.refused(block(template, now(template).0, 2)).await;
    let status = operator.status().await;
    assert_eq!((status.member, status.name.as_str()), (2, "server-2"));
    assert_eq!((status.roster_number, status.keys), (1, u64::from(KEYS)));
    assert_eq!((status.signed, status.refused), (1, 1));
    assert_eq!(
        (status.token.as_str(), status.seal.is_empty()),
        ("rack 2", false)
    );
    assert!(status.ready && status.degraded.is_empty(), "{status:?}");
    assert!(status.journal_sequence > 0);
    let [AdminReply::Keys(keys)] = &operator.admin(AdminRequest::ListKeys).await[..] else {
        panic!("no keys")
    };
    assert_eq!(keys.len(), usize::from(KEYS));
    for key in keys {
        assert_eq!((key.group.as_str(), key.group_epoch), ("north", 1));
        assert_eq!((key.threshold, key.members), (2, 3));
        assert!(key.born_in_ceremony && key.enabled);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_key_stays_disabled_over_a_restart() {
    let template = Template::get();
    let member = template.member(1);
    let keys = vec![template.key(0)];
    let slot = now(template).0;
    for enabled in [false, true] {
        let server = member.start().await;
        let operator = TestClient::new(template, "op-1", 1, &server.address);
        let request = AdminRequest::SetEnabled {
            keys: keys.clone(),
            enabled,
        };
        let text = done(&operator.admin(request).await).to_owned();
        assert!(text.starts_with("1 keys are"), "{text}");
        server.stop().await;
        let server = member.start().await;
        let requestor = TestClient::requestor(template, &server);
        if enabled {
            requestor.signed(block(template, slot, 1)).await;
        } else {
            let (code, _) = requestor.refused(block(template, slot, 1)).await;
            assert_eq!(code, RefusalCode::KeyDisabled);
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slashing_protection_moves_from_one_member_to_another() {
    let template = Template::get();
    let (slot, epoch) = (now(template).0, template.network.epoch_of(now(template)).0);
    let first = template.member(1);
    let server = first.start().await;
    let requestor = TestClient::requestor(template, &server);
    requestor.signed(block(template, slot, 1)).await;
    requestor.signed(vote(template, epoch - 1, epoch, 1)).await;
    let operator = TestClient::new(template, "op-1", 1, &server.address);
    let export = text(
        &operator
            .admin(AdminRequest::SlashingExport(Vec::new()))
            .await,
    );
    assert!(export.contains(&slot.to_string()), "{export}");
    server.stop().await;

    let second = template.member(2);
    let server = second.start().await;
    let operator = TestClient::new(template, "op-1", 2, &server.address);
    let import = |dry_run| AdminRequest::SlashingImport {
        interchange: export.clone().into_bytes().into(),
        dry_run,
    };
    let dry = done(&operator.admin(import(true)).await).to_owned();
    assert!(
        dry.starts_with("would change 1 marks (1 new, 0 raised)"),
        "{dry}"
    );
    let wet = done(&operator.admin(import(false)).await).to_owned();
    assert!(wet.starts_with("changed 1 marks"), "{wet}");
    let again = done(&operator.admin(import(false)).await).to_owned();
    assert!(again.contains("nothing to change in 0 marks"), "{again}");
    let requestor = TestClient::new(template, "req-1", 2, &server.address);
    assert_eq!(
        requestor.refused(block(template, slot, 2)).await.0,
        RefusalCode::DoubleProposal
    );
    assert_eq!(
        requestor
            .refused(vote(template, epoch - 1, epoch, 2))
            .await
            .0,
        RefusalCode::DoubleVote
    );
    requestor.signed(block(template, slot, 1)).await;

    let other = export.replace(
        &format!("{}", template.network.genesis_validators_root()),
        &format!("0x{}", "11".repeat(32)),
    );
    let request = AdminRequest::SlashingImport {
        interchange: other.into_bytes().into(),
        dry_run: false,
    };
    let answer = operator.admin(request).await;
    assert!(
        failed(&answer).contains("interchange is for the chain"),
        "{answer:?}"
    );
    let request = AdminRequest::SlashingImport {
        interchange: b"[]".to_vec().into(),
        dry_run: false,
    };
    assert!(failed(&operator.admin(request).await).contains("not a JSON object"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_reloaded_whole_or_not_at_all() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let operator = TestClient::new(template, "op-1", 1, &server.address);
    let requestor = TestClient::requestor(template, &server);
    let items = every_kind(template, template.key(2));
    let exit = items
        .iter()
        .find(|item| item.duty.kind() == DutyKind::VoluntaryExit)
        .unwrap();
    requestor.signed(exit.clone()).await;

    member.permissions(
        "[[allow]]\nrequestor = \"req-1\"\nkeys = [\"*\"]\nduties = [\"validating\"]\n",
    );
    let text = done(&operator.admin(AdminRequest::Reload).await).to_owned();
    assert_eq!(text, "roster 1 and 1 grants of permission are in force");
    assert_eq!(
        requestor.refused(exit.clone()).await.0,
        RefusalCode::NotPermitted
    );

    member.permissions("[[allow]]\nrequestor = \"req-1\"\nkeys = [\"*\"]\nduties = [\"al\"]\n");
    let answer = operator.admin(AdminRequest::Reload).await;
    assert!(
        failed(&answer).contains("line 4: duties = \"al\": expected"),
        "{answer:?}"
    );
    assert_eq!(
        requestor.refused(exit.clone()).await.0,
        RefusalCode::NotPermitted
    );
    requestor.signed(block(template, now(template).0, 1)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_taken_out_of_the_roster_is_not_heard_after_a_reload() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let requestor = TestClient::requestor(template, &server);
    let slot = now(template).0;
    requestor.signed(block(template, slot, 1)).await;

    let guardian = SoftIdentity::from_bytes(&[61; 32]).unwrap();
    let mut roster = template.chain.current().clone();
    roster.number = 2;
    roster.previous = Some(template.chain.hash());
    roster.clients.retain(|client| client.name != "req-1");
    let id = NetworkId(template.network.id());
    let mut next = SignedRoster::new(id, roster);
    next.sign(id, "ada", &guardian).unwrap();
    let chain = template.chain.clone().append(next).unwrap();
    fs::write(member.path("roster.cbor"), chain.to_bytes()).unwrap();
    let operator = TestClient::new(template, "op-1", 1, &server.address);
    let text = done(&operator.admin(AdminRequest::Reload).await).to_owned();
    assert!(text.starts_with("roster 2"), "{text}");
    assert!(
        requestor
            .send(vec![block(template, slot, 1)])
            .await
            .is_err()
    );

    // A chain that ends earlier than the one in force is not taken.
    fs::write(member.path("roster.cbor"), template.chain.to_bytes()).unwrap();
    let answer = operator.admin(AdminRequest::Reload).await;
    assert!(
        failed(&answer).contains("roster 2 is in force"),
        "{answer:?}"
    );
    assert!(operator.peer.check(LIMIT).await.unwrap());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_and_metrics_are_served_apart() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let requestor = TestClient::requestor(template, &server);
    let slot = now(template).0;
    requestor.signed(block(template, slot, 1)).await;
    requestor.refused(block(template, slot, 2)).await;
    assert!(
        get(&server.status, "/readyz")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        get(&server.status, "/livez")
            .await
            .starts_with("HTTP/1.1 200")
    );
    // Gauges follow within a second.
    let mut metrics = String::new();
    for _ in 0..50 {
        metrics = get(&server.status, "/metrics").await;
        if metrics.contains("symbolon_server_keys 3") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for line in [
        "symbolon_server_signed_total{kind=\"BLOCK\"} 1",
        "symbolon_server_refused_total{kind=\"BLOCK\",code=\"double-proposal\"} 1",
        "symbolon_server_batch_duties_count 2",
        "symbolon_server_commit_seconds_count 1",
        "symbolon_server_keys 3",
        "symbolon_server_roster_number 1",
        "symbolon_server_hsm_up 1",
        "symbolon_server_ready 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    server.stop().await;
}

async fn get(address: &str, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
