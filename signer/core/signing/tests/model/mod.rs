//! A group of model members, some of which misbehave, and a driver of the collector.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeSet;
use std::sync::Arc;

use symbolon_protocol::sign::{PartialAnswer, Refusal, RefusalCode, SignAnswer, SignReply};
use symbolon_signing::collector::{
    Collector, Effect, Finding, GroupKey, GroupSigners, Heard, Outcome, Standing, Unheard, Wanted,
};
use symbolon_threshold::{
    HashedRoot, LagrangeCache, Polynomial, Scale, SecretShare, ShareIndex, Signature, Threshold,
};

pub(crate) const BATCH: [u8; 32] = [0xb0; 32];
pub(crate) const EPOCH: u32 = 3;

pub(crate) fn index(number: usize) -> ShareIndex {
    ShareIndex::try_from(number as u64).unwrap()
}

/// How a member answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// Signs another root.
    Wrong,
    /// Signs another root in the last duty only.
    WrongOnce,
    /// Bytes that are no point.
    Garbage,
    /// A point of the curve outside the subgroup.
    OutOfSubgroup,
    Silent,
    Unreachable,
    Unreadable,
    Refusing(RefusalCode),
    OldEpoch,
    OtherScale,
    TooFewAnswers,
    OtherBatch,
    OtherMember,
}

impl Manner {
    /// What every member but the honest may do, without refusals.
    pub(crate) const BAD: [Self; 13] = [
        Self::Wrong,
        Self::WrongOnce,
        Self::Garbage,
        Self::OutOfSubgroup,
        Self::Silent,
        Self::Unreachable,
        Self::Unreadable,
        Self::Refusing(RefusalCode::DoubleVote),
        Self::OldEpoch,
        Self::OtherScale,
        Self::TooFewAnswers,
        Self::OtherBatch,
        Self::OtherMember,
    ];

    pub(crate) fn lies(self) -> bool {
        matches!(
            self,
            Self::Wrong | Self::WrongOnce | Self::Garbage | Self::OutOfSubgroup
        )
    }
}

/// A group with one key for each duty.
pub(crate) struct Model {
    pub(crate) n: usize,
    pub(crate) t: usize,
    pub(crate) scale: Scale,
    pub(crate) keys: Vec<Arc<GroupKey>>,
    pub(crate) roots: Vec<[u8; 32]>,
    shares: Vec<Vec<SecretShare>>,
    pub(crate) expected: Vec<Signature>,
}

impl Model {
    /// Duty k has key k and, when `one_root`, the same root as all others.
    pub(crate) fn new(t: usize, n: usize, items: usize, scaled: bool, one_root: bool) -> Self {
        let threshold = Threshold::new(t as u64, n as u64).unwrap();
        let indices: Vec<_> = (1..=n).map(index).collect();
        let scale = if scaled {
            Scale::for_group(&indices, threshold).unwrap()
        } else {
            Scale::PLAIN
        };
        let lagrange = LagrangeCache::new(&indices, threshold, scale).unwrap();
        let group = Arc::new(GroupSigners::new(EPOCH, lagrange));
        let mut model = Self {
            n,
            t,
            scale,
            keys: Vec::new(),
            roots: Vec::new(),
            shares: Vec::new(),
            expected: Vec::new(),
        };
        for item in 0..items {
            let polynomial = Polynomial::from_source(threshold, |degree, wide| {
                wide.fill((item * 20 + degree + 1) as u8);
            })
            .unwrap();
            let commitment = polynomial.commitment();
            let public = commitment.group_public_key();
            let shares = indices
                .iter()
                .map(|i| commitment.public_share(*i).unwrap())
                .collect();
            model.keys.push(Arc::new(
                GroupKey::new(Arc::clone(&group), public, shares).unwrap(),
            ));
            model
                .roots
                .push([if one_root { 1 } else { item as u8 + 1 }; 32]);
            let shares = indices
                .iter()
                .map(|i| polynomial.share(*i).unwrap().scaled(scale));
            model.shares.push(shares.collect());
            let root = HashedRoot::new(&model.roots[item]);
            let partials: Vec<_> = model.shares[item]
                .iter()
                .take(t)
                .map(|s| s.sign(&root))
                .collect();
            let combined = group.lagrange().combine(&partials).unwrap();
            model
                .expected
                .push(combined.verify(&public, &root).unwrap());
        }
        model
    }

    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        let pairs = self.keys.iter().zip(&self.roots);
        pairs
            .map(|(key, root)| Wanted {
                key: Arc::clone(key),
                root: *root,
            })
            .collect()
    }

    pub(crate) fn answer(&self, member: usize, manner: Manner) -> Result<SignReply, Unheard> {
        match manner {
            Manner::Silent => return Err(Unheard::Silent),
            Manner::Unreachable => return Err(Unheard::Unreachable),
            Manner::Unreadable => return Err(Unheard::Unreadable("no signature".into())),
            _ => {}
        }
        let mut answers: Vec<SignAnswer> = (0..self.keys.len())
            .map(|item| self.one(member, item, manner))
            .collect();
        if manner == Manner::TooFewAnswers {
            answers.pop();
        }
        let batch = if manner == Manner::OtherBatch {
            [1; 32]
        } else {
            BATCH
        };
        let named = if manner == Manner::OtherMember {
            member % self.n + 1
        } else {
            member
        };
        Ok(SignReply {
            member: named as u16,
            batch: batch.into(),
            answers,
        })
    }

    fn one(&self, member: usize, item: usize, manner: Manner) -> SignAnswer {
        let last = item + 1 == self.keys.len();
        let lie = manner == Manner::Wrong || (manner == Manner::WrongOnce && last);
        let root = if lie { [0xee; 32] } else { self.roots[item] };
        let partial = self.shares[item][member - 1].sign(&HashedRoot::new(&root));
        let mut answer = PartialAnswer {
            group_epoch: EPOCH,
            scale: self.scale.to_u64(),
            point: partial.to_uncompressed().into(),
        };
        match manner {
            Manner::Refusing(code) => return SignAnswer::Refused(Refusal::new(code, "no")),
            Manner::Garbage => answer.point = [0x17; 192].into(),
            Manner::OutOfSubgroup => answer.point = out_of_subgroup().into(),
            Manner::OldEpoch => answer.group_epoch = EPOCH - 1,
            Manner::OtherScale => answer.scale += 7,
            _ => {}
        }
        SignAnswer::Partial(answer)
    }
}

