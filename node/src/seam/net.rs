//! Connections: a listener that yields {stream, who is at its other end}, and a connector. TLS lies behind them, so
//! that the simulator, which has none, can say who is who.

use std::{future::Future, io, pin::Pin};

use alert_core::alert::Caller;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

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
