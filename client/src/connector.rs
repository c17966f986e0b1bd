//! How connections are made. TLS lies behind this seam, so that the simulator, which has none, can bring its own.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use alert_cluster_config::{
    plaintext,
    tls::{ClientTls, server_name},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
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

/// TCP without TLS, to loopback addresses only: for tests and for a cluster on one's own machine. Each connection begins
/// with a line that says who calls, and the node believes it.
#[derive(Debug, Clone)]
pub struct PlaintextLoopback {
    line: String,
}

impl PlaintextLoopback {
    /// Calls as `country/authority/system/role`, for example "FR/dgpn/desk/partner".
    ///
    /// # Errors
    /// One sentence on what is wrong with the text.
    pub fn calling_as(text: &str) -> Result<Self, String> {
        Ok(Self { line: plaintext::client_line(text)? })
    }
}

impl Default for PlaintextLoopback {
    fn default() -> Self {
        Self::calling_as(plaintext::DEFAULT_CLIENT).expect("checked by a test of the configuration")
    }
}

impl Connector for PlaintextLoopback {
    fn connect(&self, address: &str) -> BoxFuture<io::Result<Box<dyn Io>>> {
        let (address, line) = (address.to_owned(), self.line.clone());
        Box::pin(async move {
            let mut stream = TcpStream::connect(&address).await?;
            if !stream.peer_addr()?.ip().is_loopback() {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("plain text is for loopback addresses only, and {address} is none"),
                ));
            }
            stream.set_nodelay(true)?;
            stream.write_all(line.as_bytes()).await?;
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }
}

/// TCP with mutual TLS, from certificates that can be read again while connections are open.
#[derive(Clone)]
pub struct TlsConnector {
    tls: Arc<ClientTls>,
}

impl TlsConnector {
    /// The node's certificate must come from the cluster's authority and name the host part of the address.
    pub fn new(tls: Arc<ClientTls>) -> Self {
        Self { tls }
    }
}

impl Connector for TlsConnector {
    fn connect(&self, address: &str) -> BoxFuture<io::Result<Box<dyn Io>>> {
        let address = address.to_owned();
        let rustls = RustlsConnector::from(self.tls.config());
        Box::pin(async move {
            let name = server_name(&address).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            // Our side of the handshake is over before the node has looked at our certificate, and a refusal that crosses
            // with a request is lost in a reset connection. So nothing is sent before the node has: it begins HTTP/2 with
            // its settings once it has let us in.
            let mut stream = BufReader::new(rustls.connect(name, stream).await?);
            if stream.fill_buf().await?.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the node closed the connection at once"));
            }
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }
}

/// A connector as tonic wants it, bound to one address.
#[derive(Clone)]
pub(crate) struct ConnectService {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) address: Arc<str>,
    /// Kept here and not by tonic, so that it counts as "no connection, nothing was sent".
    pub(crate) timeout: Duration,
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
        let timeout = self.timeout;
        Box::pin(async move {
            match tokio::time::timeout(timeout, connection).await {
                Ok(connection) => connection.map(TokioIo::new),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {timeout:?}"))),
            }
        })
    }
}
