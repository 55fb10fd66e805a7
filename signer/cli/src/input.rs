//! Reading what commands are given: networks, bounded files, passphrases.

use std::path::Path;

use anyhow::{Context as _, bail};
use symbolon_duties::{MAX_CONFIG_BYTES, Network};
use symbolon_protocol::NetworkId;
use symbolon_secmem::SecretBytes;

/// Most bytes of a passphrase file.
const MAX_PASSPHRASE: u64 = 1024;

/// A network by its built-in name, or from a consensus `config.yaml` with
/// `GENESIS_VALIDATORS_ROOT`.
pub(crate) fn network(name_or_file: &str) -> anyhow::Result<Network> {
    if let Some(network) = Network::named(name_or_file) {
        return Ok(network);
    }
    let path = Path::new(name_or_file);
    if !path.exists() {
        bail!(
            "{name_or_file:?} is neither a known network (mainnet, hoodi, sepolia, holesky) nor a file"
        );
    }
    let text = text(path, MAX_CONFIG_BYTES as u64)?;
    Network::from_config_yaml(&text)
        .with_context(|| format!("{} is not a network configuration", path.display()))
}

/// The network's name in signed objects.
pub(crate) fn network_id(network: &Network) -> NetworkId {
    NetworkId(network.id())
}

/// A file of at most `max` bytes.
pub(crate) fn bytes(path: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    symbolon_daemon::files::read_bounded(path, max)
        .with_context(|| format!("cannot read {}", path.display()))
}

/// A UTF-8 file of at most `max` bytes.
pub(crate) fn text(path: &Path, max: u64) -> anyhow::Result<String> {
    String::from_utf8(bytes(path, max)?)
        .with_context(|| format!("{} is not UTF-8 text", path.display()))
}

/// A passphrase from a file (a trailing newline does not count), or asked on the terminal.
pub(crate) fn passphrase(file: Option<&Path>, prompt: &str) -> anyhow::Result<SecretBytes> {
    let Some(path) = file else {
        return terminal::ask(prompt);
    };
    let mut bytes = bytes(path, MAX_PASSPHRASE)?;
    while bytes
        .last()
        .is_some_and(|last| matches!(last, b'\n' | b'\r'))
    {
        bytes.pop();
    }
    if bytes.is_empty() {
        bail!("the passphrase file {} is empty", path.display());
    }
    SecretBytes::from_vec(bytes).context("the passphrase is too long")
}

mod terminal {
    use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

    use anyhow::{Context as _, bail};
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use symbolon_secmem::SecretBytes;

    /// Asks with the echo off.
    pub(super) fn ask(prompt: &str) -> anyhow::Result<SecretBytes> {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            bail!("{prompt}: there is no terminal to ask on; give it with --passphrase-file");
        }
        let before = tcgetattr(&stdin).context("cannot read the terminal's settings")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        std::io::stderr()
            .lock()
            .write_all(format!("{prompt}: ").as_bytes())
            .ok();
        tcsetattr(&stdin, OptionalActions::Flush, &silent)
            .context("cannot switch the terminal's echo off")?;
        let mut line = Vec::new();
        let read = stdin
            .lock()
            .take(super::MAX_PASSPHRASE)
            .read_until(b'\n', &mut line);
        tcsetattr(&stdin, OptionalActions::Flush, &before)
            .context("cannot switch the terminal's echo on again")?;
        crate::output::note("");
        read.context("cannot read from the terminal")?;
        while line
            .last()
            .is_some_and(|last| matches!(last, b'\n' | b'\r'))
        {
            line.pop();
        }
        if line.is_empty() {
            bail!("nothing was typed");
        }
        SecretBytes::from_vec(line).context("what was typed is too long")
    }
}
