//! The threshold server: holds shares, answers with partial signatures.
