//! Fuzzes [`symbolon_fuzz::card`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::card::check(data));
