//! One HTTP/2 connection to one peer, as a channel for the generated client. No reconnecting, no queue, no balancing:
//! whoever holds it knows at once when it is gone.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{sync::watch, task::AbortHandle};
use tonic::body::Body;
use tower::Service;

use super::limits::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES};
use crate::seam::Io;

/// A connection. Clones share it; it closes when the last one is dropped, or when the peer does not answer pings.
#[derive(Clone)]
pub struct Channel {
    sender: SendRequest<Body>,
    closed: watch::Receiver<bool>,
}

impl Channel {
    /// HTTP/2 over `stream`. A peer silent for `no_progress` is given up.
    ///
    /// # Errors
    /// The stream broke before the first frames were exchanged.
    pub async fn open(stream: Box<dyn Io>, no_progress: Duration) -> hyper::Result<(Self, AbortHandle)> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(1 << 20)
            .keep_alive_interval(no_progress / 2)
            .keep_alive_timeout(no_progress / 2)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await?;
        let (alive, closed) = watch::channel(false);
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to a peer ended");
            }
            alive.send_replace(true);
        });
        Ok((Self { sender, closed }, driver.abort_handle()))
    }

    /// Comes back when the connection is gone.
    pub async fn closed(&self) {
        // An error means that the driver was aborted: gone too.
        let _ = self.closed.clone().wait_for(|closed| *closed).await;
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sender.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.sender.send_request(request))
    }
}
