//! `kill -9` of servers at random moments under load: no two conflicting partial signatures ever
//! leave one, each starts again by itself, and the cluster keeps signing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use symbolon_duties::{Network, Root, SigningRoot, ValidatorPublicKey};
use symbolon_lab::{DirectRequestor, LabRecord, Sample};
use symbolon_protocol::sign::SignAnswer;
use symbolon_suites::{attestation, block, interop_lab, timeless_network};

const SERVERS: u16 = 5;
const KEYS: u64 = 4;
const KILLS: u32 = 200;
const HERE: &str = "0x2100000000000000000000000000000000000000000000000000000000000000";

/// One attestation or block that a server signed: key, slot or none, source, target.
type Place = (ValidatorPublicKey, Option<u64>, u64, u64);

/// What one load thread saw of each server.
#[derive(Default)]
struct Seen {
    roots: HashMap<(u16, Place), SigningRoot>,
    partials: u64,
}

#[test]
fn two_hundred_kills_and_no_conflict() {
    let work = tempfile::tempdir().unwrap();
    let network = timeless_network(work.path(), HERE).unwrap();
    let mut lab = interop_lab(SERVERS, 3, KEYS, Some(network), work.path()).unwrap();
    let (record, network) = (lab.record().clone(), lab.network().clone());
    let keys = lab.keys();
    let stop = AtomicBool::new(false);
    let epoch = AtomicU64::new(1);
    let (seen, signed) = std::thread::scope(|scope| {
        // Two that ask the servers themselves for contradictory things, as two requestors would.
        let asking: Vec<_> = (0..2_u8)
            .map(|who| {
                let (record, network, keys) = (&record, &network, &keys);
                let (stop, epoch) = (&stop, &epoch);
                scope.spawn(move || ask(who, record, network, keys, stop, epoch))
            })
            .collect();
        let through =
            scope.spawn(|| through_the_requestor(&record, &network, &keys, &stop, &epoch));
        // Also when this thread panics: the others would go on for ever.
        let _stop = StopOnDrop(&stop);
        let mut random = Random(0x5eed_0001);
        for _ in 0..KILLS {
            std::thread::sleep(Duration::from_millis(random.below(40)));
            let index = u16::try_from(random.below(u64::from(SERVERS))).unwrap() + 1;
            lab.kill9(index).unwrap();
            lab.start(index).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        let seen: Vec<Seen> = asking
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        (seen, through.join().unwrap())
    });
    assert!(
        signed >= 20,
        "the cluster signed only {signed} times in between"
    );
    let mut all: HashMap<(u16, Place), SigningRoot> = HashMap::new();
    let mut partials = 0;
    for one in seen {
        partials += one.partials;
        for (place, root) in one.roots {
            let first = *all.entry(place).or_insert(root);
            assert_eq!(
                first, root,
                "member {} signed two messages for {:?}",
                place.0, place.1
            );
        }
    }
    assert!(partials >= 200, "only {partials} partial signatures");
    check_surrounds(&all);
    // What was signed last is remembered: another message of that target is refused everywhere.
    let last = epoch.load(Ordering::Relaxed);
    let asking = DirectRequestor::of(&record, &network).unwrap();
    let before = attestation(&network, keys[0], last, last + 1, Root([7; 32])).unwrap();
    let after = attestation(&network, keys[0], last, last + 1, Root([8; 32])).unwrap();
    for member in 1..=SERVERS {
        let one = |sample: &Sample| {
            let batch = asking.batch(std::slice::from_ref(sample), 1).unwrap();
            asking.ask(member, &batch).unwrap().answers.remove(0)
        };
        assert!(
            matches!(one(&before), SignAnswer::Partial(_)),
            "member {member}"
        );
        assert!(
            matches!(one(&after), SignAnswer::Refused(_)),
            "member {member}"
        );
    }
}

/// Asks every server for one of two contradictory messages, over and over.
fn ask(
    who: u8,
    record: &LabRecord,
    network: &Network,
    keys: &[ValidatorPublicKey],
    stop: &AtomicBool,
    epoch: &AtomicU64,
) -> Seen {
    let asking = DirectRequestor::of(record, network).unwrap();
    let mut random = Random(0xabc0 + u64::from(who));
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let now = epoch.load(Ordering::Relaxed);
        let key = keys[usize::try_from(random.below(keys.len() as u64)).unwrap()];
        let root = Root([u8::try_from(random.below(2)).unwrap(); 32]);
        let (place, sample) = if random.below(3) == 0 {
            let slot = now * 32 + random.below(8);
            (
                (key, Some(slot), 0, 0),
                block(network, key, slot, root).unwrap(),
            )
        } else {
            let source = now.saturating_sub(1 + random.below(2));
            let target = now + random.below(2);
            (
                (key, None, source, target),
                attestation(network, key, source, target, root).unwrap(),
            )
        };
        let Ok(batch) = asking.batch(std::slice::from_ref(&sample), 1) else {
            continue;
        };
        for member in 1..=SERVERS {
            // A server that was just killed does not answer.
            let Ok(reply) = asking.ask(member, &batch) else {
                continue;
            };
            if matches!(reply.answers[0], SignAnswer::Partial(_)) {
                seen.partials += 1;
                let known = *seen
                    .roots
                    .entry((member, place))
                    .or_insert(sample.signing_root);
                assert_eq!(known, sample.signing_root, "member {member} at {place:?}");
            }
        }
    }
    seen
}

/// Signs through the requestor; a duty that cannot be had does not end it. Gives how many it got.
fn through_the_requestor(
    record: &LabRecord,
    network: &Network,
    keys: &[ValidatorPublicKey],
    stop: &AtomicBool,
    epoch: &AtomicU64,
) -> u64 {
    let mut client =
        symbolon_lab::HttpClient::new(record.requestor.address, Duration::from_secs(10));
    let mut signed = 0;
    while !stop.load(Ordering::Relaxed) {
        let now = epoch.fetch_add(1, Ordering::Relaxed) + 1;
        let key = keys[usize::try_from(now).unwrap() % keys.len()];
        let sample = attestation(network, key, now - 1, now, Root([0; 32])).unwrap();
        if sample
            .send(&mut client)
            .is_ok_and(|answer| answer.status == 200)
        {
            signed += 1;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    signed
}

/// No vote of a server surrounds another of its votes for the same key.
fn check_surrounds(all: &HashMap<(u16, Place), SigningRoot>) {
    let mut votes: HashMap<(u16, ValidatorPublicKey), Vec<(u64, u64)>> = HashMap::new();
    for (member, (key, slot, source, target)) in all.keys() {
        if slot.is_none() {
            votes
                .entry((*member, *key))
                .or_default()
                .push((*source, *target));
        }
    }
    for (who, votes) in votes {
        for (source, target) in &votes {
            let double = votes.iter().filter(|vote| vote.1 == *target).count();
            assert_eq!(double, 1, "{who:?} voted twice for target {target}");
            let surrounded = votes
                .iter()
                .any(|vote| vote.0 < *source && *target < vote.1);
            assert!(!surrounded, "{who:?}: ({source}, {target}) is surrounded");
        }
    }
}

/// Ends the load when it goes out of scope.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A small generator (xorshift), so that a failing run can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
