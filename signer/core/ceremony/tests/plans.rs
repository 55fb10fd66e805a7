//! Plans that no member accepts, and what a member knows of its own epochs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use minicbor::bytes::{ByteArray, ByteVec};
use support::*;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::*;
use symbolon_duties::DutyKind;
use symbolon_protocol::roster::{ClusterId, RosterError, SignedRoster};
use symbolon_protocol::{IdentitySigner, NetworkId, Unsigned};
use symbolon_threshold::GroupPublicKey;

type Change = Box<dyn FnOnce(&mut Plan)>;

/// The code with which member 1 refuses a 3-of-5 plan with this change.
fn refusal(online: &[u16], offline: &[u16], change: impl FnOnce(&mut Plan)) -> &'static str {
    let mut cluster = Cluster::of(roster(online, offline));
    let plan = cluster.plan_with("group", 3, 1, change);
    cluster
        .server(1)
        .refuses(CeremonyRequest::Plan(plan.into()))
        .code()
}

fn boxed(change: impl FnOnce(&mut Plan) + 'static) -> Change {
    Box::new(change)
}

#[test]
fn every_rule_of_a_plan_has_a_named_error() {
    let cases: Vec<(&str, &str, Change)> = vec![
        (
            "11 another roster",
            "plan-roster",
            boxed(|p| p.roster = ByteArray::from([1; 32])),
        ),
        (
            "11 another cluster",
            "plan-cluster",
            boxed(|p| p.cluster = ClusterId([1; 32])),
        ),
        ("no keys", "plan-keys", boxed(|p| p.keys = 0)),
        ("too many keys", "plan-keys", boxed(|p| p.keys = 1001)),
        (
            "one receiver",
            "plan-receivers",
            boxed(|p| p.receivers.truncate(1)),
        ),
        (
            "12 index 0",
            "plan-index-zero",
            boxed(|p| p.receivers[0].member = 0),
        ),
        (
            "12 a doubled index",
            "plan-index-order",
            boxed(|p| p.receivers[1].member = 1),
        ),
        (
            "12 unsorted indices",
            "plan-index-order",
            boxed(|p| p.receivers.swap(0, 1)),
        ),
        (
            "12 an unknown index",
            "plan-unknown-member",
            boxed(|p| p.receivers[4].member = 6),
        ),
        (
            "12 the index of another member",
            "plan-offer",
            boxed(|p| {
                let (key, offer) = (p.receivers[3].key, p.receivers[3].offer.clone());
                p.receivers[4].key = key;
                p.receivers[4].offer = offer;
            }),
        ),
        ("15 t = 0", "plan-threshold", boxed(|p| p.threshold = 0)),
        ("15 t = 1", "plan-policy", boxed(|p| p.threshold = 1)),
        ("15 t = n/2", "plan-policy", boxed(|p| p.threshold = 2)),
        ("15 t > n", "plan-threshold", boxed(|p| p.threshold = 6)),
        (
            "15 a cold plan without a vault",
            "plan-policy",
            boxed(|p| p.class = GroupClass::Cold),
        ),
        (
            "17 an unsigned key",
            "plan-offer",
            boxed(|p| {
                let last = p.receivers[2].offer.len() - 1;
                p.receivers[2].offer[last] ^= 1;
            }),
        ),
        (
            "17 no offer",
            "plan-offer",
            boxed(|p| p.receivers[2].offer = ByteVec::from(vec![])),
        ),
        (
            "17 another member's key",
            "plan-swapped-key",
            boxed(|p| p.receivers[2].key = p.receivers[3].key),
        ),
        (
            "17 a key that two members offer",
            "plan-shared-key",
            boxed(|p| {
                let shared = p.receivers[2].key;
                offer(p, 3, |offer| offer.key = shared);
                p.receivers[3].key = shared;
            }),
        ),
        (
            "17 a key of another epoch",
            "plan-offer-for-another",
            boxed(|p| offer(p, 2, |offer| offer.group_epoch = GroupEpoch(2))),
        ),
        (
            "17 a key of another group",
            "plan-offer-for-another",
            boxed(|p| {
                offer(p, 2, |offer| {
                    offer.group = GroupLabel::new("other").unwrap()
                })
            }),
        ),
        (
            "17 a key of another cluster",
            "plan-offer-for-another",
            boxed(|p| offer(p, 2, |offer| offer.cluster = ClusterId([3; 32]))),
        ),
        (
            "17 an offer in another member's name",
            "plan-offer-for-another",
            boxed(|p| offer(p, 2, |offer| offer.member = 1)),
        ),
        (
            "a dealer less",
            "plan-dealers",
            boxed(|p| p.dealers.truncate(4)),
        ),
        (
            "a dealer more",
            "plan-dealers",
            boxed(|p| p.dealers.push(6)),
        ),
        ("no dealer", "plan-dealers", boxed(|p| p.dealers.clear())),
        (
            "a DKG with an import dealer",
            "plan-dealers",
            boxed(|p| p.import_dealer = Some(OPERATOR.into())),
        ),
        (
            "a DKG with imported keys",
            "plan-imported-keys",
            boxed(|p| p.imported_keys = Some(vec![0; 48].into())),
        ),
        (
            "epoch 0",
            "plan-offer-for-another",
            boxed(|p| p.group_epoch = GroupEpoch(0)),
        ),
        (
            "11 another epoch",
            "plan-group-epoch",
            boxed(|p| {
                p.group_epoch = GroupEpoch(2);
                for place in 0..5 {
                    offer(p, place, |offer| offer.group_epoch = GroupEpoch(2));
                }
            }),
        ),
        (
            "unknown duties",
            "plan-duties",
            boxed(|p| p.duties = vec![200].into()),
        ),
        (
            "unsorted duties",
            "plan-duties",
            boxed(|p| p.duties = vec![1, 0].into()),
        ),
    ];
    for (name, code, change) in cases {
        assert_eq!(refusal(&[1, 2, 3, 4, 5], &[], change), code, "{name}");
    }
}

