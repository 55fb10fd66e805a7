//! Writes the seeds of every target below a folder and prints each target with its longest input.
#![no_main]

use std::io::Write;
use std::path::Path;
use std::{env, fs, io, process};

// In the shape of a fuzz target, because only those link the runtime that coverage calls.
libfuzzer_sys::fuzz_target!(
    init: end(write_all()),
    |_data: &[u8]| ()
);

fn end(result: io::Result<()>) {
    if let Err(error) = result {
        eprintln!("seeds: {error}");
        process::exit(1);
    }
    process::exit(0);
}

fn write_all() -> io::Result<()> {
    let folder = env::args_os()
        .nth(1)
        .ok_or_else(|| io::Error::other("usage: seeds FOLDER"))?;
    let mut out = io::stdout();
    for target in symbolon_fuzz::TARGETS {
        let folder = Path::new(&folder).join(target.name);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in (target.seeds)() {
            fs::write(folder.join(name), bytes)?;
        }
        writeln!(out, "{} {}", target.name, target.max_len)?;
    }
    out.flush()
}
