//! Who gets a connection.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use sha2::{Digest as _, Sha256};
use symbolon_protocol::roster::PartyId;
use symbolon_rpc::{CallError, Limits, PeerClient, Pins, TlsError, TlsIdentity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Endpoint, Uri};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::hostile::{Presenter, client_config};
use crate::world::{MAX, SOON, call, eventually, roster, serve, world};

#[tokio::test]
async fn the_right_keys_talk_and_the_server_knows_who_calls() {
    let world = world(Limits::default()).await;
    let client = call(&world, &world.client, world.pins.clone());
    for length in [0, 7, 1000] {
        let answer = client.sign(vec![0; length], SOON).await.unwrap();
        let expected = format!("client \"req-1\", {length} bytes");
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    }
    assert!(client.check(SOON).await.unwrap());
    world.serving.stop().await;
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
        handshakes: 2,
        handshake: Duration::from_millis(200),
        ..Limits::default()
    };
    let world = world(limits).await;
    let mut plain = TcpStream::connect(world.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let silent = TcpStream::connect(world.address).await.unwrap();
    // Both places are taken; the client gets through all the same.
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
async fn identity_files_are_private_and_read_back() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = world(Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    world.client.write_new(&certificate, &key).unwrap();
    let again = world.client.write_new(&certificate, &key).unwrap_err();
    assert!(matches!(again, TlsError::Exists { .. }), "{again}");
    let mode = std::fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let read = TlsIdentity::load(&certificate, &key).unwrap();
    assert_eq!(read.pin(), world.client.pin());
    call(&world, &read, world.pins.clone())
        .sign(vec![], SOON)
        .await
        .unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = TlsIdentity::load(&certificate, &key).err().unwrap();
    assert!(open.to_string().contains("chmod 600"), "{open}");
}

#[tokio::test]
async fn the_pin_is_the_hash_of_the_public_key_document() {
    let identity = TlsIdentity::generate("server-1").unwrap();
    let key = rcgen::KeyPair::try_from(identity.pkcs8()).unwrap();
    let document = rcgen::PublicKeyData::subject_public_key_info(&key);
    assert_eq!(identity.pin(), <[u8; 32]>::from(Sha256::digest(document)));
}

#[tokio::test]
async fn the_same_client_finds_a_server_that_comes_back() {
    let world = world(Limits::default()).await;
    let client = call(&world, &world.client, world.pins.clone());
    client.sign(vec![], SOON).await.unwrap();
    world.serving.stop().await;
    let gone = client.sign(vec![], SOON).await.unwrap_err();
    assert!(matches!(gone, CallError::Unreachable { .. }), "{gone}");
    let limits = Limits::default();
    let _again = serve(world.address, &world.server, world.pins.clone(), limits).await;
    eventually(|| async { client.sign(vec![], SOON).await.is_ok() }).await;
}

#[tokio::test]
async fn reflection_names_all_services() {
    let world = world(Limits::default()).await;
    let presenter = Presenter::new(&world.client, &world.client);
    let connector = TlsConnector::from(Arc::new(client_config(Some(presenter), &["h2"])));
    let address = world.address;
    let connect = tower::service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move {
            let name = ServerName::try_from("symbolon").unwrap();
            let stream = connector.connect(name, TcpStream::connect(address).await?);
            std::io::Result::Ok(TokioIo::new(stream.await?))
        }
    });
    let channel = Endpoint::from_static("http://symbolon")
        .connect_with_connector(connect)
        .await
        .unwrap();
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::iter([question]))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = list.service.into_iter().map(|it| it.name).collect();
    for service in ["Signer", "Ceremony", "Admin"] {
        let name = format!("symbolon.v1.{service}");
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(
        names.contains(&"grpc.health.v1.Health".to_owned()),
        "{names:?}"
    );
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
