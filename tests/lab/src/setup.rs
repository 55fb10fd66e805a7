//! Sets a cluster up as people would: with tokens, the `symbolon` command and copied files.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;

use hsm_soft::SoftHsmToken;
use serde::Deserialize;
use symbolon_daemon::files;

use crate::error::LabError;
use crate::network::LabNetwork;
use crate::options::{DekResidency, LabOptions};
use crate::ports::HeldPorts;
use crate::programs::{Program, Programs};
use crate::record::{LabRecord, NetworkRecord, RequestorRecord, ServerRecord};
use crate::story::Story;
use crate::tool::Tool;

/// A cluster on disk, before any of its processes runs.
pub(crate) struct Made {
    pub(crate) record: LabRecord,
    pub(crate) network: LabNetwork,
    pub(crate) ports: HeldPorts,
}

/// Makes everything that lies on disk.
pub(crate) fn make(
    dir: &Path,
    programs: &Programs,
    options: &LabOptions,
    story: &Story,
) -> Result<Made, LabError> {
    for folder in ["logs", "cluster", "guardian"] {
        let folder = dir.join(folder);
        fs::create_dir_all(&folder).map_err(LabError::io("create", &folder))?;
    }
    let network = match &options.network {
        Some(name_or_file) => LabNetwork::open(name_or_file)?,
        None => LabNetwork::own(dir)?,
    };
    let servers = usize::from(options.servers);
    let ports = HeldPorts::take(2 * servers + 2).map_err(LabError::io("find ports for", dir))?;
    let record = draft(dir, programs, options, &network, ports.addresses())?;
    let tool = tool(&record, programs);
    let setup = Setup {
        record: &record,
        network: &network.argument,
        tool: &tool,
        options,
    };
    setup.servers()?;
    story.tell(format!(
        "{servers} SoftHSM tokens hold {servers} sealing keys and identities"
    ));
    setup.people()?;
    let pin = setup.roster()?;
    story.tell(format!(
        "a guardian signed the roster: {servers} servers, one requestor; pinned by {}...",
        pin.get(..16).unwrap_or(&pin)
    ));
    setup.settings()?;
    Ok(Made {
        record,
        network,
        ports,
    })
}

/// The `symbolon` program of a laboratory.
pub(crate) fn tool(record: &LabRecord, programs: &Programs) -> Tool {
    Tool {
        program: programs.path(Program::Cli),
        record: record.dir.join("logs/commands.log"),
    }
}

fn draft(
    dir: &Path,
    programs: &Programs,
    options: &LabOptions,
    network: &LabNetwork,
    addresses: &[SocketAddr],
) -> Result<LabRecord, LabError> {
    let mut addresses = addresses.iter().copied();
    let mut next = || {
        addresses
            .next()
            .ok_or_else(|| LabError::Options("not enough ports were held".to_owned()))
    };
    let free = next()?;
    let address = options.listen.unwrap_or(free);
    let requestor = RequestorRecord {
        name: REQUESTOR.to_owned(),
        pid: None,
        address,
        metrics: next()?,
        dir: dir.join("requestor"),
        log: dir.join("logs/requestor.log"),
        process: None,
    };
    let mut servers = Vec::new();
    for index in 1..=options.servers {
        let name = format!("server-{index}");
        servers.push(ServerRecord {
            index,
            pid: None,
            address: next()?,
            metrics: next()?,
            dir: dir.join(&name),
            token: format!("lab-{index}"),
            log: dir.join("logs").join(format!("{name}.log")),
            fault: "none".to_owned(),
            process: None,
            name,
        });
    }
    Ok(LabRecord {
        requestor_url: format!("http://{address}"),
        public_keys: Vec::new(),
        threshold: options.threshold,
        born_in_ceremony: true,
        ceremony_seconds: 0.0,
        network: NetworkRecord::of(network),
        servers,
        requestor,
        dir: dir.to_owned(),
        cluster: dir.join("cluster"),
        guardian: dir.join("guardian"),
        programs: programs.folder().to_owned(),
        all_can_lie: options.all_can_lie,
        log_filter: options.log_filter.clone(),
    })
}

