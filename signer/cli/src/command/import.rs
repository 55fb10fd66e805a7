//! `symbolon key import`: existing EIP-2335 keystores, split over the servers by a dealer.
//!
//! Such keys are for ever shown as not born in a ceremony: someone had the whole key.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use symbolon_ceremony::derive::Seed;
use symbolon_ceremony::{
    DealerId, FileName, GroupClass, GroupLabel, MAX_KEYS, PlanDraft, deal_import,
};
use symbolon_secmem::Locked;
use symbolon_threshold::{GroupPublicKey, SecretScalar};

use super::ceremony::{Made, Signing, drive, finish, random};
use crate::ceremony::{Folder, round};
use crate::cli::Json;
use crate::cluster::Cluster;
use crate::keystores::{self, Opened};
use crate::servers::{self, Connection};
use crate::{identity_file, output};

/// Split EIP-2335 keystores over the servers.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Folder with the keystores (*.json).
    #[arg(long)]
    keystores: PathBuf,
    /// Folder with their passwords: NAME.txt for NAME.json.
    #[arg(long)]
    passwords: PathBuf,
    /// Label of the group; with more than 1000 keys, the later groups are LABEL-2, LABEL-3 and so on.
    #[arg(long)]
    label: String,
    /// Partial signatures that a signature will need.
    #[arg(long)]
    threshold: u16,
    /// Share indices of the members; all online ones, if not given.
    #[arg(long, value_delimiter = ',')]
    members: Option<Vec<u16>>,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    json: Json,
}

impl Import {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let cluster = self.connection.cluster()?;
        let mut opened = keystores::open_all(&self.keystores, &self.passwords)?;
        output::note(
            "these keys are not born in a ceremony: whoever has the keystores has the whole keys",
        );
        let mut made = Vec::new();
        let mut number = 1_usize;
        while !opened.is_empty() {
            let rest = opened.split_off(opened.len().min(MAX_KEYS));
            let label = match number {
                1 => self.label.clone(),
                number => format!("{}-{number}", self.label),
            };
            made.push(self.import(&cluster, &label, opened)?);
            opened = rest;
            number = number.saturating_add(1);
        }
        output::show(self.json.format(), &made, |made| {
            made.iter().map(Made::text).collect()
        })
    }

    fn import(&self, cluster: &Cluster, label: &str, keys: Vec<Opened>) -> anyhow::Result<Made> {
        let chain = cluster.roster()?;
        let group = GroupLabel::new(label)?;
        let mut folder = Folder::open(&cluster.dir.join("ceremonies").join(label), &chain)?;
        let (secrets, public): (Vec<SecretScalar>, Vec<GroupPublicKey>) =
            keys.into_iter().map(|key| (key.secret, key.public)).unzip();
        servers::run(async {
            let servers = self
                .connection
                .servers(chain.current(), self.members.as_deref())?;
            if folder.draft()?.is_none() {
                round(&mut folder, &group, &servers).await?;
                self.draft(&mut folder, cluster, &group, &public)?;
            }
            self.signing.sign(&mut folder)?;
            if !folder.has(FileName::Deal(DealerId::Import)) {
                self.deal(&mut folder, secrets)?;
            }
            drive(&mut folder, &group, &servers).await
        })?;
        finish(cluster, &mut folder)
    }

    fn draft(
        &self,
        folder: &mut Folder,
        cluster: &Cluster,
        group: &GroupLabel,
        public: &[GroupPublicKey],
    ) -> anyhow::Result<()> {
        let chain = cluster.roster()?;
        let network = chain.network();
        let (_, name) = self.operator(cluster)?;
        let draft = PlanDraft {
            group: group.clone(),
            class: GroupClass::Hot,
            threshold: self.threshold,
            not_after: None,
            duties: Vec::new(),
        };
        let offers = folder.offers();
        let plan = draft.import(network, chain.current(), random()?, &name, public, &offers)?;
        // Guardians have not signed it yet.
        folder.set_draft(&plan)?.ok();
        Ok(())
    }

    fn deal(&self, folder: &mut Folder, secrets: Vec<SecretScalar>) -> anyhow::Result<()> {
        let plan = folder.plan()?;
        let seed = Locked::try_init_with(|bytes| {
            getrandom::fill(bytes)
                .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))
        })?;
        let deal = deal_import(plan, &Seed::new(seed), secrets)
            .context("the plan in the folder is of other keystores")?;
        let (identity, _) = self.operator(&self.connection.cluster()?)?;
        let signed = deal.sign(&identity)?;
        folder.receive(&signed.to_bytes())
    }

    /// The operator's identity, and its name in the roster.
    fn operator(
        &self,
        cluster: &Cluster,
    ) -> anyhow::Result<(symbolon_protocol::SoftIdentity, String)> {
        use symbolon_protocol::IdentitySigner as _;
        let path: &Path = &self.connection.operator().join("identity.key");
        let identity = identity_file::read(path, || bail!("an operator's key has no passphrase"))?;
        let chain = cluster.roster()?;
        let name = chain
            .current()
            .clients
            .iter()
            .find(|client| client.identity == identity.public())
            .map(|client| client.name.clone())
            .with_context(|| format!("the key {} is not in the roster", path.display()))?;
        Ok((identity, name))
    }
}
