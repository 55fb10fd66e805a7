//! Fuzzes [`symbolon_fuzz::permissions`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::permissions::check(data));
