//! The client's end: one warm connection to one named member.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use symbolon_protocol::roster::PartyId;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::backoff::Backoff;
use crate::identity::{TlsError, TlsIdentity};
use crate::pins::Pins;
use crate::stream::PinnedStream;
use crate::verify::{ALPN, PinVerifier, provider};
use crate::wire::Frame;
use crate::wire::admin_client::AdminClient;
use crate::wire::ceremony_client::CeremonyClient;
use crate::wire::signer_client::SignerClient;

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The peer could not be reached, or is not who it should be.
    #[error("{party} at {address} cannot be reached: {cause}")]
    Unreachable {
        /// The peer.
        party: PartyId,
        /// Where it was looked for.
        address: String,
        /// The reason.
        cause: String,
    },
    /// The peer answered with a refusal.
    #[error("{party} refuses: {message}")]
    Refused {
        /// The peer.
        party: PartyId,
        /// The gRPC code.
        code: tonic::Code,
        /// The peer's reason.
        message: String,
    },
    /// No answer in time.
    #[error("{party} did not answer within {} ms", after.as_millis())]
    TimedOut {
        /// The peer.
        party: PartyId,
        /// The time given.
        after: Duration,
    },
    /// Key or certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Calls to one member. Cheap to clone; connects at the first call and again when it must.
#[derive(Clone)]
pub struct PeerClient {
    party: PartyId,
    address: String,
    channel: Channel,
    max_message: usize,
}

impl PeerClient {
    /// Most bytes of all frames of one administration answer: an export of 100,000 keys is a tenth.
    const MAX_ADMIN_ANSWER: usize = 256 * 1024 * 1024;

    /// Longest time until a connection stands.
    const CONNECT: Duration = Duration::from_secs(5);

