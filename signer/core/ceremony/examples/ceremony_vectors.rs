//! Writes the vectors of `tests/vectors/ceremony`: `cargo run -p symbolon-ceremony --example
//! ceremony_vectors`. The test `vectors` compares them with what the code makes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> std::io::Result<()> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/ceremony"
    );
    std::fs::create_dir_all(folder)?;
    for (name, text) in support::vectors::all() {
        std::fs::write(format!("{folder}/{name}"), &text)?;
        println!("{name}: {} bytes", text.len());
    }
    Ok(())
}
