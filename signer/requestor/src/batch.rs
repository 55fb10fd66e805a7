//! One batch from departure to end, on a thread of the blocking pool: the shell of the collector.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use symbolon_protocol::sign::{SignBatch, SignItem};
use symbolon_rpc::CallError;
use symbolon_signing::collector::{
    Collector, Effect, Finding, Heard, Outcome, Standing, Unheard, Wanted,
};
use symbolon_signing::evidence::WrongPartialEvidence;
use symbolon_signing::health::Observation;
use symbolon_threshold::{ShareIndex, SignerSet};
use tokio::runtime::Handle;

use crate::answer::Answer;
use crate::engine::{Engine, Raised, State, unix_millis, unix_seconds};
use crate::metrics::{FindingLabel, MemberLabel};
use crate::queue::Job;
use crate::session::SignedBatch;

/// Most evidence files of one member since the last reload: more prove no more.
const MAX_EVIDENCE: u64 = 8;

/// Answers every job of a batch.
pub(crate) fn run(engine: &Arc<Engine>, members: SignerSet, jobs: Vec<Job>) {
    let started = Instant::now();
    let _in_flight = Raised::by_one(&engine.metrics.in_flight);
    let mut flight = Flight::new(engine, members, jobs);
    if let Err(why) = flight.fly() {
        tracing::error!(why, "a batch could not be signed");
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 1,024 duties")]
    engine
        .metrics
        .batch_duties
        .observe(flight.jobs.len() as f64);
    engine
        .metrics
        .batch_seconds
        .observe(started.elapsed().as_secs_f64());
}

/// Bytes of a member's reply, or why there are none.
type Arrival = (ShareIndex, Result<Vec<u8>, Unheard>);

/// A batch in flight. Whatever happens, dropping it answers what is open and frees its place.
struct Flight<'a> {
    engine: &'a Arc<Engine>,
    state: Arc<State>,
    members: SignerSet,
    jobs: Vec<Job>,
    answered: Vec<bool>,
    deadline: Instant,
    replies: BTreeMap<ShareIndex, Vec<u8>>,
    sender: Sender<Arrival>,
    arrivals: Receiver<Arrival>,
}

impl<'a> Flight<'a> {
    fn new(engine: &'a Arc<Engine>, members: SignerSet, jobs: Vec<Job>) -> Self {
        let (sender, arrivals) = mpsc::channel();
        let deadline = jobs
            .iter()
            .map(|job| job.deadline)
            .max()
            .unwrap_or_else(Instant::now);
        Self {
            engine,
            state: engine.state(),
            members,
            answered: vec![false; jobs.len()],
            jobs,
            deadline,
            replies: BTreeMap::new(),
            sender,
            arrivals,
        }
    }

    fn fly(&mut self) -> Result<(), String> {
        let signed = self.depart()?;
        let wanted = self.jobs.iter().map(|job| Wanted {
            key: Arc::clone(&job.key.key),
            root: *job.root.as_bytes(),
        });
        let mut collector = Collector::new(signed.digest, wanted.collect(), |member| {
            self.standing(member)
        })
        .map_err(|error| error.to_string())?;
        let patience = Instant::now() + self.patience();
        let mut patient = true;
        let effects = collector.start();
        self.perform(effects, &signed);
        collector.prepare();
        while !collector.is_done() {
            let until = if patient {
                patience.min(self.deadline)
            } else {
                self.deadline
            };
            let wait = until.saturating_duration_since(Instant::now());
            let effects = match self.arrivals.recv_timeout(wait) {
                Ok(first) => {
                    let all = std::iter::once(first).chain(self.arrivals.try_iter());
                    let all: Vec<Arrival> = all.collect();
                    let heard = all.into_iter().map(|arrival| self.open(arrival)).collect();
                    collector.hear(heard, random()?)
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    if Instant::now() >= self.deadline {
                        collector.expire()
                    } else {
                        patient = false;
                        collector.tick()
                    }
                }
            };
            self.perform(effects, &signed);
        }
        Ok(())
    }

    /// The batch as bytes, signed once for all members.
    fn depart(&self) -> Result<SignedBatch, String> {
        let id: [u8; 16] = random()?;
        let ttl = self
            .deadline
            .saturating_duration_since(Instant::now())
            .as_millis();
        let items = self.jobs.iter().map(|job| SignItem {
            key: job.key.bytes,
            group_epoch: job.key.key.group().epoch(),
            duty: job.duty,
            fork_version: job.fork_version,
            signing_root: job.root,
        });
        Ok(self.engine.sessions.sign(SignBatch {
            id: id.into(),
            issued_at_ms: unix_millis(),
            ttl_ms: u32::try_from(ttl).unwrap_or(u32::MAX),
            items: items.collect(),
        }))
    }

    fn standing(&self, member: ShareIndex) -> Standing {
        if self.engine.quarantine().holds(member) {
            Standing::Suspect
        } else if self
            .engine
            .health()
            .ask_first(member, self.engine.uptime_ms())
        {
            Standing::Good
        } else {
            Standing::Slow
        }
    }

    /// How long the first members are waited for before the reserve is asked.
    fn patience(&self) -> Duration {
        let health = self.engine.health();
        let slowest = self
            .members
            .iter()
            .map(|member| health.of(member).latency_micros);
        let slowest = Duration::from_secs_f64(slowest.fold(0.0, f64::max) / 1e6);
        let wanted = slowest
            .saturating_mul(2)
            .saturating_add(Duration::from_millis(20));
        wanted.clamp(Duration::from_millis(50), Duration::from_millis(500))
    }

