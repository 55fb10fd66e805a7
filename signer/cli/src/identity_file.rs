//! Identity keys of people and requestors: PKCS#8 files, encrypted for guardians.

use std::path::Path;

use anyhow::{Context as _, bail};
use p256::SecretKey;
use p256::elliptic_curve::zeroize::Zeroizing;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use symbolon_protocol::SoftIdentity;
use symbolon_secmem::SecretBytes;

const MAX_KEY_FILE: u64 = 16 * 1024;

/// Draws a new P-256 key.
pub(crate) fn generate() -> anyhow::Result<SecretKey> {
    loop {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())
            .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
        // Fails for about one draw in 2^32 (a number not below the curve's order).
        if let Ok(key) = SecretKey::from_slice(bytes.as_slice()) {
            return Ok(key);
        }
    }
}

/// The key as the protocol's signer.
pub(crate) fn identity(key: &SecretKey) -> anyhow::Result<SoftIdentity> {
    let bytes = Zeroizing::new(<[u8; 32]>::from(key.to_bytes()));
    Ok(SoftIdentity::from_bytes(&bytes)?)
}

/// Writes a key encrypted under a passphrase (PKCS#8 with PBES2, RFC 8018).
pub(crate) fn write_encrypted(
    path: &Path,
    key: &SecretKey,
    passphrase: &SecretBytes,
) -> anyhow::Result<()> {
    let der = key.to_pkcs8_der().context("cannot encode the key")?;
    let info = pkcs8::PrivateKeyInfo::try_from(der.as_bytes()).context("cannot encode the key")?;
    let mut salt = [0; 16];
    let mut iv = [0; 16];
    for bytes in [&mut salt, &mut iv] {
        getrandom::fill(bytes)
            .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    }
    let cannot = |error: &dyn std::fmt::Display| anyhow::anyhow!("cannot encrypt the key: {error}");
    let cost = pkcs8::pkcs5::scrypt::Params::new(15, 8, 1, 32).map_err(|error| cannot(&error))?;
    let parameters = pkcs8::pkcs5::pbes2::Parameters::scrypt_aes256cbc(cost, &salt, &iv)
        .map_err(|error| cannot(&error))?;
    let encrypted = passphrase
        .expose(|passphrase| info.encrypt_with_params(parameters, passphrase))
        .context("cannot encrypt the key")?;
    let pem = encrypted
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
        .context("cannot encode the encrypted key")?;
    write_new(path, pem.as_bytes())
}

/// Reads a key file, encrypted or not; `passphrase` is asked only for an encrypted one.
pub(crate) fn read(
    path: &Path,
    passphrase: impl FnOnce() -> anyhow::Result<SecretBytes>,
) -> anyhow::Result<SoftIdentity> {
    let pem = Zeroizing::new(
        symbolon_daemon::files::read_secret(path, MAX_KEY_FILE)
            .with_context(|| format!("cannot read the key file {}", path.display()))?,
    );
    let text = std::str::from_utf8(&pem)
        .with_context(|| format!("{} is not a PEM file", path.display()))?;
    let (label, document) = pkcs8::SecretDocument::from_pem(text)
        .map_err(|_| anyhow::anyhow!("{} is not a PEM file of a private key", path.display()))?;
    let key = match label {
        "PRIVATE KEY" => SecretKey::from_pkcs8_der(document.as_bytes()).ok(),
        "ENCRYPTED PRIVATE KEY" => {
            let passphrase = passphrase()?;
            passphrase.expose(|passphrase| {
                SecretKey::from_pkcs8_encrypted_der(document.as_bytes(), passphrase).ok()
            })
        }
        other => bail!(
            "{} holds a {other:?}, expected a private key",
            path.display()
        ),
    };
    let Some(key) = key else {
        bail!(
            "{} does not open: wrong passphrase, or not a P-256 key",
            path.display()
        );
    };
    identity(&key)
}

/// Writes a file that must not exist yet, readable by its owner only.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if path.exists() {
        bail!("{} exists already; nothing was written", path.display());
    }
    symbolon_daemon::files::write_atomic(path, bytes)
        .with_context(|| format!("cannot write {}", path.display()))
}
