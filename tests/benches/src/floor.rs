//! What the cryptography alone costs here and now: the floor that nothing can go below.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};
use symbolon_threshold::{
    BatchItem, Combined, GroupPublicKey, HashedRoot, LagrangeCache, PartialSignature, Polynomial,
    Scale, SecretShare, ShareIndex, Threshold, check_batch, sign_batch,
};

/// Microseconds on one core, minima over rounds, 3 of 5.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Floor {
    /// A root hashed to the curve.
    pub(crate) hash: f64,
    /// A hashed root multiplied by a share.
    pub(crate) sign: f64,
    /// Three partials combined.
    pub(crate) combine: f64,
    /// A combined signature verified, its root hashed.
    pub(crate) verify: f64,
    /// A server's work for each signature of a burst.
    pub(crate) burst_server: f64,
    /// The requestor's work for each signature of a burst: combine, verify.
    pub(crate) burst_requestor: f64,
}

impl Floor {
    pub(crate) fn measure(burst: usize) -> anyhow::Result<Self> {
        let group = Group::new(burst)?;
        let root = [7; 32];
        let hashed = HashedRoot::new(&root);
        let [first, third, fifth] = group.shares.each_ref();
        let partials = [first, third, fifth].map(|shares| sign_batch(shares, &hashed));
        let combined = group.combine(&partials)?;
        let key = group.keys.first().context("a group has a key")?;
        let share = first.first().context("a member has a share")?;
        let one = combined.first().context("a burst has a signature")?;

        let mut floor = Self {
            hash: f64::INFINITY,
            sign: f64::INFINITY,
            combine: f64::INFINITY,
            verify: f64::INFINITY,
            burst_server: f64::INFINITY,
            burst_requestor: f64::INFINITY,
        };
        for _ in 0..ROUNDS {
            keep(&mut floor.hash, 1, || HashedRoot::new(&root))?;
            keep(&mut floor.sign, 1, || share.sign(&hashed))?;
            keep(&mut floor.verify, 1, || one.verify(key, &hashed).is_ok())?;
            keep(&mut floor.combine, burst, || group.combine(&partials))?;
            keep(&mut floor.burst_server, burst, || {
                sign_batch(first, &HashedRoot::new(&root))
            })?;
            keep(&mut floor.burst_requestor, burst, || {
                let hashed = HashedRoot::new(&root);
                let combined = group.combine(&partials)?;
                let items: Vec<BatchItem<'_>> = group
                    .keys
                    .iter()
                    .zip(&combined)
                    .map(|(key, combined)| (key, &hashed, combined))
                    .collect();
                check_batch(&items, [9; 32]).map_err(|error| anyhow::anyhow!("{error:?}"))
            })?;
        }
        Ok(floor)
    }

    /// One lone request where every server has a core of its own, in milliseconds.
    pub(crate) fn lone_apart(&self) -> f64 {
        (self.hash + self.sign + self.requestor()) / 1e3
    }

    /// One lone request where `servers` that are all asked share `cores` with the requestor.
    pub(crate) fn lone_shared(&self, servers: usize, cores: usize) -> f64 {
        let rounds = number(servers) / number(cores.min(servers).max(1));
        (rounds * (self.hash + self.sign) + self.requestor()) / 1e3
    }

    /// A burst where `servers` that are all asked share `cores` with the requestor, milliseconds.
    pub(crate) fn burst_shared(&self, size: usize, servers: usize, cores: usize) -> f64 {
        let each = number(servers) * self.burst_server + self.burst_requestor;
        number(size) * each / number(cores.max(1)) / 1e3
    }

    /// A burst where each party has `cores` of its own and nothing overlaps, milliseconds.
    pub(crate) fn burst_apart(&self, size: usize, cores: usize) -> f64 {
        let each = self.burst_server + self.burst_requestor;
        number(size) * each / number(cores.max(1)) / 1e3
    }

