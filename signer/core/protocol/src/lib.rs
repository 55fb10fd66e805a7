//! Every message between parties as canonical, signed, versioned bytes; pure, no I/O.
