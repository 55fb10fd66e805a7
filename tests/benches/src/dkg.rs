//! Ceremonies that make many keys at once.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use symbolon_lab::Lab;

use crate::Sizes;
use crate::spread::Spread;

/// Times of `symbolon ceremony run`: from the start of the command until it ended, when every
/// server holds its shares and the descriptor is written.
#[derive(Debug)]
pub(crate) struct Dkg {
    pub(crate) keys: usize,
    pub(crate) times: Spread,
}

pub(crate) fn measure(lab: &mut Lab, sizes: Sizes) -> anyhow::Result<Dkg> {
    // Whoever signs no duty has nothing to do with a ceremony.
    lab.stop_requestor(false)?;
    let record = lab.record();
    let text = |path: &std::path::Path| path.display().to_string();
    let guardian = record.guardian.join("guardian-1.key");
    let guardian = format!("guardian-1={}", guardian.display());
    let (cluster, passphrase) = (
        text(&record.cluster),
        text(&record.guardian.join("passphrase")),
    );
    let (keys, threshold) = (
        sizes.ceremony_keys.to_string(),
        record.threshold.to_string(),
    );
    let mut times = Vec::new();
    for number in 1..=sizes.ceremonies {
        let label = format!("timed-{number}");
        let line = [
            "ceremony",
            "run",
            "--keys",
            &keys,
            "--label",
            &label,
            "--dir",
            &cluster,
            "--threshold",
            &threshold,
            "--guardian",
            &guardian,
            "--passphrase-file",
            &passphrase,
            "--json",
        ];
        let began = Instant::now();
        let said = lab.symbolon(&line)?;
        times.push(began.elapsed());
        let said: serde_json::Value = serde_json::from_str(&said).context("ceremony run --json")?;
        let made = said.get("public_keys").and_then(|keys| keys.as_array());
        ensure!(
            made.is_some_and(|made| made.len() == sizes.ceremony_keys),
            "the ceremony made another number of keys"
        );
    }
    Ok(Dkg {
        keys: sizes.ceremony_keys,
        times: Spread::new(times),
    })
}
