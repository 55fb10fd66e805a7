//! Fuzzes [`symbolon_fuzz::network_config`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::network_config::check(data));
