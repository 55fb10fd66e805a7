//! Fuzzes [`symbolon_fuzz::journal`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::journal::check(data));
