//! Crashes at every effect, altered disks, lost disks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use std::collections::BTreeMap;

use support::*;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::*;

/// Repeats a request through crashes; whatever was shown for it must be shown again.
fn persist(
    cluster: &mut Cluster,
    number: u16,
    request: &CeremonyRequest,
    crashes: &mut Vec<&str>,
) -> CeremonyReply {
    match cluster.server(number).ask(request.clone()) {
        Ok(reply) => reply,
        Err(DriveError::Failed(Crash(what))) => {
            crashes.push(what);
            cluster.restart(number);
            cluster.server(number).ask(request.clone()).unwrap()
        }
        Err(refused) => panic!("{refused}"),
    }
}

/// 19, and the crash matrix: stop before each effect and inside each write, then go on from disk.
#[test]
fn a_crash_before_any_effect_changes_nothing_that_others_see() {
    let mut reference: BTreeMap<&str, CeremonyReply> = BTreeMap::new();
    let mut crashes = Vec::new();
    for budget in 0.. {
        let mut cluster = Cluster::new(3);
        cluster.server(1).shell.budget = Some(budget);
        let group = GroupLabel::new("group").unwrap();
        let offer = CeremonyRequest::Offer {
            group,
            group_epoch: GroupEpoch::FIRST,
        };
        let mut shown = BTreeMap::from([("offer", persist(&mut cluster, 1, &offer, &mut crashes))]);
        let left = cluster.server(1).shell.budget.take();
        let plan = cluster.plan("group", 2, 2);
        cluster.server(1).shell.budget = left;
        let plan_request = CeremonyRequest::Plan(plan.clone().into());
        shown.insert(
            "deal",
            persist(&mut cluster, 1, &plan_request, &mut crashes),
        );
        let left = cluster.server(1).shell.budget.take();
        let deals = cluster.deals(&plan);
        assert_eq!(
            CeremonyReply::Deal(deals[0].clone().into()),
            shown["deal"],
            "{budget}"
        );
        let verified = cluster.verified(&plan);
        cluster.server(1).shell.budget = left;
        let deals_request = deals_request(verified.id(), &deals);
        shown.insert(
            "confirmation",
            persist(&mut cluster, 1, &deals_request, &mut crashes),
        );
        let left = cluster.server(1).shell.budget.take();
        let confirmations = cluster.confirmations(verified.id(), &deals);
        let parts = confirmations.iter().map(Vec::as_slice);
        let certificate = VerifiedCertificate::assemble(&verified, parts).unwrap();
        let request = CeremonyRequest::Certificate(certificate.to_bytes().to_vec().into());
        cluster.server(1).shell.budget = left;
        shown.insert(
            "activation",
            persist(&mut cluster, 1, &request, &mut crashes),
        );
        let unspent = cluster.server(1).shell.budget.take();
        // Seeds differ between attempts that died before the seed was sealed; what was sealed stays.
        if budget == 0 {
            reference = shown.clone();
        }
        assert_eq!(shown["offer"], reference["offer"]);
        let made = cluster.finish(plan, deals);
        check_all_subsets(&cluster, &made);
        let server = cluster.server(1);
        assert_eq!(server.state(made.id), Some(CeremonyState::Active));
        assert!(
            server.shell.seeds.is_empty(),
            "the seed is erased at activation, {budget}"
        );
        assert_eq!(
            server.shell.records.len(),
            5,
            "{:?}",
            server.shell.performed
        );
        if unspent.is_some() {
            break;
        }
        assert_eq!(crashes.len(), budget + 1);
    }
    // Every kind of effect of these four requests was the place of a crash.
    for effect in [
        "create key",
        "sign",
        "append record",
        "write file",
        "seal seed",
        "ecdh",
        "seal shares",
        "load file",
        "load shares",
        "erase seed",
    ] {
        assert!(crashes.contains(&effect), "{effect}: {crashes:?}");
    }
    assert!(crashes.len() >= 28, "{}", crashes.len());
}

