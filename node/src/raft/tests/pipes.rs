//! A network in memory: streams are pipes, and a test says who reaches whom.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use alert_core::alert::{Caller, Role};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    sync::mpsc,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{
    raft::types::NodeId,
    seam::{Accepted, Connector, Io, Listener, PeerIdentity, PeerTarget},
};

const PIPE_BYTES: usize = 256 << 10;

#[derive(Default)]
struct State {
    listeners: BTreeMap<String, (NodeId, mpsc::UnboundedSender<Accepted>)>,
    /// Open connections: ends, and what breaks them.
    open: Vec<(NodeId, NodeId, CancellationToken)>,
    cut: BTreeSet<(NodeId, NodeId)>,
}

/// The network. Clones share it.
#[derive(Clone, Default)]
pub struct Pipes(Arc<Mutex<State>>);

fn pair(a: NodeId, b: NodeId) -> (NodeId, NodeId) {
    (a.min(b), a.max(b))
}

impl Pipes {
    /// `node` listens at `address`; a listener there before hears nothing more.
    pub fn listen(&self, node: NodeId, address: &str) -> Box<dyn Listener> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.lock().unwrap().listeners.insert(address.to_owned(), (node, sender));
        Box::new(PipeListener { address: address.to_owned(), receiver })
    }

    /// What `node` connects with.
    pub fn connector(&self, node: NodeId) -> Arc<dyn Connector> {
        Arc::new(PipeConnector { network: self.clone(), node })
    }

    /// Breaks what is open between two nodes; attempts to connect hang.
    pub fn cut(&self, a: NodeId, b: NodeId) {
        let mut state = self.0.lock().unwrap();
        state.cut.insert(pair(a, b));
        state.break_where(|one, other| pair(one, other) == pair(a, b));
    }

    /// The two nodes reach each other again.
    pub fn heal(&self, a: NodeId, b: NodeId) {
        self.0.lock().unwrap().cut.remove(&pair(a, b));
    }

    /// The node is gone: its connections break, its address refuses.
    pub fn kill(&self, node: NodeId) {
        let mut state = self.0.lock().unwrap();
        state.listeners.retain(|_, (listener, _)| *listener != node);
        state.break_where(|one, other| one == node || other == node);
    }
}

impl State {
    fn break_where(&mut self, which: impl Fn(NodeId, NodeId) -> bool) {
        self.open.retain(|(one, other, alive)| {
            if which(*one, *other) {
                alive.cancel();
            }
            !alive.is_cancelled()
        });
    }
}

struct PipeListener {
    address: String,
    receiver: mpsc::UnboundedReceiver<Accepted>,
}

impl Listener for PipeListener {
    fn accept(&mut self) -> Pin<Box<dyn Future<Output = io::Result<Accepted>> + Send + '_>> {
        Box::pin(async move { self.receiver.recv().await.ok_or_else(|| io::Error::other("closed")) })
    }

    fn local_address(&self) -> String {
        self.address.clone()
    }
}

struct PipeConnector {
    network: Pipes,
    node: NodeId,
}

impl Connector for PipeConnector {
    fn connect(&self, target: PeerTarget) -> Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>> {
        let (network, from) = (self.network.clone(), self.node);
        Box::pin(async move {
            let connected = {
                let mut state = network.0.lock().unwrap();
                let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
                let (to, accept) = state.listeners.get(&target.address).cloned().ok_or_else(refused)?;
                if state.cut.contains(&pair(from, to)) {
                    None
                } else {
                    let alive = CancellationToken::new();
                    let (ours, theirs) = duplex(PIPE_BYTES);
                    state.open.push((from, to, alive.clone()));
                    let caller = Caller {
                        country: "GB".into(),
                        authority: "test".into(),
                        system: format!("node-{from}"),
                        role: Role::Node,
                    };
                    let peer = PeerIdentity { caller, node_id: Some(from), certificate_serial: format!("{from:x}") };
                    let stream = Box::new(Pipe::new(theirs, alive.clone()));
                    let accepted = Accepted { stream, peer, remote_address: format!("pipe of node {from}") };
                    accept.send(accepted).map_err(|_| refused())?;
                    Some(Box::new(Pipe::new(ours, alive)) as Box<dyn Io>)
                }
            };
            match connected {
                Some(stream) => Ok(stream),
                None => std::future::pending().await,
            }
        })
    }
}

/// One end of a connection that a test can break.
struct Pipe {
    stream: DuplexStream,
    broken: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Pipe {
    fn new(stream: DuplexStream, alive: CancellationToken) -> Self {
        Self { stream, broken: Box::pin(alive.cancelled_owned()) }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.broken.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
