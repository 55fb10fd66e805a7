//! Whether a member signs, and whose partial signatures a requestor combines; pure, no I/O.
