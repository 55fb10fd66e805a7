//! `symbolon plan`: what a choice of members and threshold can bear.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;
use symbolon_ceremony::{Arithmetic, plan_arithmetic};

use crate::cli::Json;
use crate::output;

/// Say what a choice of members and threshold can bear.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Members of the group.
    #[arg(long, short = 'n')]
    members: u16,
    /// Partial signatures needed.
    #[arg(long, short = 't')]
    threshold: u16,
    /// Members that are online servers; fewer than all makes a cold group.
    #[arg(long)]
    online: Option<u16>,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Shown {
    class: String,
    members: usize,
    threshold: usize,
    online: usize,
    learn_nothing: usize,
    may_be_gone: usize,
    overlap: usize,
    dishonest_tolerated: Option<usize>,
    hand_over_receipts: usize,
    reshare_statements: usize,
    warnings: Vec<String>,
}

impl Plan {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let online = usize::from(self.online.unwrap_or(self.members));
        let plan = plan_arithmetic(u64::from(self.members), u64::from(self.threshold), online)?;
        output::show(self.json.format(), &Shown::new(&plan), Shown::text)
    }
}

impl Shown {
    fn new(plan: &Arithmetic) -> Self {
        Self {
            class: plan.class.to_string(),
            members: plan.threshold.n(),
            threshold: plan.threshold.t(),
            online: plan.online,
            learn_nothing: plan.secrecy,
            may_be_gone: plan.liveness,
            overlap: plan.overlap,
            dishonest_tolerated: plan.max_dishonest,
            hand_over_receipts: plan.hand_over,
            reshare_statements: plan.reshare,
            warnings: plan.warnings.iter().map(ToString::to_string).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{} of {}, {} group, {} online\n",
            self.threshold, self.members, self.class, self.online
        );
        // Writing into a String never fails.
        writeln!(
            text,
            "  {} members together learn nothing",
            self.learn_nothing
        )
        .ok();
        writeln!(
            text,
            "  {} may be gone while the others sign",
            self.may_be_gone
        )
        .ok();
        writeln!(
            text,
            "  any two sets that sign share {} members",
            self.overlap
        )
        .ok();
        match self.dishonest_tolerated {
            Some(f) => {
                writeln!(
                    text,
                    "  no two conflicting signatures with up to {f} dishonest"
                )
                .ok();
            }
            None => {
                writeln!(text, "  two sets that sign need not meet").ok();
            }
        }
        writeln!(
            text,
            "  a hand-over needs {} receipts",
            self.hand_over_receipts
        )
        .ok();
        writeln!(
            text,
            "  a reshare needs {} frozen statements",
            self.reshare_statements
        )
        .ok();
        for warning in &self.warnings {
            writeln!(text, "  warning: {warning}").ok();
        }
        text
    }
}
