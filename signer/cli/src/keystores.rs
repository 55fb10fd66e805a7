//! Opening many keystores at once: as many as cores and memory bear, with progress.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use symbolon_keystore::{Keystore, MAX_KEYSTORE_BYTES, Password, pair_files};
use symbolon_secmem::SecretBytes;
use symbolon_threshold::{GroupPublicKey, SecretScalar};

/// One opened key.
pub(crate) struct Opened {
    /// The whole secret key, on its way to be split.
    pub(crate) secret: SecretScalar,
    /// Its public key.
    pub(crate) public: GroupPublicKey,
}

/// Opens all keystores of a folder; any failure names its file, and nothing is imported.
pub(crate) fn open_all(keystores: &Path, passwords: &Path) -> anyhow::Result<Vec<Opened>> {
    let json = names(keystores, "json")?;
    let text = names(passwords, "txt")?;
    let pairs = pair_files(&json, &text)?;
    if pairs.is_empty() {
        bail!("{} holds no keystores (*.json)", keystores.display());
    }
    let files: Vec<(PathBuf, PathBuf)> = pairs
        .iter()
        .map(|pair| (keystores.join(pair.keystore), passwords.join(pair.password)))
        .collect();
    let opened = in_parallel(&files)?;
    let mut keys: Vec<[u8; 48]> = opened
        .iter()
        .map(|key| key.public.to_compressed())
        .collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair.first() == pair.get(1)) {
        bail!("two keystores hold the same key");
    }
    Ok(opened)
}

fn in_parallel(files: &[(PathBuf, PathBuf)]) -> anyhow::Result<Vec<Opened>> {
    let parsed: Vec<Keystore> = files
        .iter()
        .map(|(path, _)| parse(path))
        .collect::<anyhow::Result<_>>()?;
    let bar = ProgressBar::new(u64::try_from(files.len()).unwrap_or(u64::MAX));
    bar.set_style(ProgressStyle::with_template(
        "{wide_bar} {pos}/{len} keystores, {eta} left",
    )?);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let slots: Vec<Mutex<Option<anyhow::Result<Opened>>>> =
        files.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some((path, password)), Some(keystore), Some(slot)) =
                (files.get(at), parsed.get(at), slots.get(at))
            else {
                return;
            };
            let opened = open(keystore, path, password);
            if opened.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(opened);
            }
            bar.inc(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers(&parsed) {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    let mut opened = Vec::with_capacity(files.len());
    let mut left_out = false;
    for slot in slots {
        match slot.into_inner().ok().flatten() {
            Some(result) => opened.push(result?),
            None => left_out = true,
        }
    }
    if left_out {
        bail!("not every keystore was opened");
    }
    Ok(opened)
}

/// As many at once as there are cores, and as fit into half of the memory that is free.
fn workers(keystores: &[Keystore]) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let each = keystores
        .iter()
        .map(|keystore| keystore.kdf().memory_bytes())
        .max();
    let fit = match (free_memory(), each) {
        (Some(free), Some(each)) if each > 0 => usize::try_from(free / 2 / each).unwrap_or(cores),
        _ => cores,
    };
    cores.min(fit).clamp(1, keystores.len().max(1))
}

fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

fn parse(path: &Path) -> anyhow::Result<Keystore> {
    let bytes = crate::input::bytes(path, MAX_KEYSTORE_BYTES as u64)?;
    Keystore::parse(&bytes).with_context(|| format!("{} is refused", path.display()))
}

fn open(keystore: &Keystore, path: &Path, password: &Path) -> anyhow::Result<Opened> {
    let bytes = crate::input::bytes(password, 4096)?;
    let password = SecretBytes::from_vec(bytes).context("the password is too long")?;
    let password = Password::new(&password)
        .with_context(|| format!("the password of {} is refused", path.display()))?;
    let secret = keystore
        .decrypt(&password)
        .with_context(|| format!("{} does not open", path.display()))?;
    let secret = SecretScalar::from_locked(secret)
        .with_context(|| format!("{} holds no BLS secret key", path.display()))?;
    let public = GroupPublicKey::from(secret.public_point());
    if keystore
        .public_key()
        .is_some_and(|named| named.0 != public.to_compressed())
    {
        bail!(
            "{} names another public key than its secret has",
            path.display()
        );
    }
    Ok(Opened { secret, public })
}

/// Names in a folder that end in `.extension`, sorted.
fn names(folder: &Path, extension: &str) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else {
            bail!("a file name in {} is not UTF-8", folder.display());
        };
        if name
            .rsplit_once('.')
            .is_some_and(|(_, end)| end == extension)
            && !name.starts_with("deposit_data")
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
