//! What rustls asks during a handshake.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::provider;
use crate::identity::{Anchors, IdentityError, check_node};

/// Accepts exactly those clients that the anchors of a port identify.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    anchors: Arc<Anchors>,
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientVerifier {
    pub fn new(anchors: Arc<Anchors>) -> Self {
        let hints = anchors.list().iter().flat_map(|anchor| anchor.verifier().root_hint_subjects()).cloned().collect();
        Self { anchors, hints, algorithms: provider().signature_verification_algorithms }
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        self.anchors.identify(&chain, now).map_err(refusal)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Accepts a server whose certificate is that of a node of the cluster, for the name that was asked for. The cluster's
/// authority also issues operators' certificates, and an operator is no server.
#[derive(Debug)]
pub(super) struct NodeVerifier {
    inner: Arc<WebPkiServerVerifier>,
    /// Nodes keep a deny list; clients have none.
    deny: Option<Arc<Anchors>>,
}

impl NodeVerifier {
    /// The error is a sentence.
    pub fn new(cluster_ca: &[CertificateDer<'_>], deny: Option<Arc<Anchors>>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in cluster_ca {
            roots
                .add(certificate.clone().into_owned())
                .map_err(|error| format!("the cluster's authority has a certificate that cannot be used: {error}"))?;
        }
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| format!("the cluster's authority has no certificate that can be used: {error}"))?;
        Ok(Self { inner, deny })
    }
}

impl ServerCertVerifier for NodeVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        if let Some(deny) = &self.deny {
            deny.check_denied(&chain).map_err(refusal)?;
        }
        check_node(&chain, None).map_err(refusal)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Our sentence inside rustls' error, so that the log of the side that refused shows it; the other side sees an alert.
fn refusal(error: IdentityError) -> Error {
    let alert = match &error {
        IdentityError::Expired { .. } => CertificateError::Expired,
        IdentityError::UntrustedIssuer { .. } => CertificateError::UnknownIssuer,
        _ => CertificateError::Other(OtherError(Arc::new(error))),
    };
    Error::InvalidCertificate(alert)
}
