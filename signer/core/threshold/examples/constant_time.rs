//! Signs with secrets that valgrind's memcheck takes for uninitialised memory.
//!
//! Memcheck then reports every branch and every address that depends on a secret: Langley's
//! ctgrind. `tests/benches/constant-time/run` starts this and judges the reports. Started without
//! valgrind it refuses, since it would show nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program"
)]

mod memcheck;

use std::hint::black_box;
use std::process::ExitCode;

use symbolon_threshold::{
    CombTable, CombWidth, HashedRoot, PartialSignature, SecretScalar, SecretShare, ShareIndex,
    sign_batch,
};

fn main() -> ExitCode {
    if !memcheck::present() {
        eprintln!(
            "constant_time: start me under valgrind, as tests/benches/constant-time/run does"
        );
        return ExitCode::from(2);
    }
    let case = std::env::args().nth(1).unwrap_or_default();
    let root = HashedRoot::new(&[7; 32]);
    match case.as_str() {
        "multiply" => check(&root, 2, |shares| {
            shares.iter().map(|share| share.sign(&root)).collect()
        }),
        "table-5" => check_table(&root, CombWidth::Five, 3),
        "table-6" => check_table(&root, CombWidth::Six, 3),
        "batch-5" => check_table(&root, CombWidth::Five, 20),
        "batch-6" => check_table(&root, CombWidth::Six, 20),
        "sign-batch" => check(&root, 12, |shares| {
            sign_batch(shares.iter().copied(), &root)
        }),
        // Two that must be reported, or the check sees nothing.
        "leak-branch" => check(&root, 1, |shares| {
            if shares[0].scalar().expose(|secret| secret[31] & 2 == 0) {
                println!("a bit of the secret is zero");
            }
            vec![shares[0].sign(&root)]
        }),
        "leak-address" => check(&root, 1, |shares| {
            let table: [u8; 256] = std::array::from_fn(|at| at as u8 ^ 0x5a);
            let at = shares[0].scalar().expose(|secret| black_box(secret[31]));
            black_box(black_box(&table)[usize::from(at)]);
            vec![shares[0].sign(&root)]
        }),
        _ => panic!("no such case: {case:?}"),
    }
    println!("{case}: done");
    ExitCode::SUCCESS
}

fn check_table(root: &HashedRoot, width: CombWidth, count: usize) {
    let table = CombTable::new(root, width);
    check(root, count, |shares| table.sign_batch(shares));
}

/// Signs with secrets in the open, then hidden; the partials must be the same.
fn check(root: &HashedRoot, count: usize, sign: impl Fn(&[&SecretShare]) -> Vec<PartialSignature>) {
    let shares: Vec<_> = (0..count as u8).map(share).collect();
    let expected: Vec<_> = shares.iter().map(|share| share.sign(root)).collect();
    for share in &shares {
        share
            .scalar()
            .expose(|secret| memcheck::hide(secret.as_slice()));
    }
    let partials = sign(&shares.iter().collect::<Vec<_>>());
    // Signatures are public.
    memcheck::show(&partials);
    assert_eq!(partials, expected);
    for share in &shares {
        share
            .scalar()
            .expose(|secret| memcheck::show(secret.as_slice()));
    }
}

/// Random digits, zero digits, small and large ones.
fn share(number: u8) -> SecretShare {
    let mut bytes: [u8; 32] = std::array::from_fn(|at| match number % 4 {
        0 => (at as u8)
            .wrapping_mul(83)
            .wrapping_add(number.wrapping_mul(151)),
        1 => 0,
        2 => 0xff,
        _ => 0x55,
    });
    bytes[0] &= 0x3f;
    bytes[31] |= 1;
    let scalar = SecretScalar::take_from(&mut bytes).unwrap();
    SecretShare::new(ShareIndex::try_from(u64::from(number) + 1).unwrap(), scalar)
}
