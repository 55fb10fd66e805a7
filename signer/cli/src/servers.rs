//! Calls to the servers of a cluster, as an operator.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use symbolon_protocol::admin::{AdminReply, AdminRequest};
use symbolon_protocol::roster::{Member, PartyId, Roster};
use symbolon_rpc::{PeerClient, Pins, TlsIdentity};

use crate::cluster::Cluster;

/// Deals of a large ceremony are tens of megabytes.
const MAX_MESSAGE: usize = 56 * 1024 * 1024;

/// Which cluster, and as whom.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The cluster's folder.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Folder with the operator's identity.key and identity.crt; DIR/operator, if not given.
    #[arg(long)]
    operator: Option<PathBuf>,
}

/// One server that can be called.
pub(crate) struct Server {
    /// Its entry in the roster.
    pub(crate) member: Member,
    client: PeerClient,
}

impl Connection {
    /// Opens the cluster's folder.
    pub(crate) fn cluster(&self) -> anyhow::Result<Cluster> {
        Cluster::open(&self.dir)
    }

    /// Folder of the operator's identity.
    pub(crate) fn operator(&self) -> PathBuf {
        self.operator
            .clone()
            .unwrap_or_else(|| self.dir.join("operator"))
    }

    /// The online members of `roster`, or those that are named by index.
    ///
    /// Must be called within the runtime that later makes the calls.
    pub(crate) fn servers(
        &self,
        roster: &Roster,
        only: Option<&[u16]>,
    ) -> anyhow::Result<Vec<Server>> {
        let folder = self.operator();
        let identity =
            TlsIdentity::load(&folder.join("identity.crt"), &folder.join("identity.key"))
                .with_context(|| {
                    format!(
                        "{} has no operator's identity (symbolon operator init)",
                        folder.display()
                    )
                })?;
        let pins = Pins::of(roster);
        if let Some(unknown) = only
            .unwrap_or_default()
            .iter()
            .find(|index| roster.member(**index).is_none())
        {
            bail!("no member has share index {unknown}");
        }
        let mut servers = Vec::new();
        for member in &roster.members {
            if only.is_some_and(|only| !only.contains(&member.index)) {
                continue;
            }
            let Some(address) = &member.address else {
                if only.is_some() {
                    bail!("member {} ({}) is offline", member.index, member.name);
                }
                continue;
            };
            let party = PartyId::Member(member.index);
            let client = PeerClient::new(party, address, &identity, pins.clone(), MAX_MESSAGE)?;
            servers.push(Server {
                member: member.clone(),
                client,
            });
        }
        if servers.is_empty() {
            bail!("no member of the roster is online");
        }
        Ok(servers)
    }
}

impl Server {
    /// One step of a ceremony.
    pub(crate) async fn ceremony(
        &self,
        request: Vec<u8>,
        limit: Duration,
    ) -> anyhow::Result<Vec<u8>> {
        Ok(self.client.ceremony(request, limit).await?)
    }

    /// One administration call; a refusal of the server is an error.
    pub(crate) async fn admin(
        &self,
        request: &AdminRequest,
        limit: Duration,
    ) -> anyhow::Result<Vec<AdminReply>> {
        let frames = self.client.admin(request.to_bytes(), limit).await?;
        let mut replies = Vec::with_capacity(frames.len());
        for frame in frames {
            let reply = AdminReply::from_bytes(&frame).with_context(|| {
                format!("{} answered with bytes that are no reply", self.name())
            })?;
            if let AdminReply::Failed(why) = reply {
                bail!("{} refuses: {why}", self.name());
            }
            replies.push(reply);
        }
        Ok(replies)
    }

    /// The server's name.
    pub(crate) fn name(&self) -> &str {
        &self.member.name
    }
}

/// Runs `work` on a small runtime.
pub(crate) fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime")?
        .block_on(work)
}
