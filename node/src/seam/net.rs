//! Connections: a listener that yields {stream, who is at its other end}, and a connector. TLS lies behind them, so
//! that the simulator, which has none, can say who is who.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use alert_core::alert::Caller;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// What a stream carries along: who is at its other end, its place among others, what may end it.
pub trait Rider: Send + Unpin + 'static {
    /// Asked before each read: an error is the end of the stream. A connection reads all its life, so this is where it
    /// can be ended; whoever answers "go on" has `context` woken when the answer changes.
    ///
    /// # Errors
    /// Why the stream ends.
    fn before_read(&mut self, _context: &mut Context<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// A stream with its rider.
pub struct Ridden<R> {
    stream: Box<dyn Io>,
    rider: R,
}

impl<R> Ridden<R> {
    pub fn new(stream: Box<dyn Io>, rider: R) -> Self {
        Self { stream, rider }
    }

    pub fn rider(&self) -> &R {
        &self.rider
    }
}

impl<R: Rider> AsyncRead for Ridden<R> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.rider.before_read(context)?;
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<R: Rider> AsyncWrite for Ridden<R> {
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

/// Who is at the other end, as its certificate says, after the checks of trust anchors and deny list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    pub caller: Caller,
    /// Set for nodes only.
    pub node_id: Option<u64>,
    /// Hexadecimal serial of the certificate, for the audit log.
    pub certificate_serial: String,
}

/// An accepted connection.
pub struct Accepted {
    pub stream: Box<dyn Io>,
    pub peer: PeerIdentity,
    /// For logs.
    pub remote_address: String,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Accepts connections whose peer is known. Handshakes that fail are logged inside, and never end the listener.
pub trait Listener: Send + 'static {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Accepted>>;
    /// For logs, and for tests that listen on port 0.
    fn local_address(&self) -> String;
}

/// Whom a connection is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTarget {
    pub node_id: u64,
    /// host:port.
    pub address: String,
}

/// Opens connections to other nodes.
pub trait Connector: Send + Sync + 'static {
    /// Connects and checks that the other end's certificate is that of `target.node_id`.
    fn connect(&self, target: PeerTarget) -> BoxFuture<'static, io::Result<Box<dyn Io>>>;
}
