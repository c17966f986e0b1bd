//! Certificate authorities for development, tests and the demo. Never for production: their keys lie beside what they
//! issue.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::tls::provider;
use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::identity::{NODE_URI_PREFIX, roles};

/// How long an authority of ours is valid.
const AUTHORITY_DAYS: u64 = 10 * 365;
/// How long a certificate of ours is valid, unless it is said otherwise.
const CERTIFICATE_DAYS: u64 = 365;
/// Clocks of machines differ: what is issued now is valid since then.
const SLACK: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a certificate could not be made, written or read.
#[derive(Debug, thiserror::Error)]
pub enum DevCaError {
    /// The certificate could not be made.
    #[error("the certificate of '{holder}' cannot be made: {source}")]
    Certificate {
        /// Whose.
        holder: String,
        /// Why.
        source: rcgen::Error,
    },
    /// A file could not be written or read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A certificate authority with its key.
pub struct DevCa {
    name: String,
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// Whom a certificate is for.
#[derive(Debug, Clone)]
pub struct Holder {
    /// OU: one of [`roles::ALL`]; what is not is issued all the same, for tests.
    pub role: String,
    /// C.
    pub country: String,
    /// O.
    pub authority: String,
    /// CN.
    pub system: String,
    /// The URI of a node, whatever the role.
    pub node_id: Option<u64>,
    /// Addresses and host names at which it answers.
    pub hosts: Vec<String>,
    /// First moment of its validity.
    pub not_before: SystemTime,
    /// Last moment of its validity.
    pub not_after: SystemTime,
}

impl Holder {
    /// A client, valid for a year from an hour ago.
    pub fn client(role: &str, country: &str, authority: &str, system: &str) -> Self {
        let now = SystemTime::now();
        Self {
            role: role.to_owned(),
            country: country.to_owned(),
            authority: authority.to_owned(),
            system: system.to_owned(),
            node_id: None,
            hosts: Vec::new(),
            not_before: now - SLACK,
            not_after: now + DAY * u32::try_from(CERTIFICATE_DAYS).expect("a year has few days"),
        }
    }

    /// A node, which answers at `hosts`.
    pub fn node(node_id: u64, name: &str, authority: &str, hosts: &[&str]) -> Self {
        Self {
            node_id: Some(node_id),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..Self::client(roles::NODE, roles::HOME_COUNTRY, authority, name)
        }
    }
}

/// A certificate with its key, both PEM.
pub struct Issued {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key, in PKCS #8.
    pub key_pem: String,
}

impl DevCa {
    /// A new authority, with a new key.
    pub fn new(name: &str) -> Result<Self, DevCaError> {
        let fault = |source| DevCaError::Certificate { holder: name.to_owned(), source };
        let key = KeyPair::generate().map_err(fault)?;
        let now = SystemTime::now();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "development only");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = (now - SLACK).into();
        params.not_after = (now + DAY * u32::try_from(AUTHORITY_DAYS).expect("ten years have few days")).into();
        let certificate_pem = params.self_signed(&key).map_err(fault)?.pem();
        Ok(Self { name: name.to_owned(), certificate_pem, issuer: Issuer::new(params, key) })
    }

    /// The authority kept in `directory` (`name.pem`, `name.key`); a new one, and the directory, where
    /// there is none.
    pub fn open_or_create(directory: &Path, name: &str) -> Result<Self, DevCaError> {
        let (certificate, key) = files(directory, name);
        if !certificate.exists() {
            let authority = Self::new(name)?;
            private_directory(directory)?;
            write_private(&key, authority.issuer.key().serialize_pem().as_bytes())?;
            write_public(&certificate, authority.certificate_pem.as_bytes())?;
            return Ok(authority);
        }
        let read =
            |path: &Path| fs::read_to_string(path).map_err(|source| DevCaError::File { path: path.to_owned(), source });
        let fault = |source| DevCaError::Certificate { holder: name.to_owned(), source };
        let certificate_pem = read(&certificate)?;
        let key = KeyPair::from_pem(&read(&key)?).map_err(fault)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(fault)?;
        Ok(Self { name: name.to_owned(), certificate_pem, issuer })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Its certificate.
    pub fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).expect("we wrote this PEM ourselves")
    }

    /// A certificate with a new key. Holders with hosts may be servers as well as clients.
    pub fn issue(&self, holder: &Holder) -> Result<Issued, DevCaError> {
        let fault = |source| DevCaError::Certificate { holder: holder.system.clone(), source };
        let mut params = CertificateParams::new(holder.hosts.clone()).map_err(fault)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in [
            (DnType::CountryName, &holder.country),
            (DnType::OrganizationName, &holder.authority),
            (DnType::OrganizationalUnitName, &holder.role),
            (DnType::CommonName, &holder.system),
        ] {
            params.distinguished_name.push(kind, value.as_str());
        }
        if let Some(node_id) = holder.node_id {
            let uri = format!("{NODE_URI_PREFIX}{node_id}").try_into().map_err(fault)?;
            params.subject_alt_names.push(SanType::URI(uri));
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !holder.hosts.is_empty() {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        params.use_authority_key_identifier_extension = true;
        params.not_before = holder.not_before.into();
        params.not_after = holder.not_after.into();
        self.sign(params).map_err(fault)
    }

    /// Signs any certificate, with a new key.
    pub fn sign(&self, params: CertificateParams) -> Result<Issued, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }
}

impl Issued {
    /// Writes `stem.pem` and `stem.key` (mode 0600) and tells their paths.
    pub fn write(&self, directory: &Path, stem: &str) -> Result<(PathBuf, PathBuf), DevCaError> {
        let (certificate, key) = files(directory, stem);
        write_private(&key, self.key_pem.as_bytes())?;
        write_public(&certificate, self.certificate_pem.as_bytes())?;
        Ok((certificate, key))
    }

    /// The certificate.
    pub fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).expect("we wrote this PEM ourselves")
    }
}

/// Makes a directory that only this user may enter, and those around it.
pub(crate) fn private_directory(path: &Path) -> Result<(), DevCaError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| DevCaError::File { path: path.to_owned(), source })
}

/// Writes a file that everybody may read.
pub(crate) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), DevCaError> {
    write(path, bytes, 0o644)
}

/// A fresh token key, unless there is one: tokens outlive a cluster's files being written again.
pub(crate) fn write_token_key(path: &Path) -> Result<(), DevCaError> {
    if path.exists() {
        return Ok(());
    }
    let mut key = [0; 32];
    provider().secure_random.fill(&mut key).map_err(|_| DevCaError::File {
        path: path.to_owned(),
        source: std::io::Error::other("the operating system gives no random bytes"),
    })?;
    let digits = HEXLOWER.encode(&key);
    write_private(path, format!("{digits}\n").as_bytes())
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), DevCaError> {
    write(path, bytes, 0o600)
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DevCaError> {
    let all = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        // A file that was there before keeps its mode otherwise, and it must be right before the bytes are in it.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(bytes)
    };
    all().map_err(|source| DevCaError::File { path: path.to_owned(), source })
}

fn files(directory: &Path, stem: &str) -> (PathBuf, PathBuf) {
    (directory.join(format!("{stem}.pem")), directory.join(format!("{stem}.key")))
}
