//! Processor time of a DKG by itself, without devices and disks: `cargo run --release -p
//! symbolon-ceremony --example measure -- KEYS MEMBERS THRESHOLD`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use support::Cluster;
use symbolon_ceremony::wire::CeremonyRequest;
use symbolon_ceremony::{CheckedDeals, GroupDescriptor, Outcome, VerifiedCertificate};

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<u16>().unwrap());
    let keys = arguments.next().unwrap_or(1000);
    let n = arguments.next().unwrap_or(5);
    let t = arguments.next().unwrap_or(3);
    let mut cluster = Cluster::new(n);
    let plan = cluster.plan("measure", t, keys);
    let verified = cluster.verified(&plan);
    let id = verified.id();
    let timed = |what: &str, started: Duration| {
        println!(
            "{what}: {:.3} s",
            (processor_time() - started).as_secs_f64()
        );
    };
    let started = processor_time();
    cluster
        .server(1)
        .ask(CeremonyRequest::Plan(plan.clone().into()))
        .unwrap();
    timed("one deal", started);
    let deals = cluster.deals(&plan);
    println!(
        "a deal: {} bytes, all: {} bytes",
        deals[0].len(),
        deals.iter().map(Vec::len).sum::<usize>()
    );
    let started = processor_time();
    let checked = CheckedDeals::check(&verified, &deals, &[1; 32]).unwrap();
    timed("public checks of all deals", started);
    let started = processor_time();
    let outcome = Outcome::of(&verified, &checked).unwrap();
    timed("keys and public shares", started);
    let started = processor_time();
    cluster
        .server(1)
        .ask(support::deals_request(id, &deals))
        .unwrap();
    timed("one confirmation, all checks", started);
    let confirmations = cluster.confirmations(id, &deals);
    let certificate =
        VerifiedCertificate::assemble(&verified, confirmations.iter().map(Vec::as_slice)).unwrap();
    let started = processor_time();
    let request = CeremonyRequest::Certificate(certificate.to_bytes().to_vec().into());
    cluster.server(1).ask(request).unwrap();
    timed("one activation", started);
    let descriptor = GroupDescriptor::new(&verified, &outcome, &certificate);
    let started = processor_time();
    GroupDescriptor::verify(&cluster.chain, descriptor.body()).unwrap();
    timed("descriptor verified", started);
    println!("descriptor: {} bytes", descriptor.body().len());
}

/// Time that this thread spent on a processor, so that a busy machine does not count.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split_whitespace().next().unwrap().parse().unwrap();
    Duration::from_nanos(nanoseconds)
}
