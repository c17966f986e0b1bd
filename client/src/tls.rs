//! TLS from PEM files.

use std::{path::PathBuf, sync::Arc};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::error::Error;

/// The three PEM files of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The cluster's authority: the only one whose servers are trusted.
    pub authority: PathBuf,
    /// This client's certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// Its private key (PKCS #8, SEC1 or PKCS #1).
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// `CONFIGURATION`, naming the file, when one cannot be read or holds something else.
    pub fn load(&self) -> Result<Arc<rustls::ClientConfig>, Error> {
        let authorities = certificates(&self.authority)?;
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| Error::configuration(format!("private key {}: {error}", self.key.display())))?;
        let mut roots = rustls::RootCertStore::empty();
        for authority in authorities {
            roots.add(authority).map_err(|error| {
                Error::configuration(format!("certificate authority {}: {error}", self.authority.display()))
            })?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::configuration(error.to_string()))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|error| {
                Error::configuration(format!(
                    "certificate {} and key {}: {error}",
                    self.certificate.display(),
                    self.key.display()
                ))
            })?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |error: String| Error::configuration(format!("certificate {}: {error}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(|error| wrong(error.to_string()))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() { Err(wrong("no certificate in it".to_owned())) } else { Ok(certificates) }
}
