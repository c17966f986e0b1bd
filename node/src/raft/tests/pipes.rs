//! A network in memory: streams are pipes, and a test says who reaches whom.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use alert_core::alert::{Caller, Role};
use tokio::{io::duplex, sync::mpsc};
use tokio_util::{
    io::InspectWriter,
    sync::{CancellationToken, WaitForCancellationFutureOwned},
};

use crate::{
    raft::types::NodeId,
    seam::{Accepted, Connector, Io, Listener, PeerIdentity, PeerTarget, Ridden, Rider},
};

const PIPE_BYTES: usize = 256 << 10;

#[derive(Default)]
struct State {
    listeners: BTreeMap<String, (NodeId, mpsc::UnboundedSender<Accepted>)>,
    /// Open connections, in the order in which they were opened.
    open: Vec<Open>,
    cut: BTreeSet<(NodeId, NodeId)>,
}

/// An open connection.
struct Open {
    from: NodeId,
    to: NodeId,
    /// Cancelled, it breaks.
    alive: CancellationToken,
    /// Bytes that its opener sent.
    sent: Arc<AtomicU64>,
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

    /// Bytes that `from` has sent on each connection that it has open to `to`, in the order in which they were opened.
    pub fn sent(&self, from: NodeId, to: NodeId) -> Vec<u64> {
        let state = self.0.lock().unwrap();
        // Its opener holds the counter for as long as it holds the connection.
        let is_held = |open: &&Open| Arc::strong_count(&open.sent) > 1 && !open.alive.is_cancelled();
        let between = state.open.iter().filter(is_held).filter(|open| (open.from, open.to) == (from, to));
        between.map(|open| open.sent.load(Ordering::Relaxed)).collect()
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
        self.open.retain(|open| {
            if which(open.from, open.to) {
                open.alive.cancel();
            }
            !open.alive.is_cancelled()
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
                    let sent = Arc::<AtomicU64>::default();
                    state.open.push(Open { from, to, alive: alive.clone(), sent: sent.clone() });
                    let ours = InspectWriter::new(ours, move |bytes: &[u8]| {
                        sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    });
                    let caller = Caller {
                        country: "GB".into(),
                        authority: "test".into(),
                        system: format!("node-{from}"),
                        role: Role::Node,
                    };
                    let peer = PeerIdentity { caller, node_id: Some(from), certificate_serial: format!("{from:x}") };
                    let stream = breakable(theirs, alive.clone());
                    let accepted = Accepted { stream, peer, remote_address: format!("pipe of node {from}") };
                    accept.send(accepted).map_err(|_| refused())?;
                    Some(breakable(ours, alive))
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
fn breakable(stream: impl Io, alive: CancellationToken) -> Box<dyn Io> {
    Box::new(Ridden::new(Box::new(stream), Breakable(Box::pin(alive.cancelled_owned()))))
}

/// Ends a stream when a test says so.
struct Breakable(Pin<Box<WaitForCancellationFutureOwned>>);

impl Rider for Breakable {
    fn before_read(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.0.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}
