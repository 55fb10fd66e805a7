//! A party's TLS key and self-signed certificate, and the pin that stands for it in the roster.

use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use symbolon_daemon::files;
use zeroize::Zeroizing;

const MAX_FILE: u64 = 64 * 1024;

/// A TLS key with its certificate.
pub struct TlsIdentity {
    certificate: CertificateDer<'static>,
    key: Zeroizing<Vec<u8>>,
    pin: [u8; 32],
}

/// Why a TLS key or certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// No key or certificate could be made.
    #[error("no certificate could be made: {0}")]
    Generate(#[from] rcgen::Error),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] files::FileError),
    /// A file is there already.
    #[error("{} exists already; nothing was written", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file holds no certificate or key.
    #[error("{} holds no {what} in PEM form", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
    },
    /// The certificate is not one.
    #[error("the certificate is not X.509 version 3")]
    Certificate,
    /// The TLS library refuses key or certificate.
    #[error("key and certificate do not go together: {0}")]
    Tls(#[from] rustls::Error),
}

impl TlsIdentity {
    /// Makes a P-256 key and a certificate that names nobody but `name`, for people who look.
    ///
    /// # Errors
    ///
    /// The library refuses, for want of randomness.
    pub fn generate(name: &str) -> Result<Self, TlsError> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = rcgen::CertificateParams::new(vec!["symbolon".to_owned()])?;
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let certificate = parameters.self_signed(&key)?.der().clone();
        let pin = pin_of(&certificate)?;
        Ok(Self {
            certificate,
            key: Zeroizing::new(key.serialize_der()),
            pin,
        })
    }

    /// Reads the two PEM files. The key file must be readable by its owner only.
    ///
    /// # Errors
    ///
    /// A file is missing, too open, too large, or holds something else.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let content = |path: &Path, what| TlsError::Content {
            path: path.to_owned(),
            what,
        };
        let pem = files::read_bounded(certificate, MAX_FILE)?;
        let parsed = CertificateDer::from_pem_slice(&pem)
            .map_err(|_| content(certificate, "certificate"))?;
        let pem = Zeroizing::new(files::read_secret(key, MAX_FILE)?);
        let parsed_key = PrivatePkcs8KeyDer::from_pem_slice(&pem)
            .map_err(|_| content(key, "private key (PKCS#8)"))?;
        let pin = pin_of(&parsed)?;
        let key = Zeroizing::new(parsed_key.secret_pkcs8_der().to_vec());
        Ok(Self {
            certificate: parsed,
            key,
            pin,
        })
    }

    /// Writes the two PEM files, which must not exist yet; the key is readable by its owner only.
    ///
    /// # Errors
    ///
    /// A file exists or cannot be written.
    pub fn write_new(&self, certificate: &Path, key: &Path) -> Result<(), TlsError> {
        for path in [certificate, key] {
            if path.exists() {
                return Err(TlsError::Exists {
                    path: path.to_owned(),
                });
            }
        }
        files::write_atomic(key, pem("PRIVATE KEY", &self.key).as_bytes())?;
        files::write_atomic(
            certificate,
            pem("CERTIFICATE", &self.certificate).as_bytes(),
        )?;
        Ok(())
    }

    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    #[must_use]
    pub const fn pin(&self) -> [u8; 32] {
        self.pin
    }

    /// The secret key as a PKCS#8 document, for a party whose identity key it is too.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.key
    }

    /// What the TLS library wants of a side.
    pub(crate) fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = PrivatePkcs8KeyDer::from(self.key.to_vec());
        (vec![self.certificate.clone()], key.into())
    }
}

/// The pin of a certificate: SHA-256 of its SubjectPublicKeyInfo.
///
/// # Errors
///
/// Not an X.509 certificate of version 3.
pub fn pin_of(certificate: &CertificateDer<'_>) -> Result<[u8; 32], TlsError> {
    let parsed = webpki::EndEntityCert::try_from(certificate).map_err(|_| TlsError::Certificate)?;
    Ok(Sha256::digest(parsed.subject_public_key_info()).into())
}

/// RFC 7468 text of a DER document.
fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Zeroizing::new(pem::encode_config(&pem::Pem::new(label, der), config))
}