    /// Answers first: what else is to be done must not delay a signature.
    fn perform(&mut self, effects: Vec<Effect>, signed: &SignedBatch) {
        let mut findings = Vec::new();
        for effect in effects {
            match effect {
                Effect::Ask(member) => self.ask(member, signed),
                Effect::Answer { item, outcome } => self.answer(item, &outcome),
                Effect::Report(finding) => findings.push(finding),
                Effect::Done => {}
            }
        }
        for finding in &findings {
            self.report(finding, signed);
        }
    }

    fn ask(&self, member: ShareIndex, signed: &SignedBatch) {
        let Some(peer) = self.state.peers.get(member).cloned() else {
            // The receiver lives as long as self.
            self.sender.send((member, Err(Unheard::Unreachable))).ok();
            return;
        };
        let limit = self.deadline.saturating_duration_since(Instant::now());
        let (engine, frame) = (Arc::clone(self.engine), Arc::clone(&signed.frame));
        let sender = self.sender.clone();
        Handle::current().spawn(async move {
            let asked = Instant::now();
            let reply = peer.ask(&frame, limit).await;
            observe(&engine, member, asked.elapsed(), reply.is_ok());
            // A reply after the end of the batch only tells how well the member is.
            let reply = reply.map_err(|error| match error {
                CallError::TimedOut { .. } => Unheard::Silent,
                _ => Unheard::Unreachable,
            });
            sender.send((member, reply)).ok();
        });
    }

    fn open(&mut self, (member, reply): Arrival) -> Heard {
        let reply = reply.and_then(|bytes| {
            let network = self.engine.network_id();
            let opened = match self.state.peers.get(member) {
                Some(peer) => peer.open(network, &bytes, unix_seconds()),
                None => Err("no such member".to_owned()),
            };
            self.replies.entry(member).or_insert(bytes);
            opened.map_err(Unheard::Unreadable)
        });
        Heard { member, reply }
    }

    fn answer(&mut self, item: usize, outcome: &Outcome) {
        if matches!(outcome, Outcome::Signed(_)) {
            self.engine.metrics.verified.inc();
        }
        if let (Some(job), Some(answered)) = (self.jobs.get(item), self.answered.get_mut(item)) {
            *answered = true;
            self.engine.queue.answer(job, &Answer::of(outcome));
        }
    }

    fn report(&self, finding: &Finding, signed: &SignedBatch) {
        let member = finding.culprit().map_or(0, ShareIndex::get);
        let kind = finding.name();
        self.engine
            .metrics
            .findings
            .get_or_create(&FindingLabel { member, kind })
            .inc();
        let Finding::WrongPartial {
            member: culprit,
            item,
        } = finding
        else {
            tracing::warn!(member, kind, "{finding}");
            return;
        };
        self.engine
            .metrics
            .wrong_partials
            .get_or_create(&MemberLabel { member })
            .inc();
        let text = finding.to_string();
        let wrong = {
            let mut quarantine = self.engine.quarantine();
            quarantine.put(*culprit, &text, 1, unix_millis());
            quarantine
                .iter()
                .find(|(index, _)| index == culprit)
                .map_or(1, |(_, r)| r.wrong)
        };
        let path = if wrong <= MAX_EVIDENCE {
            self.keep_evidence(*culprit, *item, signed)
        } else {
            "enough of it was kept".to_owned()
        };
        tracing::error!(
            member,
            kind,
            evidence = path,
            "{finding}: it is in quarantine"
        );
    }

    /// Writes the evidence; says where, or why not.
    fn keep_evidence(&self, member: ShareIndex, item: usize, signed: &SignedBatch) -> String {
        let (Some(reply), Some(job)) = (self.replies.get(&member), self.jobs.get(item)) else {
            return "none".to_owned();
        };
        let evidence = WrongPartialEvidence {
            batch_frame: signed.frame.to_vec().into(),
            reply_frame: reply.clone().into(),
            member: member.get(),
            item: u32::try_from(item).unwrap_or(u32::MAX),
            group: *job.key.group.transcript(),
        };
        match self.engine.evidence.write(&evidence, &signed.digest) {
            Ok(path) => path.display().to_string(),
            Err(error) => {
                tracing::error!(%error, "evidence could not be kept");
                "not kept".to_owned()
            }
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let open = self
            .jobs
            .iter()
            .zip(&self.answered)
            .filter(|(_, answered)| !**answered);
        for (job, _) in open {
            self.engine
                .queue
                .answer(job, &Answer::Failed("internal error; see the log".into()));
        }
        self.engine.queue.landed(&self.members);
        self.engine.kick(&self.members);
    }
}

fn observe(engine: &Engine, member: ShareIndex, took: Duration, answered: bool) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let observation = if answered {
        Observation::Answered { micros }
    } else {
        engine
            .metrics
            .missed
            .get_or_create(&MemberLabel {
                member: member.get(),
            })
            .inc();
        Observation::Missed
    };
    let now = engine.uptime_ms();
    let mut health = engine.health();
    if health.observe(member, observation, now) {
        let poor = health.of(member).poor;
        tracing::warn!(member = member.get(), poor, "health of a member changed");
    }
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(bytes)
}
