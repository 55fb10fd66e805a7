//! The same start, stop, settings, logs and metrics for every program.
#![forbid(unsafe_code)]

pub mod files;
