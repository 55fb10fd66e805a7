//! A cluster on loopback: a real group descriptor, real TLS, real BLS, servers that misbehave on
//! demand, and a requestor in front.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code; each test binary uses its part"
)]

pub mod group;
pub mod http;
pub mod recorded;
pub mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use symbolon_daemon::shutdown::{Shutdown, StopTrigger};
use symbolon_duties::Network;
use symbolon_protocol::roster::{
    Client, ClientKind, ClusterId, Guardian, Member, Roster, RosterChain, SignedRoster, TlsPin,
};
use symbolon_protocol::{IdentitySigner as _, NetworkId, SoftIdentity};
use symbolon_requestor::{Config, Requestor};
use symbolon_rpc::{Limits, Listener, Pins, TlsIdentity};
use tokio::task::JoinHandle;

use group::Made;
use server::{Manner, Server};

/// A chain like the one that the recorded requests are of.
const NETWORK: &str = "\
    PRESET_BASE: minimal\nCONFIG_NAME: lab\nMIN_GENESIS_TIME: 0\nSECONDS_PER_SLOT: 2\n\
    GENESIS_FORK_VERSION: 0x00000001\nALTAIR_FORK_VERSION: 0x01000001\nALTAIR_FORK_EPOCH: 0\n\
    BELLATRIX_FORK_VERSION: 0x02000001\nBELLATRIX_FORK_EPOCH: 0\n\
    CAPELLA_FORK_VERSION: 0x03000001\nCAPELLA_FORK_EPOCH: 0\n\
    GENESIS_VALIDATORS_ROOT: \
    0x270d43e74ce340de4bca2b1936beca0f4f5408d9e78aec4850920baf659d5b69\n";

pub const REQUESTOR: &str = "req-1";
pub const OPERATOR: &str = "ops";

/// What a test wants of its cluster.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub t: u16,
    pub n: u16,
    pub keys: usize,
    pub deadline_ms: u64,
    pub max_waiting: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            t: 3,
            n: 5,
            keys: 2,
            deadline_ms: 4000,
            max_waiting: 8192,
        }
    }
}

/// Everything of one test.
pub struct World {
    pub folder: tempfile::TempDir,
    pub network: Network,
    pub chain: RosterChain,
    pub servers: Vec<Server>,
    pub made: Arc<Made>,
    pub tls: Arc<TlsIdentity>,
    pub shape: Shape,
}

/// A requestor that runs in this process.
pub struct Running {
    pub address: SocketAddr,
    pub status: SocketAddr,
    stop: StopTrigger,
    task: JoinHandle<()>,
}

pub fn identity(name: &str) -> SoftIdentity {
    let mut secret = [0x5a; 32];
    for (to, from) in secret.iter_mut().skip(1).zip(name.bytes()) {
        *to = from;
    }
    SoftIdentity::from_bytes(&secret).unwrap()
}

impl World {
    /// Servers of this shape, all honest, and the files of a requestor.
    pub async fn new(shape: Shape) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Network::from_config_yaml(NETWORK).unwrap();
        let id = NetworkId(network.id());
        let tls = TlsIdentity::generate(REQUESTOR).unwrap();
        let pins = Pins::default();
        let mut listeners = Vec::new();
        for member in 1..=shape.n {
            let tls = TlsIdentity::generate(&format!("server-{member}")).unwrap();
            let any = "127.0.0.1:0".parse().unwrap();
            let listener = Listener::bind(any, &tls, pins.clone(), Limits::default())
                .await
                .unwrap();
            listeners.push((tls, listener));
        }
        let roster = roster(&listeners, &tls);
        pins.replace(&roster, |_| true);
        let mut signed = SignedRoster::new(id, roster);
        signed.sign(id, "ada", &identity("ada")).unwrap();
        let chain = RosterChain::start(id, signed, None).unwrap();
        let made = Arc::new(group::import(&chain, "hot-1", shape.t, shape.keys));
        let mut servers = Vec::new();
        for (member, (_, listener)) in (1..).zip(listeners) {
            servers.push(Server::start(member, listener, &network, &chain, &made));
        }
        let world = Self {
            folder,
            network,
            chain,
            servers,
            made,
            tls: Arc::new(tls),
            shape,
        };
        world.write_files();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn set(&self, member: usize, manner: Manner) {
        self.servers[member - 1].set(manner);
    }

