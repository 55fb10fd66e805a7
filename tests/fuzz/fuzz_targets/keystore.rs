//! Fuzzes [`symbolon_fuzz::keystore`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::keystore::check(data));
