//! The collector against model members that lie, refuse, stay silent and send nonsense.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod model;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use model::{Manner, Model, index, run};
use proptest::prelude::*;
use proptest::sample::subsequence;
use symbolon_duties::SigningRoot;
use symbolon_protocol::sign::{Refusal, RefusalClass, RefusalCode, SignAnswer};
use symbolon_signing::collector::{
    Absence, Collector, CollectorError, Effect, Finding, GroupKey, Heard, Outcome, Standing,
    Unheard, Wanted,
};

/// (t, n, duties, scaled, one root): small enough to be made once.
const SHAPES: [(usize, usize, usize, bool, bool); 6] = [
    (2, 3, 1, false, true),
    (3, 5, 1, true, true),
    (3, 5, 4, true, true),
    (3, 5, 3, false, false),
    (5, 7, 3, true, false),
    (1, 2, 2, true, true),
];

fn model(shape: usize) -> &'static Model {
    static MODELS: [OnceLock<Model>; 6] = [const { OnceLock::new() }; 6];
    let (t, n, items, scaled, one_root) = SHAPES[shape];
    MODELS[shape].get_or_init(|| Model::new(t, n, items, scaled, one_root))
}

fn good(_: usize) -> Standing {
    Standing::Good
}

fn order(n: usize) -> Vec<usize> {
    (1..=n).collect()
}

fn signed(model: &Model, outcomes: &[Option<Outcome>]) -> bool {
    let mut pairs = outcomes.iter().zip(&model.expected);
    pairs.all(|(outcome, expected)| *outcome == Some(Outcome::Signed(*expected)))
}

/// A shape, everybody's manner, the order of arrival and how many arrive at once.
type Case = (usize, Vec<Manner>, Vec<usize>, usize);

