//! A network from a consensus configuration file (`config.yaml`), as every client takes one, with
//! two keys more: `GENESIS_VALIDATORS_ROOT` (required) and `GENESIS_TIME` (optional).

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::{ForkName, Network, Preset, ScheduledFork};
use crate::units::{Epoch, ForkVersion, Root};

/// The largest configuration that is read, in bytes.
pub const MAX_CONFIG_BYTES: usize = 256 * 1024;

/// Why a configuration gives no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is too large to be a consensus configuration.
    #[error("the configuration has {got} bytes, more than the {MAX_CONFIG_BYTES} allowed")]
    TooLarge {
        /// Its size in bytes.
        got: usize,
    },
    /// The file is not YAML, or a key that is needed has no plain value.
    #[error("the configuration is not a YAML mapping of keys to values")]
    Yaml(#[source] serde_norway::Error),
    /// A needed key is not there.
    #[error("{key} is missing; add it to the configuration")]
    Missing {
        /// The key.
        key: String,
    },
    /// A key has a value that it cannot have.
    #[error("{key} (line {line}): expected {expected}, got {got:?}")]
    Value {
        /// The key.
        key: String,
        /// The line of the file, from 1.
        line: usize,
        /// What would be right.
        expected: &'static str,
        /// The value found, cut to a readable length.
        got: String,
    },
    /// A fork is scheduled before the one that it builds on, or that one is not scheduled.
    #[error(
        "{key} (line {line}): {fork} cannot start before {before}; \
         give the forks epochs that never fall"
    )]
    ForkOrder {
        /// The key of the fork's epoch.
        key: String,
        /// The line of the file, from 1.
        line: usize,
        /// The fork.
        fork: ForkName,
        /// The fork before it.
        before: ForkName,
    },
}

impl Network {
    /// Reads a consensus configuration; keys that say nothing about signing are left alone.
    ///
    /// A fork without an epoch, or with the far future epoch (2^64 - 1), is not scheduled: its
    /// version is not accepted. The genesis time comes from `GENESIS_TIME` alone, because the real
    /// one differs from `MIN_GENESIS_TIME + GENESIS_DELAY` on real networks; absent or 0 means
    /// unknown.
    ///
    /// # Errors
    ///
    /// A file that is too large or not a YAML mapping; a missing key; a value of the wrong form,
    /// with key and line; forks out of order.
    pub fn from_config_yaml(text: &str) -> Result<Self, ConfigError> {
        if text.len() > MAX_CONFIG_BYTES {
            return Err(ConfigError::TooLarge { got: text.len() });
        }
        let values: Values = serde_norway::from_str(text).map_err(ConfigError::Yaml)?;
        let config = Config {
            text,
            values: values.0,
        };
        let genesis_fork_version = config.required("GENESIS_FORK_VERSION", VERSION)?;
        let genesis_validators_root = config.required("GENESIS_VALIDATORS_ROOT", ROOT)?;
        if genesis_validators_root == Root([0; 32]) {
            return Err(config.refused("GENESIS_VALIDATORS_ROOT", "a root other than zero"));
        }
        Ok(Self {
            name: config
                .optional("CONFIG_NAME", "text")?
                .unwrap_or_else(|| "custom".to_owned()),
            preset: config.preset()?,
            seconds_per_slot: config.seconds_per_slot()?,
            genesis_time: config
                .optional("GENESIS_TIME", NUMBER)?
                .filter(|time| *time != 0),
            genesis_fork_version,
            genesis_validators_root,
            forks: config.forks(genesis_fork_version)?,
            deposit_chain_id: config.optional("DEPOSIT_CHAIN_ID", NUMBER)?,
        })
    }
}

/// The values of the keys that matter, as they are written.
struct Config<'a> {
    text: &'a str,
    values: BTreeMap<String, String>,
}

