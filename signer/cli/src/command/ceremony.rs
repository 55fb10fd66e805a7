//! `symbolon ceremony`: new groups of keys.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use futures_util::future::join_all;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use symbolon_ceremony::{Cosigned, FileName, GroupClass, GroupEpoch, GroupLabel, Plan, PlanDraft};
use symbolon_protocol::words;
use symbolon_threshold::ShareIndex;

use super::ceremony_status::Status;
use super::remedy::{Complain, Recover};
use crate::ceremony::{Folder, Step, member_step, next_step};
use crate::cli::Json;
use crate::cluster::Cluster;
use crate::servers::{self, Connection, Server};
use crate::{identity_file, input, output};

/// Ceremonies.
#[derive(Debug, Subcommand)]
pub(crate) enum Ceremony {
    /// Make keys that nobody ever holds whole: every step, over the network.
    Run(Run),
    /// Sign a plan as a guardian.
    Sign(Sign),
    /// Do the next step of one member in a folder that is carried from member to member.
    Step(OneStep),
    /// How a ceremony's folder stands.
    Status(Status),
    /// Show every complaint in a folder to the dealer whom it accuses, and store its opening.
    Complain(Complain),
    /// Rebuild the shares of a member that lost its disk, from the ceremony's folder and its HSM.
    Recover(Recover),
}

/// Make keys that nobody ever holds whole: every step, over the network.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Label of the new group: a-z, 0-9 and -.
    #[arg(long)]
    label: String,
    /// Keys to make, 1 to 1000.
    #[arg(long, default_value_t = 1)]
    keys: u16,
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

/// The guardians' keys that are at hand.
#[derive(Debug, Args)]
pub(crate) struct Signing {
    /// A guardian who signs the plan here, as NAME=KEYFILE.
    #[arg(long = "guardian", value_name = "NAME=KEYFILE")]
    guardians: Vec<String>,
    /// File that holds the guardian's passphrase; without it the terminal is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

/// Sign a plan as a guardian.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The ceremony's folder.
    folder: PathBuf,
    /// The guardian's name in the roster.
    #[arg(long)]
    guardian: String,
    /// The guardian's key file.
    #[arg(long)]
    key: PathBuf,
    /// File that holds the passphrase; without it the terminal is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// The cluster's folder.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// Do the next step of one member in a folder that is carried from member to member.
#[derive(Debug, Args)]
pub(crate) struct OneStep {
    /// The ceremony's folder.
    folder: PathBuf,
    /// Label of the new group.
    #[arg(long)]
    label: String,
    /// The member's share index.
    #[arg(long)]
    member: u16,
    #[command(flatten)]
    connection: Connection,
}

/// What a finished ceremony made.
#[derive(Serialize)]
pub(crate) struct Made {
    /// The group's label.
    pub(crate) group: String,
    /// Name of the ceremony.
    pub(crate) ceremony: String,
    /// The same as words.
    pub(crate) words: String,
    /// t.
    pub(crate) threshold: usize,
    /// n.
    pub(crate) members: usize,
    /// Where the descriptor lies, for requestors.
    pub(crate) descriptor: PathBuf,
    /// The new validators.
    pub(crate) public_keys: Vec<String>,
}

impl Ceremony {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Run(run) => run.run(),
            Self::Sign(sign) => sign.run(),
            Self::Step(step) => step.run(),
            Self::Status(status) => status.run(),
            Self::Complain(complain) => complain.run(),
            Self::Recover(recover) => recover.run(),
        }
    }
}

impl Run {
    fn run(self) -> anyhow::Result<()> {
        let cluster = self.connection.cluster()?;
        let chain = cluster.roster()?;
        let network = input::network_id(&cluster.network);
        let label = GroupLabel::new(self.label.clone())?;
        let dir = cluster.dir.join("ceremonies").join(&self.label);
        let folder = Folder::open(&dir, network, chain.current())?;
        servers::run(async {
            let servers = self
                .connection
                .servers(chain.current(), self.members.as_deref())?;
            gather_offers(&folder, network, &label, &servers).await?;
            if folder.draft()?.is_none() {
                let offers = offers(&folder, &servers)?;
                let draft = PlanDraft {
                    group: label.clone(),
                    class: GroupClass::Hot,
                    threshold: self.threshold,
                    not_after: None,
                    duties: Vec::new(),
                };
                let roster = chain.current();
                let plan = draft.dkg(network, roster, random()?, self.keys, &offers)?;
                folder.replace(FileName::Plan, &plan.to_bytes())?;
            }
            self.signing.sign(&folder)?;
            drive(&folder, network, &label, &servers).await
        })?;
        let made = finish(&cluster, &folder)?;
        output::show(self.json.format(), &made, Made::text)
    }
}

