//! The folder of a ceremony, and driving members from it.
//!
//! The folder holds every message and is the whole state: a run that was cut short goes on where it
//! stopped, and the folder is the record that `symbolon ceremony audit` judges. Nobody believes
//! whoever drives it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::{
    Answered, Coordinator, CoordinatorError, Cosigned, FileName, GroupEpoch, GroupLabel, Plan,
    Progress, Received, VerifiedPlan,
};
use symbolon_protocol::NetworkId;
use symbolon_protocol::roster::RosterChain;
use symbolon_threshold::ShareIndex;

use crate::servers::Server;

/// A deal of a thousand keys has less than a megabyte.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Checking a thousand keys takes seconds, and smart cards take their time over ECDH.
const STEP: Duration = Duration::from_secs(180);

/// A folder that holds the messages of one ceremony.
pub(crate) struct Folder {
    dir: PathBuf,
    network: NetworkId,
    coordinator: Coordinator,
}

impl Folder {
    /// Opens (and makes) the folder of a ceremony.
    pub(crate) fn open(dir: &Path, chain: &RosterChain) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let messages = messages(dir)?.into_iter().map(|(_, bytes)| bytes);
        let (coordinator, refused) = Coordinator::from_messages(chain.clone(), messages);
        for (_, error) in refused {
            // A plan that waits for guardians is no plan yet.
            if !matches!(error, CoordinatorError::Plan(_) | CoordinatorError::NoPlan) {
                return Err(error)
                    .with_context(|| format!("{} holds a bad message", dir.display()));
            }
        }
        Ok(Self {
            dir: dir.to_path_buf(),
            network: chain.network(),
            coordinator,
        })
    }

    /// Where it lies.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is missing.
    pub(crate) fn progress(&self) -> Progress {
        self.coordinator.progress()
    }

    /// The plan, fully signed and checked.
    pub(crate) fn plan(&self) -> anyhow::Result<&VerifiedPlan> {
        Ok(self.coordinator.plan()?)
    }

    /// The offers received.
    pub(crate) fn offers(&self) -> Vec<Vec<u8>> {
        self.coordinator.offers()
    }

    /// Whether a message is there.
    pub(crate) fn has(&self, name: FileName) -> bool {
        self.coordinator.files().contains_key(&name)
    }

    /// All messages.
    pub(crate) fn coordinator(&self) -> &Coordinator {
        &self.coordinator
    }

    /// Takes a message and stores it.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let received = self.coordinator.receive(bytes)?;
        self.store(received)
    }

    /// The plan with the signatures gathered so far.
    pub(crate) fn draft(&self) -> anyhow::Result<Option<Cosigned<Plan>>> {
        let path = self.path(FileName::Plan);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = crate::input::bytes(&path, MAX_FILE)?;
        let plan = Cosigned::from_bytes(self.network, &bytes)
            .with_context(|| format!("{} is refused", path.display()))?;
        Ok(Some(plan))
    }

    /// Stores a plan that may still lack signatures; it counts once it is complete, and the error
    /// says what it lacks.
    pub(crate) fn set_draft(
        &mut self,
        plan: &Cosigned<Plan>,
    ) -> anyhow::Result<Result<(), CoordinatorError>> {
        let bytes = plan.to_bytes();
        let path = self.path(FileName::Plan);
        symbolon_daemon::files::write_atomic(&path, &bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(self.coordinator.receive(&bytes).map(|_| ()))
    }

    /// The finished group's descriptor; stores it and the certificate.
    pub(crate) fn descriptor(&mut self, fresh: &[u8; 32]) -> anyhow::Result<Vec<u8>> {
        let certificate = self.coordinator.certificate()?;
        self.receive(&certificate)?;
        let descriptor = self.coordinator.group(fresh)?;
        self.receive(&descriptor)?;
        Ok(descriptor)
    }

    /// What to ask of a member now.
    fn requests(&self, group: &GroupLabel, member: ShareIndex) -> Vec<CeremonyRequest> {
        if !self.has(FileName::Offer(member)) && self.coordinator.plan().is_err() {
            let group_epoch = GroupEpoch::FIRST;
            return vec![CeremonyRequest::Offer {
                group: group.clone(),
                group_epoch,
            }];
        }
        self.coordinator.requests(member)
    }

    fn store(&self, received: Received) -> anyhow::Result<()> {
        let Received::New(name) = received else {
            return Ok(());
        };
        let Some(bytes) = self.coordinator.files().get(&name) else {
            return Ok(());
        };
        let path = self.path(name);
        symbolon_daemon::files::write_atomic(&path, bytes)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn path(&self, name: FileName) -> PathBuf {
        self.dir.join(name.to_string())
    }
}

/// Every message in a folder, by name.
pub(crate) fn messages(dir: &Path) -> anyhow::Result<Vec<(FileName, Vec<u8>)>> {
    let entries = std::fs::read_dir(dir)
        .with_context(|| format!("cannot read the folder {}", dir.display()))?;
    let mut names: Vec<FileName> = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().and_then(|name| name.parse().ok()) {
            names.push(name);
        }
    }
    names.sort();
    names
        .into_iter()
        .map(|name| {
            Ok((
                name,
                crate::input::bytes(&dir.join(name.to_string()), MAX_FILE)?,
            ))
        })
        .collect()
}

