//! A 2-of-3 group on three tokens, made once; members copied from it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hsm_api::{Dek, Hsm, ObjectLabel, ProvisionPlan, SealKind, WorkerClient};
use hsm_soft::SoftHsmToken;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest, MAX_CEREMONY_REQUEST};
use symbolon_ceremony::{
    Coordinator, FileName, Group, GroupClass, GroupDescriptor, GroupEpoch, GroupLabel, PlanDraft,
    Progress,
};
use symbolon_daemon::shutdown::{Shutdown, StopTrigger};
use symbolon_duties::{Network, ValidatorPublicKey};
use symbolon_protocol::roster::{
    Client, ClientKind, ClusterId, Guardian, Member, PartyId, Roster, RosterChain, SignedRoster,
    TlsPin,
};
use symbolon_protocol::{IdentityPublic, IdentitySigner, NetworkId, SoftIdentity};
use symbolon_rpc::{PeerClient, Pins, TlsIdentity};
use symbolon_server::{Config, Hooks, Server, StartError};
use symbolon_threshold::ShareIndex;
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const MEMBERS: u16 = 3;
pub(crate) const KEYS: u16 = 3;
const PIN: &str = "135792468";

/// Everything that the tests share.
pub(crate) struct Template {
    folder: PathBuf,
    pub(crate) network: Network,
    pub(crate) chain: RosterChain,
    pub(crate) group: Group,
    /// What a machine that lost its shares is given.
    pub(crate) recovery: CeremonyRequest,
    pub(crate) clients: BTreeMap<&'static str, TlsIdentity>,
}

impl Template {
    pub(crate) fn get() -> &'static Self {
        static TEMPLATE: OnceLock<Template> = OnceLock::new();
        // On a thread of its own, because the first caller may be inside a runtime.
        TEMPLATE.get_or_init(|| std::thread::spawn(build).join().unwrap())
    }

    pub(crate) fn id(&self) -> NetworkId {
        self.chain.network()
    }

    pub(crate) fn key(&self, number: usize) -> ValidatorPublicKey {
        ValidatorPublicKey(self.group.group_keys()[number].to_compressed())
    }

    /// A copy of a member's folder, not started.
    pub(crate) fn member(&'static self, index: u16) -> TestMember {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.folder.join(index.to_string()), folder.path());
        write_softhsm_conf(folder.path());
        TestMember { folder }
    }
}

/// One member's folder.
pub(crate) struct TestMember {
    pub(crate) folder: TempDir,
}

/// A running server in this process.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) status: String,
    stop: StopTrigger,
    done: JoinHandle<Result<(), StartError>>,
}

impl TestMember {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces text in `server.toml`.
    pub(crate) fn configure(&self, from: &str, to: &str) -> &Self {
        let path = self.path("server.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        self
    }

    pub(crate) fn permissions(&self, text: &str) -> &Self {
        fs::write(self.path("permissions.toml"), text).unwrap();
        self
    }

    pub(crate) fn config(&self) -> Config {
        Config::load(&self.path("server.toml")).unwrap()
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with(Hooks::default()).await
    }

    pub(crate) async fn start_with(&self, hooks: Hooks) -> Running {
        let server = Server::start(self.config(), hooks)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let address = server.address().unwrap().to_string();
        let status = server.status_address().to_string();
        let (stop, shutdown) = Shutdown::manual();
        let done = tokio::spawn(server.run(shutdown));
        Running {
            address,
            status,
            stop,
            done,
        }
    }

    /// Why it does not start.
    pub(crate) async fn start_error(&self) -> String {
        match Server::start(self.config(), Hooks::default()).await {
            Ok(_) => panic!("started"),
            Err(error) => error.to_string(),
        }
    }
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.stop();
        self.done.await.unwrap().unwrap();
    }
}

