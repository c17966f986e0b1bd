//! Certificates and keys in PEM files.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

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
    pub fn certificates(&mut self, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let bytes = self.bytes(path)?;
        let certificates = CertificateDer::pem_slice_iter(bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| fault(path, format!("is no PEM file of certificates: {error}")))?;
        if certificates.is_empty() {
            return Err(fault(path, "holds no certificate"));
        }
        Ok(certificates)
    }

    /// A certificate chain with its private key.
    pub fn certified_key(&mut self, chain: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
        let certificates = self.certificates(chain)?;
        check_private(key)?;
        let private = PrivateKeyDer::from_pem_slice(self.bytes(key)?)
            .map_err(|error| fault(key, format!("is no PEM file of a private key: {error}")))?;
        CertifiedKey::from_der(certificates, private, &provider())
            .map_err(|error| fault(key, format!("does not go with {}: {error}", chain.display())))
    }

    /// A secret of 32 bytes, written as 64 hexadecimal digits.
    pub fn secret(&mut self, path: &Path) -> Result<[u8; 32], TlsError> {
        check_private(path)?;
        let text = String::from_utf8_lossy(self.bytes(path)?).trim().to_owned();
        let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
        let mut secret = [0; 32];
        match digits {
            Some(digits) if digits.len() == 64 => {
                for (byte, pair) in secret.iter_mut().zip(digits.chunks(2)) {
                    *byte = pair[0] << 4 | pair[1];
                }
                Ok(secret)
            }
            _ => Err(fault(path, "does not hold 64 hexadecimal digits")),
        }
    }

    fn bytes(&mut self, path: &Path) -> Result<&[u8], TlsError> {
        let bytes = fs::read(path).map_err(|error| fault(path, format!("cannot be read: {error}")))?;
        self.read.push((path.to_owned(), bytes));
        Ok(self.read.last().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default())
    }
}

fn check_private(key: &Path) -> Result<(), TlsError> {
    let mode = fs::metadata(key).map_err(|error| fault(key, format!("cannot be read: {error}")))?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(fault(key, format!("everybody can reach this key (mode {:04o}): chmod 600", mode & 0o7777)));
    }
    Ok(())
}

/// A file's name that configuration must give.
pub(super) fn named<'a>(path: &'a Option<PathBuf>, field: &'static str) -> Result<&'a Path, TlsError> {
    path.as_deref().ok_or(TlsError::Missing { field })
}

fn fault(path: &Path, reason: impl Into<String>) -> TlsError {
    TlsError::File { path: path.to_owned(), reason: reason.into() }
}
