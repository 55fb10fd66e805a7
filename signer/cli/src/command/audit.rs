//! `symbolon ceremony audit`: the offline judge.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use symbolon_ceremony::{AuditReport, FileName};

use super::ceremony::random;
use crate::ceremony::messages;
use crate::cli::Json;
use crate::cluster::Cluster;
use crate::output;

/// Judge a folder: who did wrong, and what proves it. Needs the roster only.
///
/// Exit code 0 means that nothing is proved against anybody.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The ceremony's folder.
    folder: PathBuf,
    /// Further messages to judge with it, for example a second deal of the same dealer.
    #[arg(long = "with", num_args = 1..)]
    with: Vec<PathBuf>,
    /// The cluster's folder.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Shown {
    ceremony: String,
    certified: bool,
    proved: usize,
    findings: Vec<ShownFinding>,
}

#[derive(Serialize)]
struct ShownFinding {
    culprit: String,
    code: &'static str,
    proved: bool,
    says: String,
    evidence: Vec<String>,
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let chain = Cluster::open(&self.dir)?.roster()?;
        let mut names = Vec::new();
        let mut bytes = Vec::new();
        for (name, message) in messages(&self.folder)? {
            // The descriptor follows from the other messages.
            if name != FileName::Group {
                names.push(name.to_string());
                bytes.push(message);
            }
        }
        for path in &self.with {
            names.push(path.display().to_string());
            bytes.push(crate::input::bytes(path, 16 * 1024 * 1024)?);
        }
        let report = symbolon_ceremony::audit(&chain, &bytes, &random()?)
            .with_context(|| format!("{} cannot be judged", self.folder.display()))?;
        let shown = Shown::new(&report, &names);
        output::show(self.json.format(), &shown, Shown::text)?;
        if shown.proved > 0 {
            bail!("{} findings are proved", shown.proved);
        }
        Ok(())
    }
}

impl Shown {
    fn new(report: &AuditReport, names: &[String]) -> Self {
        let proved: Vec<_> = report.proved().collect();
        let finding = |finding: &symbolon_ceremony::Finding| ShownFinding {
            culprit: finding.culprit.to_string(),
            code: finding.code(),
            proved: proved.contains(&finding),
            says: finding.to_string(),
            evidence: finding
                .evidence
                .iter()
                .filter_map(|place| names.get(*place).cloned())
                .collect(),
        };
        Self {
            ceremony: hex::encode(report.ceremony.0),
            certified: report.certified,
            proved: proved.len(),
            findings: report.findings.iter().map(finding).collect(),
        }
    }

    fn text(&self) -> String {
        let certified = if self.certified {
            "certified"
        } else {
            "not certified"
        };
        let mut text = format!("ceremony {}, {certified}\n", self.ceremony);
        for finding in &self.findings {
            text.push_str(&format!("  {} [{}]\n", finding.says, finding.code));
            for evidence in &finding.evidence {
                text.push_str(&format!("    {evidence}\n"));
            }
        }
        if self.findings.is_empty() {
            text.push_str("  nothing is wrong\n");
        }
        text
    }
}
