//! The Raft port: accepts connections of nodes and serves them.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use alert_core::pb::raft_service_server::RaftServiceServer;
use futures::stream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::Connected};

use super::{
    limits::{CONNECTION_STREAMS_MAX, CONNECTION_WINDOW_BYTES, RAFT_MESSAGE_BYTES_MAX, STREAM_WINDOW_BYTES},
    service::RaftRpc,
    types::NodeId,
};
use crate::seam::{Accepted, Listener, PeerIdentity, Ridden, Rider};

/// What a peer said in its hello on one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidHello {
    pub node_id: NodeId,
    pub incarnation: String,
    /// It named this node's incarnation. Without that, only questions of identity are answered.
    pub knows_us: bool,
}

/// One connection, as calls on it see it.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    pub peer: PeerIdentity,
    pub remote_address: String,
    pub(super) hello: Arc<OnceLock<SaidHello>>,
}

impl Rider for ConnectionInfo {}

impl Connected for Ridden<ConnectionInfo> {
    type ConnectInfo = ConnectionInfo;

    fn connect_info(&self) -> ConnectionInfo {
        self.rider().clone()
    }
}

/// Serves the Raft port until `stopping`. A peer silent for `no_progress` is given up.
///
/// # Errors
/// The server could not be set up.
pub async fn serve(
    listener: Box<dyn Listener>,
    service: RaftRpc,
    no_progress: Duration,
    stopping: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let incoming = stream::unfold(listener, |mut listener| async move {
        let accepted = listener.accept().await;
        let ended = accepted.is_err();
        let item = accepted.map(|Accepted { stream, peer, remote_address }| {
            Ridden::new(stream, ConnectionInfo { peer, remote_address, hello: Arc::default() })
        });
        if ended { None } else { Some((item, listener)) }
    });
    let service = RaftServiceServer::new(service)
        .max_decoding_message_size(RAFT_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(RAFT_MESSAGE_BYTES_MAX);
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(CONNECTION_STREAMS_MAX)
        .max_frame_size(1 << 20)
        .http2_keepalive_interval(Some(no_progress / 2))
        .http2_keepalive_timeout(Some(no_progress / 2))
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, stopping.cancelled_owned())
        .await
}