/// Cases with exactly `honest(t)` honest members.
fn cases(honest: fn(usize) -> usize) -> impl Strategy<Value = Case> {
    (0..SHAPES.len()).prop_flat_map(move |shape| {
        let (t, n, ..) = SHAPES[shape];
        let spared = subsequence(order(n), honest(t));
        let bad = prop::collection::vec(prop::sample::select(&Manner::BAD[..]), n);
        let arrival = Just(order(n)).prop_shuffle();
        (Just(shape), spared, bad, arrival, 1..=n).prop_map(
            |(shape, spared, mut manners, order, chunk)| {
                for member in spared {
                    manners[member - 1] = Manner::Honest;
                }
                (shape, manners, order, chunk)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn t_honest_members_suffice_and_only_the_guilty_are_named(
        (shape, manners, order, chunk) in cases(|t| t)
    ) {
        let model = model(shape);
        let run = run(model, &manners, &order, chunk, good);
        prop_assert!(signed(model, &run.outcomes), "{:?}", run);
        prop_assert!(run.culprits().iter().all(|m| manners[m - 1] != Manner::Honest));
        prop_assert!(run.liars().iter().all(|m| manners[m - 1].lies()));
        if chunk == 1 {
            // Whoever lied before the end stood among the first t somewhere.
            let heard: BTreeSet<usize> =
                run.heard.iter().copied().filter(|m| manners[m - 1].lies()).collect();
            prop_assert_eq!(run.liars(), heard);
        }
    }

    #[test]
    fn t_minus_one_honest_members_give_a_clear_no(
        (shape, manners, order, chunk) in cases(|t| t - 1)
    ) {
        let model = model(shape);
        let run = run(model, &manners, &order, chunk, good);
        for (item, outcome) in run.outcomes.iter().enumerate() {
            // A member that lies in one duty only may help with the others until it is caught.
            match outcome.as_ref().unwrap() {
                Outcome::Signed(signature) => {
                    prop_assert!(manners.contains(&Manner::WrongOnce));
                    prop_assert_eq!(signature, &model.expected[item]);
                }
                Outcome::Short(short) => {
                    prop_assert!(short.got < short.needed);
                    let slashing = !short.refusals.is_empty();
                    prop_assert_eq!(short.class() == RefusalClass::Slashing, slashing);
                }
                Outcome::GroupDoesNotFit => prop_assert!(false),
            }
        }
        prop_assert!(run.culprits().iter().all(|m| manners[m - 1] != Manner::Honest));
    }

    #[test]
    fn the_reserve_is_asked_only_in_need_and_its_lies_are_caught(
        (shape, manners, order, chunk) in cases(|t| t),
        reserve in prop::collection::vec(prop::sample::select(
            vec![Standing::Good, Standing::Slow, Standing::Suspect]), 7),
    ) {
        let model = model(shape);
        let run = run(model, &manners, &order, chunk, |m| reserve[m - 1]);
        prop_assert!(signed(model, &run.outcomes), "{:?}", run);
        prop_assert!(run.culprits().iter().all(|m| manners[m - 1] != Manner::Honest));
        let first: Vec<usize> = (1..=model.n).filter(|m| reserve[m - 1] == Standing::Good).collect();
        if first.len() >= model.t && first.iter().all(|m| manners[m - 1] == Manner::Honest) {
            prop_assert!(run.asked.iter().all(|m| first.contains(m)));
        }
    }
}

#[test]
fn every_fault_has_its_name() {
    let model = model(1);
    for (manner, name) in [
        (Manner::Wrong, "wrong-partial"),
        (Manner::WrongOnce, "wrong-partial"),
        (Manner::Garbage, "wrong-partial"),
        (Manner::OutOfSubgroup, "wrong-partial"),
        (Manner::OldEpoch, "other-group-epoch"),
        (Manner::OtherScale, "other-scale"),
        (Manner::TooFewAnswers, "answer-count"),
        (Manner::OtherBatch, "other-batch"),
        (Manner::OtherMember, "other-member"),
        (Manner::Unreadable, "unreadable"),
    ] {
        let mut manners = [Manner::Honest; 5];
        manners[1] = manner;
        let run = run(model, &manners, &order(5), 1, good);
        assert!(signed(model, &run.outcomes), "{manner:?}");
        let names: Vec<_> = run
            .findings
            .iter()
            .map(|f| (f.name(), f.culprit()))
            .collect();
        assert_eq!(names, [(name, Some(index(2)))], "{manner:?}");
    }
}

#[test]
fn dead_silent_and_slow_members_cost_no_word() {
    let model = model(1);
    let mut manners = [Manner::Honest; 5];
    manners[0] = Manner::Silent;
    manners[3] = Manner::Unreachable;
    let run = run(model, &manners, &order(5), 1, good);
    assert!(signed(model, &run.outcomes));
    assert_eq!((run.findings, run.asked), (Vec::new(), order(5)));
}

#[test]
fn a_liar_is_caught_in_a_burst_and_costs_one_round() {
    let model = model(2);
    let mut manners = [Manner::Honest; 5];
    manners[2] = Manner::WrongOnce;
    // The liar is third, so the first combination of all four duties contains it.
    let mut collector = Collector::new(model::BATCH, model.wanted(), |_| Standing::Good).unwrap();
    assert_eq!(collector.start().len(), 5);
    let mut effects = Vec::new();
    for member in 1..=4 {
        let reply = model.answer(member, manners[member - 1]);
        effects.push(collector.hear(
            vec![Heard {
                member: index(member),
                reply,
            }],
            [9; 32],
        ));
    }
    let counts: Vec<usize> = effects.iter().map(Vec::len).collect();
    assert_eq!(counts, [0, 0, 1, 5], "{effects:?}");
    assert_eq!(
        effects[2],
        [Effect::Report(Finding::WrongPartial {
            member: index(3),
            item: 3
        })]
    );
    assert_eq!(effects[3].last(), Some(&Effect::Done));
}

#[test]
fn replies_beyond_the_question_are_named_and_change_nothing() {
    let model = model(1);
    let mut collector = Collector::new(model::BATCH, model.wanted(), |member| {
        if member == index(5) {
            Standing::Slow
        } else {
            Standing::Good
        }
    })
    .unwrap();
    let first = collector.start();
    assert_eq!(first.len(), 4);
    let heard = |m: usize, manner| Heard {
        member: index(m),
        reply: model.answer(m, manner),
    };
    let mut findings = Vec::new();
    for heard in [
        heard(1, Manner::Honest),
        heard(1, Manner::Wrong),
        heard(5, Manner::Wrong),
        Heard {
            member: index(77),
            reply: model.answer(2, Manner::Honest),
        },
    ] {
        findings.extend(collector.hear(vec![heard], [1; 32]));
    }
    let expected = [
        Finding::Repeated { member: index(1) },
        Finding::NotAsked { member: index(5) },
        Finding::NotAsked { member: index(77) },
    ];
    assert_eq!(findings, expected.map(Effect::Report));
    let rest = collector.hear(
        vec![heard(2, Manner::Honest), heard(3, Manner::Honest)],
        [2; 32],
    );
    let outcome = Outcome::Signed(model.expected[0]);
    assert_eq!(rest, [Effect::Answer { item: 0, outcome }, Effect::Done]);
    assert!(
        collector
            .hear(vec![heard(4, Manner::Wrong)], [3; 32])
            .is_empty()
    );
    assert!(collector.tick().is_empty() && collector.expire().is_empty());
}

#[test]
fn refusals_end_a_duty_as_soon_as_t_is_out_of_reach() {
    let model = model(1);
    let mut collector = Collector::new(model::BATCH, model.wanted(), |_| Standing::Good).unwrap();
    assert!(!collector.start().is_empty());
    let mut last = Vec::new();
    for (member, byte) in [(1, 7), (2, 8), (3, 7)] {
        let mut reply = model.answer(member, Manner::Honest).unwrap();
        let refusal = Refusal::new(RefusalCode::DoubleVote, "another root is signed")
            .with_locked_root(Some(SigningRoot([byte; 32])));
        reply.answers = vec![SignAnswer::Refused(refusal)];
        assert!(last.is_empty());
        last = collector.hear(
            vec![Heard {
                member: index(member),
                reply: Ok(reply),
            }],
            [0; 32],
        );
    }
    let [
        Effect::Answer {
            outcome: Outcome::Short(short),
            ..
        },
        Effect::Done,
    ] = &last[..]
    else {
        panic!("{last:?}");
    };
    assert_eq!(short.class(), RefusalClass::Slashing);
    assert_eq!(short.locked_root(), Some(SigningRoot([7; 32])));
    assert_eq!(short.absent, []);
}

#[test]
fn the_deadline_names_the_silent() {
    let model = model(1);
    let manners = [
        Manner::Honest,
        Manner::Honest,
        Manner::Silent,
        Manner::Silent,
        Manner::Silent,
    ];
    let run = run(model, &manners, &order(5), 1, good);
    let Some(Outcome::Short(short)) = &run.outcomes[0] else {
        panic!("{run:?}")
    };
    assert_eq!(
        (short.got, short.needed, short.class()),
        (2, 3, RefusalClass::Unavailable)
    );
    let silent = [3, 4, 5].map(|m| (index(m), Absence::Silent));
    assert_eq!(short.absent, silent);
}

#[test]
fn public_data_that_does_not_fit_accuses_nobody() {
    let (mine, other) = (model(2), model(3));
    // The shares of one polynomial under the public key of another.
    let key = &mine.keys[0];
    let shares = (1..=5)
        .map(|m| *key.scaled_share(index(m)).unwrap())
        .collect();
    let bent = GroupKey::new(Arc::clone(key.group()), *other.keys[1].public(), shares).unwrap();
    for good_beside in [false, true] {
        let mut wanted = vec![Wanted {
            key: Arc::new(bent_copy(&bent)),
            root: mine.roots[0],
        }];
        if good_beside {
            wanted.push(Wanted {
                key: Arc::clone(&mine.keys[1]),
                root: mine.roots[1],
            });
        }
        let count = wanted.len();
        let mut collector = Collector::new(model::BATCH, wanted, |_| Standing::Good).unwrap();
        assert!(!collector.start().is_empty());
        let mut effects = Vec::new();
        for member in 1..=3 {
            let mut reply = mine.answer(member, Manner::Honest).unwrap();
            reply.answers.truncate(count);
            let heard = Heard {
                member: index(member),
                reply: Ok(reply),
            };
            effects.extend(collector.hear(vec![heard], [4; 32]));
        }
        assert!(effects.contains(&Effect::Report(Finding::GroupDoesNotFit { item: 0 })));
        let outcome = Outcome::GroupDoesNotFit;
        assert!(effects.contains(&Effect::Answer { item: 0, outcome }));
        let outcome = Outcome::Signed(mine.expected[1]);
        assert_eq!(
            effects.contains(&Effect::Answer { item: 1, outcome }),
            good_beside
        );
        assert_eq!(effects.last(), Some(&Effect::Done));
    }
}

fn bent_copy(key: &GroupKey) -> GroupKey {
    let shares = (1..=5)
        .map(|m| *key.scaled_share(index(m)).unwrap())
        .collect();
    GroupKey::new(Arc::clone(key.group()), *key.public(), shares).unwrap()
}

#[test]
fn refuses_an_empty_batch_and_one_of_two_groups() {
    let error = Collector::new([0; 32], Vec::new(), |_| Standing::Good).unwrap_err();
    assert_eq!(error, CollectorError::Empty);
    let mut wanted = model(1).wanted();
    wanted.extend(model(0).wanted());
    let error = Collector::new([0; 32], wanted, |_| Standing::Good).unwrap_err();
    assert_eq!(error, CollectorError::OtherMembers { item: 1 });
}

#[test]
fn failures_of_everybody_end_at_once() {
    let model = model(0);
    let mut collector = Collector::new(model::BATCH, model.wanted(), |_| Standing::Good).unwrap();
    assert!(!collector.start().is_empty());
    let heard = [1, 2].map(|m| Heard {
        member: index(m),
        reply: Err(Unheard::Unreachable),
    });
    let effects = collector.hear(heard.into(), [0; 32]);
    assert_eq!(effects.len(), 2);
    assert_eq!(effects[1], Effect::Done);
}
