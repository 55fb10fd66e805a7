//! Attacks on key generation, each refused by name: those that show in the deals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use support::attacks::{ATTACKER, Stage, VICTIM, deal_attacks};
use support::*;
use symbolon_ceremony::*;
use symbolon_threshold::whole::WholeSecretKey;
use symbolon_threshold::{HashedRoot, ProofOfPossession, Signature};

#[test]
fn every_wrong_set_of_deals_is_refused_by_name_with_its_culprit() {
    let mut stage = Stage::new();
    let attacks = deal_attacks(&stage);
    assert!(attacks.len() > 40, "{}", attacks.len());
    let id = stage.plan.id();
    for attack in attacks {
        let server = stage.cluster.server(VICTIM);
        let error = server.refuses(deals_request(id, &attack.deals));
        let culprit = error.culprit().map(|(dealer, _)| dealer.number());
        let proved = error
            .culprit()
            .is_some_and(|(_, standing)| standing == Standing::Proved);
        let got = (error.code(), culprit, proved);
        assert_eq!(
            got,
            (attack.code, attack.culprit, attack.proved),
            "{}: {error}",
            attack.name
        );
        assert_eq!(
            server.state(id),
            Some(CeremonyState::Dealt),
            "{}",
            attack.name
        );
    }
    // Nothing of it did harm: the honest deals still make the group.
    let (plan, deals) = (stage.plan_bytes.clone(), stage.deals.clone());
    let made = stage.cluster.finish(plan, deals);
    check_all_subsets(&stage.cluster, &made);
}

#[test]
fn the_order_in_which_deals_are_carried_does_not_matter() {
    let mut stage = Stage::new();
    let mut deals = stage.deals.clone();
    deals.reverse();
    let plan = stage.plan_bytes.clone();
    let made = stage.cluster.finish(plan, deals);
    check_all_subsets(&stage.cluster, &made);
}

#[test]
fn a_dealer_that_plays_by_the_rules_with_its_own_code_is_accepted() {
    let mut stage = Stage::new();
    let deals = stage.with(support::forge::Forger::new(&stage.plan, ATTACKER).sign());
    let confirm = stage
        .cluster
        .server(VICTIM)
        .ask(deals_request(stage.plan.id(), &deals));
    assert!(
        matches!(confirm, Ok(wire::CeremonyReply::Confirmation(_))),
        "{confirm:?}"
    );
}

/// 3: nothing made in a ceremony is an Ethereum signature, and the other way round.
#[test]
fn a_proof_is_no_signature_and_a_signature_no_proof() {
    let secret = support::forge::scalar("any secret");
    let (point, root) = (secret.public_point(), bytes("a root"));
    let proof = ProofOfPossession::prove(&secret, &root);
    assert!(proof.verify(&point, &root).is_ok());
    let as_signature = Signature::from_compressed(&proof.to_compressed()).unwrap();
    assert!(
        as_signature
            .verify(&point.into(), &HashedRoot::new(&root))
            .is_err()
    );
    let signature = WholeSecretKey::from(secret).sign(&HashedRoot::new(&root));
    assert!(
        signature
            .verify(&point.into(), &HashedRoot::new(&root))
            .is_ok()
    );
    let as_proof = ProofOfPossession::from_compressed(&signature.to_compressed()).unwrap();
    assert!(as_proof.verify(&point, &root).is_err());
    assert_ne!(symbolon_threshold::DST, symbolon_threshold::POP_DST);
}
