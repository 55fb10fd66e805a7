//! `symbolon ceremony recover`: what people do when a disk was lost.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use minicbor::bytes::ByteVec;
use symbolon_ceremony::FileName;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};

use crate::ceremony::{Folder, ask};
use crate::output;
use crate::servers::{self, Connection};

/// Rebuild the shares of a member that lost its disk, from the ceremony's folder and its HSM.
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// The folder of the ceremony that made the group.
    folder: PathBuf,
    /// The member's share index.
    #[arg(long)]
    member: u16,
    #[command(flatten)]
    connection: Connection,
}

impl Recover {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let chain = self.connection.cluster()?.roster()?;
        let mut folder = Folder::open(&self.folder, &chain)?;
        let plan = folder.plan()?;
        let label = plan.plan().group.clone();
        let coordinator = folder.coordinator();
        let files = coordinator.files();
        let deals: Option<Vec<ByteVec>> = plan
            .dealers()
            .iter()
            .map(|dealer| {
                files
                    .get(&FileName::Deal(dealer.id))
                    .cloned()
                    .map(ByteVec::from)
            })
            .collect();
        let request = CeremonyRequest::Recover {
            plan: plan.to_bytes().into(),
            deals: deals.context("a deal is missing in the folder")?,
            certificate: coordinator.certificate()?.into(),
        };
        servers::run(async {
            let only = [self.member];
            let servers = self.connection.servers(chain.current(), Some(&only))?;
            let server = servers.first().context("the member is not online")?;
            let CeremonyReply::Activation(bytes) = ask(server, &request).await? else {
                bail!(
                    "{} gave an answer of another kind than was asked",
                    server.name()
                );
            };
            folder.receive(&bytes)?;
            output::print(&format!(
                "{}: the shares of group {} are there again\n",
                server.name(),
                label.as_str()
            ))
        })
    }
}