/// Exchanges the offer of one receiver for one that its member signed.
fn offer(plan: &mut Plan, place: usize, change: impl FnOnce(&mut Offer)) {
    let mut offer: Offer = value(&plan.receivers[place].offer);
    change(&mut offer);
    let name = member_name(plan.receivers[place].member);
    plan.receivers[place].offer = sign_as(&name, offer).into();
}

#[test]
fn policy_follows_the_roster_and_not_the_coordinator() {
    // 15: a hot plan with an offline member; a cold plan whose servers could sign alone.
    assert_eq!(refusal(&[1, 2, 3, 4], &[5], |_| {}), "plan-policy");
    let cold = |plan: &mut Plan| plan.class = GroupClass::Cold;
    assert_eq!(refusal(&[1, 2, 3], &[4, 5], cold), "plan-policy");
    let mut cluster = Cluster::of(roster(&[1, 2, 3], &[4, 5]));
    let made = {
        let plan = cluster.plan_with("cold", 4, 1, cold);
        cluster.run(plan)
    };
    let group = cluster.group(&made);
    assert_eq!(
        (group.class(), group.threshold().t()),
        (GroupClass::Cold, 4)
    );
    assert!(group.duties().is_empty());
    check_all_subsets(&cluster, &made);
    let duties = |plan: &mut Plan| {
        plan.class = GroupClass::Cold;
        plan.threshold = 4;
        plan.duties = vec![DutyKind::VoluntaryExit.code()].into();
    };
    assert_eq!(refusal(&[1, 2, 3], &[4, 5], duties), "plan-duties");
}

#[test]
fn a_plan_needs_a_quorum_of_guardians() {
    let mut cluster = Cluster::new(3);
    let offers = cluster.offers("group");
    let draft = draft("group", 2);
    let mut plan = draft
        .dkg(NETWORK, cluster.roster(), [1; 32], 1, &offers)
        .unwrap();
    let code = |cluster: &mut Cluster, plan: &Cosigned<Plan>| {
        cluster
            .server(1)
            .refuses(CeremonyRequest::Plan(plan.to_bytes().into()))
            .code()
    };
    assert_eq!(code(&mut cluster, &plan), "plan-quorum");
    plan.sign("ada", &identity("ada")).unwrap();
    assert_eq!(code(&mut cluster, &plan), "plan-quorum");
    // The same person twice, someone else's key, a stranger.
    plan.sign("bea", &identity("ada")).unwrap();
    plan.sign("eve", &identity("eve")).unwrap();
    assert_eq!(code(&mut cluster, &plan), "plan-quorum");
    assert_eq!(plan.signers(cluster.roster()).len(), 1);
    // Two people sign two copies.
    let mut copy = Cosigned::<Plan>::from_bytes(NETWORK, &plan.to_bytes()).unwrap();
    copy.sign("cai", &identity("cai")).unwrap();
    assert!(plan.merge(&copy));
    let reply = cluster
        .server(1)
        .ask(CeremonyRequest::Plan(plan.to_bytes().into()))
        .unwrap();
    assert!(matches!(reply, CeremonyReply::Deal(_)));
    // Another plan under the same signatures.
    let mut other = plan.unverified().value().clone();
    other.keys = 2;
    let other = Cosigned::new(NETWORK, other);
    assert!(!plan.clone().merge(&other));
}