fn out_of_subgroup() -> [u8; 192] {
    let points = (1..=255u8).filter_map(|x| {
        let mut bytes = [0; 96];
        bytes[0] = 0x80;
        bytes[95] = x;
        blst::min_pk::Signature::uncompress(&bytes).ok()
    });
    let point = points.into_iter().find(|point| !point.subgroup_check());
    point.unwrap().serialize()
}

/// What one run of the machine gave.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) outcomes: Vec<Option<Outcome>>,
    pub(crate) findings: Vec<Finding>,
    /// Members whose answers were delivered before the end.
    pub(crate) heard: Vec<usize>,
    /// Members in the order in which they were asked.
    pub(crate) asked: Vec<usize>,
    pub(crate) done: bool,
}

impl Run {
    pub(crate) fn culprits(&self) -> BTreeSet<usize> {
        self.findings
            .iter()
            .filter_map(Finding::culprit)
            .map(|m| m.get().into())
            .collect()
    }

    pub(crate) fn liars(&self) -> BTreeSet<usize> {
        let proved = self.findings.iter().filter(|finding| finding.is_proved());
        proved
            .filter_map(Finding::culprit)
            .map(|m| m.get().into())
            .collect()
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            assert!(!self.done, "nothing follows the end");
            match effect {
                Effect::Ask(member) => self.asked.push(member.get().into()),
                Effect::Answer { item, outcome } => {
                    assert!(
                        self.outcomes[item].replace(outcome).is_none(),
                        "one end each"
                    );
                }
                Effect::Report(finding) => self.findings.push(finding),
                Effect::Done => self.done = true,
            }
        }
    }
}

/// Runs a batch: answers arrive in the order of `order` (silent ones never), `chunk` at a time.
pub(crate) fn run(
    model: &Model,
    manners: &[Manner],
    order: &[usize],
    chunk: usize,
    standing: impl Fn(usize) -> Standing,
) -> Run {
    let mut collector =
        Collector::new(BATCH, model.wanted(), |m| standing(m.get().into())).unwrap();
    let mut run = Run {
        outcomes: vec![None; model.keys.len()],
        ..Run::default()
    };
    run.take(collector.start());
    let mut delivered = BTreeSet::new();
    let mut seed = 0;
    for patience in [true, false] {
        loop {
            let ready: Vec<usize> = order
                .iter()
                .copied()
                .filter(|m| run.asked.contains(m) && !delivered.contains(m))
                .filter(|m| manners[m - 1] != Manner::Silent)
                .take(chunk)
                .collect();
            if ready.is_empty() || run.done {
                break;
            }
            delivered.extend(ready.iter().copied());
            run.heard.extend(ready.iter().copied());
            let heard = ready.into_iter().map(|m| Heard {
                member: index(m),
                reply: model.answer(m, manners[m - 1]),
            });
            seed += 1;
            run.take(collector.hear(heard.collect(), [seed; 32]));
        }
        if patience {
            run.take(collector.tick());
        }
    }
    run.take(collector.expire());
    assert!(run.done && collector.is_done());
    run
}
