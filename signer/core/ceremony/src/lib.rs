//! Key ceremonies as machines that only take and return values; pure, no I/O.
