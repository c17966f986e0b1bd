//! Connections as tonic wants them: a byte stream that knows who is at its other end.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tonic::transport::server::Connected;

use crate::seam::{Accepted, PeerIdentity, Ridden, Rider};

/// Who is at the other end; rides in the extensions of every request.
#[derive(Debug, Clone)]
pub struct Peer(pub Arc<PeerIdentity>);

/// What an accepted connection carries along.
pub struct Place {
    peer: Peer,
    /// Among the connections that there may be.
    _permit: OwnedSemaphorePermit,
}

impl Rider for Place {}

/// An accepted connection.
pub type PeerStream = Ridden<Place>;

/// An accepted connection in its place.
pub fn peer_stream(accepted: Accepted, permit: OwnedSemaphorePermit) -> PeerStream {
    Ridden::new(accepted.stream, Place { peer: Peer(Arc::new(accepted.peer)), _permit: permit })
}

impl Connected for PeerStream {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.rider().peer.clone()
    }
}
