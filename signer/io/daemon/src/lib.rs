//! The same start, stop, settings, logs and metrics for every program.