/// Asks each of `servers` at once whatever is its turn, and takes the answers. `false` when it is
/// nobody's turn.
pub(crate) async fn round(
    folder: &mut Folder,
    group: &GroupLabel,
    servers: &[Server],
) -> anyhow::Result<bool> {
    let mut calls = Vec::new();
    for server in servers {
        let member = ShareIndex::try_from(u64::from(server.member.index))?;
        let requests = folder.requests(group, member);
        if !requests.is_empty() {
            calls.push(ask_all(server, requests));
        }
    }
    let asked = !calls.is_empty();
    // Every answer is stored before the first failure ends the run.
    let mut failed = Ok(());
    for (server, replies) in futures_util::future::join_all(calls).await {
        let taken = replies.and_then(|replies| take(folder, server, replies));
        if failed.is_ok() {
            failed = taken;
        }
    }
    failed.map(|()| asked)
}

async fn ask_all(
    server: &Server,
    requests: Vec<CeremonyRequest>,
) -> (&Server, anyhow::Result<Vec<CeremonyReply>>) {
    let mut replies = Vec::with_capacity(requests.len());
    for request in requests {
        match ask(server, &request).await {
            Ok(reply) => replies.push(reply),
            Err(error) => return (server, Err(error)),
        }
    }
    (server, Ok(replies))
}

fn take(folder: &mut Folder, server: &Server, replies: Vec<CeremonyReply>) -> anyhow::Result<()> {
    for reply in replies {
        let answered = folder.coordinator.answered(reply);
        match answered.with_context(|| format!("the answer of {} is refused", server.name()))? {
            Answered::Message(received) => folder.store(received)?,
            Answered::Accepted(_) | Answered::Status(_) => {}
            // Refusals ended the call already.
            Answered::Refused(refusal) => bail!("{} refuses: {}", server.name(), refusal.message),
        }
    }
    Ok(())
}

/// One request to one member; a refusal is an error that says who is blamed.
pub(crate) async fn ask(
    server: &Server,
    request: &CeremonyRequest,
) -> anyhow::Result<CeremonyReply> {
    let bytes = server.ceremony(request.to_bytes(), STEP).await?;
    let reply = CeremonyReply::from_bytes(&bytes)
        .with_context(|| format!("{} answered with bytes that are no reply", server.name()))?;
    if let CeremonyReply::Refused(refusal) = reply {
        let standing = if refusal.proved {
            "proved"
        } else {
            "suspected"
        };
        let culprit = match refusal.culprit {
            None => String::new(),
            Some(0) => format!(" ({standing}: the dealer of the import)"),
            Some(member) => format!(" ({standing}: member {member})"),
        };
        bail!(
            "{} refuses: {} [{}]{culprit}",
            server.name(),
            refusal.message,
            refusal.code
        );
    }
    Ok(reply)
}
