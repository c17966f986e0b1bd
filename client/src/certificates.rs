//! Certificates that are read again while the client runs.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use alert_cluster_config::tls::ClientTls;
use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::sleep};
use tracing::{info, warn};

use crate::{error::Error, routing::Routing};

/// The certificates of one client, which may share them with others.
pub(crate) struct Certificates {
    tls: Arc<ClientTls>,
    routing: Arc<Routing>,
    /// What connections were last made with.
    in_use: Mutex<Weak<tokio_rustls::rustls::ClientConfig>>,
}

impl Certificates {
    pub fn new(tls: Arc<ClientTls>, routing: Arc<Routing>) -> Self {
        let in_use = Mutex::new(Arc::downgrade(&tls.config()));
        Self { tls, routing, in_use }
    }

    /// Reads the files again; when they changed, the next calls get new connections. True when anything had changed,
    /// also when another client of this process that shares them was the first to see it.
    pub fn reload(&self) -> Result<bool, Error> {
        self.tls.reload().map_err(|error| Error::configuration(error.to_string()))?;
        let now = Arc::downgrade(&self.tls.config());
        let mut in_use = self.in_use.lock();
        if in_use.ptr_eq(&now) {
            return Ok(false);
        }
        *in_use = now;
        self.routing.renew_connections();
        info!("certificates were read again; calls go over new connections from now on");
        Ok(true)
    }
}

/// The task that looks at the files; it ends with the last handle of its client.
pub(crate) struct Reloader(JoinHandle<()>);

impl Reloader {
    /// Starts it on the current runtime, which must exist.
    pub fn start(certificates: Arc<Certificates>, every: Duration) -> Self {
        Self(tokio::spawn(async move {
            loop {
                sleep(every).await;
                let certificates = certificates.clone();
                if let Ok(Err(error)) = tokio::task::spawn_blocking(move || certificates.reload()).await {
                    warn!(%error, "certificates stay as they were");
                }
            }
        }))
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        self.0.abort();
    }
}
