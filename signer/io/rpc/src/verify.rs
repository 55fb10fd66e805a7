//! Accepts exactly the keys that are pinned, and checks that the peer has the secret half.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use symbolon_protocol::roster::PartyId;

use crate::identity::pin_of;
use crate::pins::Pins;

/// The one protocol inside TLS: HTTP/2.
pub(crate) const ALPN: &[u8] = b"h2";

/// The one provider of cryptography: ring.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Lets in the parties of a set of pins; of one party only, when it is named.
#[derive(Clone)]
pub(crate) struct PinVerifier {
    pins: Pins,
    only: Option<PartyId>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl std::fmt::Debug for PinVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinVerifier")
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

impl PinVerifier {
    /// For a server: everybody pinned.
    pub(crate) fn anybody(pins: Pins) -> Self {
        Self {
            pins,
            only: None,
            algorithms: provider().signature_verification_algorithms,
        }
    }

    /// For a client: one named party.
    pub(crate) fn only(pins: Pins, party: PartyId) -> Self {
        Self {
            only: Some(party),
            ..Self::anybody(pins)
        }
    }

    /// Who this certificate belongs to, with the pin that says so.
    pub(crate) fn peer(&self, certificate: &CertificateDer<'_>) -> Option<([u8; 32], PartyId)> {
        let pin = pin_of(certificate).ok()?;
        let party = self.pins.party(&pin)?;
        match &self.only {
            Some(only) if *only != party => None,
            _ => Some((pin, party)),
        }
    }

    pub(crate) fn pins(&self) -> &Pins {
        &self.pins
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        match self.peer(certificate) {
            Some(_) => Ok(()),
            None => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
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

impl ClientCertVerifier for PinVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}
