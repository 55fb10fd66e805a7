//! One attestation, and many at once.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use symbolon_duties::ValidatorPublicKey;
use symbolon_lab::{Lab, verify_answer};

use crate::Sizes;
use crate::burst::{Answered, Bursts};
use crate::floor::number;
use crate::machine::processor_time;
use crate::requests::Votes;
use crate::spread::Spread;

/// Times of lone requests and of bursts.
#[derive(Debug)]
pub(crate) struct Signing {
    /// All lone requests.
    pub(crate) lone: Spread,
    /// The median of each repetition.
    pub(crate) lone_medians: Spread,
    pub(crate) burst_size: usize,
    pub(crate) bursts: Spread,
    /// Milliseconds on processors of all servers together, for one burst.
    pub(crate) burst_servers: f64,
    /// Milliseconds on processors of the requestor, for one burst.
    pub(crate) burst_requestor: f64,
    /// Signatures that were verified afterwards.
    pub(crate) verified: usize,
}

impl Signing {
    pub(crate) fn measure(lab: &Lab, sizes: Sizes) -> anyhow::Result<Self> {
        let keys = lab.keys();
        let (lone, many) = keys.split_last().context("the cluster has no keys")?;
        ensure!(many.len() == sizes.burst, "another number of keys");
        let votes = Votes::new(lab.network());
        let mut answered = Answered::new();

        let mut all = Vec::new();
        let mut medians = Vec::new();
        lone_round(lab, *lone, &votes, WARM_UP, &mut answered)?;
        for _ in 0..sizes.lone_rounds {
            let round = lone_round(lab, *lone, &votes, sizes.lone_requests, &mut answered)?;
            let median = Spread::new(round.clone()).median() / 1e3;
            medians.push(Duration::from_secs_f64(median));
            all.extend(round);
        }

        let mut bursts = Bursts::open(lab.record().requestor.address, many)?;
        for _ in 0..WARM_UP_BURSTS {
            bursts.one(&votes, &mut answered)?;
        }
        let before = times(lab)?;
        let mut times_of_bursts = Vec::new();
        for _ in 0..sizes.bursts {
            times_of_bursts.push(bursts.one(&votes, &mut answered)?);
        }
        let after = times(lab)?;
        let count = number(sizes.bursts);
        let each = |before: Duration, after: Duration| {
            after.saturating_sub(before).as_secs_f64() * 1e3 / count
        };
        let signing = Self {
            lone: Spread::new(all),
            lone_medians: Spread::new(medians),
            burst_size: many.len(),
            bursts: Spread::new(times_of_bursts),
            burst_servers: each(before.0, after.0),
            burst_requestor: each(before.1, after.1),
            verified: answered.len(),
        };
        verify_all(lab, &answered)?;
        Ok(signing)
    }
}

/// One request after the other, with pauses in which all work for the one before comes to its end.
fn lone_round(
    lab: &Lab,
    key: ValidatorPublicKey,
    votes: &Votes<'_>,
    count: usize,
    answered: &mut Answered,
) -> anyhow::Result<Vec<Duration>> {
    let mut client = lab.client();
    let mut times = Vec::new();
    for _ in 0..count {
        let samples = votes.next(&[key])?;
        for sample in samples {
            thread::sleep(PAUSE);
            let began = Instant::now();
            let answer = sample.send(&mut client)?;
            times.push(began.elapsed());
            answered.push((sample, answer));
        }
    }
    Ok(times)
}

/// Of all servers, of the requestor.
fn times(lab: &Lab) -> anyhow::Result<(Duration, Duration)> {
    let record = lab.record();
    let mut servers = Duration::ZERO;
    for server in &record.servers {
        let process = server.process.as_ref().context("a server does not run")?;
        servers = servers.saturating_add(processor_time(process)?);
    }
    let requestor = record.requestor.process.as_ref();
    let requestor = requestor.context("the requestor does not run")?;
    Ok((servers, processor_time(requestor)?))
}

/// On all cores: nothing else is measured now.
fn verify_all(lab: &Lab, answered: &Answered) -> anyhow::Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let some = answered.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let threads: Vec<_> = answered
            .chunks(some)
            .map(|some| {
                scope.spawn(move || {
                    for (sample, answer) in some {
                        verify_answer(lab.network(), &sample.key, &sample.body, answer)
                            .with_context(|| format!("key {}", sample.key))?;
                    }
                    Ok::<(), anyhow::Error>(())
                })
            })
            .collect();
        for thread in threads {
            let verified = thread.join();
            verified.map_err(|_| anyhow::anyhow!("a verification failed unexpectedly"))??;
        }
        Ok(())
    })
}

const WARM_UP: usize = 20;
const WARM_UP_BURSTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(15);
