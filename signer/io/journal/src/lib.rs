//! A hash-chained, append-only log with group commit, snapshots and strict recovery.
