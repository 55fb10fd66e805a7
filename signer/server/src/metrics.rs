//! What the server counts.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use symbolon_duties::DutyKind;
use symbolon_protocol::sign::RefusalCode;

/// Counters and gauges of one server.
pub(crate) struct Metrics {
    signed: Family<KindLabel, Counter>,
    refused: Family<RefusedLabel, Counter>,
    rejected: Family<ReasonLabel, Counter>,
    batch_size: Histogram,
    commit_seconds: Histogram,
    batch_seconds: Histogram,
    totals: Totals,
    gauges: Gauges,
}

/// Sums for the status answer.
#[derive(Default)]
struct Totals {
    signed: AtomicU64,
    refused: AtomicU64,
}

/// What is read when somebody looks.
#[derive(Default, Clone)]
pub(crate) struct Gauges {
    pub(crate) keys: Gauge,
    pub(crate) waiting: Gauge,
    pub(crate) roster: Gauge,
    pub(crate) ready: Gauge,
    pub(crate) journal_sequence: Gauge,
    pub(crate) journal_flushes: Gauge,
    pub(crate) journal_records: Gauge,
    pub(crate) journal_bytes: Gauge,
    pub(crate) journal_snapshots: Gauge,
    pub(crate) hsm_up: Gauge,
    pub(crate) hsm_starts: Gauge,
    pub(crate) hsm_hangs: Gauge,
    pub(crate) hsm_waiting: Gauge,
    pub(crate) unlocked_bytes: Gauge,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusedLabel {
    kind: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl Metrics {
    /// All counters, and the registry that shows them.
    pub(crate) fn new() -> (Self, Registry) {
        let mut registry = Registry::with_prefix("symbolon_server");
        let metrics = Self {
            signed: Family::default(),
            refused: Family::default(),
            rejected: Family::default(),
            batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            commit_seconds: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            batch_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            totals: Totals::default(),
            gauges: Gauges::default(),
        };
        metrics.register(&mut registry);
        (metrics, registry)
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("signed", "Partial signatures given", self.signed.clone());
        registry.register("refused", "Duties refused, by code", self.refused.clone());
        registry.register(
            "rejected_calls",
            "Calls answered with an error instead of a reply",
            self.rejected.clone(),
        );
        registry.register("batch_duties", "Duties in a batch", self.batch_size.clone());
        registry.register(
            "commit_seconds",
            "From a decision until its marks are on disk",
            self.commit_seconds.clone(),
        );
        registry.register(
            "batch_seconds",
            "From the arrival of a batch to its reply",
            self.batch_seconds.clone(),
        );
        let gauges = &self.gauges;
        for (name, help, gauge) in [
            ("keys", "Keys of which a share is held", &gauges.keys),
            (
                "waiting_duties",
                "Duties that wait for their answer",
                &gauges.waiting,
            ),
            (
                "roster_number",
                "Number of the roster in force",
                &gauges.roster,
            ),
            ("ready", "1 when duties are signed", &gauges.ready),
            (
                "journal_sequence",
                "Last record on disk",
                &gauges.journal_sequence,
            ),
            (
                "journal_flushes",
                "Flushes since the start",
                &gauges.journal_flushes,
            ),
            (
                "journal_records",
                "Records since the start",
                &gauges.journal_records,
            ),
            (
                "journal_bytes",
                "Bytes since the start",
                &gauges.journal_bytes,
            ),
            (
                "journal_snapshots",
                "Snapshots since the start",
                &gauges.journal_snapshots,
            ),
            (
                "hsm_up",
                "1 when the worker runs and is logged in",
                &gauges.hsm_up,
            ),
            ("hsm_worker_starts", "Workers started", &gauges.hsm_starts),
            (
                "hsm_worker_hangs",
                "Workers killed because a call hung",
                &gauges.hsm_hangs,
            ),
            (
                "hsm_waiting_calls",
                "Calls that wait for the device",
                &gauges.hsm_waiting,
            ),
            (
                "unlocked_bytes",
                "Secret memory that is not locked",
                &gauges.unlocked_bytes,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
    }

    pub(crate) const fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    pub(crate) fn signed(&self, kind: DutyKind) {
        self.signed
            .get_or_create(&KindLabel { kind: kind.name() })
            .inc();
        self.totals.signed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, kind: DutyKind, code: RefusalCode) {
        let label = RefusedLabel {
            kind: kind.name(),
            code: code.name(),
        };
        self.refused.get_or_create(&label).inc();
        self.totals.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rejected(&self, reason: &'static str) {
        self.rejected.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn batch(&self, duties: usize, took: Duration) {
        self.batch_size
            .observe(f64::from(u32::try_from(duties).unwrap_or(u32::MAX)));
        self.batch_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn committed(&self, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// Partial signatures given and duties refused since the start.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.totals.signed), read(&self.totals.refused))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