    /// The largest relative difference to another measurement.
    pub(crate) fn difference(&self, other: &Self) -> f64 {
        let pairs = [
            (self.hash, other.hash),
            (self.sign, other.sign),
            (self.combine, other.combine),
            (self.verify, other.verify),
            (self.burst_server, other.burst_server),
            (self.burst_requestor, other.burst_requestor),
        ];
        let differences = pairs.map(|(one, two)| (one - two).abs() / one.min(two));
        differences.into_iter().fold(0.0, f64::max)
    }

    fn requestor(&self) -> f64 {
        self.combine + self.hash + self.verify
    }
}

/// A group of 3 of 5, the same in each run, because only its cost matters.
struct Group {
    cache: LagrangeCache,
    keys: Vec<GroupPublicKey>,
    /// Of the members 1, 3 and 5, by key.
    shares: [Vec<SecretShare>; 3],
}

impl Group {
    fn new(count: usize) -> anyhow::Result<Self> {
        let threshold = Threshold::new(3, 5)?;
        let indices = [1_u64, 2, 3, 4, 5].map(ShareIndex::try_from);
        let indices = indices.into_iter().collect::<Result<Vec<_>, _>>()?;
        let scale = Scale::for_group(&indices, threshold)?;
        let mut group = Self {
            cache: LagrangeCache::new(&indices, threshold, scale)?,
            keys: Vec::new(),
            shares: Default::default(),
        };
        for key in 0..count {
            let polynomial = Polynomial::from_source(threshold, |degree, wide| {
                for (half, bytes) in wide.chunks_exact_mut(24).enumerate() {
                    let block = Sha256::digest(format!("key {key}, {degree}, {half}"));
                    for (to, from) in bytes.iter_mut().zip(block) {
                        *to = from;
                    }
                }
            })?;
            group.keys.push(polynomial.commitment().group_public_key());
            let members = indices.iter().step_by(2);
            for (shares, member) in group.shares.iter_mut().zip(members) {
                shares.push(polynomial.share(*member)?.scaled(scale));
            }
        }
        Ok(group)
    }

    fn combine(&self, partials: &[Vec<PartialSignature>; 3]) -> anyhow::Result<Vec<Combined>> {
        let [first, third, fifth] = partials;
        let partials = first.iter().zip(third).zip(fifth);
        let combined =
            partials.map(|((first, third), fifth)| self.cache.combine(&[*first, *third, *fifth]));
        Ok(combined.collect::<Result<_, _>>()?)
    }
}

/// Keeps the smallest time on a processor: what else runs on the machine then shows little.
fn keep<R>(smallest: &mut f64, count: usize, work: impl FnOnce() -> R) -> anyhow::Result<()> {
    let start = own_time()?;
    black_box(work());
    let took = own_time()?.saturating_sub(start);
    *smallest = smallest.min(took.as_secs_f64() * 1e6 / number(count));
    Ok(())
}

fn own_time() -> anyhow::Result<Duration> {
    Ok(Duration::try_from(clock_gettime(ClockId::ThreadCPUTime))?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
pub(crate) const fn number(count: usize) -> f64 {
    count as f64
}

const ROUNDS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_add_up() {
        let floor = Floor {
            hash: 100.0,
            sign: 200.0,
            combine: 50.0,
            verify: 850.0,
            burst_server: 40.0,
            burst_requestor: 100.0,
        };
        assert_eq!(floor.lone_apart(), 1.3);
        assert_eq!(floor.lone_shared(5, 2), 1.75);
        assert_eq!(floor.lone_shared(5, 8), 1.3);
        assert_eq!(floor.burst_shared(300, 5, 2), 45.0);
        assert_eq!(floor.burst_apart(300, 2), 21.0);
        let slower = Floor {
            verify: 935.0,
            ..floor
        };
        assert!((floor.difference(&slower) - 0.1).abs() < 1e-9);
    }
}
