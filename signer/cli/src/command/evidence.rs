//! `symbolon evidence`: who is guilty of what, decided offline from bytes.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_ceremony::GroupDescriptor;
use symbolon_protocol::Message as _;
use symbolon_signing::evidence::{self, PartialFault, Verdict, WrongPartialEvidence};
use symbolon_signing::group::KnownGroup;

use crate::cli::Json;
use crate::cluster::Cluster;
use crate::{input, output};

/// Evidence.
#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Decide from a file, the roster and the group's descriptor alone whether a member answered
    /// wrongly. Exit code 0 means proved.
    Verify(Verify),
}

/// Decide whether a member answered wrongly.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The evidence file.
    file: PathBuf,
    /// The cluster's folder, with roster and groups.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Shown {
    proved: bool,
    member: Option<u16>,
    name: Option<String>,
    requestor: Option<String>,
    validator: Option<String>,
    at_unix_ms: Option<u64>,
    fault: Option<String>,
    why_not: Option<String>,
}

impl Evidence {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::Verify(verify) = self;
        verify.run()
    }
}

impl Verify {
    fn run(self) -> anyhow::Result<()> {
        let cluster = Cluster::open(&self.dir)?;
        let chain = cluster.roster()?;
        let network = input::network_id(&cluster.network);
        let max = u64::try_from(WrongPartialEvidence::MAX_LEN).unwrap_or(u64::MAX);
        let evidence = WrongPartialEvidence::from_bytes(network, &input::bytes(&self.file, max)?)
            .with_context(|| format!("{} is no evidence", self.file.display()))?;
        let group = self.group(&cluster, &evidence.group)?;
        let verdict = evidence::verify(&evidence, network, chain.current(), &group);
        let mut shown = Shown::none();
        match &verdict {
            Verdict::Proved(proof) => {
                shown.proved = true;
                shown.member = Some(proof.member.get());
                shown.name = chain
                    .current()
                    .member(proof.member.get())
                    .map(|member| member.name.clone());
                shown.requestor = Some(proof.requestor.to_string());
                shown.validator = Some(proof.key.to_string());
                shown.at_unix_ms = Some(proof.at_ms);
                shown.fault = Some(match proof.fault {
                    PartialFault::Point(error) => format!("its partial is no point: {error}"),
                    PartialFault::Signature(error) => {
                        format!("its partial is not by its share over this duty: {error}")
                    }
                });
            }
            Verdict::NotProved(why) => shown.why_not = Some(why.to_string()),
        }
        output::show(self.json.format(), &shown, Shown::text)?;
        if !shown.proved {
            bail!("nothing is proved");
        }
        Ok(())
    }

    /// The group that the evidence names, among the descriptors in the cluster's folder.
    fn group(&self, cluster: &Cluster, transcript: &[u8; 32]) -> anyhow::Result<KnownGroup> {
        let folder = cluster.dir.join("groups");
        let chain = cluster.roster()?;
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read the folder {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path
                .extension()
                .is_none_or(|extension| extension != "group")
            {
                continue;
            }
            let max = u64::try_from(GroupDescriptor::MAX_LEN).unwrap_or(u64::MAX);
            let group = GroupDescriptor::verify(&chain, &input::bytes(&path, max)?)
                .with_context(|| format!("{} is refused", path.display()))?;
            if group.transcript().0 == *transcript {
                return Ok(KnownGroup::of(&group)?);
            }
        }
        bail!(
            "no descriptor in {} is of the group with transcript {}",
            folder.display(),
            hex::encode(transcript)
        )
    }
}

impl Shown {
    const fn none() -> Self {
        Self {
            proved: false,
            member: None,
            name: None,
            requestor: None,
            validator: None,
            at_unix_ms: None,
            fault: None,
            why_not: None,
        }
    }

    fn text(&self) -> String {
        if let Some(why) = &self.why_not {
            return format!("not proved: {why}\n");
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        format!(
            "proved: member {} ({}) answered wrongly\n  {}\n  validator {}\n  asked by {}, at {} (unix ms)\n",
            self.member.unwrap_or_default(),
            text(&self.name),
            text(&self.fault),
            text(&self.validator),
            text(&self.requestor),
            self.at_unix_ms.unwrap_or_default(),
        )
    }
}
