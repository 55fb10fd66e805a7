//! TLS towards validator clients: pinned certificates, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod kit;

use std::sync::Arc;

use kit::http::Connection;
use kit::{Running, Shape, World, http};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use symbolon_rpc::TlsIdentity;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

async fn world() -> (World, Running) {
    let world = World::new(Shape::default()).await;
    let front = TlsIdentity::generate("front").unwrap();
    front
        .write_new(&world.path("front.crt"), &world.path("front.key"))
        .unwrap();
    let mut pins = Vec::new();
    for name in ["client", "stranger"] {
        let client = TlsIdentity::generate(name).unwrap();
        let (crt, key) = (format!("{name}.crt"), format!("{name}.key"));
        client
            .write_new(&world.path(&crt), &world.path(&key))
            .unwrap();
        pins.push(kit::hex(&client.pin()));
    }
    let more = format!(
        "tls_cert = \"front.crt\"\ntls_key = \"front.key\"\nclient_pins = [\"{}\"]\n",
        pins[0]
    );
    std::fs::write(world.path("requestor.toml"), world.settings(&more)).unwrap();
    let running = world.requestor().await;
    (world, running)
}

/// Connects with the certificate and key of `name`, or without any.
async fn connect(
    world: &World,
    running: &Running,
    name: Option<(&str, &str)>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let read = |name: &str| std::fs::read(world.path(name)).unwrap();
    let front = CertificateDer::from_pem_slice(&read("front.crt")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(front).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let config = match name {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain =
                vec![CertificateDer::from_pem_slice(&read(&format!("{certificate}.crt"))).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(&read(&format!("{key}.key"))).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let stream = TcpStream::connect(running.address).await?;
    let name = "symbolon".try_into().unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// Whether a request gets an answer on this connection.
async fn works(stream: std::io::Result<TlsStream<TcpStream>>) -> bool {
    let Ok(mut stream) = stream else { return false };
    // In TLS 1.3 the client learns of the refusal with its first read.
    let request = b"GET /upcheck HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    stream.write_all(request).await.is_ok()
        && stream.read_to_end(&mut answer).await.is_ok()
        && answer.ends_with(b"OK")
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_pinned_clients_get_in() {
    let (world, running) = world().await;
    for versions in [&BOTH[..1], &BOTH[1..]] {
        let pinned = connect(&world, &running, Some(("client", "client")), versions).await;
        assert!(works(pinned).await);
        let stranger = connect(&world, &running, Some(("stranger", "stranger")), versions).await;
        assert!(!works(stranger).await);
        let nobody = connect(&world, &running, None, versions).await;
        assert!(!works(nobody).await);
    }
    // Plain text gets nothing.
    let mut plain = TcpStream::connect(running.address).await.unwrap();
    plain
        .write_all(b"GET /upcheck HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.ok();
    assert!(!answer.windows(4).any(|window| window == b"HTTP"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_client_gets_its_signature() {
    let (world, running) = world().await;
    let stream = connect(&world, &running, Some(("client", "client")), BOTH)
        .await
        .unwrap();
    let key = world.made.keys[0].to_string();
    let body = kit::recorded::selection(3).to_string();
    let mut connection = Connection::over(stream);
    let answer = connection.ask(&http::head(&key, ""), body.as_bytes()).await;
    assert_eq!((answer.status, answer.body.len()), (200, 194));
    running.stop().await;
}
