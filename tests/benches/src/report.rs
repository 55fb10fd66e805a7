//! The figures as a Markdown table and as one line of JSON.

use std::io::{self, Write as _};

use serde_json::{Value, json};

use crate::dkg::Dkg;
use crate::floor::Floor;
use crate::machine::{Layout, Machine};
use crate::sign::Signing;
use crate::spread::Spread;
use crate::start::Start;

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) quick: bool,
    pub(crate) machine: Machine,
    pub(crate) layout: Layout,
    pub(crate) before: Floor,
    pub(crate) after: Floor,
    pub(crate) dkg: Dkg,
    pub(crate) start: Start,
    pub(crate) signing: Signing,
}

/// Floors in milliseconds.
struct Floors {
    lone_shared: f64,
    lone_apart: f64,
    burst_shared: f64,
    burst_apart: f64,
}

impl Report {
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", self.markdown())?;
        writeln!(out, "{}", self.json())?;
        Ok(())
    }

    /// Why the figures are worth less than those of a quiet machine.
    fn noise(&self) -> Vec<String> {
        let mut noise = Vec::new();
        let load = self.machine.load_at_start;
        if load > MAX_LOAD {
            noise.push(format!("load {load} at the start, above {MAX_LOAD}"));
        }
        let difference = self.before.difference(&self.after);
        if difference > MAX_DIFFERENCE {
            let percent = difference * 100.0;
            noise.push(format!(
                "the cryptography took {percent:.0} % more or less at the end than at the start"
            ));
        }
        noise
    }

    fn floors(&self) -> Floors {
        let (servers, cores) = (self.layout.servers, self.machine.cores);
        let size = self.signing.burst_size;
        Floors {
            lone_shared: self.before.lone_shared(servers, cores),
            lone_apart: self.before.lone_apart(),
            burst_shared: self.before.burst_shared(size, servers, cores),
            burst_apart: self.before.burst_apart(size, cores),
        }
    }

    fn markdown(&self) -> String {
        let machine = &self.machine;
        let adx = if machine.adx { "ADX" } else { "no ADX" };
        let noise = self.noise();
        let noise = if noise.is_empty() {
            "none seen".to_owned()
        } else {
            format!("**noisy**: {}", noise.join("; "))
        };
        let mut text = format!(
            "{} cores, {}, {adx}; Linux {}; SoftHSM {}; symbolon {}; load at start {:.2}; noise: {noise}\n",
            machine.cores,
            machine.processor,
            machine.kernel,
            machine.softhsm,
            env!("CARGO_PKG_VERSION"),
            machine.load_at_start,
        );
        text.push_str("\n| ms | p50 | p99 | min | max | times |\n|---|---|---|---|---|---|\n");
        for (name, spread) in self.rows() {
            text.push_str(&format!(
                "| {name} | {:.2} | {:.2} | {:.2} | {:.2} | {} |\n",
                spread.median(),
                spread.percentile(99),
                spread.min(),
                spread.max(),
                spread.count(),
            ));
        }
        text.push_str(&self.ratios());
        text
    }

    fn rows(&self) -> [(String, &Spread); 7] {
        let (layout, signing) = (self.layout, &self.signing);
        let (dkg, start) = (&self.dkg, &self.start);
        let shares = start.shares;
        [
            (
                format!(
                    "`symbolon ceremony run`, {} of {}, {} keys",
                    layout.threshold, layout.servers, dkg.keys
                ),
                &dkg.times,
            ),
            (
                format!("start with {shares} sealed shares: process until ready"),
                &start.ready,
            ),
            (
                format!("start with {shares} sealed shares: data key opened until serving"),
                &start.after_device,
            ),
            (
                format!("start with {shares} sealed shares: processor time of the server"),
                &start.processor,
            ),
            ("one attestation, lone".to_owned(), &signing.lone),
            (
                "the medians of its repetitions".to_owned(),
                &signing.lone_medians,
            ),
            (
                format!(
                    "{} attestations at once: until the last answer",
                    signing.burst_size
                ),
                &signing.bursts,
            ),
        ]
    }

    fn ratios(&self) -> String {
        let (floors, floor, signing) = (self.floors(), &self.before, &self.signing);
        let (lone, burst) = (signing.lone.median(), signing.bursts.median());
        let (servers, cores) = (self.layout.servers, self.machine.cores);
        let processes = servers.saturating_add(1);
        let mut text =
            "\n| against the floor of this run | ms | p50 / floor |\n|---|---|---|\n".to_owned();
        let here = format!("{processes} processes on {cores} cores, all servers asked");
        for (name, milliseconds, ratio) in [
            (
                format!("lone, {here}"),
                floors.lone_shared,
                lone / floors.lone_shared,
            ),
            (
                "lone, each process on a core of its own".to_owned(),
                floors.lone_apart,
                lone / floors.lone_apart,
            ),
            (
                format!("burst, {here}"),
                floors.burst_shared,
                burst / floors.burst_shared,
            ),
            (
                format!("burst, {cores} cores for each process, nothing overlaps"),
                floors.burst_apart,
                burst / floors.burst_apart,
            ),
        ] {
            text.push_str(&format!("| {name} | {milliseconds:.2} | {ratio:.2} |\n"));
        }
        text.push_str(&format!(
            "\nFloor, us on one core, at the start / at the end: hash {:.0} / {:.0}, sign {:.0} / \
             {:.0}, combine {:.1} / {:.1}, verify {:.0} / {:.0}, burst: server {:.1} / {:.1}, \
             requestor {:.1} / {:.1} a signature. Processor time of a burst: servers {:.0} ms, \
             requestor {:.0} ms. Signatures verified afterwards: {}.\n",
            floor.hash,
            self.after.hash,
            floor.sign,
            self.after.sign,
            floor.combine,
            self.after.combine,
            floor.verify,
            self.after.verify,
            floor.burst_server,
            self.after.burst_server,
            floor.burst_requestor,
            self.after.burst_requestor,
            signing.burst_servers,
            signing.burst_requestor,
            signing.verified,
        ));
        text
    }

    fn json(&self) -> Value {
        let (floors, signing) = (self.floors(), &self.signing);
        let noise = self.noise();
        json!({
            "bench": "symbolon-figures",
            "quick": self.quick,
            "noisy": !noise.is_empty(),
            "noise": noise,
            "machine": self.machine,
            "layout": self.layout,
            "floor_us": { "before": self.before, "after": self.after },
            "floor_ms": {
                "lone_shared": floors.lone_shared,
                "lone_apart": floors.lone_apart,
                "burst_shared": floors.burst_shared,
                "burst_apart": floors.burst_apart,
            },
            "dkg": { "keys": self.dkg.keys, "ms": spread(&self.dkg.times) },
            "start": {
                "shares": self.start.shares,
                "ready_ms": spread(&self.start.ready),
                "after_device_ms": spread(&self.start.after_device),
                "processor_ms": spread(&self.start.processor),
            },
            "lone": {
                "ms": spread(&signing.lone),
                "medians_ms": spread(&signing.lone_medians),
                "ratio_shared": signing.lone.median() / floors.lone_shared,
                "ratio_apart": signing.lone.median() / floors.lone_apart,
            },
            "burst": {
                "size": signing.burst_size,
                "ms": spread(&signing.bursts),
                "servers_processor_ms": signing.burst_servers,
                "requestor_processor_ms": signing.burst_requestor,
                "ratio_shared": signing.bursts.median() / floors.burst_shared,
                "ratio_apart": signing.bursts.median() / floors.burst_apart,
            },
            "verified": signing.verified,
        })
    }
}

fn spread(spread: &Spread) -> Value {
    json!({
        "times": spread.count(),
        "min": spread.min(),
        "p50": spread.median(),
        "p99": spread.percentile(99),
        "max": spread.max(),
    })
}

/// Load average of a minute above which a machine is not quiet.
const MAX_LOAD: f64 = 1.5;
/// Relative difference of the floors above which something else took turns.
const MAX_DIFFERENCE: f64 = 0.1;
