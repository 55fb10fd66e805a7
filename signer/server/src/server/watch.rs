//! What goes on beside signing: gauges, the device's health, the clock, SIGHUP.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hsm_api::{Hsm, WorkerClient};
use prometheus_client::metrics::gauge::Gauge;
use symbolon_daemon::health::Health;
use symbolon_daemon::reload::Reload;
use tokio::time::{MissedTickBehavior, interval};

use super::DEVICE;
use crate::config::Residency;
use crate::engine::Engine;
use crate::error::StartError;
use crate::identity::after;
use crate::notices::Notices;
use crate::owner::Owner;
use crate::parties::Parties;
use crate::pool::Priority;
use crate::reload::Reloader;
use crate::store::Memory;

/// Keeps the gauges true to a second.
pub(super) async fn gauges(
    engine: Arc<Engine>,
    parties: Arc<Parties>,
    hsm: Arc<WorkerClient>,
    notices: Notices,
) {
    let Ok(writer) = engine
        .owner
        .run(Priority::Normal, |memory| memory.writer())
        .await
    else {
        return;
    };
    let metrics = Arc::clone(&engine.metrics);
    let gauges = metrics.gauges();
    gauges.ready.set(1);
    let mut ticks = every(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let (counters, status) = (writer.counters(), hsm.status());
        set(&gauges.keys, engine.ring.load().len());
        set(&gauges.waiting, engine.waiting());
        set(&gauges.roster, parties.chain().current().number);
        set(&gauges.journal_sequence, writer.head().sequence.0);
        set(&gauges.journal_flushes, counters.flushes);
        set(&gauges.journal_records, counters.records);
        set(&gauges.journal_bytes, counters.bytes);
        set(&gauges.journal_snapshots, counters.snapshots);
        set(
            &gauges.hsm_up,
            u8::from(status.pid.is_some() && status.refused.is_none()),
        );
        set(&gauges.hsm_starts, status.starts);
        set(&gauges.hsm_hangs, status.hangs);
        set(&gauges.hsm_waiting, status.waiting);
        let unlocked = symbolon_secmem::unlocked_bytes();
        set(&gauges.unlocked_bytes, unlocked);
        if unlocked > 0 && notices.set("memory", not_locked(unlocked)) {
            tracing::error!("{}", not_locked(unlocked));
        }
    }
}

/// Said at start and when a new group did not fit any more.
pub(super) fn not_locked(bytes: usize) -> String {
    format!("{bytes} bytes of secret memory are not locked: raise the limit of locked memory")
}

fn set(gauge: &Gauge, value: impl TryInto<i64>) {
    gauge.set(value.try_into().unwrap_or(i64::MAX));
}

/// Asks the device how it is. Where the data key is resident a device that is away costs nothing
/// yet, so that the server stays ready and only says so.
pub(super) async fn device(
    hsm: Arc<WorkerClient>,
    residency: Residency,
    health: Health,
    notices: Notices,
) {
    let mut ticks = every(ASK_EVERY);
    loop {
        ticks.tick().await;
        let device = Arc::clone(&hsm);
        let ask = move || device.health(None, after(ASK_TIME));
        let trouble = match tokio::task::spawn_blocking(ask).await {
            Ok(hsm_api::Health::Good { .. }) => None,
            Ok(hsm_api::Health::Degraded { reason }) => Some(reason),
            Err(error) => Some(error.to_string()),
        };
        match trouble {
            None => {
                if notices.clear(DEVICE) {
                    tracing::info!("the device is back");
                }
                health.ready(DEVICE);
            }
            Some(reason) => {
                if notices.set(DEVICE, reason.clone()) {
                    tracing::error!(reason, "the device does not answer as it should");
                }
                if residency == Residency::PerBatch {
                    health.waiting(DEVICE, reason);
                }
            }
        }
    }
}

/// Writes the time into the journal now and then: a clock that was turned back is noticed by it.
pub(super) async fn clock(owner: Owner<Memory>) {
    let mut ticks = every(CLOCK_EVERY);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match owner.run(Priority::Normal, Memory::tick).await {
            Ok(Ok(ticket)) => {
                if let Err(error) = ticket.await {
                    tracing::warn!(%error, "the time was not recorded");
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "the time was not recorded"),
            Err(_) => return,
        }
    }
}

/// Reloads at each SIGHUP.
pub(super) fn hangups(
    reloader: Arc<Reloader>,
) -> Result<impl Future<Output = ()> + Send + 'static, StartError> {
    let mut signals = Reload::on_hangup().map_err(super::system("listen for the signal SIGHUP"))?;
    Ok(async move {
        loop {
            signals.next().await;
            let reloader = Arc::clone(&reloader);
            let reload = move || reloader.reload_and_log();
            if let Err(error) = tokio::task::spawn_blocking(reload).await {
                tracing::error!(%error, "nothing was reloaded");
            }
        }
    })
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

const ASK_EVERY: Duration = Duration::from_secs(10);

const ASK_TIME: Duration = Duration::from_secs(5);

/// About one epoch of the main network.
const CLOCK_EVERY: Duration = Duration::from_secs(384);
