//! Everything the node asks of the world around it, behind traits: time, randomness, files, threads, connections.
//!
//! The simulator runs this very node with its own versions of these. So nothing else in the node calls
//! `SystemTime::now`, opens a file, spawns a thread or opens a socket.

mod blocking;
mod clock;
mod files;
mod net;
mod random;

use std::sync::Arc;

pub use blocking::{Blocking, Lane, Threads, run};
pub use clock::{Clock, SystemClock};
pub use files::{AppendFile, FileInfo, FileSystem, RealFiles};
pub use net::{Accepted, Connector, Io, Listener, PeerIdentity, PeerTarget, Ridden, Rider};
pub use random::{OsRandom, Random};

/// The world a node runs in.
#[derive(Clone)]
pub struct Host {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub files: Arc<dyn FileSystem>,
    pub blocking: Arc<dyn Blocking>,
}

impl Host {
    /// This machine.
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            files: Arc::new(RealFiles),
            blocking: Arc::new(Threads::new()),
        }
    }
}
