//! Which sets of servers sign: every set of t, no set of t - 1; and what comes out is the signature
//! of the whole key, which only these tests have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use symbolon_lab::{DirectRequestor, Lab, RequestKind, interop_key};
use symbolon_protocol::sign::SignAnswer;
use symbolon_suites::interop_lab;
use symbolon_threshold::{
    HashedRoot, LagrangeCache, PartialSignature, Scale, ShareIndex, Threshold,
};

/// Sets above this count are sampled.
const MOST_SETS: usize = 400;

fn every_set(servers: u16, threshold: u16) {
    let work = tempfile::tempdir().unwrap();
    let mut lab = interop_lab(servers, threshold, 1, None, work.path()).unwrap();
    let whole = interop_key(0).unwrap();
    let sample = lab
        .sampler()
        .unwrap()
        .sample(RequestKind::Attestation)
        .unwrap();
    let root = HashedRoot::new(sample.signing_root.as_bytes());
    let expected = whole.sign(&root).to_compressed();

    // Through the requestor.
    assert_eq!(lab.sign(&sample).unwrap().0, expected);

    // Every set, from each member's own partial signature.
    let partials = partials(&lab, servers, &sample);
    let indices: Vec<ShareIndex> = partials.iter().map(PartialSignature::index).collect();
    let t = usize::from(threshold);
    let terms = Threshold::new(u64::from(threshold), u64::from(servers)).unwrap();
    let scale = Scale::for_group(&indices, terms).unwrap();
    let cache = LagrangeCache::new(&indices, terms, scale).unwrap();
    let sets = sets(partials.len(), t);
    for set in &sets {
        let chosen: Vec<PartialSignature> = set.iter().map(|at| partials[*at]).collect();
        let combined = cache.combine(&chosen).unwrap();
        let signature = combined.verify(&whole.public_key(), &root).unwrap();
        assert_eq!(signature.to_compressed(), expected, "{set:?}");
        assert!(cache.combine(&chosen[1..]).is_err(), "{set:?} without one");
    }
    assert!(!sets.is_empty());
    // Even who takes the t - 1 for a group of that threshold gets nothing.
    if t > 2 {
        let fewer = Threshold::new(u64::from(threshold) - 1, u64::from(servers)).unwrap();
        if let Ok(cache) =
            LagrangeCache::new(&indices, fewer, Scale::for_group(&indices, fewer).unwrap())
        {
            let combined = cache.combine(&partials[..t - 1]).unwrap();
            assert!(combined.verify(&whole.public_key(), &root).is_err());
        }
    }

    // n - t servers gone: it signs. One more: it does not, and says why.
    for index in 1..=servers - threshold {
        lab.kill9(index).unwrap();
    }
    let later = lab
        .sampler()
        .unwrap()
        .sample(RequestKind::RandaoReveal)
        .unwrap();
    lab.sign(&later).unwrap();
    lab.kill9(servers - threshold + 1).unwrap();
    let refused = lab.request(
        &lab.sampler()
            .unwrap()
            .sample(RequestKind::AggregationSlot)
            .unwrap(),
    );
    let refused = refused.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
}

/// Each member's partial signature of one request.
fn partials(lab: &Lab, servers: u16, sample: &symbolon_lab::Sample) -> Vec<PartialSignature> {
    let asking = DirectRequestor::of(lab.record(), lab.network()).unwrap();
    let batch = asking.batch(std::slice::from_ref(sample), 1).unwrap();
    (1..=servers)
        .map(|member| {
            let reply = asking.ask(member, &batch).unwrap();
            let SignAnswer::Partial(partial) = &reply.answers[0] else {
                panic!("member {member} refused: {:?}", reply.answers[0]);
            };
            let index = ShareIndex::try_from(u64::from(member)).unwrap();
            PartialSignature::from_uncompressed(index, &partial.point).unwrap()
        })
        .collect()
}

/// All sets of `t` of `n`, or every so-many-th of them.
fn sets(n: usize, t: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut set: Vec<usize> = (0..t).collect();
    loop {
        all.push(set.clone());
        let Some(at) = (0..t).rev().find(|at| set[*at] < n - t + at) else {
            break;
        };
        set[at] += 1;
        for next in at + 1..t {
            set[next] = set[next - 1] + 1;
        }
    }
    let step = all.len().div_ceil(MOST_SETS);
    all.into_iter().step_by(step).collect()
}

#[test]
fn two_of_three() {
    every_set(3, 2);
}

#[test]
fn three_of_five() {
    every_set(5, 3);
}

#[test]
fn four_of_five() {
    every_set(5, 4);
}

#[test]
fn five_of_seven() {
    every_set(7, 5);
}

#[test]
fn eleven_of_sixteen() {
    every_set(16, 11);
}
