//! What people do when a ceremony went wrong, or a disk was lost.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use minicbor::bytes::ByteVec;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::{DealerId, FileName};
use symbolon_threshold::ShareIndex;

use crate::ceremony::{Folder, ask};
use crate::servers::{self, Connection};
use crate::{input, output};

/// Show every complaint in a folder to the dealer whom it accuses, and store its opening.
#[derive(Debug, Args)]
pub(crate) struct Complain {
    /// The ceremony's folder.
    folder: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

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

impl Complain {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let cluster = self.connection.cluster()?;
        let chain = cluster.roster()?;
        let folder = Folder::open(
            &self.folder,
            input::network_id(&cluster.network),
            chain.current(),
        )?;
        let complaints = folder.complaints()?;
        if complaints.is_empty() {
            return output::print("there is no complaint in this folder\n");
        }
        servers::run(async {
            for (member, dealer, complaint) in complaints {
                let DealerId::Member(index) = dealer else {
                    output::note("the dealer of an import answers complaints by hand");
                    continue;
                };
                let only = [index.get()];
                let servers = self.connection.servers(chain.current(), Some(&only))?;
                let server = servers.first().context("the dealer is not online")?;
                let request = CeremonyRequest::Complaint(complaint.into());
                match ask(server, &request).await? {
                    CeremonyReply::Opening(bytes) => {
                        let file = FileName::Opening(dealer, member);
                        folder.write(file, &bytes)?;
                        output::print(&format!(
                            "{}\n",
                            folder.dir().join(file.to_string()).display()
                        ))?;
                    }
                    _ => bail!(
                        "{} gave an answer of another kind than was asked",
                        server.name()
                    ),
                }
            }
            Ok(())
        })
    }
}

impl Recover {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let cluster = self.connection.cluster()?;
        let chain = cluster.roster()?;
        let folder = Folder::open(
            &self.folder,
            input::network_id(&cluster.network),
            chain.current(),
        )?;
        let plan = folder.plan()?;
        let member = ShareIndex::try_from(u64::from(self.member))?;
        let deals = folder
            .deals(&plan)?
            .context("a deal is missing in the folder")?;
        let certificate = folder
            .certificate(&plan)?
            .context("a confirmation is missing in the folder")?;
        let request = CeremonyRequest::Recover {
            plan: plan.to_bytes().into(),
            deals: deals.into_iter().map(ByteVec::from).collect(),
            certificate: certificate.to_bytes().to_vec().into(),
        };
        servers::run(async {
            let only = [self.member];
            let servers = self.connection.servers(chain.current(), Some(&only))?;
            let server = servers.first().context("the member is not online")?;
            match ask(server, &request).await? {
                CeremonyReply::Activation(bytes) => {
                    folder.replace(FileName::Activation(member), &bytes)?;
                    output::print(&format!(
                        "{}: the shares of group {} are there again\n",
                        server.name(),
                        plan.plan().group.as_str()
                    ))
                }
                _ => bail!(
                    "{} gave an answer of another kind than was asked",
                    server.name()
                ),
            }
        })
    }
}
