//! Who gets a connection: real sockets, real TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use symbolon_protocol::roster::{
    Client, ClientKind, ClusterId, Guardian, Member, PartyId, Roster, TlsPin,
};
use symbolon_protocol::{IdentitySigner as _, SoftIdentity};
use symbolon_rpc::wire::Frame;
use symbolon_rpc::wire::signer_server::{Signer, SignerServer};
use symbolon_rpc::{CallError, Limits, Listener, PeerClient, Pins, TlsIdentity, caller, router};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tonic::{Request, Response, Status};

const SOON: Duration = Duration::from_secs(3);
const MAX: usize = 64 * 1024;

/// Says who called, and how long the frame was.
struct Echo;

#[tonic::async_trait]
impl Signer for Echo {
    async fn sign(&self, request: Request<Frame>) -> Result<Response<Frame>, Status> {
        let party = caller(&request).map_err(|status| *status)?;
        let text = format!("{party}, {} bytes", request.get_ref().value.len());
        Ok(Response::new(Frame {
            value: text.into_bytes().into(),
        }))
    }
}

struct World {
    address: SocketAddr,
    server: TlsIdentity,
    client: TlsIdentity,
    roster: Roster,
    pins: Pins,
    stop: Option<oneshot::Sender<()>>,
}

fn roster(server: [u8; 32], client: [u8; 32]) -> Roster {
    let key = |byte| SoftIdentity::from_bytes(&[byte; 32]).unwrap().public();
    Roster {
        cluster: ClusterId([1; 32]),
        name: "lab".into(),
        number: 1,
        previous: None,
        members: vec![Member {
            index: 1,
            name: "server-1".into(),
            identity: key(1),
            address: Some("127.0.0.1:1".into()),
            tls_pin: Some(TlsPin(server)),
        }],
        clients: vec![Client {
            name: "req-1".into(),
            kind: ClientKind::Requestor,
            identity: key(2),
            tls_pin: TlsPin(client),
            provider: String::new(),
        }],
        guardians: vec![Guardian {
            name: "ada".into(),
            key: key(3),
        }],
        guardian_quorum: 1,
    }
}

async fn world(limits: Limits) -> World {
    let server = TlsIdentity::generate("server-1").unwrap();
    let client = TlsIdentity::generate("req-1").unwrap();
    let roster = roster(server.pin(), client.pin());
    let pins = Pins::of(&roster);
    let any = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(any, &server, pins.clone(), limits)
        .await
        .unwrap();
    let address = listener.address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (router, _health) = router().unwrap();
    let router = router.add_service(SignerServer::new(Echo).max_decoding_message_size(MAX));
    tokio::spawn(listener.serve(router, async {
        stopped.await.ok();
    }));
    World {
        address,
        server,
        client,
        roster,
        pins,
        stop: Some(stop),
    }
}

fn call(world: &World, identity: &TlsIdentity, pins: Pins) -> PeerClient {
    PeerClient::new(
        PartyId::Member(1),
        &world.address.to_string(),
        identity,
        pins,
        8 * MAX,
    )
    .unwrap()
}

#[tokio::test]
async fn the_right_keys_talk_and_the_server_knows_who_calls() {
    let mut world = world(Limits::default()).await;
    let client = call(&world, &world.client, world.pins.clone());
    for length in [0, 7, 1000] {
        let answer = client.sign(vec![0; length], SOON).await.unwrap();
        let expected = format!("client \"req-1\", {length} bytes");
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    }
    assert!(client.check(SOON).await.unwrap());
    world.stop.take().unwrap().send(()).unwrap();
}

