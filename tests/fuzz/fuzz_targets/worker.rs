//! Fuzzes [`symbolon_fuzz::worker`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::worker::check(data));
