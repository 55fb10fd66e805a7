//! Fuzzes [`symbolon_fuzz::text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::text::check(data));
