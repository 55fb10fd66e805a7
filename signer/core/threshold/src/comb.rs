//! Many signatures over one root: a table of its multiples instead of doublings.

mod digit;

use std::fmt;

use blst::{blst_p2, blst_p2_affine};

use crate::bls::affine::{Adder, SecretPoints};
use crate::bls::mask::{Mask, wipe, wipe_point};
use crate::bls::pairing;
use crate::bls::raw::{self, fp2};
use crate::hashed_root::HashedRoot;
use crate::operations;
use crate::partial::PartialSignature;
use crate::share::SecretShare;
use digit::{Digit, digits};

/// Multiples k 2^(wj) H of a hashed root H, for each digit position j and k in 1..=2^(w-1).
///
/// Signing takes one addition a digit and no doubling. The table is public; which of its entries
/// are used is secret, so each lookup reads a whole row and masks choose. Batches add all their
/// points position by position, which shares one field inversion.
#[derive(Clone)]
pub struct CombTable {
    width: CombWidth,
    /// Row after row, each of `width.entries()` points.
    entries: Box<[blst_p2_affine]>,
}

/// Bits a digit: wider digits make larger tables and faster signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CombWidth {
    /// 52 rows of 16 points, 156 KiB: 0.9 ms to make.
    Five,
    /// 43 rows of 32 points, 258 KiB: 1.4 ms to make.
    Six,
}

impl CombWidth {
    /// The width that makes a batch of `count` signatures cheapest, table included; `None` when
    /// no table pays.
    #[must_use]
    pub const fn for_batch(count: usize) -> Option<Self> {
        match count {
            0..FIVE_FROM => None,
            FIVE_FROM..SIX_FROM => Some(Self::Five),
            _ => Some(Self::Six),
        }
    }

    const fn bits(self) -> u32 {
        match self {
            Self::Five => 5,
            Self::Six => 6,
        }
    }

    /// Points in a row.
    const fn entries(self) -> usize {
        1 << (self.bits() - 1)
    }

    const fn rows(self) -> usize {
        digits(self.bits()) as usize
    }
}

impl CombTable {
    /// Computes the table.
    #[must_use]
    pub fn new(root: &HashedRoot, width: CombWidth) -> Self {
        operations::count_tables(1);
        let row = width.entries();
        let mut entries = vec![blst_p2_affine::default(); width.rows() * row].into_boxed_slice();
        let bases = bases(root.point(), width);
        for (first, base) in entries.iter_mut().step_by(row).zip(bases) {
            *first = base;
        }
        let mut adder = Adder::new(CHUNK);
        let mut known = 1;
        while known < row {
            for rows in entries.chunks_mut(row * (CHUNK / known)) {
                double_known(rows.chunks_exact_mut(row), known, &mut adder);
            }
            known *= 2;
        }
        Self { width, entries }
    }

    /// The width that it was made with.
    #[must_use]
    pub fn width(&self) -> CombWidth {
        self.width
    }

    /// Signs the table's root in constant time, in 67 to 77 us where blst takes 180.
    #[must_use]
    pub fn sign(&self, share: &SecretShare) -> PartialSignature {
        PartialSignature::from_raw(share.index(), self.multiply(share))
    }

    /// Signs the table's root with many shares in constant time, in 40 to 50 us each where blst
    /// takes 180; the partials are in the order of the shares.
    #[must_use]
    pub fn sign_batch(&self, shares: &[&SecretShare]) -> Vec<PartialSignature> {
        let points: Vec<_> = if shares.len() < SHARED_INVERSION_FROM {
            shares.iter().map(|share| self.multiply(share)).collect()
        } else {
            let chunks = shares.chunks(CHUNK);
            chunks
                .flat_map(|shares| self.multiply_all(shares))
                .collect()
        };
        let partials = shares.iter().zip(points);
        partials
            .map(|(share, point)| PartialSignature::from_raw(share.index(), point))
            .collect()
    }

