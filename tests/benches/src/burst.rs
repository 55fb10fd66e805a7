//! Bursts: many keys sign the same vote at once.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use symbolon_duties::ValidatorPublicKey;
use symbolon_lab::{Answer, Sample};

use crate::requests::Votes;
use crate::wire::{Wire, request_bytes};

/// What came back, to be verified when the clock does not run any more.
pub(crate) type Answered = Vec<(Sample, Answer)>;

/// One warm connection for each key.
pub(crate) struct Bursts<'a> {
    address: SocketAddr,
    keys: &'a [ValidatorPublicKey],
    wires: Vec<Wire>,
}

impl<'a> Bursts<'a> {
    pub(crate) fn open(
        address: SocketAddr,
        keys: &'a [ValidatorPublicKey],
    ) -> anyhow::Result<Self> {
        let wires = keys.iter().map(|_| Wire::open(address));
        Ok(Self {
            address,
            keys,
            wires: wires.collect::<Result<_, _>>()?,
        })
    }

    /// Time from before the first request is written until the last answer is read.
    pub(crate) fn one(
        &mut self,
        votes: &Votes<'_>,
        answered: &mut Answered,
    ) -> anyhow::Result<Duration> {
        let samples = votes.next(self.keys)?;
        let requests: Vec<Vec<u8>> = samples
            .iter()
            .map(|sample| request_bytes(sample, self.address))
            .collect();
        thread::sleep(PAUSE);
        let mut answers = Vec::with_capacity(samples.len());
        let began = Instant::now();
        for (wire, request) in self.wires.iter_mut().zip(&requests) {
            wire.send(request)?;
        }
        for wire in &mut self.wires {
            answers.push(wire.receive()?);
        }
        let took = began.elapsed();
        answered.extend(samples.into_iter().zip(answers));
        Ok(took)
    }
}

/// Until everything of the burst before is over, also at servers whose answer was not needed.
const PAUSE: Duration = Duration::from_millis(250);
