//! A software device with a fault plan, for tests; never for production.
