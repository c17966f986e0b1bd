//! Connections to other nodes.

use std::{io, pin::Pin, sync::Arc};

use super::Transport;
use crate::seam::{Connector, Io, PeerTarget};

/// Connects over TCP.
pub struct TcpConnector {
    transport: Arc<Transport>,
}

impl TcpConnector {
    /// Secured as `transport` says.
    pub fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }
}

impl Connector for TcpConnector {
    fn connect(&self, target: PeerTarget) -> Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>> {
        let transport = Arc::clone(&self.transport);
        Box::pin(async move { transport.connect(&target).await })
    }
}
