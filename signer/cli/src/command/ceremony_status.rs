//! `symbolon ceremony status`: how a ceremony's folder stands.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use symbolon_ceremony::{DealerId, FileName};
use symbolon_threshold::ShareIndex;

use crate::ceremony::Folder;
use crate::cli::Json;
use crate::cluster::Cluster;
use crate::output;

/// How a ceremony's folder stands.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The ceremony's folder.
    folder: PathBuf,
    /// The cluster's folder.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct ShownStatus {
    group: Option<String>,
    ceremony: Option<String>,
    signed: bool,
    members: Vec<ShownMember>,
}

#[derive(Serialize)]
struct ShownMember {
    member: u16,
    dealt: bool,
    confirmed: bool,
    activated: bool,
}

impl Status {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let cluster = Cluster::open(&self.dir)?;
        let chain = cluster.roster()?;
        if !self.folder.is_dir() {
            bail!("{} is not a folder", self.folder.display());
        }
        let folder = Folder::open(&self.folder, &chain)?;
        let draft = folder.draft()?;
        let mut members = Vec::new();
        for receiver in draft
            .iter()
            .flat_map(|draft| &draft.unverified().value().receivers)
        {
            let index = ShareIndex::try_from(u64::from(receiver.member))?;
            members.push(ShownMember {
                member: receiver.member,
                dealt: folder.has(FileName::Deal(DealerId::Member(index))),
                confirmed: folder.has(FileName::Confirmation(index)),
                activated: folder.has(FileName::Activation(index)),
            });
        }
        let shown = ShownStatus {
            group: draft
                .as_ref()
                .map(|d| d.unverified().value().group.as_str().to_owned()),
            ceremony: draft
                .as_ref()
                .map(|draft| hex::encode(draft.unverified().digest())),
            signed: draft.is_some() && folder.plan().is_ok(),
            members,
        };
        output::show(self.json.format(), &shown, ShownStatus::text)
    }
}

impl ShownStatus {
    fn text(&self) -> String {
        let Some(group) = &self.group else {
            return "no plan yet\n".to_owned();
        };
        let state = if self.signed {
            "signed"
        } else {
            "waits for guardians"
        };
        let mut text = format!("group {group}, plan {state}\n");
        for member in &self.members {
            let did = [
                (member.dealt, "dealt"),
                (member.confirmed, "confirmed"),
                (member.activated, "activated"),
            ];
            let did: Vec<&str> = did
                .iter()
                .filter(|(done, _)| *done)
                .map(|(_, what)| *what)
                .collect();
            text.push_str(&format!(
                "  member {:>5}  {}\n",
                member.member,
                did.join(", ")
            ));
        }
        text
    }
}
