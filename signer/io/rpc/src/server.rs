//! The server's end: accepts connections of pinned parties and hands them to gRPC.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use symbolon_protocol::roster::PartyId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, Router};

use crate::admission::{Admission, Handshakes, Limits, Place};
use crate::identity::{TlsError, TlsIdentity};
use crate::pins::Pins;
use crate::stream::PinnedStream;
use crate::verify::{ALPN, PinVerifier, provider};
use crate::wire;

/// Why serving ended or did not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        cause: io::Error,
    },
    /// Key or certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The compiled descriptors.
    #[error("the service descriptors do not parse: {0}")]
    Descriptors(String),
    /// gRPC.
    #[error("the gRPC server ended: {0}")]
    Grpc(#[from] tonic::transport::Error),
}

/// A bound socket with its TLS settings.
pub struct Listener {
    socket: TcpListener,
    door: Door,
}

impl Listener {
    /// Binds `address`; parties of `pins` may connect.
    ///
    /// # Errors
    ///
    /// The address is taken, or the key does not fit its certificate.
    pub async fn bind(
        address: SocketAddr,
        identity: &TlsIdentity,
        pins: Pins,
        limits: Limits,
    ) -> Result<Self, ServeError> {
        let verifier = PinVerifier::anybody(pins);
        let (chain, key) = identity.parts();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::from)?
            .with_client_cert_verifier(Arc::new(verifier.clone()))
            .with_single_cert(chain, key)
            .map_err(TlsError::from)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        // A resumed session would skip the look at the pins.
        config.send_tls13_tickets = 0;
        let socket = TcpListener::bind(address)
            .await
            .map_err(|cause| ServeError::Bind { address, cause })?;
        Ok(Self {
            socket,
            door: Door {
                acceptor: TlsAcceptor::from(Arc::new(config)),
                verifier,
                limits,
                admission: Admission::default(),
            },
        })
    }

    /// The address that was bound, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` is done, then lets calls in flight end.
    ///
    /// # Errors
    ///
    /// gRPC failed.
    pub async fn serve(
        self,
        router: Router,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError> {
        let (sender, receiver) = mpsc::channel(16);
        let accepting = tokio::spawn(self.accept(sender));
        let served = router
            .serve_with_incoming_shutdown(ReceiverStream::new(receiver), stop)
            .await;
        accepting.abort();
        Ok(served?)
    }

    async fn accept(self, sender: mpsc::Sender<io::Result<Connection>>) {
        let mut handshakes = Handshakes::default();
        loop {
            let (stream, from) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Out of file descriptors: trying again at once would spin.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (door, sender) = (self.door.clone(), sender.clone());
            let limits = self.door.limits;
            let handshake = tokio::spawn(async move {
                match tokio::time::timeout(limits.handshake, door.handshake(stream)).await {
                    Ok(Ok(connection)) => {
                        // A task of its own: this one may be ended to make room. The receiver is
                        // gone only when the server stops.
                        tokio::spawn(async move { sender.send(Ok(connection)).await.ok() });
                    }
                    Ok(Err(error)) => tracing::info!(%from, %error, "handshake refused"),
                    Err(_) => tracing::info!(%from, "handshake took too long"),
                }
            });
            handshakes.add(handshake.abort_handle(), limits.handshakes);
        }
    }
}

/// What a stream has to pass before it is a connection.
#[derive(Clone)]
struct Door {
    acceptor: TlsAcceptor,
    verifier: PinVerifier,
    limits: Limits,
    admission: Admission,
}

impl Door {
    async fn handshake(self, stream: TcpStream) -> io::Result<Connection> {
        stream.set_nodelay(true)?;
        let stream = self.acceptor.accept(stream).await?;
        let session = stream.get_ref().1;
        if session.alpn_protocol() != Some(ALPN) {
            return Err(io::Error::other("the peer does not speak HTTP/2"));
        }
        let certificate = session.peer_certificates().unwrap_or_default().first();
        let peer = certificate.and_then(|certificate| self.verifier.peer(certificate));
        let Some((pin, party)) = peer else {
            return Err(io::Error::other(
                "the peer's key is not in the roster any more",
            ));
        };
        let place = self
            .admission
            .admit(&party, &self.limits)
            .map_err(|reason| io::Error::other(format!("{party}: {reason}")))?;
        let stream = PinnedStream::new(stream, self.verifier.pins().clone(), pin, party);
        Ok(Connection {
            stream,
            _place: place,
        })
    }
}

/// A router with health and reflection, to which a program adds its own services.
///
/// # Errors
///
/// The compiled descriptors do not parse.
pub fn router() -> Result<(Router, tonic_health::server::HealthReporter), ServeError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(wire::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| ServeError::Descriptors(error.to_string()))?;
    let router = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(10)))
        .http2_keepalive_timeout(Some(Duration::from_secs(5)))
        .initial_stream_window_size(4 * 1024 * 1024)
        .initial_connection_window_size(8 * 1024 * 1024)
        .max_concurrent_streams(256)
        .add_service(health)
        .add_service(reflection);
    Ok((router, reporter))
}

/// The party at the other end of a call.
///
/// # Errors
///
/// `UNAUTHENTICATED` when the call did not come through a [`Listener`].
pub fn caller<T>(request: &tonic::Request<T>) -> Result<PartyId, Box<tonic::Status>> {
    let caller = request.extensions().get::<Caller>();
    let known = caller.map(|Caller(party)| party.clone());
    known.ok_or_else(|| Box::new(tonic::Status::unauthenticated("no peer certificate")))
}

#[derive(Clone)]
struct Caller(PartyId);

/// One accepted connection.
struct Connection {
    stream: PinnedStream<TlsStream<TcpStream>>,
    _place: Place,
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        Caller(self.stream.party().clone())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
