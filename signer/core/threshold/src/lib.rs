//! Splits, verifies, partially signs and combines BLS12-381 signatures; pure, no I/O.