#[test]
fn a_plan_of_another_network_or_type_is_refused() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    let elsewhere = {
        let value: Plan = Cosigned::<Plan>::from_bytes(NETWORK, &plan)
            .unwrap()
            .unverified()
            .value()
            .clone();
        let mut plan = Cosigned::new(NetworkId([9; 32]), value);
        for name in GUARDIANS {
            plan.sign(name, &identity(name)).unwrap();
        }
        plan.to_bytes()
    };
    for bytes in [elsewhere, b"plan".to_vec(), Vec::new(), plan[1..].to_vec()] {
        let error = cluster
            .server(1)
            .refuses(CeremonyRequest::Plan(bytes.into()));
        assert_eq!(error.code(), "plan-form");
    }
}

/// 12: an index of 65,536 or more has no encoding, and a removed member's index has no second
/// owner.
#[test]
fn an_index_is_sixteen_bits_and_never_reused() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    let cosigned = Cosigned::<Plan>::from_bytes(NETWORK, &plan).unwrap();
    let body = cosigned.unverified().body().to_vec();
    // `dealers`: key 9, then [1, 2, 3].
    let at = body
        .windows(5)
        .position(|part| part == [9, 0x83, 1, 2, 3])
        .unwrap();
    let mut wide = body[..at + 4].to_vec();
    wide.extend([0x1a, 0, 1, 0, 3]);
    wide.extend(&body[at + 5..]);
    let error = Unsigned::<Plan>::from_body(NETWORK, &wide).unwrap_err();
    assert!(error.to_string().contains("does not decode"), "{error}");

    let mut next = cluster.roster().clone();
    next.number = 2;
    next.previous = Some(cluster.chain.hash());
    next.members[2].identity = identity("a newcomer").public();
    let mut signed = SignedRoster::new(NETWORK, next);
    for name in GUARDIANS {
        signed.sign(NETWORK, name, &identity(name)).unwrap();
    }
    let error = cluster.chain.clone().append(signed).unwrap_err();
    assert_eq!(
        error,
        RosterError::Renumbered {
            number: 2,
            index: 3
        }
    );
}

#[test]
fn a_member_takes_part_only_with_a_key_that_it_offered() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    // A member that forgot its offers, as after losing its disk.
    cluster.server(1).shell.records.clear();
    cluster.restart(1);
    let error = cluster
        .server(1)
        .refuses(CeremonyRequest::Plan(plan.into()));
    assert_eq!(error.code(), "other-offer");
    // A member that is not in the plan.
    let mut larger = Cluster::new(4);
    let offers = larger.offers("group")[..3].to_vec();
    let draft = draft("group", 2);
    let plan = draft
        .dkg(NETWORK, larger.roster(), [1; 32], 1, &offers)
        .unwrap();
    let error = larger
        .server(4)
        .refuses(CeremonyRequest::Plan(cosign(plan).into()));
    assert_eq!(error, StepError::NotInPlan(4));
}

/// 20: two plans for one epoch of one group.
#[test]
fn an_epoch_is_signed_once() {
    let mut cluster = Cluster::new(3);
    let one = cluster.plan_with("group", 2, 1, |plan| plan.nonce = ByteArray::from([1; 32]));
    let two = cluster.plan_with("group", 2, 1, |plan| plan.nonce = ByteArray::from([2; 32]));
    let (first, second) = (cluster.verified(&one).id(), cluster.verified(&two).id());
    assert_ne!(first, second);
    // Both may be dealt, for a dealt ceremony can still be dropped.
    let deals = (cluster.deals(&one), cluster.deals(&two));
    cluster.confirmations(second, &deals.1);
    let group = GroupLabel::new("group").unwrap();
    let used = StepError::EpochUsed {
        group: group.clone(),
        group_epoch: GroupEpoch::FIRST,
        by: second,
    };
    assert_eq!(
        cluster.server(1).refuses(deals_request(first, &deals.0)),
        used
    );
    let three = cluster.plan_with("group", 2, 1, |plan| plan.nonce = ByteArray::from([3; 32]));
    assert_eq!(
        cluster
            .server(1)
            .refuses(CeremonyRequest::Plan(three.into())),
        used
    );
    cluster.restart(1);
    assert_eq!(
        cluster.server(1).refuses(deals_request(first, &deals.0)),
        used
    );
    assert_eq!(
        cluster.server(1).participant.highest_epoch(&group),
        Some(GroupEpoch::FIRST)
    );
    // The confirmation carries the key of the next epoch, and no key of this one is made again.
    cluster.server(1).shell.records.remove(0);
    cluster.restart(1);
    let request = CeremonyRequest::Offer {
        group,
        group_epoch: GroupEpoch::FIRST,
    };
    assert_eq!(cluster.server(1).refuses(request), used);
}

