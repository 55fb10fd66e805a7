//! `symbolon server`: set up a threshold server and what it needs on its token.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use hsm_api::{Dek, Hsm as _, ProvisionPlan, WorkerClient};
use symbolon_protocol::card::Card;
use symbolon_protocol::roster::{Member, TlsPin};
use symbolon_protocol::{
    IdentityError, IdentityPublic, IdentitySignature, IdentitySigner, Unsigned,
};

use super::device::{Device, device_label};
use super::setup::{self, Installed};
use crate::{identity_file, input, output};

/// Provisioning makes keys on the token; smart cards take their time over it.
const PROVISION_TIME: Duration = Duration::from_secs(120);

/// Threshold servers.
#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Make the keys on the token, the sealed data key, certificate, card and configuration.
    Init(Init),
}

/// Make the keys on the token, the sealed data key, certificate, card and configuration.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The server's folder; it is made.
    #[arg(long)]
    dir: PathBuf,
    /// Share index, never given to another machine.
    #[arg(long)]
    member: u16,
    /// Its name in the roster: a-z, 0-9 and -.
    #[arg(long)]
    name: String,
    /// Where others reach it (`host:port`).
    #[arg(long)]
    address: String,
    /// Where it listens; the address, if not given.
    #[arg(long)]
    listen: Option<String>,
    /// Where metrics and health are served.
    #[arg(long, default_value = "127.0.0.1:7101")]
    metrics: String,
    /// The network's name, or a config.yaml with GENESIS_VALIDATORS_ROOT.
    #[arg(long)]
    network: String,
    /// When the device opens the data key.
    #[arg(long, value_enum, default_value_t = Residency::Resident)]
    dek_residency: Residency,
    #[command(flatten)]
    device: Device,
    #[command(flatten)]
    installed: Installed,
}

/// When the device opens the data key.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Residency {
    /// Once at start; it stays in locked memory.
    Resident,
    /// For each batch; wiped after it.
    PerBatch,
}

impl Server {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::Init(init) = self;
        init.run()
    }
}

/// An identity key on a token.
struct TokenIdentity<'a> {
    device: &'a WorkerClient,
    key: hsm_api::KeyId,
    public: IdentityPublic,
}

impl IdentitySigner for TokenIdentity<'_> {
    fn public(&self) -> IdentityPublic {
        self.public
    }

    fn sign_digest(&self, digest: &[u8; 32]) -> Result<IdentitySignature, IdentityError> {
        let deadline = soon(PROVISION_TIME);
        let signature = self.device.sign_p256(&self.key, digest, deadline);
        signature
            .map(IdentitySignature)
            .map_err(|error| IdentityError::Signer(error.to_string()))
    }
}

impl Init {
    fn run(self) -> anyhow::Result<()> {
        let network = input::network(&self.network)?;
        let data = self.dir.join("data");
        let sealed_path = data.join("dek.sealed");
        if sealed_path.exists() {
            bail!(
                "{} exists already: this folder is a server's; its shares lie under that key",
                sealed_path.display()
            );
        }
        std::fs::create_dir_all(&data)
            .with_context(|| format!("cannot create {}", data.display()))?;

        let device = WorkerClient::start(self.device.config()?)
            .context("the worker process does not start")?;
        let plan = ProvisionPlan::new(device_label(&self.name)?);
        let report = device
            .provision(&plan, soon(PROVISION_TIME))
            .context("the token cannot be provisioned")?;
        let public = IdentityPublic::from_sec1(report.identity_public.uncompressed())?;
        let identity = TokenIdentity {
            device: &device,
            key: report.identity.clone(),
            public,
        };

        let dek = Dek::generate(&device, soon(PROVISION_TIME)).context("no data key was made")?;
        let sealed = device
            .seal_dek(&report.kek, &dek, soon(PROVISION_TIME))
            .context("the token did not seal the data key")?;

        let tls =
            symbolon_rpc::TlsIdentity::generate(&self.name).context("cannot make a certificate")?;
        tls.write_new(&self.dir.join("tls.crt"), &self.dir.join("tls.key"))
            .with_context(|| format!("cannot write the key into {}", self.dir.display()))?;
        identity_file::write_new(&sealed_path, &sealed.encode())?;
        self.write_configuration()?;
        self.installed.copy_roster(&self.dir)?;

        let member = Member {
            index: self.member,
            name: self.name.clone(),
            identity: public,
            address: Some(self.address.clone()),
            tls_pin: Some(TlsPin(tls.pin())),
        };
        let id = input::network_id(&network);
        let signed = Unsigned::new(id, Card::Member(member))
            .sign(&identity)?
            .to_bytes();
        let (_, words) = Card::open(id, &signed)?;
        let card_path = self.dir.join("member.card");
        identity_file::write_new(&card_path, &signed)?;
        output::print(&format!(
            "{}\n  member {} {}, token {}, data key sealed by {}\n  words to compare: {words}\n",
            card_path.display(),
            self.member,
            self.name,
            report.token,
            report.kek.kind.name(),
        ))
    }

    fn write_configuration(&self) -> anyhow::Result<()> {
        let network = setup::network_for(&self.dir, &self.network)?;
        let residency = match self.dek_residency {
            Residency::Resident => "resident",
            Residency::PerBatch => "per-batch",
        };
        let listen = self.listen.as_ref().unwrap_or(&self.address);
        let text = format!(
            "# Threshold server {name}; reload with SIGHUP.\n\
             member = {member}\n\
             listen = {listen}\n\
             metrics = {metrics}\n\
             data_dir = \"data\"\n\
             network = {network}\n\
             roster = \"roster.cbor\"\n\
             {pin}\
             permissions = \"permissions.toml\"\n\
             tls_key = \"tls.key\"\n\
             tls_cert = \"tls.crt\"\n\n\
             [hsm]\n{device}dek_residency = \"{residency}\"\n",
            name = self.name,
            member = self.member,
            listen = setup::quoted(listen),
            metrics = setup::quoted(&self.metrics),
            network = setup::quoted(&network),
            pin = self.installed.pin_line(),
            device = self.device.lines(&self.dir)?,
        );
        identity_file::write_new(&self.dir.join("server.toml"), text.as_bytes())?;
        let permissions = "# Which requestor may use which keys for which duties.\n\
             # \"validating\" is every duty of a validator but exits and deposits.\n\
             [[allow]]\nrequestor = \"*\"\nkeys = [\"*\"]\nduties = [\"validating\"]\n";
        identity_file::write_new(&self.dir.join("permissions.toml"), permissions.as_bytes())
    }
}

fn soon(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}
