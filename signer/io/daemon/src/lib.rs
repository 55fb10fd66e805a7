//! The same start, stop, settings, logs and metrics for every program.
//!
//! | module | for |
//! | --- | --- |
//! | [`settings`] | one TOML file, unknown keys refused, errors with file, line and key |
//! | [`files`] | bounded reading, atomic writing, keys that only their owner may read |
//! | [`hardening`] | no core dumps, no debugger, private files |
//! | [`telemetry`] | logs on stderr, as text or JSON |
//! | [`health`], [`status`] | what works and what does not; `/metrics`, `/livez`, `/readyz` |
//! | [`shutdown`], [`reload`] | SIGTERM, SIGINT, SIGHUP |
//!
//! A program calls [`hardening::harden`] first, before it reads anything secret.

#![forbid(unsafe_code)]

pub mod files;
pub mod hardening;
pub mod health;
pub mod reload;
pub mod settings;
pub mod shutdown;
pub mod status;
pub mod telemetry;