impl Config<'_> {
    fn optional<T: FromStr>(
        &self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.values.get(key) else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|_| self.refused(key, expected))
    }

    fn required<T: FromStr>(&self, key: &str, expected: &'static str) -> Result<T, ConfigError> {
        let value = self.optional(key, expected)?;
        value.ok_or_else(|| ConfigError::Missing {
            key: key.to_owned(),
        })
    }

    fn preset(&self) -> Result<Preset, ConfigError> {
        match self.required::<String>("PRESET_BASE", "text")?.as_str() {
            "mainnet" => Ok(Preset::Mainnet),
            "minimal" => Ok(Preset::Minimal),
            _ => Err(self.refused("PRESET_BASE", "mainnet or minimal")),
        }
    }

    /// `SLOT_DURATION_MS` of newer files, `SECONDS_PER_SLOT` of older ones; both must agree.
    fn seconds_per_slot(&self) -> Result<u64, ConfigError> {
        let seconds: Option<u64> = self.optional("SECONDS_PER_SLOT", NUMBER)?;
        let milliseconds: Option<u64> = self.optional("SLOT_DURATION_MS", NUMBER)?;
        if seconds == Some(0) {
            return Err(self.refused("SECONDS_PER_SLOT", "a number of seconds above 0"));
        }
        let Some(milliseconds) = milliseconds else {
            let missing = || ConfigError::Missing {
                key: "SECONDS_PER_SLOT".to_owned(),
            };
            return seconds.ok_or_else(missing);
        };
        if milliseconds == 0 || milliseconds % 1000 != 0 {
            return Err(self.refused("SLOT_DURATION_MS", "whole seconds above 0"));
        }
        match seconds {
            Some(seconds) if seconds != milliseconds / 1000 => {
                Err(self.refused("SLOT_DURATION_MS", "1000 times SECONDS_PER_SLOT"))
            }
            _ => Ok(milliseconds / 1000),
        }
    }

    fn forks(&self, genesis: ForkVersion) -> Result<Vec<ScheduledFork>, ConfigError> {
        let mut before = ScheduledFork {
            name: ForkName::Phase0,
            version: genesis,
            epoch: Epoch(0),
        };
        let mut forks = vec![before];
        let mut gap = None;
        for name in ForkName::ALL.into_iter().skip(1) {
            let key = epoch_key(name);
            let epoch = self
                .optional(&key, NUMBER)?
                .filter(|epoch| *epoch != FAR_FUTURE);
            let Some(epoch) = epoch.map(Epoch) else {
                gap = gap.or(Some(name));
                continue;
            };
            let version = self.required(&version_key(name), VERSION)?;
            if gap.is_some() || epoch < before.epoch {
                let line = line_of(self.text, &key);
                let before = gap.unwrap_or(before.name);
                return Err(ConfigError::ForkOrder {
                    key,
                    line,
                    fork: name,
                    before,
                });
            }
            before = ScheduledFork {
                name,
                version,
                epoch,
            };
            forks.push(before);
        }
        Ok(forks)
    }

    fn refused(&self, key: &str, expected: &'static str) -> ConfigError {
        let got = self
            .values
            .get(key)
            .map(|value| value.chars().take(80).collect());
        ConfigError::Value {
            key: key.to_owned(),
            line: line_of(self.text, key),
            expected,
            got: got.unwrap_or_default(),
        }
    }
}

/// Keeps the plain values of known keys as written: read as numbers, fork versions would lose their
/// leading zeros.
struct Values(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mapping;

        impl<'de> Visitor<'de> for Mapping {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of keys to values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut values = BTreeMap::<String, String>::new();
                while let Some(key) = map.next_key::<String>()? {
                    if !is_known(&key) {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    match values.entry(key) {
                        Entry::Vacant(entry) => entry.insert(map.next_value()?),
                        Entry::Occupied(entry) => {
                            let key = entry.key();
                            return Err(A::Error::custom(format_args!("{key} is there twice")));
                        }
                    };
                }
                Ok(Values(values))
            }
        }

        deserializer.deserialize_map(Mapping)
    }
}

fn is_known(key: &str) -> bool {
    let fork_key = |name| key == version_key(name) || key == epoch_key(name);
    KEYS.contains(&key) || ForkName::ALL.into_iter().skip(1).any(fork_key)
}

fn version_key(name: ForkName) -> String {
    format!("{name}_FORK_VERSION")
}

fn epoch_key(name: ForkName) -> String {
    format!("{name}_FORK_EPOCH")
}

/// The line on which a key stands, from 1; 0 if it is written in an unusual way.
fn line_of(text: &str, key: &str) -> usize {
    let stands_here = |line: &str| {
        let line = line.trim_start().trim_start_matches(['"', '\'']);
        let rest = line
            .strip_prefix(key)
            .map(|rest| rest.trim_start_matches(['"', '\'']));
        rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    text.lines()
        .position(stands_here)
        .map_or(0, |index| index.saturating_add(1))
}

const KEYS: [&str; 8] = [
    "PRESET_BASE",
    "CONFIG_NAME",
    "SECONDS_PER_SLOT",
    "SLOT_DURATION_MS",
    "GENESIS_TIME",
    "GENESIS_FORK_VERSION",
    "GENESIS_VALIDATORS_ROOT",
    "DEPOSIT_CHAIN_ID",
];
/// `FAR_FUTURE_EPOCH`.
const FAR_FUTURE: u64 = u64::MAX;
const NUMBER: &str = "a whole number below 2^64";
const VERSION: &str = "0x and 8 hexadecimal digits";
const ROOT: &str = "0x and 64 hexadecimal digits";
