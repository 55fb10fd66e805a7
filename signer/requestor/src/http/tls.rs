//! TLS towards validator clients: only certificates that are pinned are let in.

use std::collections::HashSet;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use symbolon_daemon::files;
use symbolon_rpc::pin_of;
use tokio_rustls::TlsAcceptor;

use crate::config::FrontTls;
use crate::error::StartError;

const MAX_FILE: u64 = 256 * 1024;

/// An acceptor for the certificate, key and client pins of the configuration. TLS 1.2 is spoken
/// too: validator clients on older runtimes have nothing else.
pub(crate) fn acceptor(tls: &FrontTls) -> Result<TlsAcceptor, StartError> {
    let wrong = |path: &std::path::Path, cause: String| StartError::Config {
        path: path.to_owned(),
        cause,
    };
    let pem = files::read_bounded(&tls.cert, MAX_FILE)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(&tls.cert, format!("no certificate in PEM form: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(
            &tls.cert,
            "holds no certificate in PEM form".to_owned(),
        ));
    }
    let pem = files::read_secret(&tls.key, MAX_FILE)?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| wrong(&tls.key, "holds no private key in PEM form".to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = PinnedClients {
        pins: tls.client_pins.iter().copied().collect(),
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Lets in whoever has the key of a pinned certificate; issuer and dates do not matter.
struct PinnedClients {
    pins: HashSet<[u8; 32]>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl std::fmt::Debug for PinnedClients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinnedClients")
            .field("pins", &self.pins.len())
            .finish_non_exhaustive()
    }
}

impl ClientCertVerifier for PinnedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match pin_of(end_entity) {
            Ok(pin) if self.pins.contains(&pin) => Ok(ClientCertVerified::assertion()),
            _ => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
