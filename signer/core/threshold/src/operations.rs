//! Exact counts of costly operations, free of noise.

use std::cell::Cell;

/// How often a thread did what costs time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Operations {
    /// Messages hashed to G2 (155 us each).
    pub hashes: u64,
    /// Miller loops (220 us each, 105 us in company).
    pub miller_loops: u64,
    /// Final exponentiations (290 us each).
    pub final_exponentiations: u64,
    /// Tables of multiples made (0.9 to 1.3 ms each).
    pub tables: u64,
}

thread_local! {
    static TOTAL: Cell<Operations> = const {
        Cell::new(Operations { hashes: 0, miller_loops: 0, final_exponentiations: 0, tables: 0 })
    };
}

impl Operations {
    /// What this thread did since it started.
    #[must_use]
    pub fn of_this_thread() -> Self {
        TOTAL.get()
    }

    /// What this thread does in `work`, and the result.
    pub fn during<R>(work: impl FnOnce() -> R) -> (Self, R) {
        let before = Self::of_this_thread();
        let result = work();
        let after = Self::of_this_thread();
        let spent = Self {
            hashes: after.hashes - before.hashes,
            miller_loops: after.miller_loops - before.miller_loops,
            final_exponentiations: after.final_exponentiations - before.final_exponentiations,
            tables: after.tables - before.tables,
        };
        (spent, result)
    }
}

pub(crate) fn count_hashes(number: u64) {
    update(|total| total.hashes += number);
}

pub(crate) fn count_miller_loops(number: u64) {
    update(|total| total.miller_loops += number);
}

/// A final exponentiation after so many Miller loops.
pub(crate) fn count_equation(miller_loops: u64) {
    update(|total| {
        total.miller_loops += miller_loops;
        total.final_exponentiations += 1;
    });
}

pub(crate) fn count_tables(number: u64) {
    update(|total| total.tables += number);
}

fn update(change: impl FnOnce(&mut Operations)) {
    let mut total = TOTAL.get();
    change(&mut total);
    TOTAL.set(total);
}

#[cfg(test)]
mod tests;
