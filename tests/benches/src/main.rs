//! Measures the hot path against real processes on real SoftHSM tokens, in one run.
//!
//! Prints a Markdown table for `RESULTS.md`, then one line of JSON. Durations of cryptography are
//! measured in the same run and on the same machine, so that the ratios mean something elsewhere.
//! Any answer that is missing or does not verify voids the run.
#![forbid(unsafe_code)]

mod burst;
mod dkg;
mod floor;
mod machine;
mod report;
mod requests;
mod sign;
mod spread;
mod start;
mod wire;

use clap::Parser;
use symbolon_lab::{Audience, KeySource, Lab, LabOptions, Story};

use crate::floor::Floor;
use crate::machine::Machine;
use crate::report::Report;
use crate::sign::Signing;

/// Measures the hot path against real processes on real SoftHSM tokens, in one run.
#[derive(Debug, Parser)]
struct Arguments {
    /// Small numbers: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Keys of one ceremony.
    pub(crate) ceremony_keys: usize,
    /// Ceremonies.
    pub(crate) ceremonies: usize,
    /// Keys that sign one root at once.
    pub(crate) burst: usize,
    /// Bursts; some more come before, unmeasured.
    pub(crate) bursts: usize,
    /// Repetitions of the lone requests.
    pub(crate) lone_rounds: usize,
    /// Requests of one repetition.
    pub(crate) lone_requests: usize,
    /// Sealed shares of a server that starts.
    pub(crate) sealed: usize,
    /// Starts.
    pub(crate) starts: usize,
}

impl Sizes {
    const FULL: Self = Self {
        ceremony_keys: 1000,
        ceremonies: 3,
        burst: 313,
        bursts: 40,
        lone_rounds: 5,
        lone_requests: 120,
        sealed: 10_000,
        starts: 5,
    };
    const QUICK: Self = Self {
        ceremony_keys: 20,
        ceremonies: 1,
        burst: 16,
        bursts: 5,
        lone_rounds: 1,
        lone_requests: 20,
        sealed: 50,
        starts: 1,
    };
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let sizes = if arguments.quick {
        Sizes::QUICK
    } else {
        Sizes::FULL
    };
    // Before anything of ours runs.
    let machine = Machine::look()?;
    let story = Story::begin(Audience::Script);
    let before = Floor::measure(sizes.burst)?;
    story.tell("the cryptography was timed");

    let options = LabOptions {
        // One key more than a burst has: the lone requests are its own.
        keys: KeySource::Ceremony {
            keys: sizes.burst.saturating_add(1),
        },
        server_signing: vec![format!("future_slots = {}", requests::FUTURE_SLOTS)],
        log_filter: "warn".to_owned(),
        ..LabOptions::default()
    };
    let mut lab = Lab::up(&options, &story)?;
    let signing = Signing::measure(&lab, sizes)?;
    story.tell("lone requests and bursts were signed, every signature verified");
    let dkg = dkg::measure(&mut lab, sizes)?;
    story.tell("ceremonies ended");
    let layout = machine::Layout::of(lab.record());
    drop(lab);
    let start = start::measure(sizes, &story)?;
    story.tell("servers were started");
    let after = Floor::measure(sizes.burst)?;

    let report = Report {
        quick: arguments.quick,
        machine,
        layout,
        before,
        after,
        dkg,
        start,
        signing,
    };
    report.print()
}
