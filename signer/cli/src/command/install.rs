//! `symbolon roster install`: puts a roster into a server's or requestor's folder.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use symbolon_protocol::roster::RosterChain;
use symbolon_protocol::words;

use crate::cluster::MAX_ROSTER_CHAIN;
use crate::{input, output};

/// Put a roster into a server's or requestor's folder, and pin it there.
#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The folder with server.toml or requestor.toml.
    #[arg(long)]
    into: PathBuf,
    /// The roster chain (roster.cbor).
    #[arg(long)]
    from: PathBuf,
    /// The first roster's hash as people compared it; needed the first time.
    #[arg(long)]
    pin: Option<String>,
}

impl Install {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let path = ["server.toml", "requestor.toml"]
            .iter()
            .map(|name| self.into.join(name))
            .find(|path| path.exists())
            .with_context(|| {
                format!(
                    "{} holds neither server.toml nor requestor.toml",
                    self.into.display()
                )
            })?;
        let text = input::text(&path, 256 * 1024)?;
        let settings: toml::Table =
            toml::from_str(&text).with_context(|| format!("{} does not parse", path.display()))?;
        let string = |key: &str| settings.get(key).and_then(toml::Value::as_str);
        let network = string("network").context("the configuration names no network")?;
        let network = match symbolon_duties::Network::named(network) {
            Some(network) => network,
            None => input::network(&self.into.join(network).to_string_lossy())?,
        };
        let old = string("roster_pin");
        let pin = match (old, &self.pin) {
            (Some(old), Some(new)) if old != new => {
                bail!(
                    "this folder is pinned to {old}; a pin is never changed, a new cluster has a new folder"
                );
            }
            (Some(old), _) => old.to_owned(),
            (None, Some(new)) => new.clone(),
            (None, None) => bail!("give the first roster's hash with --pin, as people compared it"),
        };
        let mut hash = [0; 32];
        hex::decode_to_slice(&pin, &mut hash)
            .with_context(|| format!("the pin {pin:?} is not 64 hexadecimal digits"))?;
        let bytes = input::bytes(&self.from, MAX_ROSTER_CHAIN)?;
        let chain = RosterChain::from_bytes(input::network_id(&network), &bytes, Some(&hash))
            .with_context(|| format!("{} is refused", self.from.display()))?;
        let target = self.into.join(string("roster").unwrap_or("roster.cbor"));
        symbolon_daemon::files::write_atomic(&target, &bytes)
            .with_context(|| format!("cannot write {}", target.display()))?;
        if old.is_none() {
            let pinned = pin_into(&text, &pin);
            symbolon_daemon::files::write_atomic(&path, pinned.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        output::print(&format!(
            "{}\n  roster {} of {}, words of the pin: {}\n",
            target.display(),
            chain.current().number,
            chain.current().name,
            words(&hash, 8),
        ))
    }
}

/// Puts the pin where the comment holds its place, else before the first section.
fn pin_into(text: &str, pin: &str) -> String {
    let line = format!("roster_pin = \"{pin}\"");
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter().position(|old| old.starts_with("# roster_pin")) {
        Some(at) => {
            if let Some(old) = lines.get_mut(at) {
                *old = &line;
            }
        }
        None => {
            let at = lines
                .iter()
                .position(|old| old.starts_with('['))
                .unwrap_or(lines.len());
            lines.insert(at, &line);
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_takes_the_place_of_its_comment_or_stands_before_the_sections() {
        let with = pin_into("a = 1\n# roster_pin = \"...\"\n[hsm]\n", "ab");
        assert_eq!(with, "a = 1\nroster_pin = \"ab\"\n[hsm]\n");
        let without = pin_into("a = 1\n[hsm]\nb = 2\n", "ab");
        assert_eq!(without, "a = 1\nroster_pin = \"ab\"\n[hsm]\nb = 2\n");
    }
}
