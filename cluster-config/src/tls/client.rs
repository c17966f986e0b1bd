//! A client's TLS.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;

use super::{
    Reload, TlsError,
    files::{Files, Named},
    node::connector_config,
};
use crate::client::ClientTlsSection;

/// A client's TLS, which can be read again while it runs.
#[derive(Debug)]
pub struct ClientTls {
    section: ClientTlsSection,
    current: Mutex<(Arc<ClientConfig>, Files)>,
}

impl ClientTls {
    /// Reads the files that `section` names.
    pub fn open(section: &ClientTlsSection) -> Result<Self, TlsError> {
        Ok(Self { section: section.clone(), current: Mutex::new(read(section)?) })
    }

    /// What a new connection uses. It talks to nodes of the cluster only.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Reads all the files again. When anything is wrong with them, what was in use stays in use.
    pub fn reload(&self) -> Result<Reload, TlsError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read(&self.section)?;
        if read.1 == current.1 {
            return Ok(Reload::Unchanged);
        }
        *current = read;
        Ok(Reload::Changed)
    }
}

fn read(section: &ClientTlsSection) -> Result<(Arc<ClientConfig>, Files), TlsError> {
    let mut files = Files::default();
    let key = files
        .certified_key(Named::required(&section.certificate, "certificate")?, Named::required(&section.key, "key")?)?;
    let cluster_ca = files.certificates(Named::required(&section.cluster_ca, "cluster_ca")?)?;
    Ok((Arc::new(connector_config(Arc::new(key), &cluster_ca, None)?), files))
}
