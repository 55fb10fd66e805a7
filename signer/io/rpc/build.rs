//! Compiles the protocol without a system `protoc`.
#![allow(
    clippy::expect_used,
    reason = "a build script stops the build by failing"
)]

use std::path::PathBuf;

use prost::Message as _;

fn main() {
    println!("cargo::rerun-if-changed=proto");
    let descriptors =
        protox::compile(["symbolon.proto"], ["proto"]).expect("proto/symbolon.proto compiles");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("symbolon.bin"), descriptors.encode_to_vec())
        .expect("the descriptor set can be written");
    tonic_prost_build::configure()
        .bytes(".")
        .compile_fds(descriptors)
        .expect("the services can be generated");
}
