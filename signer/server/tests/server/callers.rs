//! Who is heard, and who is not.

use symbolon_ceremony::wire::CeremonyRequest;
use symbolon_protocol::Unsigned;
use symbolon_protocol::admin::AdminRequest;
use symbolon_protocol::session::SessionSecret;
use symbolon_protocol::sign::{SessionFrame, SignBatch};
use symbolon_rpc::{CallError, TlsIdentity};

use crate::client::{LIMIT, TestClient, block, certify, now, peer, unix_now};
use crate::fixture::Template;

fn refusal<T>(result: Result<T, CallError>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_in_the_roster_gets_no_connection() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let stranger = TlsIdentity::generate("req-1").unwrap();
    let client = peer(template, &stranger, 1, &server.address);
    let result = client.sign(Vec::new(), LIMIT).await;
    assert!(
        matches!(result, Err(CallError::Unreachable { .. })),
        "{result:?}"
    );
    // The server lives on, and a client that expects another member does not talk to this one.
    let client = TestClient::requestor(template, &server);
    client.signed(block(template, now(template).0, 1)).await;
    let wrong = peer(template, &template.clients["req-1"], 2, &server.address);
    assert!(matches!(
        wrong.sign(Vec::new(), LIMIT).await,
        Err(CallError::Unreachable { .. })
    ));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_client_has_its_own_calls() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let requestor = TestClient::requestor(template, &server);
    let operator = TestClient::new(template, "op-1", 1, &server.address);

    let text = refusal(
        operator
            .send(vec![block(template, now(template).0, 1)])
            .await,
    );
    assert!(
        text.contains("is a operator; this call is for a requestor"),
        "{text}"
    );
    let text = refusal(
        requestor
            .peer
            .admin(AdminRequest::Status.to_bytes(), LIMIT)
            .await,
    );
    assert!(
        text.contains("is a requestor; this call is for a operator"),
        "{text}"
    );
    let status = CeremonyRequest::Status(None).to_bytes();
    let text = refusal(requestor.peer.ceremony(status.clone(), LIMIT).await);
    assert!(
        text.contains("is a requestor; this call is for a operator"),
        "{text}"
    );
    assert!(operator.peer.ceremony(status, LIMIT).await.is_ok());
    assert!(operator.peer.check(LIMIT).await.unwrap());
    let text = refusal(operator.peer.admin(vec![1, 2, 3], LIMIT).await);
    assert!(text.contains("administration request"), "{text}");

    // A member of the roster is no client.
    let tls = TlsIdentity::load(&member.path("tls.crt"), &member.path("tls.key")).unwrap();
    let text = refusal(
        peer(template, &tls, 1, &server.address)
            .sign(Vec::new(), LIMIT)
            .await,
    );
    assert!(
        text.contains("member 1 is no client of this server"),
        "{text}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_counts_only_under_its_callers_own_valid_session() {
    let template = Template::get();
    let member = template.member(1);
    let server = member.start().await;
    let client = TestClient::requestor(template, &server);
    let (slot, now) = (now(template).0, unix_now());
    let batch = || {
        let items = vec![block(template, slot, 1)];
        let batch = SignBatch {
            id: [1; 16].into(),
            issued_at_ms: 0,
            ttl_ms: 1000,
            items,
        };
        Unsigned::new(template.id(), batch)
    };
    let send = async |certificate: Vec<u8>, session: &SessionSecret| {
        let message = batch().sign_session(session).to_bytes();
        let frame = SessionFrame::new(certificate, message);
        refusal(client.peer.sign(frame.to_bytes(), LIMIT).await)
    };
    let session = SessionSecret::from_seed(&[3; 32]).unwrap();
    let own = &template.clients["req-1"];

    let text = send(client.certificate.clone(), &session).await;
    assert!(
        text.contains("the signature of this symbolon.sign-batch is not by req-1"),
        "{text}"
    );
    let other = &template.clients["req-2"];
    let certificate = certify(template, other, "req-2", &session, now, now + 60);
    let text = send(certificate, &session).await;
    assert!(
        text.contains("sent a session key of client \"req-2\""),
        "{text}"
    );
    let forged = certify(template, other, "req-1", &session, now, now + 60);
    let text = send(forged, &session).await;
    assert!(
        text.contains("the signature of this symbolon.session-key is not by"),
        "{text}"
    );
    let expired = certify(template, own, "req-1", &session, now - 7200, now - 3600);
    let text = send(expired, &session).await;
    assert!(text.contains("is valid from"), "{text}");
    let long = certify(template, own, "req-1", &session, now, now + 90_000);
    let text = send(long, &session).await;
    assert!(text.contains("is certified for 90000 s"), "{text}");
    server.stop().await;
}
