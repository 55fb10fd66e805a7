//! Certificates that are none, and replays between ceremonies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use minicbor::bytes::ByteVec;
use support::*;
use symbolon_ceremony::wire::CeremonyRequest;
use symbolon_ceremony::*;
use symbolon_protocol::{NetworkId, Unsigned};

struct Confirmed {
    cluster: Cluster,
    plan: VerifiedPlan,
    confirmations: Vec<Vec<u8>>,
}

fn confirmed(group: &str) -> Confirmed {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan(group, 2, 1);
    let deals = cluster.deals(&plan);
    let plan = cluster.verified(&plan);
    let confirmations = cluster.confirmations(plan.id(), &deals);
    Confirmed {
        cluster,
        plan,
        confirmations,
    }
}

fn certificate(ceremony: CeremonyId, confirmations: &[Vec<u8>]) -> Vec<u8> {
    let confirmations = confirmations
        .iter()
        .map(|one| ByteVec::from(one.clone()))
        .collect();
    Unsigned::new(
        NETWORK,
        Certificate {
            ceremony,
            confirmations,
        },
    )
    .body()
    .to_vec()
}

/// 18, and 11 for confirmations.
#[test]
fn every_way_in_which_a_certificate_is_none_has_a_name() {
    let Confirmed {
        mut cluster,
        plan,
        confirmations,
    } = confirmed("group");
    let id = plan.id();
    let other = confirmed("other").confirmations;
    let changed = |number: u16, change: fn(&mut Confirmation)| {
        let mut confirmation: Confirmation = value(&confirmations[usize::from(number) - 1]);
        change(&mut confirmation);
        sign_as(&member_name(number), confirmation)
    };
    let with = |number: usize, bytes: Vec<u8>| {
        let mut set = confirmations.clone();
        set[number - 1] = bytes;
        certificate(id, &set)
    };
    let mut unsigned = confirmations[1].clone();
    *unsigned.last_mut().unwrap() ^= 1;
    let stranger = {
        let mut confirmation: Confirmation = value(&confirmations[2]);
        confirmation.member = 9;
        sign_as("server-9", confirmation)
    };
    let in_anothers_name = {
        let mut confirmation: Confirmation = value(&confirmations[2]);
        confirmation.member = 2;
        sign_as(&member_name(3), confirmation)
    };
    let [one, two, three] = [0, 1, 2].map(|at| confirmations[at].clone());
    let doubled = [one.clone(), two.clone(), two.clone()];
    let swapped = [two.clone(), one.clone(), three];
    let transcript = |c: &mut Confirmation| c.transcript = TranscriptHash([1; 32]);
    let deals = |c: &mut Confirmation| c.deals[0] = DealHash([1; 32]);
    let fewer = |c: &mut Confirmation| c.deals.truncate(2);
    for (name, code, bytes) in [
        (
            "one missing",
            "certificate-missing",
            certificate(id, &[one.clone(), two]),
        ),
        ("none", "certificate-missing", certificate(id, &[])),
        (
            "one doubled",
            "certificate-doubled",
            certificate(id, &doubled),
        ),
        (
            "out of order",
            "certificate-order",
            certificate(id, &swapped),
        ),
        (
            "one of a stranger",
            "certificate-stranger",
            with(3, stranger),
        ),
        ("one altered", "certificate-signature", with(2, unsigned)),
        (
            "one in another's name",
            "certificate-signature",
            with(2, in_anothers_name),
        ),
        (
            "one on another transcript",
            "certificate-transcript",
            with(2, changed(2, transcript)),
        ),
        (
            "one on other deals",
            "certificate-transcript",
            with(2, changed(2, deals)),
        ),
        (
            "one on fewer deals",
            "certificate-transcript",
            with(2, changed(2, fewer)),
        ),
        (
            "one of another ceremony",
            "certificate-of-another-ceremony",
            with(2, other[1].clone()),
        ),
        ("garbage", "certificate-form", b"certificate".to_vec()),
        ("a confirmation", "certificate-form", one),
    ] {
        let error = cluster
            .server(1)
            .refuses(CeremonyRequest::Certificate(bytes.into()));
        assert_eq!(error.code(), code, "{name}: {error}");
        assert_eq!(cluster.server(1).state(id), Some(CeremonyState::Signed));
    }
    let elsewhere = Unsigned::new(
        NetworkId([8; 32]),
        Certificate {
            ceremony: id,
            confirmations: vec![],
        },
    );
    let bytes = elsewhere.body().to_vec();
    let error = cluster
        .server(1)
        .refuses(CeremonyRequest::Certificate(bytes.into()));
    assert_eq!(error.code(), "certificate-form");
    let foreign = certificate(CeremonyId([7; 32]), &confirmations);
    let error = cluster
        .server(1)
        .refuses(CeremonyRequest::Certificate(foreign.into()));
    assert_eq!(error, StepError::Unknown(CeremonyId([7; 32])));
    let good = certificate(id, &confirmations);
    cluster.activations(&good);
}

