//! `symbolon-lab`: clusters in a box, faults, demos.
#![forbid(unsafe_code)]

fn main() {}
