//! The Web3Signer HTTP bodies as bytes: parsed into duties, rendered as answers; pure, no I/O.
