//! Connections that are open, looked at again: whose certificate was denied or has run out since does not keep its place.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use alert_cluster_config::identity::{self, Anchors};
use rustls_pki_types::CertificateDer;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::seam::{Io, Ridden, Rider};

/// The connections of one port that are open.
#[derive(Default)]
pub struct HeldConnections(Mutex<Vec<Weak<Held>>>);

/// What a connection was let in by.
struct Held {
    chain: Vec<CertificateDer<'static>>,
    remote: String,
    revoked: CancellationToken,
}

impl HeldConnections {
    /// `stream`, which ends once [`Self::check`] finds that `chain` no longer opens the port.
    pub fn hold(&self, chain: Vec<CertificateDer<'static>>, remote: String, stream: Box<dyn Io>) -> Box<dyn Io> {
        let held = Arc::new(Held { chain, remote, revoked: CancellationToken::new() });
        let revoked = Box::pin(held.revoked.clone().cancelled_owned());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended is taken out whenever the list would have to grow.
        if all.len() == all.capacity() {
            all.retain(|held| held.strong_count() > 0);
        }
        all.push(Arc::downgrade(&held));
        Box::new(Ridden::new(stream, Revocable { revoked, _held: held }))
    }

    /// Ends those whose certificates `anchors` do not let in now.
    pub fn check(&self, anchors: &Anchors) {
        let all: Vec<_> = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().filter_map(Weak::upgrade).collect()
        };
        for held in all {
            if let Err(reason) = identity::peer_identity(&held.chain, anchors) {
                tracing::warn!(remote = held.remote, %reason, "connection ended");
                held.revoked.cancel();
            }
        }
    }
}

/// Ends a stream when its certificate is no longer good.
struct Revocable {
    revoked: Pin<Box<WaitForCancellationFutureOwned>>,
    _held: Arc<Held>,
}

impl Rider for Revocable {
    fn before_read(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.revoked.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::other("the peer's certificate is no longer good")),
            Poll::Pending => Ok(()),
        }
    }
}