    /// A client for the party at `address` (`host:port`), whose key is looked up in `pins` at each
    /// handshake. Messages are at most `max_message` bytes long.
    ///
    /// # Errors
    ///
    /// The own key does not fit its certificate, or the address is none.
    pub fn new(
        party: PartyId,
        address: &str,
        identity: &TlsIdentity,
        pins: Pins,
        max_message: usize,
    ) -> Result<Self, CallError> {
        let verifier = PinVerifier::only(pins, party.clone());
        let (chain, key) = identity.parts();
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::from)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier.clone()))
            .with_client_auth_cert(chain, key)
            .map_err(TlsError::from)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        let connector = TlsConnector::from(Arc::new(config));
        let unreachable = |cause: String| CallError::Unreachable {
            party: party.clone(),
            address: address.to_owned(),
            cause,
        };
        // The name is for HTTP only: who is there, the pin decides.
        let endpoint = Endpoint::from_static("http://symbolon")
            .connect_timeout(Self::CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .initial_stream_window_size(4 * 1024 * 1024)
            .initial_connection_window_size(8 * 1024 * 1024);
        let name =
            ServerName::try_from("symbolon").map_err(|error| unreachable(error.to_string()))?;
        let dial = Dial {
            target: address.to_owned(),
            name,
            connector,
            verifier,
        };
        let backoff = Backoff::default();
        let connect = tower::service_fn(move |_: Uri| {
            let (dial, backoff) = (dial.clone(), backoff.clone());
            async move {
                let attempt = backoff.attempt(Instant::now())?;
                attempt.end(dial.connect().await).map(TokioIo::new)
            }
        });
        let channel = endpoint.connect_with_connector_lazy(connect);
        Ok(Self {
            party,
            address: address.to_owned(),
            channel,
            max_message,
        })
    }

    /// Whom this client calls.
    #[must_use]
    pub const fn party(&self) -> &PartyId {
        &self.party
    }

    /// `Signer.Sign`.
    ///
    /// # Errors
    ///
    /// Unreachable, refused, or no answer within `limit`.
    pub async fn sign(&self, frame: Vec<u8>, limit: Duration) -> Result<Vec<u8>, CallError> {
        let mut client = SignerClient::new(self.channel.clone())
            .max_decoding_message_size(self.max_message)
            .max_encoding_message_size(self.max_message);
        let answer = self
            .within(limit, client.sign(request(frame, limit)))
            .await?;
        Ok(answer.value.into())
    }

    /// Asks the peer's health service whether it serves: opens the connection when it is down.
    ///
    /// # Errors
    ///
    /// Unreachable, refused, or no answer within `limit`.
    pub async fn check(&self, limit: Duration) -> Result<bool, CallError> {
        let mut client = HealthClient::new(self.channel.clone());
        let service = String::new();
        let call = client.check(HealthCheckRequest { service });
        let answer = self.within(limit, call).await?;
        Ok(answer.status() == ServingStatus::Serving)
    }

    /// `Ceremony.Step`.
    ///
    /// # Errors
    ///
    /// Unreachable, refused, or no answer within `limit`.
    pub async fn ceremony(&self, frame: Vec<u8>, limit: Duration) -> Result<Vec<u8>, CallError> {
        let mut client = CeremonyClient::new(self.channel.clone())
            .max_decoding_message_size(self.max_message)
            .max_encoding_message_size(self.max_message);
        let answer = self
            .within(limit, client.step(request(frame, limit)))
            .await?;
        Ok(answer.value.into())
    }

    /// `Admin.Call`: all frames of the answer.
    ///
    /// # Errors
    ///
    /// Unreachable, refused, or not everything within `limit`.
    pub async fn admin(&self, frame: Vec<u8>, limit: Duration) -> Result<Vec<Vec<u8>>, CallError> {
        let mut client = AdminClient::new(self.channel.clone())
            .max_decoding_message_size(self.max_message)
            .max_encoding_message_size(self.max_message);
        let all = async {
            let mut stream: Streaming<Frame> =
                client.call(request(frame, limit)).await?.into_inner();
            let mut frames = Vec::new();
            let mut bytes = 0_usize;
            while let Some(frame) = stream.message().await? {
                bytes = bytes.saturating_add(frame.value.len());
                if bytes > Self::MAX_ADMIN_ANSWER {
                    let why = format!("the answer is longer than {} bytes", Self::MAX_ADMIN_ANSWER);
                    return Err(Status::resource_exhausted(why));
                }
                frames.push(frame.value.into());
            }
            Ok(tonic::Response::new(frames))
        };
        self.within(limit, all).await
    }

    async fn within<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, CallError> {
        let party = self.party.clone();
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(self.error(&status, limit)),
            Err(_) => Err(CallError::TimedOut {
                party,
                after: limit,
            }),
        }
    }

    fn error(&self, status: &Status, limit: Duration) -> CallError {
        let party = self.party.clone();
        match status.code() {
            tonic::Code::DeadlineExceeded => CallError::TimedOut {
                party,
                after: limit,
            },
            // A status with a cause was made here: the connection broke; no peer said so.
            code if broken(code) || std::error::Error::source(status).is_some() => {
                CallError::Unreachable {
                    party,
                    address: self.address.clone(),
                    cause: causes(status),
                }
            }
            code => CallError::Refused {
                party,
                code,
                message: status.message().to_owned(),
            },
        }
    }
}

/// All that a connection is made of.
#[derive(Clone)]
struct Dial {
    target: String,
    name: ServerName<'static>,
    connector: TlsConnector,
    verifier: PinVerifier,
}

impl Dial {
    async fn connect(self) -> io::Result<PinnedStream<TlsStream<TcpStream>>> {
        let stream = TcpStream::connect(&self.target).await?;
        stream.set_nodelay(true)?;
        let stream = self.connector.connect(self.name, stream).await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let peer = certificates.first().and_then(|it| self.verifier.peer(it));
        let Some((pin, party)) = peer else {
            return Err(io::Error::other(
                "the peer's key is not in the roster any more",
            ));
        };
        let pins = self.verifier.pins().clone();
        Ok(PinnedStream::new(stream, pins, pin, party))
    }
}

const fn broken(code: tonic::Code) -> bool {
    matches!(
        code,
        tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Cancelled
    )
}

fn request(frame: Vec<u8>, limit: Duration) -> Request<Frame> {
    let mut request = Request::new(Frame {
        value: frame.into(),
    });
    request.set_timeout(limit);
    request
}

/// The innermost cause is the one that helps: "connection refused", "certificate unknown".
fn causes(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
