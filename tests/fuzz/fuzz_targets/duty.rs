//! Fuzzes [`symbolon_fuzz::duty`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::duty::check(data));
