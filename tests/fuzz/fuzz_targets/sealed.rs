//! Fuzzes [`symbolon_fuzz::sealed`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::sealed::check(data));
