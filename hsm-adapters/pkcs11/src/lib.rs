//! Any PKCS#11 module behind the device trait.