    /// Sets the manners of members 1, 2 and so on.
    pub fn set_all(&self, manners: &[Manner]) {
        for (server, manner) in self.servers.iter().zip(manners) {
            server.set(*manner);
        }
    }

    fn write_files(&self) {
        std::fs::create_dir(self.path("groups")).unwrap();
        std::fs::write(self.path("network.yaml"), NETWORK).unwrap();
        std::fs::write(self.path("roster.cbor"), self.chain.to_bytes()).unwrap();
        std::fs::write(self.path("groups/hot-1.group"), &self.made.descriptor).unwrap();
        self.tls
            .write_new(&self.path("identity.crt"), &self.path("identity.key"))
            .unwrap();
        std::fs::write(self.path("requestor.toml"), self.settings("")).unwrap();
    }

    /// The text of `requestor.toml`, with more settings in front.
    pub fn settings(&self, more: &str) -> String {
        let Shape {
            deadline_ms,
            max_waiting,
            ..
        } = self.shape;
        format!(
            "{more}name = \"{REQUESTOR}\"\nlisten = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n\
             network = \"network.yaml\"\nroster = \"roster.cbor\"\nroster_pin = \"{}\"\n\
             identity_key = \"identity.key\"\nidentity_cert = \"identity.crt\"\n\
             groups_dir = \"groups\"\nevidence_dir = \"evidence\"\n\
             [signing]\ndeadline_ms = {deadline_ms}\nmax_waiting = {max_waiting}\n",
            hex(&self.chain.first_hash()),
        )
    }

    pub fn config(&self) -> Config {
        Config::load(&self.path("requestor.toml")).unwrap()
    }

    /// Starts a requestor on these files.
    pub async fn requestor(&self) -> Running {
        let requestor = Requestor::bind(self.config()).await.unwrap();
        let (address, status) = (
            requestor.address().unwrap(),
            requestor.status_address().unwrap(),
        );
        let (stop, shutdown) = Shutdown::manual();
        let task = tokio::spawn(async move { requestor.run(shutdown).await.unwrap() });
        Running {
            address,
            status,
            stop,
            task,
        }
    }

    pub fn evidence_files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path("evidence")) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

impl Running {
    /// Stops it as SIGTERM does, and waits for the end.
    pub async fn stop(self) {
        self.stop.stop();
        tokio::time::timeout(Duration::from_secs(10), self.task)
            .await
            .unwrap()
            .unwrap();
    }

    /// The metrics page.
    pub async fn metrics(&self) -> String {
        http::get(self.status, "/metrics").await.text()
    }

    /// Waits until a line of the metrics page begins so.
    pub async fn until_metric(&self, begins: &str) {
        for _ in 0..200 {
            if self
                .metrics()
                .await
                .lines()
                .any(|line| line.starts_with(begins))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no line {begins:?} in\n{}", self.metrics().await);
    }
}

fn roster(listeners: &[(TlsIdentity, Listener)], requestor: &TlsIdentity) -> Roster {
    let members = (1..).zip(listeners).map(|(index, (tls, listener))| Member {
        index,
        name: format!("server-{index}"),
        identity: identity(&format!("server-{index}")).public(),
        address: Some(listener.address().unwrap().to_string()),
        tls_pin: Some(TlsPin(tls.pin())),
    });
    let client = |name: &str, kind, identity: &SoftIdentity, pin| Client {
        name: name.into(),
        kind,
        identity: identity.public(),
        tls_pin: TlsPin(pin),
        provider: String::new(),
    };
    let own = SoftIdentity::from_pkcs8_der(requestor.pkcs8()).unwrap();
    Roster {
        cluster: ClusterId([7; 32]),
        name: "lab".into(),
        number: 1,
        previous: None,
        members: members.collect(),
        clients: vec![
            client(OPERATOR, ClientKind::Operator, &identity(OPERATOR), [1; 32]),
            client(REQUESTOR, ClientKind::Requestor, &own, requestor.pin()),
        ],
        guardians: vec![Guardian {
            name: "ada".into(),
            key: identity("ada").public(),
        }],
        guardian_quorum: 1,
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The folder of outside data, or none where it is not installed (never so in CI).
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "shared/{name} is missing");
    println!("left out: no folder shared/{name}");
    None
}
