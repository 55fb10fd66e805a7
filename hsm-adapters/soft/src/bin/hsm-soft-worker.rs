//! A worker process over the software device: `hsm-soft-worker STORE [FAULTS]`. For tests only.
#![forbid(unsafe_code)]

use anyhow::Context;
use hsm_api::run_worker;
use hsm_soft::SoftOpener;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let store = args
        .next()
        .context("usage: hsm-soft-worker STORE [FAULTS]")?;
    let opener = SoftOpener {
        store: store.into(),
        faults: args.next().unwrap_or_default(),
    };
    run_worker(&opener).context("the system refuses to harden the worker")
}
