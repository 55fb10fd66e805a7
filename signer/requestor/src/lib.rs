//! The requestor: speaks the Web3Signer interface, combines and verifies partial signatures.