/// 32 random bytes of the system.
pub(crate) fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(bytes)
}

/// The offers in the folder, of all `servers`.
pub(crate) fn offers(folder: &Folder, servers: &[Server]) -> anyhow::Result<Vec<Vec<u8>>> {
    let offer = |server: &Server| {
        let index = ShareIndex::try_from(u64::from(server.member.index))?;
        folder
            .read(FileName::Offer(index))?
            .with_context(|| format!("no offer of {}", server.name()))
    };
    servers.iter().map(offer).collect()
}

/// Asks every member for its offer.
pub(crate) async fn gather_offers(
    folder: &Folder,
    network: symbolon_protocol::NetworkId,
    label: &GroupLabel,
    servers: &[Server],
) -> anyhow::Result<()> {
    for server in servers {
        let member = ShareIndex::try_from(u64::from(server.member.index))?;
        if let Step::Ask(request, file @ FileName::Offer(_)) = next_step(folder, label, member)? {
            member_step(folder, network, server, request, file).await?;
        }
    }
    Ok(())
}

/// Steps every member on until nothing is left to do.
pub(crate) async fn drive(
    folder: &Folder,
    network: symbolon_protocol::NetworkId,
    label: &GroupLabel,
    servers: &[Server],
) -> anyhow::Result<()> {
    // Deal, confirm, activate.
    let steps = servers.len().saturating_mul(3);
    let bar = ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX));
    bar.set_style(ProgressStyle::with_template(
        "{wide_bar} {pos}/{len} {msg}",
    )?);
    loop {
        let mut asked = Vec::new();
        let mut waiting = None;
        for server in servers {
            let member = ShareIndex::try_from(u64::from(server.member.index))?;
            match next_step(folder, label, member)? {
                Step::Ask(request, file) => asked.push((server, request, file)),
                Step::Wait(what) => waiting = Some(what),
                Step::Done => {}
            }
        }
        if asked.is_empty() {
            bar.finish_and_clear();
            if let Some(what) = waiting {
                bail!("{what} are missing; members outside this run have to bring them");
            }
            return Ok(());
        }
        let calls = asked.into_iter().map(|(server, request, file)| {
            bar.set_message(file.to_string());
            let bar = bar.clone();
            async move {
                let done = member_step(folder, network, server, request, file).await;
                bar.inc(1);
                done
            }
        });
        for done in join_all(calls).await {
            done?;
        }
    }
}

/// Writes the descriptor and reads from it what was made.
pub(crate) fn finish(cluster: &Cluster, folder: &Folder) -> anyhow::Result<Made> {
    let plan = folder.plan()?;
    let bytes = folder.descriptor(&plan)?;
    let group = symbolon_ceremony::GroupDescriptor::verify(&cluster.roster()?, &bytes)
        .context("the descriptor does not verify")?;
    let label = plan.plan().group.clone();
    let epoch: GroupEpoch = plan.plan().group_epoch;
    let path = cluster
        .dir
        .join("groups")
        .join(format!("{}-{}.group", label.as_str(), epoch.0));
    symbolon_daemon::files::write_atomic(&path, &bytes)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Made {
        group: label.as_str().to_owned(),
        ceremony: hex::encode(plan.id().0),
        words: words(&plan.id().0, 4),
        threshold: plan.threshold().t(),
        members: plan.threshold().n(),
        descriptor: path,
        public_keys: group
            .group_keys()
            .iter()
            .map(|key| format!("0x{}", hex::encode(key.to_compressed())))
            .collect(),
    })
}

impl Made {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "group {}: {} keys, {} of {}\n  ceremony {}\n  words    {}\n  {}\n",
            self.group,
            self.public_keys.len(),
            self.threshold,
            self.members,
            self.ceremony,
            self.words,
            self.descriptor.display(),
        );
        for key in self.public_keys.iter().take(20) {
            text.push_str(&format!("  {key}\n"));
        }
        if self.public_keys.len() > 20 {
            text.push_str("  ... all of them: symbolon key export\n");
        }
        text
    }
}

