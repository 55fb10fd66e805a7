//! Fuzzes [`symbolon_fuzz::interchange`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::interchange::check(data));
