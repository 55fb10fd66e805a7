//! Smallest times of the hot paths, in microseconds, as a table for `tests/benches/RESULTS.md`.
//!
//! Time of this thread's own on a processor, not of the clock on the wall, and minima over rounds
//! that run everything once: other work on the machine then shows little. The argument is the
//! number of rounds, 60 unless given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program"
)]

mod burst;

use std::hint::black_box;
use std::time::Duration;

use burst::Burst;
use rustix::time::{ClockId, clock_gettime};
use symbolon_threshold::{
    BatchItem, CombTable, CombWidth, HashedRoot, RootSigner, SecretShare, Verification,
    check_batch, sign_batch,
};

const SIZES: [usize; 9] = [1, 4, 8, 9, 16, 32, 80, 313, 1000];

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(60, |rounds| rounds.parse().unwrap());
    let burst = Burst::new(1000);
    let root = HashedRoot::new(&[7; 32]);
    let partials = burst.partials(&root);
    let combined = burst.combined(&partials);
    let shares = &burst.shares[0];
    let references: Vec<&SecretShare> = shares.iter().collect();
    let tables = [CombWidth::Five, CombWidth::Six].map(|width| CombTable::new(&root, width));
    let plain = RootSigner::without_table(root.clone());
    let early = Verification::begin(&burst.keys[0], &root);
    let items: Vec<BatchItem<'_>> = burst
        .keys
        .iter()
        .zip(&combined)
        .map(|(key, combined)| (key, &root, combined))
        .collect();

    let mut minima = Minima::default();
    for _ in 0..rounds {
        minima.next_round();
        minima.time("hash to G2".into(), 1, || HashedRoot::new(&[7; 32]));
        minima.time("multiply as blst does".into(), 1, || shares[0].sign(&root));
        for table in &tables {
            let width = table.width();
            minima.time(format!("make a table, {width:?}"), 1, || {
                CombTable::new(&root, width)
            });
            minima.time(format!("one of a table, {width:?}"), 1, || {
                table.sign(references[0])
            });
            for size in SIZES {
                let name = format!("each of {size} of a table, {width:?}");
                minima.time(name, size, || table.sign_batch(&references[..size]));
            }
        }
        for size in SIZES {
            let name = format!("each of {size} of blst");
            minima.time(name, size, || plain.sign_batch(&shares[..size]));
            let name = format!("each of {size} of sign_batch, table included");
            minima.time(name, size, || sign_batch(&shares[..size], &root));
        }
        for size in [16, 313, 1000] {
            let name = format!("each of {size} of check_batch");
            minima.time(name, size, || check_batch(&items[..size], [9; 32]).unwrap());
        }
        minima.time("combine 3 of 5, each of 1000".into(), 1000, || {
            burst.combined(&partials)
        });
        minima.time("verify one, root hashed".into(), 1, || {
            combined[0].verify(&burst.keys[0], &root)
        });
        minima.time("begin a verification".into(), 1, || {
            Verification::begin(&burst.keys[0], &root)
        });
        minima.time("finish it".into(), 1, || early.finish(&combined[0]));
    }
    minima.print();
}

/// Smallest durations by name, in the order in which the names came.
#[derive(Default)]
struct Minima {
    rows: Vec<(String, Duration, usize)>,
    at: usize,
}

impl Minima {
    fn next_round(&mut self) {
        self.at = 0;
    }

    fn time<R>(&mut self, name: String, count: usize, work: impl FnOnce() -> R) {
        let start = own_time();
        black_box(work());
        let elapsed = own_time() - start;
        match self.rows.get_mut(self.at) {
            Some((_, smallest, _)) => *smallest = elapsed.min(*smallest),
            None => self.rows.push((name, elapsed, count)),
        }
        self.at += 1;
    }

    fn print(&self) {
        println!("| what | us |\n|---|---|");
        for (name, smallest, count) in &self.rows {
            let each = smallest.as_secs_f64() * 1e6 / *count as f64;
            println!("| {name} | {each:.1} |");
        }
    }
}

fn own_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}