#[tokio::test]
async fn a_stranger_is_refused_and_others_are_not_disturbed() {
    let world = world(Limits::default()).await;
    let stranger = TlsIdentity::generate("req-1").unwrap();
    let error = call(&world, &stranger, world.pins.clone())
        .sign(vec![], SOON)
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    call(&world, &world.client, world.pins.clone())
        .sign(vec![], SOON)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_refuses_a_server_with_another_key() {
    let world = world(Limits::default()).await;
    let expected = TlsIdentity::generate("server-1").unwrap();
    let pins = Pins::of(&roster(expected.pin(), world.client.pin()));
    let error = call(&world, &world.client, pins)
        .sign(vec![], SOON)
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with("member 1 at 127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_refuses_another_member_in_the_place_of_the_one_it_calls() {
    let world = world(Limits::default()).await;
    let mut renamed = world.roster.clone();
    renamed.members[0].index = 2;
    let pins = Pins::of(&renamed);
    let error = call(&world, &world.client, pins)
        .sign(vec![], SOON)
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn taken_out_of_the_pins_means_refused_at_the_next_handshake() {
    let world = world(Limits::default()).await;
    let own = Pins::of(&world.roster);
    call(&world, &world.client, own.clone())
        .sign(vec![], SOON)
        .await
        .unwrap();
    world.pins.replace(&world.roster, |party| {
        *party != PartyId::Client("req-1".into())
    });
    let error = call(&world, &world.client, own.clone())
        .sign(vec![], SOON)
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    world.pins.replace(&world.roster, |_| true);
    call(&world, &world.client, own)
        .sign(vec![], SOON)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_message_above_the_bound_is_refused_with_a_reason() {
    let world = world(Limits::default()).await;
    let client = call(&world, &world.client, world.pins.clone());
    let error = client.sign(vec![0; 2 * MAX], SOON).await.unwrap_err();
    let CallError::Refused { code, message, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(code, tonic::Code::OutOfRange);
    assert!(message.contains("65536"), "{message}");
    client.sign(vec![0; MAX / 2], SOON).await.unwrap();
}

#[tokio::test]
async fn plain_text_and_silence_get_nothing_and_hold_nothing() {
    let limits = Limits {
        connections: 2,
        handshake: Duration::from_millis(200),
    };
    let world = world(limits).await;
    let mut plain = TcpStream::connect(world.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let silent = TcpStream::connect(world.address).await.unwrap();
    // Both places are taken until the handshakes fail or time out; then the client gets through.
    call(&world, &world.client, world.pins.clone())
        .sign(vec![], SOON)
        .await
        .unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.ok();
    assert!(!answer.windows(4).any(|window| window == b"HTTP"));
    drop(silent);
}

#[tokio::test]
async fn tls_1_2_is_not_spoken() {
    let world = world(Limits::default()).await;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let stream = TcpStream::connect(world.address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let error = connector
        .connect("symbolon".try_into().unwrap(), stream)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn a_copied_certificate_without_its_key_is_refused() {
    let world = world(Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let thief = TlsIdentity::generate("thief").unwrap();
    world
        .server
        .write_new(&file("server.crt"), &file("server.key"))
        .unwrap();
    world
        .client
        .write_new(&file("client.crt"), &file("client.key"))
        .unwrap();
    thief
        .write_new(&file("thief.crt"), &file("thief.key"))
        .unwrap();
    let forged = TlsIdentity::load(&file("client.crt"), &file("thief.key")).unwrap();
    assert_eq!(forged.pin(), world.client.pin());
    let made = PeerClient::new(
        PartyId::Member(1),
        &world.address.to_string(),
        &forged,
        world.pins.clone(),
        MAX,
    );
    // The library sees at once that the halves differ; if it did not, the handshake would fail.
    match made {
        Err(error) => assert!(matches!(error, CallError::Tls(_)), "{error}"),
        Ok(client) => assert!(client.sign(vec![], SOON).await.is_err()),
    }
    let honest = TlsIdentity::load(&file("client.crt"), &file("client.key")).unwrap();
    call(&world, &honest, world.pins.clone())
        .sign(vec![], SOON)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let identity = TlsIdentity::generate("req-1").unwrap();
    let pins = Pins::of(&roster([9; 32], identity.pin()));
    let client = PeerClient::new(PartyId::Member(1), &address, &identity, pins, MAX).unwrap();
    let limit = Duration::from_millis(100);
    let error = client.sign(vec![], limit).await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
    drop(listener);
}
