//! `symbolon ceremony`: new groups of keys.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use symbolon_ceremony::{Cosigned, GroupClass, GroupEpoch, GroupLabel, Plan, PlanDraft, Progress};
use symbolon_protocol::roster::RosterChain;
use symbolon_protocol::words;

use super::audit::Audit;
use super::ceremony_status::Status;
use super::remedy::Recover;
use crate::ceremony::{Folder, round};
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
    /// Draft the plan of new keys from the offers in a folder, and sign it with the keys at hand.
    Plan(PlanFolder),
    /// Do the next step of one member in a folder that is carried from member to member.
    Step(OneStep),
    /// How a ceremony's folder stands.
    Status(Status),
    /// Judge a folder: who did wrong, and what proves it. Needs the roster only.
    Audit(Audit),
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

/// Draft the plan of new keys from the offers in a folder, and sign it with the keys at hand.
#[derive(Debug, Args)]
pub(crate) struct PlanFolder {
    /// The ceremony's folder, with the offer of every member that shall take part.
    folder: PathBuf,
    /// Label of the new group, as in the offers.
    #[arg(long)]
    label: String,
    /// Keys to make, 1 to 1000.
    #[arg(long, default_value_t = 1)]
    keys: u16,
    /// Partial signatures that a signature will need.
    #[arg(long)]
    threshold: u16,
    #[command(flatten)]
    signing: Signing,
    /// The cluster's folder.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
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
            Self::Plan(plan) => plan.run(),
            Self::Step(step) => step.run(),
            Self::Status(status) => status.run(),
            Self::Audit(audit) => audit.run(),
            Self::Recover(recover) => recover.run(),
        }
    }
}

impl Run {
    fn run(self) -> anyhow::Result<()> {
        let cluster = self.connection.cluster()?;
        let chain = cluster.roster()?;
        let label = GroupLabel::new(self.label.clone())?;
        let mut folder = Folder::open(&cluster.dir.join("ceremonies").join(&self.label), &chain)?;
        servers::run(async {
            let servers = self
                .connection
                .servers(chain.current(), self.members.as_deref())?;
            if folder.draft()?.is_none() {
                round(&mut folder, &label, &servers).await?;
                draft(&mut folder, &chain, &label, self.keys, self.threshold)?;
            }
            self.signing.sign(&mut folder)?;
            drive(&mut folder, &label, &servers).await
        })?;
        let made = finish(&cluster, &mut folder)?;
        output::show(self.json.format(), &made, Made::text)
    }
}

/// Drafts the plan of a DKG among all whose offers are in the folder.
fn draft(
    folder: &mut Folder,
    chain: &RosterChain,
    label: &GroupLabel,
    keys: u16,
    threshold: u16,
) -> anyhow::Result<()> {
    let draft = PlanDraft {
        group: label.clone(),
        class: GroupClass::Hot,
        threshold,
        not_after: None,
        duties: Vec::new(),
    };
    let (network, roster) = (chain.network(), chain.current());
    let plan = draft.dkg(network, roster, random()?, keys, &folder.offers())?;
    // Guardians have not signed it yet.
    folder.set_draft(&plan)?.ok();
    Ok(())
}

impl PlanFolder {
    fn run(self) -> anyhow::Result<()> {
        let chain = Cluster::open(&self.dir)?.roster()?;
        let mut folder = Folder::open(&self.folder, &chain)?;
        let label = GroupLabel::new(self.label)?;
        if folder.draft()?.is_none() {
            if folder.offers().is_empty() {
                bail!(
                    "{} holds no offer; each member makes one with: symbolon ceremony step",
                    folder.dir().display()
                );
            }
            draft(&mut folder, &chain, &label, self.keys, self.threshold)?;
        }
        self.signing.sign(&mut folder)?;
        output::print(&format!("{}\n", folder.dir().join("plan.sym").display()))
    }
}

/// 32 random bytes of the system.
pub(crate) fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(bytes)
}

/// Asks every member round after round until the ceremony is complete.
pub(crate) async fn drive(
    folder: &mut Folder,
    label: &GroupLabel,
    servers: &[Server],
) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("{spinner} {msg} ({elapsed})")?);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    loop {
        bar.set_message(waits_for(&folder.progress()));
        let asked = round(folder, label, servers).await?;
        match folder.progress() {
            Progress::Complete => {
                bar.finish_and_clear();
                return Ok(());
            }
            Progress::Dead(owing) if owing.is_empty() || !asked => bail!(
                "a member complained, and the ceremony is dead; {} holds the complaint and the \
                 dealer's opening. Judge it with: symbolon ceremony audit",
                folder.dir().display()
            ),
            progress if !asked => {
                bail!(
                    "{}; members outside this run have to bring them",
                    waits_for(&progress)
                );
            }
            _ => {}
        }
    }
}

fn waits_for(progress: &Progress) -> String {
    fn list<T: ToString>(parties: &[T]) -> String {
        parties
            .iter()
            .map(T::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    }
    match progress {
        Progress::Plan => "waits for the plan".to_owned(),
        Progress::Deals(dealers) => format!("waits for the deals of {}", list(dealers)),
        Progress::Confirmations(members) => {
            format!("waits for the confirmations of {}", list(members))
        }
        Progress::Activations(members) => format!("waits for the activations of {}", list(members)),
        Progress::Complete => "complete".to_owned(),
        Progress::Dead(dealers) => format!("dead; waits for the openings of {}", list(dealers)),
    }
}

/// Writes the descriptor and reads from it what was made.
pub(crate) fn finish(cluster: &Cluster, folder: &mut Folder) -> anyhow::Result<Made> {
    let bytes = folder.descriptor(&random()?)?;
    let plan = folder.plan()?;
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
    pub(crate) fn sign(&self, folder: &mut Folder) -> anyhow::Result<()> {
        if folder.plan().is_ok() {
            return Ok(());
        }
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
        folder.set_draft(&draft)?.with_context(|| {
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
        let mut folder = Folder::open(&self.folder, &chain)?;
        let mut draft = folder.draft()?.context("the folder holds no plan")?;
        sign(
            &mut draft,
            &self.guardian,
            &self.key,
            self.passphrase_file.as_deref(),
        )?;
        // What it lacks still, the count below says.
        folder.set_draft(&draft)?.ok();
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
        let mut folder = Folder::open(&self.folder, &chain)?;
        let label = GroupLabel::new(self.label)?;
        let asked = servers::run(async {
            let only = [self.member];
            let servers = self.connection.servers(chain.current(), Some(&only))?;
            round(&mut folder, &label, &servers).await
        })?;
        if folder.progress() == Progress::Complete {
            return output::print(&finish(&cluster, &mut folder)?.text());
        }
        let did = if asked { "done" } else { "nothing to do" };
        output::print(&format!("{did}: {}\n", waits_for(&folder.progress())))
    }
}