struct Setup<'a> {
    record: &'a LabRecord,
    network: &'a str,
    tool: &'a Tool,
    options: &'a LabOptions,
}

#[derive(Deserialize)]
struct ShownRoster {
    hash: String,
}

impl Setup<'_> {
    /// Tokens and `symbolon server init`, as many at once as there are cores.
    fn servers(&self) -> Result<(), LabError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for some in self.record.servers.chunks(cores) {
            thread::scope(|scope| {
                let threads: Vec<_> = some
                    .iter()
                    .map(|server| scope.spawn(|| self.server(server)))
                    .collect();
                for thread in threads {
                    thread.join().map_err(|_| {
                        LabError::Options("setting up a server failed unexpectedly".to_owned())
                    })??;
                }
                Ok::<(), LabError>(())
            })?;
        }
        Ok(())
    }

    fn server(&self, server: &ServerRecord) -> Result<(), LabError> {
        let folder = server.dir.join("token");
        fs::create_dir_all(&folder).map_err(LabError::io("create", &folder))?;
        let pin = random_hex()?;
        let pin_file = server.dir.join("pin");
        files::write_atomic(&pin_file, pin.as_bytes())?;
        let token = SoftHsmToken::create(&folder, &server.token, &pin)?;
        let environment = format!("SOFTHSM2_CONF={}", token.config.display());
        let (index, address) = (server.index.to_string(), server.address.to_string());
        let metrics = server.metrics.to_string();
        let residency = match self.options.dek_residency {
            DekResidency::Resident => "resident",
            DekResidency::PerBatch => "per-batch",
        };
        self.tool.run(&[
            os("server"),
            os("init"),
            os("--dir"),
            server.dir.as_os_str(),
            os("--member"),
            os(&index),
            os("--name"),
            os(&server.name),
            os("--address"),
            os(&address),
            os("--metrics"),
            os(&metrics),
            os("--network"),
            os(self.network),
            os("--dek-residency"),
            os(residency),
            os("--module"),
            token.module.as_os_str(),
            os("--token"),
            os(&server.token),
            os("--pin-file"),
            pin_file.as_os_str(),
            os("--module-env"),
            os(&environment),
        ])?;
        Ok(())
    }

    /// The requestor, the operator, a guardian.
    fn people(&self) -> Result<(), LabError> {
        let requestor = &self.record.requestor;
        let (address, metrics) = (requestor.address.to_string(), requestor.metrics.to_string());
        self.tool.run(&[
            os("requestor"),
            os("init"),
            os("--dir"),
            requestor.dir.as_os_str(),
            os("--name"),
            os(&requestor.name),
            os("--provider"),
            os("lab"),
            os("--network"),
            os(self.network),
            os("--listen"),
            os(&address),
            os("--metrics"),
            os(&metrics),
        ])?;
        self.tool.run(&[
            os("operator"),
            os("init"),
            os("--name"),
            os("operator"),
            os("--network"),
            os(self.network),
            os("--dir"),
            self.operator().as_os_str(),
        ])?;
        let passphrase = passphrase_file(self.record);
        files::write_atomic(&passphrase, random_hex()?.as_bytes())?;
        self.tool.run(&[
            os("guardian"),
            os("new"),
            os("--name"),
            os(GUARDIAN),
            os("--network"),
            os(self.network),
            os("--out"),
            self.record.guardian.as_os_str(),
            os("--passphrase-file"),
            passphrase.as_os_str(),
        ])?;
        Ok(())
    }

    /// Cards become a roster, which is signed and installed everywhere; gives its pin.
    fn roster(&self) -> Result<String, LabError> {
        let cluster = self.record.cluster.as_os_str();
        let mut cards: Vec<PathBuf> = self
            .record
            .servers
            .iter()
            .map(|server| server.dir.join("member.card"))
            .collect();
        cards.push(self.record.requestor.dir.join("client.card"));
        cards.push(self.operator().join("client.card"));
        cards.push(self.record.guardian.join(format!("{GUARDIAN}.card")));
        let mut line = vec![
            os("init"),
            os("--dir"),
            cluster,
            os("--name"),
            os("lab"),
            os("--network"),
            os(self.network),
            os("--card"),
        ];
        line.extend(cards.iter().map(|card| card.as_os_str()));
        self.tool.run(&line)?;
        let (key, passphrase) = (guardian_key(self.record), passphrase_file(self.record));
        self.tool.run(&[
            os("roster"),
            os("sign"),
            os("--dir"),
            cluster,
            os("--guardian"),
            os(GUARDIAN),
            os("--key"),
            key.as_os_str(),
            os("--passphrase-file"),
            passphrase.as_os_str(),
        ])?;
        let shown =
            self.tool
                .run(&[os("roster"), os("show"), os("--dir"), cluster, os("--json")])?;
        let shown: ShownRoster = serde_json::from_str(&shown)
            .map_err(|error| LabError::answer("symbolon roster show", error))?;
        let roster = self.record.cluster.join("roster.cbor");
        let servers = self.record.servers.iter().map(|server| &server.dir);
        for folder in servers.chain([&self.record.requestor.dir]) {
            self.tool.run(&[
                os("roster"),
                os("install"),
                os("--into"),
                folder.as_os_str(),
                os("--from"),
                roster.as_os_str(),
                os("--pin"),
                os(&shown.hash),
            ])?;
        }
        Ok(shown.hash)
    }

    /// What a person would edit: the laboratory's requestor may ask for everything, also exits.
    fn settings(&self) -> Result<(), LabError> {
        let permissions =
            format!("[[allow]]\nrequestor = \"{REQUESTOR}\"\nkeys = [\"*\"]\nduties = [\"all\"]\n");
        for server in &self.record.servers {
            files::write_atomic(&server.dir.join("permissions.toml"), permissions.as_bytes())?;
            let mut lines = self.options.server_signing.clone();
            let named = |line: &String| line.contains("allow_unlocked_memory");
            if !lines.iter().any(named) && !memory_can_be_locked() {
                lines.push("allow_unlocked_memory = true".to_owned());
            }
            append_signing(&server.dir.join("server.toml"), &lines)?;
        }
        append_signing(
            &self.record.requestor.dir.join("requestor.toml"),
            &self.options.requestor_signing,
        )
    }

    fn operator(&self) -> PathBuf {
        self.record.cluster.join("operator")
    }
}

