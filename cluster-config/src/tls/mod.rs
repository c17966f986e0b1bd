//! TLS 1.3 with certificates on both sides, from PEM files.
//!
//! * [`NodeTls`]: a node's two ports and its connector to other nodes
//! * [`ClientTls`]: a client's connector
//! * `verifier`: the handshake refuses whom [`crate::identity`] refuses
//! * `files`: reading certificates and keys
//!
//! Sessions are never resumed: a resumed one would skip the certificate, and with it the deny list. Connections live
//! long, so a full handshake costs little.

mod client;
mod files;
mod node;
mod verifier;

use std::{path::PathBuf, sync::Arc};

pub use client::ClientTls;
pub use node::{NodeTls, NodeTlsSet};
use rustls::{CertificateError, OtherError, crypto::CryptoProvider};
use rustls_pki_types::ServerName;

use crate::{address::host_and_port, identity::IdentityError};

/// The one protocol spoken: gRPC's.
const ALPN_HTTP2: &[u8] = b"h2";

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Configuration lacks a file's name.
    #[error("tls.{field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A file cannot be read, or holds something else.
    #[error("tls.{field}: {path}: {reason}", path = path.display())]
    File {
        /// The key of the configuration that names it.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// One sentence.
        reason: String,
    },
    /// The files do not go together.
    #[error("{0}")]
    Unfit(String),
}

/// What a reload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The files and settings are the same as before.
    Unchanged,
    /// New connections use the new ones; those that are open stay as they are.
    Changed,
}

/// The name to expect in the certificate of the server at host:port.
pub fn server_name(address: &str) -> Result<ServerName<'static>, TlsError> {
    let (host, _) = host_and_port(address).map_err(TlsError::Unfit)?;
    ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Unfit(format!("'{host}' is no host's name")))
}

/// Why a handshake failed, in one sentence for the log: ours ([`crate::identity::IdentityError`]) where we refused the
/// other end.
pub fn explain(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(ours)))) => ours.to_string(),
        // These two stay rustls' own, so that the other side gets the alert that says as much.
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "the certificate was issued by an authority that this port does not trust".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::Expired)) => "the certificate has expired".to_owned(),
        Some(rustls::Error::NoCertificatesPresented) => IdentityError::NoCertificate.to_string(),
        _ => error.to_string(),
    }
}

/// The one source of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
