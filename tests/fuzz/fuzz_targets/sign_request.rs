//! Fuzzes [`symbolon_fuzz::sign_request`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| symbolon_fuzz::sign_request::check(data));
