//! The pages of ten thousand shares: locked, out of dumps, out of children, and few.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::fs;

use symbolon_secmem::{Locked, unlocked_bytes};

#[test]
fn ten_thousand_shares_fit_the_default_lock_limit() {
    let before = Pages::read();
    let shares: Vec<Locked<32>> = (0..10_000)
        .map(|n: u32| Locked::init_with(|bytes| bytes[..4].copy_from_slice(&n.to_be_bytes())))
        .collect();
    let after = Pages::read();

    assert_eq!(
        unlocked_bytes(),
        0,
        "RLIMIT_MEMLOCK is too low for 10,000 shares"
    );
    let locked = after.locked_kib - before.locked_kib;
    assert!(
        (10_000 * 32 / 1024..1024).contains(&locked),
        "{locked} KiB locked"
    );
    assert!(
        after.sealed_kib - before.sealed_kib >= locked,
        "pages not kept out of dumps and children"
    );
    for (n, share) in shares.iter().enumerate() {
        share.expose(|bytes| assert_eq!(bytes[..4], (n as u32).to_be_bytes()));
    }
}

/// KiB of this process's mappings that are locked, and of those never dumped and never inherited.
struct Pages {
    locked_kib: usize,
    sealed_kib: usize,
}

impl Pages {
    fn read() -> Self {
        let mut pages = Self {
            locked_kib: 0,
            sealed_kib: 0,
        };
        let mut kib = 0;
        for line in fs::read_to_string("/proc/self/smaps").unwrap().lines() {
            if let Some(size) = line.strip_prefix("Size:") {
                kib = size.trim().strip_suffix(" kB").unwrap().parse().unwrap();
            } else if let Some(flags) = line.strip_prefix("VmFlags:") {
                let flags: Vec<&str> = flags.split_whitespace().collect();
                let has = |flag| flags.contains(&flag);
                pages.locked_kib += if has("lo") { kib } else { 0 };
                pages.sealed_kib += if has("lo") && has("dd") && has("dc") {
                    kib
                } else {
                    0
                };
            }
        }
        pages
    }
}
