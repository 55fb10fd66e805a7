//! Fuzz targets: one module for each decoder, or family of decoders, that reads foreign bytes.
//!
//! Each module has `check`, which must hold for any bytes, `seeds`, from which the fuzzer starts,
//! and `MAX_LEN`, the longest input that is tried. A `check` asserts more than the absence of
//! panics: what is accepted is written again as the same bytes, or means the same when it is read
//! again, and what only a key's holder can make is never accepted from anybody else.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod envelope;
mod fixture;
mod reader;

/// An input to start from, and the name of its file.
pub type Seed = (&'static str, Vec<u8>);

/// One fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the module, the program and the folder of its seeds.
    pub name: &'static str,
    /// The longest input that is tried, in bytes.
    pub max_len: usize,
    /// Its seeds, always the same.
    pub seeds: fn() -> Vec<Seed>,
}

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(pub mod $name;)+

        /// Every target.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            max_len: $name::MAX_LEN,
            seeds: $name::seeds,
        }),+];
    };
}

targets! {
    admin,
    audit,
    card,
    ceremony,
    duty,
    evidence,
    interchange,
    journal,
    keystore,
    network_config,
    partials,
    participant,
    permissions,
    points,
    roster,
    sealed,
    session,
    sign_request,
    text,
    worker,
}
