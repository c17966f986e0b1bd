//! A listening socket whose connections come with the identity of their other end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
};

use super::{Port, Transport};
use crate::seam::{Accepted, Listener};

/// Handshakes under way at a time: a slow client must not keep others out.
const HANDSHAKES_MAX: usize = 256;
/// How often it is looked at whether certificates of open connections have run out.
const HELD_LOOK: Duration = Duration::from_secs(60);
/// Connections that are accepted and not yet taken.
const BACKLOG: usize = 64;

/// A listener on a TCP port.
pub struct TcpServer {
    accepted: mpsc::Receiver<Accepted>,
    local_address: SocketAddr,
}

impl TcpServer {
    /// Binds `address` and begins to accept.
    pub async fn bind(address: SocketAddr, transport: Arc<Transport>, port: Port) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let local_address = listener.local_addr()?;
        let (sender, accepted) = mpsc::channel(BACKLOG);
        tokio::spawn(accept_loop(listener, transport, port, sender));
        Ok(Self { accepted, local_address })
    }
}

impl Listener for TcpServer {
    fn accept(&mut self) -> std::pin::Pin<Box<dyn Future<Output = io::Result<Accepted>> + Send + '_>> {
        Box::pin(async move { self.accepted.recv().await.ok_or_else(|| io::Error::other("the listener has ended")) })
    }

    fn local_address(&self) -> String {
        self.local_address.to_string()
    }
}

async fn accept_loop(listener: TcpListener, transport: Arc<Transport>, port: Port, accepted: mpsc::Sender<Accepted>) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let mut looks = tokio::time::interval(HELD_LOOK);
    while !accepted.is_closed() {
        let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else { return };
        let connection = tokio::select! {
            connection = listener.accept() => connection,
            _ = looks.tick() => {
                let transport = Arc::clone(&transport);
                // As much work as that many handshakes: not among the tasks of calls.
                tokio::task::spawn_blocking(move || transport.check_held(port));
                continue;
            }
        };
        let (stream, remote) = match connection {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (transport, accepted) = (Arc::clone(&transport), accepted.clone());
        tokio::spawn(async move {
            match transport.accept(stream, port).await {
                Ok((stream, peer)) => {
                    let remote_address = remote.to_string();
                    // The server has stopped when nobody takes it.
                    let _ = accepted.send(Accepted { stream, peer, remote_address }).await;
                }
                Err(error) => {
                    let reason = alert_cluster_config::tls::explain(&error);
                    tracing::warn!(%remote, ?port, reason, "connection refused");
                }
            }
            drop(permit);
        });
    }
}
