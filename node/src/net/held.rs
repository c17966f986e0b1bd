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
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::seam::Io;

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
        Box::new(Revocable { stream, revoked, _held: held })
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

/// A stream that ends when its certificate is no longer good.
struct Revocable {
    stream: Box<dyn Io>,
    revoked: Pin<Box<WaitForCancellationFutureOwned>>,
    _held: Arc<Held>,
}

impl AsyncRead for Revocable {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // A connection reads all its life, so this is where it ends.
        if self.revoked.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::Error::other("the peer's certificate is no longer good")));
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Revocable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
