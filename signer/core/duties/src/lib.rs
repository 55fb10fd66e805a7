//! Every Ethereum message that may be signed: its root, its domain, and when it is slashable; pure, no I/O.