/// The guardian's key file.
pub(crate) fn guardian_key(record: &LabRecord) -> PathBuf {
    record.guardian.join(format!("{GUARDIAN}.key"))
}

/// The file of the guardian's passphrase.
pub(crate) fn passphrase_file(record: &LabRecord) -> PathBuf {
    record.guardian.join("passphrase")
}

fn append_signing(path: &Path, lines: &[String]) -> Result<(), LabError> {
    if lines.is_empty() {
        return Ok(());
    }
    let text = files::read_bounded(path, 64 * 1024)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    text.push_str(&format!("\n[signing]\n{}\n", lines.join("\n")));
    Ok(files::write_atomic(path, text.as_bytes())?)
}

/// Containers may have next to no locked memory; a laboratory holds no secrets of worth.
fn memory_can_be_locked() -> bool {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock).current;
    rustix::process::geteuid().is_root() || limit.is_none_or(|bytes| bytes >= ENOUGH_LOCKED)
}

fn random_hex() -> Result<String, LabError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)
        .map_err(|error| LabError::Options(format!("no randomness from the system: {error}")))?;
    Ok(hex::encode(bytes))
}

pub(crate) fn os(text: &str) -> &OsStr {
    OsStr::new(text)
}

pub(crate) const GUARDIAN: &str = "guardian-1";
const REQUESTOR: &str = "req-1";
const ENOUGH_LOCKED: u64 = 4 * 1024 * 1024;