#[test]
fn what_is_signed_is_never_dropped() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    let id = cluster.verified(&plan).id();
    let deals = cluster.deals(&plan);
    cluster.confirmations(id, &deals);
    let dropped = cluster.server(1).step(Step::Drop(id));
    assert!(matches!(
        dropped,
        Err(DriveError::Refused(StepError::State { .. }))
    ));
    assert_eq!(cluster.server(1).state(id), Some(CeremonyState::Signed));
    // A complaint that comes afterwards changes nothing: the certificate may exist.
    let deal: Confirmation = match cluster.server(2).ask(deals_request(id, &deals)).unwrap() {
        CeremonyReply::Confirmation(bytes) => value(&bytes),
        other => panic!("{other:?}"),
    };
    let complaint = Complaint {
        ceremony: id,
        member: 2,
        dealer: 3,
        deal: deal.deals[2],
        reason: ComplaintReason::DoesNotOpen,
    };
    let bytes = sign_as(&member_name(2), complaint);
    let reply = cluster
        .server(1)
        .ask(CeremonyRequest::Complaint(bytes.into()));
    assert_eq!(reply, Ok(CeremonyReply::Accepted(id)));
    let made = cluster.finish(plan, deals);
    check_all_subsets(&cluster, &made);
    let destroyed = cluster.server(1).step(Step::Destroy(id));
    assert!(matches!(
        destroyed,
        Err(DriveError::Refused(StepError::NoSuccessor(_)))
    ));
}

#[test]
fn what_is_dealt_may_be_dropped_and_never_comes_back() {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("group", 2, 1);
    let id = cluster.verified(&plan).id();
    let deals = cluster.deals(&plan);
    let server = cluster.server(1);
    assert_eq!(server.step(Step::Drop(id)), Ok(CeremonyReply::Accepted(id)));
    assert!(server.shell.seeds.is_empty());
    assert_eq!(server.step(Step::Drop(id)), Ok(CeremonyReply::Accepted(id)));
    cluster.restart(1);
    let server = cluster.server(1);
    assert_eq!(server.state(id), Some(CeremonyState::Burnt));
    let again = server.refuses(CeremonyRequest::Plan(plan.into()));
    assert_eq!(again.code(), "wrong-state");
    assert_eq!(
        server.refuses(deals_request(id, &deals)).code(),
        "wrong-state"
    );
}

#[test]
fn an_import_names_its_keys_and_its_dealer() {
    let key = |text: &str| GroupPublicKey::from(support::forge::scalar(text).public_point());
    let case = |change: Change| {
        let mut cluster = Cluster::new(3);
        let offers = cluster.offers("group");
        let keys = [key("one"), key("two")];
        let draft = draft("group", 2);
        let plan = draft
            .import(NETWORK, cluster.roster(), [1; 32], OPERATOR, &keys, &offers)
            .unwrap();
        let mut plan = plan.unverified().value().clone();
        change(&mut plan);
        let plan = cosign(Cosigned::new(NETWORK, plan));
        match cluster.server(1).ask(CeremonyRequest::Plan(plan.into())) {
            Ok(CeremonyReply::Accepted(_)) => "accepted",
            Err(DriveError::Refused(error)) => error.code(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(case(boxed(|_| {})), "accepted");
    assert_eq!(case(boxed(|p| p.import_dealer = None)), "plan-dealers");
    assert_eq!(case(boxed(|p| p.dealers = vec![1])), "plan-dealers");
    assert_eq!(
        case(boxed(|p| p.import_dealer = Some("req".into()))),
        "plan-import-dealer"
    );
    assert_eq!(
        case(boxed(|p| p.import_dealer = Some("eve".into()))),
        "plan-import-dealer"
    );
    assert_eq!(
        case(boxed(|p| p.imported_keys = None)),
        "plan-imported-keys"
    );
    assert_eq!(case(boxed(|p| p.keys = 1)), "plan-imported-keys");
    let infinity = boxed(|p| {
        let keys = p.imported_keys.as_mut().unwrap();
        keys[..48].copy_from_slice(&[&[0xc0][..], &[0; 47]].concat());
    });
    assert_eq!(case(infinity), "plan-imported-key");
    let twice = boxed(|p| p.imported_keys.as_mut().unwrap().copy_within(..48, 48));
    assert_eq!(case(twice), "plan-imported-twice");
}
