//! Starts of a server that holds many sealed shares.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use symbolon_lab::{KeySource, Lab, LabOptions, Story, write_interop_keystores};

use crate::Sizes;
use crate::machine::processor_time;
use crate::spread::Spread;

/// Times of starts, the data key resident.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) shares: usize,
    /// From the start of the process until `/readyz` says yes.
    pub(crate) ready: Spread,
    /// From when the device opened the data key until the server serves, by its log.
    pub(crate) after_device: Spread,
    /// On processors until it was ready; the worker's own time is not in it.
    pub(crate) processor: Spread,
}

pub(crate) fn measure(sizes: Sizes, story: &Story) -> anyhow::Result<Start> {
    let folder = tempfile::Builder::new()
        .prefix("symbolon-figures-")
        .tempdir()?;
    let (keystores, passwords) = (folder.path().join("keys"), folder.path().join("passwords"));
    let count = u64::try_from(sizes.sealed)?;
    write_interop_keystores(0..count, &keystores, &passwords)?;
    let options = LabOptions {
        servers: 3,
        threshold: 2,
        keys: KeySource::Keystores {
            keystores,
            passwords,
        },
        ..LabOptions::default()
    };
    let mut lab = Lab::up(&options, story)?;
    ensure!(
        lab.keys().len() == sizes.sealed,
        "not all keys were imported"
    );
    // The others would only take time from the one that is measured.
    lab.stop_requestor(false)?;
    for index in 1..=3 {
        lab.stop(index)?;
    }
    let (mut ready, mut after_device, mut processor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..sizes.starts {
        let log = lab.server(1)?.log.clone();
        let old = fs::metadata(&log)?.len();
        thread::sleep(PAUSE);
        let began = Instant::now();
        lab.start(1)?;
        ready.push(began.elapsed());
        let server = lab.server(1)?;
        let process = server.process.as_ref().context("the server does not run")?;
        processor.push(processor_time(process)?);
        after_device.push(in_log(&log, old)?);
        let held = lab.metrics(1)?;
        let held = held
            .lines()
            .find_map(|line| line.strip_prefix("symbolon_server_keys "));
        ensure!(
            held == Some(sizes.sealed.to_string().as_str()),
            "the server holds {held:?} keys"
        );
        lab.stop(1)?;
    }
    Ok(Start {
        shares: sizes.sealed,
        ready: Spread::new(ready),
        after_device: Spread::new(after_device),
        processor: Spread::new(processor),
    })
}

/// Between two lines that the server logged after byte `from`.
fn in_log(log: &Path, from: u64) -> anyhow::Result<Duration> {
    let bytes = fs::read(log)?;
    let new = bytes.get(usize::try_from(from)?..).unwrap_or_default();
    between(&String::from_utf8_lossy(new)).with_context(|| log.display().to_string())
}

fn between(log: &str) -> anyhow::Result<Duration> {
    let time = |what: &str| {
        let mut lines = log.lines().filter(|line| line.contains(what));
        let line = lines.next();
        let line = line.with_context(|| format!("no line with {what:?}"))?;
        time_of_day(line).with_context(|| format!("no time: {line:?}"))
    };
    let (opened, serves) = (time(OPENED)?, time(SERVES)?);
    // Over midnight, the day has to be counted.
    let serves = if serves < opened {
        serves.saturating_add(DAY)
    } else {
        serves
    };
    Ok(serves.saturating_sub(opened))
}

/// Of `2026-11-24T17:00:26.123456Z ...`.
fn time_of_day(line: &str) -> Option<Duration> {
    let (stamp, _) = line.split_once('Z')?;
    let (_, time) = stamp.split_once('T')?;
    let mut parts = time.splitn(3, ':');
    let hours: u64 = parts.next()?.parse().ok()?;
    let minutes: u64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next()?.parse().ok()?;
    let whole = hours.checked_mul(3600)?;
    let whole = whole.checked_add(minutes.checked_mul(60)?)?;
    let seconds = Duration::try_from_secs_f64(seconds).ok()?;
    Some(Duration::from_secs(whole).saturating_add(seconds))
}

const OPENED: &str = "the device opened the data key";
const SERVES: &str = ": serving ";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_between_two_lines_of_a_log() {
        let log = "2026-11-24T23:59:59.900000Z  INFO s: the device opened the data key\n\
                   2026-11-25T00:00:00.150000Z  INFO s: serving member=1 address=127.0.0.1:1\n";
        let took = between(log).unwrap();
        assert!(took.abs_diff(Duration::from_millis(250)) < Duration::from_micros(1));
        assert!(between("2026-11-24T23:59:59.9Z  INFO s: stopped\n").is_err());
    }
}