impl Signing {
    /// Signs the plan in the folder with the keys at hand; an error says who must sign still.
    pub(crate) fn sign(&self, folder: &Folder) -> anyhow::Result<()> {
        let mut draft = folder.draft()?.context("the plan is not there yet")?;
        for pair in &self.guardians {
            let Some((guardian, key)) = pair.split_once('=') else {
                bail!("--guardian {pair:?} is not of the form NAME=KEYFILE");
            };
            sign(
                &mut draft,
                guardian,
                Path::new(key),
                self.passphrase_file.as_deref(),
            )?;
        }
        folder.replace(FileName::Plan, &draft.to_bytes())?;
        folder.plan().map(|_| ()).with_context(|| {
            format!(
                "the plan waits in {}; guardians sign it with: symbolon ceremony sign",
                folder.dir().display()
            )
        })
    }
}

fn sign(
    draft: &mut Cosigned<Plan>,
    guardian: &str,
    key: &Path,
    passphrase_file: Option<&Path>,
) -> anyhow::Result<()> {
    output::note(&review(
        draft.unverified().value(),
        &draft.unverified().digest(),
    ));
    let identity = identity_file::read(key, || {
        input::passphrase(
            passphrase_file,
            &format!("passphrase of {guardian}'s order key"),
        )
    })?;
    Ok(draft.sign(guardian, &identity)?)
}

/// What a guardian signs, in a line.
fn review(plan: &Plan, id: &[u8; 32]) -> String {
    let members: Vec<String> = plan
        .receivers
        .iter()
        .map(|receiver| receiver.member.to_string())
        .collect();
    format!(
        "plan: {} keys of group {}, {} class, {} of members {}; words {}",
        plan.keys,
        plan.group.as_str(),
        plan.class,
        plan.threshold,
        members.join(", "),
        words(id, 4),
    )
}

impl Sign {
    fn run(self) -> anyhow::Result<()> {
        let cluster = Cluster::open(&self.dir)?;
        let chain = cluster.roster()?;
        let network = input::network_id(&cluster.network);
        let folder = Folder::open(&self.folder, network, chain.current())?;
        let mut draft = folder.draft()?.context("the folder holds no plan")?;
        sign(
            &mut draft,
            &self.guardian,
            &self.key,
            self.passphrase_file.as_deref(),
        )?;
        folder.replace(FileName::Plan, &draft.to_bytes())?;
        let (got, needed) = (
            draft.signers(chain.current()).len(),
            chain.current().guardian_quorum,
        );
        output::print(&format!(
            "{got} of {needed} guardian signatures are there\n"
        ))
    }
}

impl OneStep {
    fn run(self) -> anyhow::Result<()> {
        let cluster = self.connection.cluster()?;
        let chain = cluster.roster()?;
        let network = input::network_id(&cluster.network);
        let folder = Folder::open(&self.folder, network, chain.current())?;
        let label = GroupLabel::new(self.label)?;
        let member = ShareIndex::try_from(u64::from(self.member))?;
        let said = servers::run(async {
            let only = [self.member];
            let servers = self.connection.servers(chain.current(), Some(&only))?;
            let server = servers.first().context("the member is not online")?;
            let (request, file) = match next_step(&folder, &label, member)? {
                Step::Ask(request, file) => (request, file),
                Step::Wait(what) => return Ok(format!("nothing to do before {what}\n")),
                Step::Done => return Ok("done: the member has activated the group\n".to_owned()),
            };
            member_step(&folder, network, server, request, file).await?;
            Ok(format!(
                "{}\n",
                folder.dir().join(file.to_string()).display()
            ))
        })?;
        if folder.draft()?.is_some() && folder.plan().is_ok() && all_done(&folder)? {
            let made = finish(&cluster, &folder)?;
            return output::print(&made.text());
        }
        output::print(&said)
    }
}

fn all_done(folder: &Folder) -> anyhow::Result<bool> {
    let plan = folder.plan()?;
    for index in plan.indices() {
        if folder.read(FileName::Activation(index))?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
