//! One server with an echo service, and one client that is in its roster.

use std::net::SocketAddr;
use std::time::Duration;

use symbolon_protocol::roster::{
    Client, ClientKind, ClusterId, Guardian, Member, PartyId, Roster, TlsPin,
};
use symbolon_protocol::{IdentitySigner as _, SoftIdentity};
use symbolon_rpc::wire::Frame;
use symbolon_rpc::wire::signer_server::{Signer, SignerServer};
use symbolon_rpc::{Limits, Listener, PeerClient, Pins, ServeError, TlsIdentity, caller, router};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status};

pub(crate) const SOON: Duration = Duration::from_secs(3);
pub(crate) const MAX: usize = 64 * 1024;

/// Says who called, and how long the frame was.
pub(crate) struct Echo;

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

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) server: TlsIdentity,
    pub(crate) client: TlsIdentity,
    pub(crate) roster: Roster,
    pub(crate) pins: Pins,
    pub(crate) serving: Serving,
}

pub(crate) fn roster(server: [u8; 32], client: [u8; 32]) -> Roster {
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

pub(crate) async fn world(limits: Limits) -> World {
    let server = TlsIdentity::generate("server-1").unwrap();
    let client = TlsIdentity::generate("req-1").unwrap();
    let roster = roster(server.pin(), client.pin());
    let pins = Pins::of(&roster);
    let any = "127.0.0.1:0".parse().unwrap();
    let serving = serve(any, &server, pins.clone(), limits).await;
    World {
        address: serving.address,
        server,
        client,
        roster,
        pins,
        serving,
    }
}

/// A running server.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Serving {
    /// Stops it in order.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

pub(crate) async fn serve(
    address: SocketAddr,
    identity: &TlsIdentity,
    pins: Pins,
    limits: Limits,
) -> Serving {
    let listener = Listener::bind(address, identity, pins, limits)
        .await
        .unwrap();
    let address = listener.address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (router, _health) = router().unwrap();
    let router = router.add_service(SignerServer::new(Echo).max_decoding_message_size(MAX));
    let task = tokio::spawn(listener.serve(router, async {
        stopped.await.ok();
    }));
    Serving {
        address,
        stop,
        task,
    }
}

pub(crate) fn call(world: &World, identity: &TlsIdentity, pins: Pins) -> PeerClient {
    PeerClient::new(
        PartyId::Member(1),
        &world.address.to_string(),
        identity,
        pins,
        8 * MAX,
    )
    .unwrap()
}

/// Tries until it holds; fails after [`SOON`].
pub(crate) async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let trying = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, trying).await.unwrap();
}