    /// In Jacobian coordinates: a field inversion at the end only.
    fn multiply(&self, share: &SecretShare) -> blst_p2_affine {
        let mut sum = blst_p2::default();
        let mut addend = blst_p2_affine::default();
        for (position, row) in self.rows() {
            self.lookup(position, row, share, &mut addend);
            raw::p2_add_affine_assign(&mut sum, &addend);
        }
        let product = pairing::p2_normalised(&sum);
        // The third coordinate tells more of the secret than the product does.
        for coordinate in [&mut sum.x, &mut sum.y, &mut sum.z] {
            wipe(coordinate);
        }
        wipe_point(&mut addend);
        product
    }

    /// In affine coordinates: a field inversion for each digit position.
    fn multiply_all(&self, shares: &[&SecretShare]) -> Vec<blst_p2_affine> {
        let mut sums = SecretPoints::infinite(shares.len());
        let mut addends = SecretPoints::infinite(shares.len());
        let mut adder = Adder::new(shares.len());
        for (position, row) in self.rows() {
            for (addend, share) in addends.as_mut_slice().iter_mut().zip(shares) {
                self.lookup(position, row, share, addend);
            }
            adder.add(sums.as_mut_slice(), addends.as_slice());
        }
        sums.publish()
    }

    /// The multiple of the row's base by the share's digit, infinity for zero.
    ///
    /// Reads the whole row, whatever the digit is.
    #[inline]
    fn lookup(
        &self,
        position: u32,
        row: &[blst_p2_affine],
        share: &SecretShare,
        found: &mut blst_p2_affine,
    ) {
        let scalar = share.scalar();
        let digit = scalar.expose(|secret| Digit::of(secret, position, self.width.bits()));
        *found = blst_p2_affine::default();
        for (multiple, entry) in (1..).zip(row) {
            Mask::equal(multiple, digit.magnitude).merge_point(found, entry);
        }
        let mut negated = fp2::neg(&found.y);
        digit.negative().replace(&mut found.y, &negated);
        wipe(&mut negated);
    }

    fn rows(&self) -> impl Iterator<Item = (u32, &[blst_p2_affine])> {
        (0..).zip(self.entries.chunks_exact(self.width.entries()))
    }
}

/// Extends rows of the multiples 1 to `known` up to 2 `known`: those known plus the last of them.
fn double_known<'a>(
    rows: impl Iterator<Item = &'a mut [blst_p2_affine]>,
    known: usize,
    adder: &mut Adder,
) {
    let (rows, next): (Vec<_>, Vec<_>) = rows.map(|row| row.split_at_mut(known)).unzip();
    let last = rows.iter().filter_map(|row| row.last());
    let addends: Vec<_> = last
        .flat_map(|last| std::iter::repeat_n(*last, known))
        .collect();
    let mut sums: Vec<_> = rows.iter().flat_map(|row| row.iter().copied()).collect();
    adder.add(&mut sums, &addends);
    for (next, sums) in next.into_iter().zip(sums.chunks_exact(known)) {
        next.iter_mut()
            .zip(sums)
            .for_each(|(next, sum)| *next = *sum);
    }
}

/// 2^(wj) times the point, for each row j.
fn bases(point: &blst_p2, width: CombWidth) -> Vec<blst_p2_affine> {
    let mut base = *point;
    let mut bases = vec![base];
    for _ in 1..width.rows() {
        base = (0..width.bits()).fold(base, |base, _| raw::p2_double(&base));
        bases.push(base);
    }
    pairing::p2_batch_affine(&bases)
}

impl fmt::Debug for CombTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CombTable")
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

// The three limits are where the rows of minima in tests/benches/RESULTS.md cross.

/// Fewer signatures than this are cheaper by blst's multiplication than by a new table.
const FIVE_FROM: usize = 9;

/// As many signatures pay for the wider table.
const SIX_FROM: usize = 80;

/// From as many signatures on, an inversion for each digit position is cheaper than Jacobian
/// coordinates.
const SHARED_INVERSION_FROM: usize = 6;

/// Additions that share an inversion at most: what they need stays in a core's own cache.
const CHUNK: usize = 256;