/// All members but one agree on something else: that one does not follow.
#[test]
fn a_certificate_of_what_this_member_did_not_sign_is_refused() {
    let Confirmed {
        mut cluster,
        plan,
        confirmations,
    } = confirmed("group");
    // Even under this member's own key, as after a stolen identity.
    let lies: Vec<Vec<u8>> = (1..)
        .zip(&confirmations)
        .map(|(number, bytes)| {
            let mut confirmation: Confirmation = value(bytes);
            confirmation.transcript = TranscriptHash([1; 32]);
            sign_as(&member_name(number), confirmation)
        })
        .collect();
    let bytes = certificate(plan.id(), &lies);
    let error = cluster
        .server(1)
        .refuses(CeremonyRequest::Certificate(bytes.into()));
    assert_eq!(error, StepError::OtherTranscript);
}

#[test]
fn a_certificate_is_for_those_who_signed() {
    let Confirmed {
        mut cluster,
        plan,
        confirmations,
    } = confirmed("group");
    let good = certificate(plan.id(), &confirmations);
    // A member that was put back to before it signed.
    let records = &mut cluster.server(1).shell.records;
    records.pop();
    cluster.restart(1);
    let error = cluster
        .server(1)
        .refuses(CeremonyRequest::Certificate(good.into()));
    assert_eq!(error.code(), "wrong-state");
}

/// The self-check before activation: sealed shares that are unreadable or another's.
#[test]
fn shares_that_do_not_fit_are_noticed_before_activation() {
    let Confirmed {
        mut cluster,
        plan,
        confirmations,
    } = confirmed("group");
    let good = certificate(plan.id(), &confirmations);
    let request = CeremonyRequest::Certificate(good.into());
    let own = cluster.server(1).shell.shares.clone();
    for wrong in [
        vec![bytes("another share"); 1],
        vec![],
        vec![own[&plan.id()][0]; 2],
    ] {
        let many = wrong.len() == 2;
        let mut shares = wrong;
        shares.iter_mut().for_each(|share| share[0] &= 0x3f);
        cluster.server(1).shell.shares.insert(plan.id(), shares);
        if many {
            // The shell gives no more than was asked for.
            continue;
        }
        let error = cluster.server(1).refuses(request.clone());
        assert_eq!(error, StepError::Share { key: 0 });
        assert_eq!(
            cluster.server(1).state(plan.id()),
            Some(CeremonyState::Signed)
        );
    }
    cluster.server(1).shell.shares = own;
    cluster.server(1).ask(request).unwrap();
}

/// The certificate may come years later, under a newer roster.
#[test]
fn a_late_certificate_is_judged_by_the_roster_of_its_plan() {
    let Confirmed {
        mut cluster,
        plan,
        confirmations,
    } = confirmed("group");
    let mut next = cluster.roster().clone();
    next.number = 2;
    next.previous = Some(cluster.chain.hash());
    next.guardians.remove(0);
    let mut signed = symbolon_protocol::roster::SignedRoster::new(NETWORK, next);
    for name in GUARDIANS {
        signed.sign(NETWORK, name, &identity(name)).unwrap();
    }
    cluster.chain = cluster.chain.append(signed).unwrap();
    for server in cluster.servers.values_mut() {
        server.participant.set_roster(cluster.chain.clone());
    }
    let good = certificate(plan.id(), &confirmations);
    cluster.activations(&good);
    // A new ceremony needs a plan under the new roster.
    let old = plan.to_bytes();
    cluster.server(1).shell.records.clear();
    cluster.restart(1);
    cluster.offers("group");
    let error = cluster.server(1).refuses(CeremonyRequest::Plan(old.into()));
    assert_eq!(error.code(), "plan-roster");
}
