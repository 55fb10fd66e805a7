//! One hot path each run, for `tests/benches/instructions/run` to count its instructions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program"
)]

mod burst;

use std::hint::black_box;

use burst::Burst;
use symbolon_threshold::{
    BatchItem, Combined, GroupPublicKey, HashedRoot, PartialSignature, SecretShare, Signature,
    check_batch, sign_batch,
};

fn main() {
    let case = std::env::args().nth(1).unwrap_or_default();
    let root = HashedRoot::new(&[7; 32]);
    match case.as_str() {
        "features" => println!("{}", features()),
        "sign_batch_313" => {
            let burst = Burst::new(313);
            assert_eq!(counted_sign_batch(&burst.shares[0], &root).len(), 313);
        }
        "check_batch_313" => {
            let burst = Burst::new(313);
            let combined = burst.combined(&burst.partials(&root));
            let keys = burst.keys.iter().zip(&combined);
            let items: Vec<_> = keys.map(|(key, combined)| (key, &root, combined)).collect();
            assert_eq!(counted_check_batch(&items).len(), 313);
        }
        "verify_1" => {
            let burst = Burst::new(1);
            let combined = burst.combined(&burst.partials(&root));
            black_box(counted_verify(&burst.keys[0], &root, &combined[0]));
        }
        _ => panic!("no such case: {case:?}"),
    }
}

// Callgrind counts inside functions named counted_*.

#[inline(never)]
fn counted_sign_batch(shares: &[SecretShare], root: &HashedRoot) -> Vec<PartialSignature> {
    sign_batch(black_box(shares), black_box(root))
}

#[inline(never)]
fn counted_check_batch(items: &[BatchItem<'_>]) -> Vec<Signature> {
    check_batch(black_box(items), [9; 32]).unwrap()
}

#[inline(never)]
fn counted_verify(key: &GroupPublicKey, root: &HashedRoot, combined: &Combined) -> Signature {
    black_box(combined).verify(key, root).unwrap()
}

/// What blst chooses its code by; valgrind answers for a machine of its own.
#[cfg(target_arch = "x86_64")]
fn features() -> String {
    let adx = std::arch::is_x86_feature_detected!("adx");
    let sha = std::arch::is_x86_feature_detected!("sha");
    format!("x86_64,adx={adx},sha={sha}")
}

#[cfg(target_arch = "aarch64")]
fn features() -> String {
    format!(
        "aarch64,sha2={}",
        std::arch::is_aarch64_feature_detected!("sha2")
    )
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> String {
    std::env::consts::ARCH.to_owned()
}