fn build() -> Template {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("symbolon-server-template");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let network = Network::named("mainnet").unwrap();
    let id = NetworkId(network.id());
    let clients = ["req-1", "req-2", "op-1"]
        .map(|name| (name, TlsIdentity::generate(name).unwrap()))
        .into_iter()
        .collect::<BTreeMap<_, _>>();
    let guardian = SoftIdentity::from_bytes(&[61; 32]).unwrap();
    let members = (1..=MEMBERS).map(|index| init(&folder.join(index.to_string()), index));
    let roster = roster(members.collect(), &clients, &guardian);
    let mut signed = SignedRoster::new(id, roster);
    signed.sign(id, "ada", &guardian).unwrap();
    let chain = RosterChain::start(id, signed, None).unwrap();
    for index in 1..=MEMBERS {
        configure(&folder.join(index.to_string()), index, &chain);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (group, recovery) =
        runtime.block_on(ceremony(&folder, &chain, &clients["op-1"], &guardian));
    Template {
        folder,
        network,
        chain,
        group,
        recovery,
        clients,
    }
}

/// What `symbolon server init` does.
fn init(folder: &Path, index: u16) -> Member {
    fs::create_dir_all(folder.join("data")).unwrap();
    let token = SoftHsmToken::create(folder, &format!("rack {index}"), PIN)
        .unwrap_or_else(|error| panic!("{error}"));
    write_softhsm_conf(folder);
    let pin = folder.join("pin");
    fs::write(&pin, PIN).unwrap();
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let device = WorkerClient::start(token.worker_config(worker()).unwrap()).unwrap();
    let name = format!("server-{index}");
    // AES rather than the default RSA, whose key takes seconds to make.
    let order = vec![SealKind::AesGcmCallerIv, SealKind::EcdhP256NullHkdf];
    let plan = ProvisionPlan {
        member: ObjectLabel::parse(&name).unwrap(),
        order,
    };
    let report = device.provision(&plan, soon()).unwrap();
    let dek = Dek::generate(&device, soon()).unwrap();
    let sealed = device.seal_dek(&report.kek, &dek, soon()).unwrap();
    fs::write(folder.join("data/dek.sealed"), sealed.encode()).unwrap();
    let tls = TlsIdentity::generate(&name).unwrap();
    tls.write_new(&folder.join("tls.crt"), &folder.join("tls.key"))
        .unwrap();
    Member {
        index,
        name,
        identity: IdentityPublic::from_sec1(report.identity_public.uncompressed()).unwrap(),
        address: Some(format!("127.0.0.1:{}", 7000 + index)),
        tls_pin: Some(TlsPin(tls.pin())),
    }
}

fn roster(
    members: Vec<Member>,
    clients: &BTreeMap<&'static str, TlsIdentity>,
    guardian: &SoftIdentity,
) -> Roster {
    let client = |(name, tls): (&&str, &TlsIdentity)| Client {
        name: (*name).to_owned(),
        kind: if name.starts_with("op") {
            ClientKind::Operator
        } else {
            ClientKind::Requestor
        },
        identity: SoftIdentity::from_pkcs8_der(tls.pkcs8()).unwrap().public(),
        tls_pin: TlsPin(tls.pin()),
        provider: String::new(),
    };
    let mut clients: Vec<Client> = clients.iter().map(client).collect();
    clients.sort_by(|a, b| a.name.cmp(&b.name));
    Roster {
        cluster: ClusterId([9; 32]),
        name: "bench".into(),
        number: 1,
        previous: None,
        members,
        clients,
        guardians: vec![Guardian {
            name: "ada".into(),
            key: guardian.public(),
        }],
        guardian_quorum: 1,
    }
}

fn configure(folder: &Path, index: u16, chain: &RosterChain) {
    let module = hsm_module(folder);
    let text = format!(
        "member = {index}\nlisten = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n\
         data_dir = \"data\"\nnetwork = \"mainnet\"\nroster = \"roster.cbor\"\n\
         roster_pin = \"{}\"\npermissions = \"permissions.toml\"\ntls_key = \"tls.key\"\n\
         tls_cert = \"tls.crt\"\n[hsm]\nworker = {:?}\nmodule = {module:?}\n\
         token = \"rack {index}\"\npin_file = \"pin\"\ndek_residency = \"resident\"\n\
         env = {{ SOFTHSM2_CONF = \"softhsm2.conf\" }}\n[signing]\npast_slots = 10000000\n\
         future_slots = 10000000\nmax_batch = 64\nmax_waiting = 128\n\
         allow_unlocked_memory = true\n",
        hex::encode(chain.first_hash()),
        worker(),
    );
    fs::write(folder.join("server.toml"), text).unwrap();
    fs::write(folder.join("roster.cbor"), chain.to_bytes()).unwrap();
    let allow = "[[allow]]\nrequestor = \"req-1\"\nkeys = [\"*\"]\nduties = [\"all\"]\n";
    fs::write(folder.join("permissions.toml"), allow).unwrap();
}

/// A DKG over gRPC, as `symbolon ceremony run` drives it.
async fn ceremony(
    folder: &Path,
    chain: &RosterChain,
    operator: &TlsIdentity,
    guardian: &SoftIdentity,
) -> (Group, CeremonyRequest) {
    let mut running = Vec::new();
    let mut peers = Vec::new();
    for index in 1..=MEMBERS {
        let path = folder.join(index.to_string()).join("server.toml");
        let server = Server::start(Config::load(&path).unwrap(), Hooks::default());
        let server = server.await.unwrap_or_else(|error| panic!("{error}"));
        let address = server.address().unwrap().to_string();
        let (stop, shutdown) = Shutdown::manual();
        running.push((stop, tokio::spawn(server.run(shutdown))));
        let pins = Pins::of(chain.current());
        let max = MAX_CEREMONY_REQUEST + 64;
        peers.push(PeerClient::new(PartyId::Member(index), &address, operator, pins, max).unwrap());
    }
    let (group, group_epoch) = (GroupLabel::new("north").unwrap(), GroupEpoch::FIRST);
    let mut offers = Vec::new();
    for peer in &peers {
        let request = CeremonyRequest::Offer {
            group: group.clone(),
            group_epoch,
        };
        let CeremonyReply::Offer(offer) = step(peer, request).await else {
            panic!("no offer")
        };
        offers.push(offer.to_vec());
    }
    let draft = PlanDraft {
        group,
        class: GroupClass::Hot,
        threshold: 2,
        not_after: None,
        duties: Vec::new(),
    };
    let network = chain.network();
    let mut plan = draft
        .dkg(network, chain.current(), [7; 32], KEYS, &offers)
        .unwrap();
    plan.sign("ada", guardian).unwrap();
    let mut coordinator = Coordinator::new(chain.clone());
    coordinator.receive(&plan.to_bytes()).unwrap();
    while coordinator.progress() != Progress::Complete {
        for (index, peer) in (1..).zip(&peers) {
            for request in coordinator.requests(ShareIndex::try_from(index).unwrap()) {
                coordinator.answered(step(peer, request).await).unwrap();
            }
        }
    }
    let descriptor = coordinator.group(&[8; 32]).unwrap();
    for (stop, done) in running {
        stop.stop();
        done.await.unwrap().unwrap();
    }
    let deals = coordinator
        .files()
        .iter()
        .filter(|(name, _)| matches!(name, FileName::Deal(_)));
    let recovery = CeremonyRequest::Recover {
        plan: plan.to_bytes().into(),
        deals: deals.map(|(_, bytes)| bytes.clone().into()).collect(),
        certificate: coordinator.certificate().unwrap().into(),
    };
    (
        GroupDescriptor::verify(chain, &descriptor).unwrap(),
        recovery,
    )
}

async fn step(peer: &PeerClient, request: CeremonyRequest) -> CeremonyReply {
    let bytes = peer
        .ceremony(request.to_bytes(), Duration::from_secs(60))
        .await
        .unwrap();
    let reply = CeremonyReply::from_bytes(&bytes).unwrap();
    assert!(!matches!(reply, CeremonyReply::Refused(_)), "{reply:?}");
    reply
}

/// The worker program beside the server's, built if it is not there or old.
pub(crate) fn worker() -> PathBuf {
    static WORKER: OnceLock<PathBuf> = OnceLock::new();
    WORKER
        .get_or_init(|| {
            let server = PathBuf::from(env!("CARGO_BIN_EXE_symbolon-server"));
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--quiet", "--package", "symbolon-hsm-worker"]);
            build
                .arg("--target-dir")
                .arg(server.ancestors().nth(2).unwrap());
            if server.parent().unwrap().ends_with("release") {
                build.arg("--release");
            }
            assert!(
                build.status().unwrap().success(),
                "the worker program does not build"
            );
            server.with_file_name("symbolon-hsm-worker")
        })
        .clone()
}

fn hsm_module(folder: &Path) -> PathBuf {
    let scratch = tempfile::tempdir_in(folder).unwrap();
    SoftHsmToken::create(scratch.path(), "probe", PIN)
        .unwrap()
        .module
}

fn write_softhsm_conf(folder: &Path) {
    let tokens = folder.join("tokens");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(folder.join("softhsm2.conf"), text).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}
