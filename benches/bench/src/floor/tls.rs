//! Both ends of a connection with mutual TLS, under certificates made for the occasion.

use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use alert_cluster_config::{
    ClientConfig, Config, NodeConfig,
    dev_cluster::DevCluster,
    tls::{ClientTls, NodeTls},
};
use anyhow::Context as _;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

/// Certificates of a server and of a client.
pub(super) struct Ends {
    server: NodeTls,
    client: Arc<ClientTls>,
}

impl Ends {
    pub(super) fn make(directory: &Path) -> anyhow::Result<Self> {
        // The ports are never listened on: only the certificates are wanted.
        let plan = DevCluster::on_loopback(&directory.join("certificates"), 1, &["lon".to_owned()], 20_000);
        let files = plan.write()?;
        let node = NodeConfig::load(&files.nodes[0])?;
        let client = ClientConfig::load(files.client("search").context("the plan has a client 'search'")?)?;
        Ok(Self { server: NodeTls::open(&node.tls, node.node.id)?, client: Arc::new(ClientTls::open(&client.tls)?) })
    }

    pub(super) fn client(&self) -> Arc<ClientTls> {
        self.client.clone()
    }

    pub(super) async fn listen(&self) -> anyhow::Result<(TcpListener, TlsAcceptor)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok((listener, TlsAcceptor::from(self.server.current().client_port.clone())))
    }
}

/// A stream that tonic serves.
pub(super) struct Served(pub(super) TlsStream<TcpStream>);

impl Connected for Served {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Served {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Served {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
