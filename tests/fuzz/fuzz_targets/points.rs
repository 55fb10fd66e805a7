//! Fuzzes [`symbolon_fuzz::points`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::points::check(data));