/// 19: the same plan gives the same deal from the sealed seed, whatever seed is offered.
#[test]
fn a_deal_is_made_once() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 3);
    let request = CeremonyRequest::Plan(plan.clone().into());
    // Stop after the seed is sealed and the plan accepted, before the deal is signed.
    cluster.server(1).shell.budget = Some(3);
    let crashed = cluster.server(1).ask(request.clone());
    assert_eq!(crashed, Err(DriveError::Failed(Crash("sign"))));
    let id = cluster.verified(&plan).id();
    cluster.restart(1);
    assert_eq!(cluster.server(1).state(id), Some(CeremonyState::Planned));
    let sealed = cluster.server(1).shell.seeds[&id];
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let reply = cluster.server(1).ask(request.clone()).unwrap();
        assert_eq!(cluster.server(1).shell.seeds[&id], sealed);
        bodies.push(reply);
        cluster.restart(1);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let verified = cluster.verified(&plan);
    let seed = Seed::new(symbolon_secmem::Locked::take_from(&mut sealed.clone()).unwrap());
    let again = deal(&verified, DealerId::Member(index(1)), &seed).unwrap();
    let CeremonyReply::Deal(shown) = &bodies[0] else {
        panic!("{:?}", bodies[0])
    };
    let shown: Deal = value(shown);
    assert_eq!(*again.value(), shown);
}

#[test]
fn requests_may_be_repeated_in_every_state() {
    let mut cluster = Cluster::new(3);
    let made = cluster.dkg("group", 2, 1);
    let before: Vec<usize> = cluster
        .servers
        .values()
        .map(|s| s.shell.records.len())
        .collect();
    for restart in [false, true] {
        if restart {
            (1..=3).for_each(|number| cluster.restart(number));
        }
        assert_eq!(cluster.deals(&made.plan), made.deals);
        assert_eq!(
            cluster.confirmations(made.id, &made.deals),
            made.confirmations
        );
        assert_eq!(cluster.activations(&made.certificate), made.activations);
    }
    let after: Vec<usize> = cluster
        .servers
        .values()
        .map(|s| s.shell.records.len())
        .collect();
    assert_eq!(before, after);
}

#[test]
fn an_altered_file_is_named() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    let deals = cluster.deals(&plan);
    let verified = cluster.verified(&plan);
    let id = verified.id();
    let own = FileName::Deal(DealerId::Member(index(1)));
    let flip = |cluster: &mut Cluster, name: FileName| {
        let file = cluster.server(1).shell.files.get_mut(&(id, name)).unwrap();
        file[60] ^= 1;
        cluster.restart(1);
    };
    for (name, request) in [
        (own, CeremonyRequest::Plan(plan.clone().into())),
        (FileName::Plan, deals_request(id, &deals)),
    ] {
        flip(&mut cluster, name);
        assert_eq!(
            cluster.server(1).refuses(request),
            StepError::FileAltered(name)
        );
        flip(&mut cluster, name);
    }
    let confirmations = cluster.confirmations(id, &deals);
    let parts = confirmations.iter().map(Vec::as_slice);
    let certificate = VerifiedCertificate::assemble(&verified, parts).unwrap();
    let request = CeremonyRequest::Certificate(certificate.to_bytes().to_vec().into());
    flip(&mut cluster, FileName::Outcome);
    let error = cluster.server(1).refuses(request.clone());
    assert_eq!(error, StepError::FileAltered(FileName::Outcome));
    flip(&mut cluster, FileName::Outcome);
    cluster.server(1).ask(request).unwrap();
}

#[test]
fn records_that_lack_some_do_not_resume() {
    let mut cluster = Cluster::new(3);
    let made = cluster.dkg("group", 2, 1);
    let records = cluster.server(1).shell.records.clone();
    let resume = |records: &[Vec<u8>]| {
        let records = records.iter().map(Vec::as_slice);
        Participant::resume(cluster.chain.clone(), index(1), records).map(|_| ())
    };
    assert_eq!(resume(&records), Ok(()));
    for missing in 1..records.len() - 1 {
        let mut fewer = records.clone();
        fewer.remove(missing);
        let error = resume(&fewer).unwrap_err();
        assert!(
            matches!(error, ResumeError::Transition { .. }),
            "{missing}: {error}"
        );
    }
    let mut twice = records.clone();
    twice.push(records.last().unwrap().clone());
    assert!(resume(&twice).is_err());
    let mut altered = records;
    altered[1][3] ^= 0x20;
    assert!(matches!(resume(&altered), Err(ResumeError::Form(_))));
    assert!(made.descriptor.len() > 100);
}

