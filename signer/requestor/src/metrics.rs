//! Numbers of this requestor, named `symbolon_requestor_...`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Counters, gauges and histograms; cheap to update from any thread.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Answers to validator clients, by HTTP status.
    pub(crate) answers: Family<StatusLabel, Counter>,
    /// Seconds from the head of a request to its answer, signatures only.
    pub(crate) seconds: Histogram,
    /// Requests that joined one for the same key and root.
    pub(crate) coalesced: Counter,
    /// Requests without an answer now.
    pub(crate) waiting: Gauge,
    /// Batches in flight now.
    pub(crate) in_flight: Gauge,
    /// Duties of each batch.
    pub(crate) batch_duties: Histogram,
    /// Seconds from a batch's departure to its end.
    pub(crate) batch_seconds: Histogram,
    /// Combined signatures that were verified.
    pub(crate) verified: Counter,
    /// Wrong partial signatures that were proved, by member.
    pub(crate) wrong_partials: Family<MemberLabel, Counter>,
    /// All that was wrong with answers, by member and kind.
    pub(crate) findings: Family<FindingLabel, Counter>,
    /// Calls of members that gave no answer.
    pub(crate) missed: Family<MemberLabel, Counter>,
    /// Moving average of a member's latency, in seconds.
    pub(crate) latency: Family<MemberLabel, Gauge<f64, std::sync::atomic::AtomicU64>>,
    /// Moving average of a member's answers (1) and misses (0).
    pub(crate) score: Family<MemberLabel, Gauge<f64, std::sync::atomic::AtomicU64>>,
    /// Whether a member is in quarantine.
    pub(crate) quarantined: Family<MemberLabel, Gauge>,
    /// Keys that can be signed for.
    pub(crate) keys: Gauge,
}

/// Label `status`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StatusLabel {
    pub(crate) status: u16,
}

/// Label `member`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct MemberLabel {
    pub(crate) member: u16,
}

/// Labels `member` (0 for nobody) and `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct FindingLabel {
    pub(crate) member: u16,
    pub(crate) kind: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        // 0.5 ms to 8 s.
        let seconds = || Histogram::new(exponential_buckets(0.000_5, 2.0, 15));
        Self {
            answers: Family::default(),
            seconds: seconds(),
            coalesced: Counter::default(),
            waiting: Gauge::default(),
            in_flight: Gauge::default(),
            batch_duties: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            batch_seconds: seconds(),
            verified: Counter::default(),
            wrong_partials: Family::default(),
            findings: Family::default(),
            missed: Family::default(),
            latency: Family::default(),
            score: Family::default(),
            quarantined: Family::default(),
            keys: Gauge::default(),
        }
    }

    /// Puts everything in a registry.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let all = registry.sub_registry_with_prefix("symbolon_requestor");
        all.register("answers", "Answers by HTTP status", self.answers.clone());
        all.register(
            "request_seconds",
            "Request to signature",
            self.seconds.clone(),
        );
        all.register(
            "coalesced",
            "Requests that joined another",
            self.coalesced.clone(),
        );
        all.register(
            "waiting_requests",
            "Requests without an answer",
            self.waiting.clone(),
        );
        all.register(
            "batches_in_flight",
            "Batches in flight",
            self.in_flight.clone(),
        );
        all.register(
            "batch_duties",
            "Duties of each batch",
            self.batch_duties.clone(),
        );
        all.register(
            "batch_seconds",
            "Departure to end of a batch",
            self.batch_seconds.clone(),
        );
        all.register(
            "verified_signatures",
            "Combined and verified",
            self.verified.clone(),
        );
        all.register(
            "wrong_partials",
            "Proved lies by member",
            self.wrong_partials.clone(),
        );
        all.register("findings", "Faults in answers", self.findings.clone());
        all.register(
            "missed_calls",
            "Calls without an answer",
            self.missed.clone(),
        );
        all.register(
            "member_latency_seconds",
            "Moving average",
            self.latency.clone(),
        );
        all.register(
            "member_score",
            "Moving average of answers",
            self.score.clone(),
        );
        all.register(
            "member_quarantined",
            "1 when caught lying",
            self.quarantined.clone(),
        );
        all.register("keys", "Keys that can be signed for", self.keys.clone());
    }
}
