//! Certificates and keys in PEM files.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER_PERMISSIVE;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{TlsError, provider};

/// File mode bits that let strangers read, write or run.
const OTHERS: u32 = 0o007;

/// The files read so far, to tell whether a later reading found anything new.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    read: Vec<(PathBuf, Vec<u8>)>,
}

impl Files {
    /// Certificates of a file, in its order; at least one.
    pub fn certificates(&mut self, file: Named<'_>) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let bytes = self.bytes(file)?;
        let certificates = CertificateDer::pem_slice_iter(bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| file.fault(format!("is no PEM file of certificates: {error}")))?;
        if certificates.is_empty() {
            return Err(file.fault("holds no certificate"));
        }
        Ok(certificates)
    }

    /// A certificate chain with its private key.
    pub fn certified_key(&mut self, chain: Named<'_>, key: Named<'_>) -> Result<CertifiedKey, TlsError> {
        let certificates = self.certificates(chain)?;
        check_private(key)?;
        let private = PrivateKeyDer::from_pem_slice(self.bytes(key)?)
            .map_err(|error| key.fault(format!("is no PEM file of a private key: {error}")))?;
        CertifiedKey::from_der(certificates, private, &provider())
            .map_err(|error| key.fault(format!("does not go with {}: {error}", chain.path.display())))
    }

    /// A secret of 32 bytes, written as 64 hexadecimal digits.
    pub fn secret(&mut self, file: Named<'_>) -> Result<[u8; 32], TlsError> {
        check_private(file)?;
        let text = String::from_utf8_lossy(self.bytes(file)?).trim().to_owned();
        let secret = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        secret.ok_or_else(|| file.fault("does not hold 64 hexadecimal digits"))
    }

    fn bytes(&mut self, file: Named<'_>) -> Result<&[u8], TlsError> {
        let bytes = fs::read(file.path).map_err(|error| file.fault(format!("cannot be read: {error}")))?;
        self.read.push((file.path.to_owned(), bytes));
        Ok(self.read.last().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default())
    }
}

fn check_private(key: Named<'_>) -> Result<(), TlsError> {
    let facts = fs::metadata(key.path).map_err(|error| key.fault(format!("cannot be read: {error}")))?;
    let mode = facts.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(key.fault(format!("everybody can reach this key (mode {:04o}): chmod 600", mode & 0o7777)));
    }
    Ok(())
}

/// A file, and the key of the configuration that names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    field: &'static str,
    path: &'a Path,
}

impl<'a> Named<'a> {
    /// A file that the configuration must name.
    pub fn required(path: &'a Option<PathBuf>, field: &'static str) -> Result<Self, TlsError> {
        path.as_deref().map(|path| Self { field, path }).ok_or(TlsError::Missing { field })
    }

    /// A file that the configuration does name.
    pub fn given(path: &'a Path, field: &'static str) -> Self {
        Self { field, path }
    }

    fn fault(self, reason: impl Into<String>) -> TlsError {
        TlsError::File { field: self.field, path: self.path.to_owned(), reason: reason.into() }
    }
}
