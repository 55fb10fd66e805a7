//! A distributed key generation from offers to signatures, for every shape of group.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use std::collections::BTreeSet;

use support::*;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::*;
use symbolon_protocol::Unsigned;
use symbolon_threshold::{
    HashedRoot, LagrangeCache, Scale, SignerSet, Threshold, whole::WholeSecretKey,
};

#[test]
fn every_set_of_t_signs_under_the_group_key() {
    for (t, n) in [(2, 3), (3, 5), (4, 5), (5, 7)] {
        let mut cluster = Cluster::new(n);
        let made = cluster.dkg("hot", t, 1);
        check_all_subsets(&cluster, &made);
        check_no_smaller_set_signs(&cluster, &made);
    }
}

#[test]
fn eleven_of_sixteen() {
    let mut cluster = Cluster::new(16);
    let made = cluster.dkg("large", 11, 1);
    check_all_subsets(&cluster, &made);
    check_no_smaller_set_signs(&cluster, &made);
}

#[test]
fn twenty_keys_at_once_are_twenty_keys() {
    let mut cluster = Cluster::new(5);
    let made = cluster.dkg("batch", 3, 20);
    check_all_subsets(&cluster, &made);
    let group = cluster.group(&made);
    let distinct: BTreeSet<_> = group.group_keys().iter().collect();
    assert_eq!(distinct.len(), 20);
    let shares: BTreeSet<[u8; 32]> = cluster
        .servers
        .values()
        .flat_map(|server| server.shell.shares[&made.id].clone())
        .collect();
    assert_eq!(shares.len(), 100);
}

#[test]
fn indices_need_not_be_small_or_dense() {
    let mut cluster = Cluster::of(roster(&[3, 700, 65_535], &[]));
    let made = cluster.dkg("sparse", 2, 2);
    check_all_subsets(&cluster, &made);
}

/// Interpolating t - 1 partials as if they were enough gives no signature of the group.
fn check_no_smaller_set_signs(cluster: &Cluster, made: &Made) {
    let group = cluster.group(made);
    let fewer = u64::try_from(group.threshold().t() - 1).unwrap();
    let n = u64::try_from(group.members().len()).unwrap();
    let cache = LagrangeCache::new(
        &group.indices(),
        Threshold::new(fewer, n).unwrap(),
        Scale::PLAIN,
    );
    let cache = cache.unwrap();
    let root = HashedRoot::new(&bytes("a root"));
    let numbers: Vec<u16> = cluster.servers.keys().copied().collect();
    for set in subsets(&numbers, group.threshold().t() - 1)
        .into_iter()
        .take(30)
    {
        let partials: Vec<_> = set
            .iter()
            .map(|number| cluster.shares(made, *number)[0].sign(&root))
            .collect();
        let combined = cache.combine(&partials).unwrap();
        assert!(
            combined.verify(&group.group_keys()[0], &root).is_err(),
            "{set:?}"
        );
    }
}

#[test]
fn the_signature_is_that_of_the_reconstructed_key() {
    let mut cluster = Cluster::new(5);
    let made = cluster.dkg("hot", 3, 1);
    let group = cluster.group(&made);
    let shares: Vec<_> = [1, 3, 5]
        .map(|number| cluster.shares(&made, number).remove(0))
        .into();
    let key = WholeSecretKey::from(reconstruct(&shares.iter().collect::<Vec<_>>()));
    assert_eq!(key.public_key(), group.group_keys()[0]);
    let root = HashedRoot::new(&bytes("a root"));
    let cache = LagrangeCache::new(&group.indices(), group.threshold(), group.scale()).unwrap();
    let partials: Vec<_> = shares
        .iter()
        .map(|share| share.scaled(group.scale()).sign(&root))
        .collect();
    let signature = cache
        .combine(&partials)
        .unwrap()
        .verify(&group.group_keys()[0], &root);
    assert_eq!(
        signature.unwrap().to_compressed(),
        key.sign(&root).to_compressed()
    );
    let signers = SignerSet::new(shares.iter().map(|share| share.index())).unwrap();
    assert_eq!(cache.coefficients(&signers).unwrap().signers(), &signers);
}

