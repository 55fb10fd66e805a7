//! EIP-2335 keystores: bounded parsing, scrypt and PBKDF2, checksum, decryption; pure, no I/O.
