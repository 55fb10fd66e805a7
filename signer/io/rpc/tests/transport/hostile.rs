//! Peers that lie, stall, crowd, or have been locked out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use symbolon_protocol::roster::PartyId;
use symbolon_rpc::{CallError, Limits, PeerClient, Pins, TlsIdentity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::world::{MAX, SOON, call, eventually, roster, world};

/// Presents one certificate and signs with one key, whether they belong together or not. (The
/// usual way into the TLS library compares them and would hide what a peer has to notice.)
#[derive(Debug)]
pub(crate) struct Presenter(Arc<CertifiedKey>);

impl Presenter {
    pub(crate) fn new(certificate: &TlsIdentity, key: &TlsIdentity) -> Arc<Self> {
        let key = PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()).into();
        let key = provider().key_provider.load_private_key(key).unwrap();
        let certified = CertifiedKey::new(vec![der(certificate)], key);
        Arc::new(Self(Arc::new(certified)))
    }
}

impl ResolvesServerCert for Presenter {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl ResolvesClientCert for Presenter {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Believes every server.
#[derive(Debug)]
struct Believer;

impl ServerCertVerifier for Believer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn der(identity: &TlsIdentity) -> CertificateDer<'static> {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("crt"), folder.path().join("key"));
    identity.write_new(&certificate, &key).unwrap();
    CertificateDer::from_pem_file(&certificate).unwrap()
}

/// The settings of a client that believes everything.
pub(crate) fn client_config(presenter: Option<Arc<Presenter>>, alpn: &[&str]) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Believer));
    let mut config = match presenter {
        Some(presenter) => builder.with_client_cert_resolver(presenter),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|it| it.as_bytes().to_vec()).collect();
    config
}

/// Shakes hands as a client with whatever certificate, greets in HTTP/2, and returns what the
/// server says first.
async fn greet(
    address: SocketAddr,
    presenter: Option<Arc<Presenter>>,
    alpn: &[&str],
) -> io::Result<Vec<u8>> {
    let config = client_config(presenter, alpn);
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("symbolon").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await?;
    let mut answer = vec![0; 9];
    let read = tokio::time::timeout(SOON, stream.read(&mut answer)).await??;
    answer.truncate(read);
    Ok(answer)
}

/// Shakes hands as a server with whatever certificate, once; returns its address.
async fn pretend(presenter: Arc<Presenter>) -> SocketAddr {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(presenter);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(TlsAcceptor::from(Arc::new(config)).accept(stream).await);
    });
    address
}

#[tokio::test]
async fn a_client_with_anothers_certificate_is_refused() {
    let world = world(Limits::default()).await;
    let thief = TlsIdentity::generate("thief").unwrap();
    let forged = Presenter::new(&world.client, &thief);
    let error = greet(world.address, Some(forged), &["h2"])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("DecryptError"), "{error}");
    // With the key that belongs to it the same steps lead to a settings frame (RFC 9113, 6.5).
    let right = Presenter::new(&world.client, &world.client);
    let answer = greet(world.address, Some(right), &["h2"]).await.unwrap();
    assert_eq!(answer.get(3), Some(&4), "{answer:?}");
}

#[tokio::test]
async fn a_server_with_anothers_certificate_is_refused() {
    let world = world(Limits::default()).await;
    let thief = TlsIdentity::generate("thief").unwrap();
    for (key, forged) in [(&thief, true), (&world.server, false)] {
        let address = pretend(Presenter::new(&world.server, key)).await;
        let client = PeerClient::new(
            PartyId::Member(1),
            &address.to_string(),
            &world.client,
            world.pins.clone(),
            MAX,
        )
        .unwrap();
        let error = client.sign(vec![], SOON).await.unwrap_err().to_string();
        // The one with the right key fails later only: it speaks no HTTP/2.
        assert_eq!(error.contains("BadSignature"), forged, "{error}");
    }
}

#[tokio::test]
async fn without_certificate_or_without_http2_nothing_is_said() {
    let world = world(Limits::default()).await;
    let error = greet(world.address, None, &["h2"]).await.unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
    let right = || Some(Presenter::new(&world.client, &world.client));
    let other = greet(world.address, right(), &["http/1.1"]).await;
    assert!(other.is_err(), "{other:?}");
    let silent = greet(world.address, right(), &[]).await;
    assert!(
        silent.as_ref().map_or(true, Vec::is_empty),
        "the server greets: {silent:?}"
    );
}

#[tokio::test]
async fn a_key_locked_out_at_the_server_loses_its_open_connection() {
    let world = world(Limits::default()).await;
    let client = call(&world, &world.client, Pins::of(&world.roster));
    client.sign(vec![], SOON).await.unwrap();
    world
        .pins
        .replace(&world.roster, |party| !matches!(party, PartyId::Client(_)));
    let error = client.sign(vec![], SOON).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    world.pins.replace(&world.roster, |_| true);
    eventually(|| async { client.sign(vec![], SOON).await.is_ok() }).await;
}

#[tokio::test]
async fn a_key_replaced_at_the_client_loses_its_open_connection() {
    let world = world(Limits::default()).await;
    let own = Pins::of(&world.roster);
    let client = call(&world, &world.client, own.clone());
    client.sign(vec![], SOON).await.unwrap();
    own.replace(&roster([9; 32], world.client.pin()), |_| true);
    let error = client.sign(vec![], SOON).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    own.replace(&world.roster, |_| true);
    eventually(|| async { client.sign(vec![], SOON).await.is_ok() }).await;
}

#[tokio::test]
async fn silent_handshakes_do_not_keep_a_peer_out() {
    let limits = Limits {
        handshakes: 4,
        handshake: Duration::from_secs(600),
        ..Limits::default()
    };
    let world = world(limits).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(world.address).await.unwrap());
    }
    let client = call(&world, &world.client, world.pins.clone());
    client.sign(vec![], SOON).await.unwrap();
    // The oldest had to go.
    let mut byte = [0];
    let read = tokio::time::timeout(SOON, silent[0].read(&mut byte)).await;
    assert!(!matches!(read.unwrap(), Ok(1..)));
}

#[tokio::test]
async fn one_party_gets_no_more_than_its_connections() {
    let limits = Limits {
        per_party: 1,
        ..Limits::default()
    };
    let world = world(limits).await;
    let first = call(&world, &world.client, world.pins.clone());
    first.sign(vec![], SOON).await.unwrap();
    let second = call(&world, &world.client, world.pins.clone());
    let error = second.sign(vec![], SOON).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    first.sign(vec![], SOON).await.unwrap();
    let member = call(&world, &world.server, world.pins.clone());
    member.sign(vec![], SOON).await.unwrap();
    drop(first);
    eventually(|| async { second.sign(vec![], SOON).await.is_ok() }).await;
}

#[tokio::test]
async fn a_peer_that_hangs_up_is_not_hammered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    let identity = TlsIdentity::generate("req-1").unwrap();
    let pins = Pins::of(&roster([9; 32], identity.pin()));
    let client = PeerClient::new(PartyId::Member(1), &address, &identity, pins, MAX).unwrap();
    let mut errors = Vec::new();
    for _ in 0..200 {
        errors.push(client.sign(vec![], SOON).await.unwrap_err().to_string());
    }
    let attempts = accepted.load(Ordering::SeqCst);
    assert!((1..40).contains(&attempts), "{attempts} attempts");
    assert!(
        errors
            .iter()
            .any(|error| error.contains("; tried again in "))
    );
}
