//! How connections are made. TLS lies behind this seam, so that the simulator, which has none, can bring its own.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector as RustlsConnector;
use tonic::transport::Uri;

/// A byte stream in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// A future behind a trait object.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// Opens connections to nodes.
pub trait Connector: Send + Sync + 'static {
    /// Connects to `address` (host:port) and checks who is at its other end.
    ///
    /// # Errors
    /// Whatever kept the connection from opening; the client then asks another node.
    fn connect(&self, address: &str) -> BoxFuture<io::Result<Box<dyn Io>>>;
}

/// TCP without TLS, to loopback addresses only: for tests and for a cluster on one's own machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaintextLoopback;

impl Connector for PlaintextLoopback {
    fn connect(&self, address: &str) -> BoxFuture<io::Result<Box<dyn Io>>> {
        let address = address.to_owned();
        Box::pin(async move {
            let stream = TcpStream::connect(&address).await?;
            if !stream.peer_addr()?.ip().is_loopback() {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("plain text is for loopback addresses only, and {address} is none"),
                ));
            }
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }
}

/// TCP with mutual TLS.
#[derive(Clone)]
pub struct TlsConnector {
    rustls: RustlsConnector,
    server_name: Option<ServerName<'static>>,
}

impl TlsConnector {
    /// `config` holds the cluster's authority and this client's certificate. The node's certificate must name the host
    /// part of the address that is connected to, or `server_name` where that is given.
    pub fn new(config: Arc<rustls::ClientConfig>, server_name: Option<ServerName<'static>>) -> Self {
        Self { rustls: RustlsConnector::from(config), server_name }
    }
}

impl Connector for TlsConnector {
    fn connect(&self, address: &str) -> BoxFuture<io::Result<Box<dyn Io>>> {
        let address = address.to_owned();
        let rustls = self.rustls.clone();
        let server_name = self.server_name.clone();
        Box::pin(async move {
            let name = match server_name {
                Some(name) => name,
                None => ServerName::try_from(host_of(&address).to_owned())
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("{address}: {error}")))?,
            };
            let stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(rustls.connect(name, stream).await?) as Box<dyn Io>)
        })
    }
}

/// The host of "host:port", without the brackets of an IPv6 address.
pub(crate) fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// A connector as tonic wants it, bound to one address.
#[derive(Clone)]
pub(crate) struct ConnectService {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) address: Arc<str>,
}

impl tower::Service<Uri> for ConnectService {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = io::Error;
    type Future = BoxFuture<io::Result<TokioIo<Box<dyn Io>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connection = self.connector.connect(&self.address);
        Box::pin(async move { connection.await.map(TokioIo::new) })
    }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn the_host_of_an_address_is_what_the_certificate_must_name() {
        assert_eq!(host_of("node-1.example:7001"), "node-1.example");
        assert_eq!(host_of("127.0.0.1:7001"), "127.0.0.1");
        assert_eq!(host_of("[::1]:7001"), "::1");
    }
}