/// 4.6: the disk is lost, the HSM is alive; plan, deals and certificate give the shares back.
#[test]
fn lost_shares_come_back_from_public_data_and_the_hsm() {
    let mut cluster = Cluster::new(3);
    let made = cluster.dkg("group", 2, 3);
    let before = cluster.server(2).shell.shares[&made.id].clone();
    let key = KeyRef {
        group: GroupLabel::new("group").unwrap(),
        group_epoch: GroupEpoch::FIRST,
    };
    let keys = cluster.server(2).shell.keys.clone();
    let lose = |cluster: &mut Cluster| {
        let keys = cluster.server(2).shell.keys.clone();
        cluster.server(2).shell = Shell::new(2);
        cluster.server(2).shell.keys = keys;
        cluster.restart(2);
    };
    lose(&mut cluster);
    let recover = |made: &Made| CeremonyRequest::Recover {
        plan: made.plan.clone().into(),
        deals: made.deals.iter().map(|deal| deal.clone().into()).collect(),
        certificate: made.certificate.clone().into(),
    };
    let reply = cluster.server(2).ask(recover(&made)).unwrap();
    let CeremonyReply::Activation(activation) = reply.clone() else {
        panic!("{reply:?}")
    };
    // The same word again as at the first activation: only its signature may differ.
    assert_eq!(
        value::<Activation>(&activation),
        value::<Activation>(&made.activations[1])
    );
    assert_eq!(cluster.server(2).shell.shares[&made.id], before);
    assert_eq!(
        cluster.server(2).shell.files[&(made.id, FileName::Group)],
        made.descriptor
    );
    check_all_subsets(&cluster, &made);
    cluster.restart(2);
    assert_eq!(cluster.server(2).ask(recover(&made)), Ok(reply));
    assert_eq!(
        cluster.server(2).state(made.id),
        Some(CeremonyState::Active)
    );
    // A crash at every effect of it.
    for budget in 0.. {
        lose(&mut cluster);
        cluster.server(2).shell.budget = Some(budget);
        let first = cluster.server(2).ask(recover(&made));
        let done = first.is_ok();
        if !done {
            cluster.restart(2);
            cluster.server(2).ask(recover(&made)).unwrap();
        }
        cluster.server(2).shell.budget = None;
        assert_eq!(cluster.server(2).shell.shares[&made.id], before, "{budget}");
        if done {
            break;
        }
    }
    // Without the HSM's key, with another certificate, or with a deal exchanged there is nothing.
    lose(&mut cluster);
    cluster.server(2).shell.keys.remove(&key);
    let other = p256::SecretKey::from_slice(&bytes("a new key")).unwrap();
    cluster.server(2).shell.keys.insert(key.clone(), other);
    assert_eq!(
        cluster.server(2).refuses(recover(&made)),
        StepError::KeyLost(key)
    );
    cluster.server(2).shell.keys = keys;
    let plan = cluster.verified(&made.plan);
    let mut forged = made.deals.clone();
    forged[0] = support::forge::Forger::new(&plan, 1).sign();
    let request = CeremonyRequest::Recover {
        plan: made.plan.clone().into(),
        deals: forged.into_iter().map(Into::into).collect(),
        certificate: made.certificate.into(),
    };
    assert_eq!(
        cluster.server(2).refuses(request),
        StepError::OtherTranscript
    );
}

#[test]
fn steps_that_nobody_asked_for_are_refused() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    let participant = &mut cluster.server(1).participant;
    for step in [
        Step::Done,
        Step::File(vec![]),
        Step::Seed(seed("x")),
        Step::Shares(vec![]),
    ] {
        assert!(matches!(
            participant.step(step),
            Err(StepError::Unexpected { .. })
        ));
    }
    let request = CeremonyRequest::Plan(plan.into());
    let effect = participant
        .step(Step::Request(request.clone(), entropy("one")))
        .unwrap();
    let Effect::Persist(first) = effect else {
        panic!("{effect:?}")
    };
    // A second attempt makes the first one's word worthless.
    let effect = participant
        .step(Step::Request(request, entropy("two")))
        .unwrap();
    let Effect::Persist(second) = effect else {
        panic!("{effect:?}")
    };
    let stale = participant.step(Step::Durable(first.durable()));
    assert!(matches!(stale, Err(StepError::Unexpected { .. })));
    let late = participant.step(Step::Durable(second.durable()));
    assert!(matches!(late, Err(StepError::Unexpected { .. })));
    assert!(participant.status(None).is_empty());
}

#[test]
fn a_signature_that_is_not_this_members_is_not_shown() {
    let mut cluster = Cluster::new(3);
    cluster.server(1).shell.identity = identity("somebody else");
    let group = GroupLabel::new("group").unwrap();
    let request = CeremonyRequest::Offer {
        group,
        group_epoch: GroupEpoch::FIRST,
    };
    assert_eq!(cluster.server(1).refuses(request), StepError::Signature);
    assert!(cluster.server(1).shell.records.is_empty());
}
