//! Slashing protection (EIP-3076): marks, the rules over them, and the interchange format; pure, no I/O.