#[test]
fn the_descriptor_says_all_and_holds_against_the_roster_alone() {
    let mut cluster = Cluster::new(5);
    let made = cluster.dkg("hot", 3, 2);
    let group = cluster.group(&made);
    assert_eq!(group.id(), made.id);
    assert_eq!(group.label().as_str(), "hot");
    assert_eq!(group.group_epoch(), GroupEpoch::FIRST);
    assert_eq!(
        (group.class(), group.born_in_ceremony()),
        (GroupClass::Hot, true)
    );
    assert_eq!(group.threshold(), Threshold::new(3, 5).unwrap());
    assert!(!group.scale().is_plain());
    assert_eq!(group.members()[2].name, "server-3");
    for (place, number) in [1, 2, 3, 4, 5].into_iter().enumerate() {
        let shares = cluster.shares(&made, number);
        let public: Vec<_> = shares.iter().map(|share| share.public_share()).collect();
        let named: Vec<_> = group
            .public_shares()
            .iter()
            .map(|shares| shares[place])
            .collect();
        assert_eq!(public, named);
    }
    let again = GroupDescriptor::verify_under(NETWORK, cluster.roster(), &made.descriptor).unwrap();
    assert_eq!(again.transcript(), group.transcript());
    // Another roster, another network, every changed part.
    let mut other = cluster.roster().clone();
    other.name = "another".into();
    let error = GroupDescriptor::verify_under(NETWORK, &other, &made.descriptor).unwrap_err();
    assert!(
        matches!(error, DescriptorError::Plan(PlanError::Roster { .. })),
        "{error}"
    );
    let error = GroupDescriptor::verify(&chain(other), &made.descriptor).unwrap_err();
    assert!(
        matches!(error, DescriptorError::UnknownRoster(_)),
        "{error}"
    );
    let network = symbolon_protocol::NetworkId([3; 32]);
    let error = GroupDescriptor::verify_under(network, cluster.roster(), &made.descriptor);
    assert!(matches!(error, Err(DescriptorError::Envelope(_))));
    for at in (0..made.descriptor.len()).step_by(7) {
        let mut changed = made.descriptor.clone();
        changed[at] ^= 1;
        assert!(
            GroupDescriptor::verify(&cluster.chain, &changed).is_err(),
            "byte {at}"
        );
    }
}

/// A descriptor whose points are exchanged for other good ones is not what the members confirmed.
#[test]
fn a_descriptor_with_exchanged_keys_is_not_what_was_confirmed() {
    let mut cluster = Cluster::new(3);
    let made = cluster.dkg("hot", 2, 2);
    let unsigned = Unsigned::<GroupDescriptor>::from_body(NETWORK, &made.descriptor).unwrap();
    let body = unsigned.body().to_vec();
    let group = cluster.group(&made);
    let one = group.group_keys()[0].to_compressed();
    let two = group.group_keys()[1].to_compressed();
    let at = body.windows(48).position(|part| part == one).unwrap();
    let mut swapped = body;
    swapped[at..at + 48].copy_from_slice(&two);
    swapped[at + 48..at + 96].copy_from_slice(&one);
    let error = GroupDescriptor::verify(&cluster.chain, &swapped).unwrap_err();
    assert_eq!(error, DescriptorError::Transcript);
}

#[test]
fn an_import_splits_given_keys_and_says_so() {
    let mut cluster = Cluster::new(5);
    let offers = cluster.offers("imported");
    let secret = |number: usize| support::forge::scalar(&format!("imported {number}"));
    let keys: Vec<_> = (0..3)
        .map(|number| secret(number).public_point().into())
        .collect();
    let plan = draft("imported", 3)
        .import(NETWORK, cluster.roster(), [1; 32], OPERATOR, &keys, &offers)
        .unwrap();
    let plan = cosign(plan);
    let verified = cluster.verified(&plan);
    // Not before the plan was seen.
    let id = verified.id();
    assert_eq!(
        cluster.server(1).refuses(deals_request(id, &[])),
        StepError::Unknown(id)
    );
    for server in cluster.servers.values_mut() {
        let reply = server
            .ask(CeremonyRequest::Plan(plan.clone().into()))
            .unwrap();
        assert_eq!(reply, CeremonyReply::Accepted(id));
        assert!(server.shell.seeds.is_empty());
    }
    let deal = deal_import(&verified, &seed("import"), (0..3).map(secret).collect()).unwrap();
    let deal = deal.sign(&identity(OPERATOR)).unwrap().to_bytes();
    let made = cluster.finish(plan, vec![deal]);
    check_all_subsets(&cluster, &made);
    let group = cluster.group(&made);
    assert!(!group.born_in_ceremony());
    assert_eq!(group.group_keys(), keys);
    // Other keys, keys in another order, too few, too many.
    for numbers in [&[0, 1, 3][..], &[1, 0, 2], &[0, 1], &[0, 1, 2, 3]] {
        let secrets = numbers.iter().map(|number| secret(*number)).collect();
        let error = deal_import(&verified, &seed("import"), secrets).unwrap_err();
        assert!(matches!(error, DealerError::OtherKey { .. }), "{numbers:?}");
    }
    // A dealer that deals another key is found out by everybody.
    let mut forged: Deal = {
        let signed = deal_import(&verified, &seed("import"), (0..3).map(secret).collect());
        signed.unwrap().value().clone()
    };
    forged.commitments.copy_within(..48, 48 * 3);
    let bytes = sign_as(OPERATOR, forged);
    let error = CheckedDeals::check(&verified, &[bytes], &[1; 32])
        .err()
        .unwrap();
    assert_eq!(error.fault.code(), "other-imported-key");
    assert_eq!(
        (error.dealer, error.standing),
        (Some(DealerId::Import), Standing::Proved)
    );
    assert!(matches!(
        deal_import(&cluster_plan(), &seed("x"), vec![]),
        Err(DealerError::NotADealer(_))
    ));
}

fn cluster_plan() -> VerifiedPlan {
    let mut cluster = Cluster::new(3);
    let plan = cluster.plan("dkg", 2, 1);
    cluster.verified(&plan)
}
