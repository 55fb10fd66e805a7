//! `symbolon hsm check`: what a token can do, found out by doing it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use hsm_api::{Capabilities, Hsm as _, SealKind, WorkerClient};
use serde::Serialize;

use super::device::Device;
use crate::cli::Json;
use crate::output;

const PROBE_TIME: Duration = Duration::from_secs(120);

/// Devices.
#[derive(Debug, Subcommand)]
pub(crate) enum Hsm {
    /// Find out by real calls what a token can do; leaves nothing on it.
    Check(Check),
}

/// Find out by real calls what a token can do; leaves nothing on it.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    device: Device,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Shown {
    token: String,
    device: String,
    usable: bool,
    seal: Option<String>,
    seal_schemes: Vec<String>,
    ecdsa_p256: bool,
    ecdh_p256: bool,
    random: bool,
    data_objects: bool,
    trials: Vec<ShownTrial>,
    missing: Vec<String>,
    means: Vec<String>,
}

#[derive(Serialize)]
struct ShownTrial {
    what: String,
    works: bool,
    why_not: Option<String>,
}

impl Hsm {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self::Check(check) = self;
        let device = WorkerClient::start(check.device.config()?)
            .context("the worker process does not start")?;
        let now = Instant::now();
        let found = device
            .probe(now.checked_add(PROBE_TIME).unwrap_or(now))
            .context("the token cannot be probed")?;
        let shown = Shown::new(&found);
        output::show(check.json.format(), &shown, Shown::text)?;
        if !shown.usable {
            bail!(
                "this token cannot serve a member: {}",
                shown.missing.join("; ")
            );
        }
        Ok(())
    }
}

impl Shown {
    fn new(found: &Capabilities) -> Self {
        let seal = found.choose(SealKind::DEFAULT_ORDER.as_slice());
        let needed = [
            (
                seal.is_some(),
                "no sealing scheme works: the data key cannot be sealed",
            ),
            (
                found.ecdsa_p256,
                "no ECDSA on P-256: the member cannot prove who it is",
            ),
            (
                found.ecdh_p256,
                "no ECDH on P-256: the member cannot receive shares in a ceremony",
            ),
            (found.random, "no random numbers"),
        ];
        let missing: Vec<String> = needed
            .iter()
            .filter(|(works, _)| !works)
            .map(|(_, text)| (*text).to_owned())
            .collect();
        Self {
            token: found.token.to_string(),
            device: found.device.clone(),
            usable: missing.is_empty(),
            seal: seal.map(|kind| kind.name().to_owned()),
            seal_schemes: found
                .seal_kinds
                .iter()
                .map(|kind| kind.name().to_owned())
                .collect(),
            ecdsa_p256: found.ecdsa_p256,
            ecdh_p256: found.ecdh_p256,
            random: found.random,
            data_objects: found.data_objects,
            trials: found
                .trials
                .iter()
                .map(|trial| ShownTrial {
                    what: trial.what.clone(),
                    works: trial.failure.is_none(),
                    why_not: trial.failure.clone(),
                })
                .collect(),
            missing,
            means: MEANS.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n  {}\n", self.token, self.device);
        // Writing into a String never fails.
        for trial in &self.trials {
            let (mark, why) = match &trial.why_not {
                None => ("works", String::new()),
                Some(why) => ("no   ", format!("  ({why})")),
            };
            writeln!(text, "  {mark}  {}{why}", trial.what).ok();
        }
        let seal = self.seal.as_deref().unwrap_or("nothing that works");
        writeln!(text, "  the data key would be sealed by: {seal}").ok();
        for line in &self.means {
            writeln!(text, "  {line}").ok();
        }
        for line in &self.missing {
            writeln!(text, "  missing: {line}").ok();
        }
        text
    }
}

/// What the device gives, and what not, in the words of the README.
const MEANS: [&str; 3] = [
    "No HSM computes BLS12-381: this one keeps a copied disk worthless, and proves who the member is.",
    "While the server signs, shares are in its memory; an attacker with root there reads them.",
    "A token in files (SoftHSM) protects nothing against somebody who copies the files too.",
];
