//! Warm connections to every other member. Four to each peer, so that heartbeats never wait behind entries, entries
//! never behind a snapshot, and none of them behind a client's forwarded call.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::pb::{RaftHello, raft_service_client::RaftServiceClient};
use arc_swap::ArcSwap;
use http::Uri;
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    append_link::AppendLink,
    channel::Channel,
    hello::Hello,
    limits::{DIAL_PAUSE, RAFT_MESSAGE_BYTES_MAX},
    options::Timings,
    types::{Node, NodeId},
};
use crate::seam::{Connector, PeerTarget};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Log entries.
    Append,
    /// Heartbeats, votes, transfer of the leadership.
    Control,
    /// Snapshots.
    Snapshot,
    /// Forwarded calls and read indexes.
    Forward,
}

const LANES: [Lane; 4] = [Lane::Append, Lane::Control, Lane::Snapshot, Lane::Forward];

/// Why a peer cannot be talked to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeerError {
    #[error("node {0} is not a member")]
    Unknown(NodeId),
    #[error("no connection to node {node_id}: {reason}")]
    Unreachable { node_id: NodeId, reason: String },
}

/// A connection that has said hello.
#[derive(Clone)]
pub struct Connection {
    channel: Channel,
    origin: Uri,
    /// Set on [`Lane::Append`].
    pub append: Option<AppendLink>,
}

impl Connection {
    /// A client on it.
    pub fn client(&self) -> RaftServiceClient<Channel> {
        client(self.channel.clone(), self.origin.clone())
    }
}

fn client(channel: Channel, origin: Uri) -> RaftServiceClient<Channel> {
    RaftServiceClient::with_origin(channel, origin)
        .max_decoding_message_size(RAFT_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(RAFT_MESSAGE_BYTES_MAX)
}

/// What the four lanes of a peer share.
struct PeerState {
    node: ArcSwap<Node>,
    last_contact: Mutex<Option<Instant>>,
    last_fault: Mutex<String>,
}

struct Peer {
    state: Arc<PeerState>,
    lanes: BTreeMap<Lane, watch::Receiver<Option<Connection>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Inner {
    hello: Arc<Hello>,
    connector: Arc<dyn Connector>,
    timings: Timings,
    came_up: mpsc::UnboundedSender<NodeId>,
    table: Mutex<BTreeMap<NodeId, Arc<Peer>>>,
}

/// The pool. Clones share it.
#[derive(Clone)]
pub struct Peers(Arc<Inner>);

impl Peers {
    /// An empty pool. `came_up` hears of each peer whose entries can flow again.
    pub fn new(
        hello: Arc<Hello>,
        connector: Arc<dyn Connector>,
        timings: Timings,
        came_up: mpsc::UnboundedSender<NodeId>,
    ) -> Self {
        Self(Arc::new(Inner { hello, connector, timings, came_up, table: Mutex::default() }))
    }

    /// Starts connecting to a peer, unless that is under way. Comes back at once.
    pub fn ensure(&self, node_id: NodeId, node: &Node) {
        if node_id == self.0.hello.node_id() {
            return;
        }
        let mut table = self.0.table.lock().expect("held in this function only");
        table.entry(node_id).or_insert_with(|| self.0.start(node_id, node));
    }

    /// The members in effect: new ones are connected to, new addresses taken up, others dropped.
    pub fn set_members(&self, members: &BTreeMap<NodeId, Node>) {
        {
            let mut table = self.0.table.lock().expect("held in this block only");
            table.retain(|id, _| members.contains_key(id));
            for (id, peer) in table.iter() {
                if let Some(node) = members.get(id).filter(|node| **node != **peer.state.node.load()) {
                    peer.state.node.store(Arc::new((*node).clone()));
                }
            }
        }
        members.iter().for_each(|(id, node)| self.ensure(*id, node));
    }

    /// Ends every connection.
    pub fn close(&self) {
        self.0.table.lock().expect("held for this line only").clear();
    }

    fn peer(&self, node_id: NodeId) -> Result<Arc<Peer>, PeerError> {
        let table = self.0.table.lock().expect("held for this line only");
        table.get(&node_id).cloned().ok_or(PeerError::Unknown(node_id))
    }

    /// A connection to `node_id`, waiting up to `patience` for one to come up.
    ///
    /// # Errors
    /// No such peer, or no connection in time.
    pub async fn connection(&self, node_id: NodeId, lane: Lane, patience: Duration) -> Result<Connection, PeerError> {
        let peer = self.peer(node_id)?;
        let mut up = peer.lanes[&lane].clone();
        let connection = match timeout(patience, up.wait_for(Option::is_some)).await {
            Ok(Ok(connection)) => connection.clone(),
            Ok(Err(_)) | Err(_) => None,
        };
        connection.ok_or_else(|| {
            let reason = peer.state.last_fault.lock().expect("held for this line only").clone();
            PeerError::Unreachable { node_id, reason }
        })
    }

    /// A peer answered something just now.
    pub fn note_contact(&self, node_id: NodeId) {
        if let Ok(peer) = self.peer(node_id) {
            *peer.state.last_contact.lock().expect("held for this line only") = Some(Instant::now());
        }
    }

    /// When a peer last answered.
    pub fn last_contact(&self, node_id: NodeId) -> Option<Instant> {
        let peer = self.peer(node_id).ok()?;
        *peer.state.last_contact.lock().expect("held for this line only")
    }

    /// True while the control connection to a peer stands.
    pub fn reachable(&self, node_id: NodeId) -> bool {
        self.peer(node_id).is_ok_and(|peer| peer.lanes[&Lane::Control].borrow().is_some())
    }

    /// Why the last attempt to connect to a peer failed; empty when none did.
    pub fn last_fault(&self, node_id: NodeId) -> String {
        self.peer(node_id)
            .map(|peer| peer.state.last_fault.lock().expect("held for this line only").clone())
            .unwrap_or_default()
    }

    /// Asks a node outside the membership who it is: its hello.
    ///
    /// # Errors
    /// It cannot be reached, or is refused.
    pub async fn interview(&self, node_id: NodeId, address: &str) -> Result<RaftHello, PeerError> {
        let (_, _, hello) = self
            .0
            .dial(node_id, address.to_owned(), "")
            .await
            .map_err(|reason| PeerError::Unreachable { node_id, reason })?;
        Ok(hello)
    }
}

impl Inner {
    fn start(self: &Arc<Self>, node_id: NodeId, node: &Node) -> Arc<Peer> {
        let state = Arc::new(PeerState {
            node: ArcSwap::from_pointee(node.clone()),
            last_contact: Mutex::default(),
            last_fault: Mutex::default(),
        });
        let mut lanes = BTreeMap::new();
        let mut tasks = Vec::new();
        for lane in LANES {
            let (up, receiver) = watch::channel(None);
            lanes.insert(lane, receiver);
            let (inner, state) = (self.clone(), state.clone());
            tasks.push(tokio::spawn(async move { inner.keep_up(node_id, lane, &state, &up).await }));
        }
        Arc::new(Peer { state, lanes, tasks })
    }

    /// Connects, says hello, publishes the connection, waits for its end; for as long as the peer is a member.
    async fn keep_up(&self, node_id: NodeId, lane: Lane, state: &PeerState, up: &watch::Sender<Option<Connection>>) {
        let mut pause = DIAL_PAUSE.0;
        loop {
            // The membership in effect knows the newest address and incarnation.
            let node = self.hello.member(node_id).unwrap_or_else(|| (**state.node.load()).clone());
            match self.connect(node_id, lane, &node).await {
                Ok((connection, driver)) => {
                    pause = DIAL_PAUSE.0;
                    *state.last_contact.lock().expect("held for this line only") = Some(Instant::now());
                    state.last_fault.lock().expect("held for this line only").clear();
                    tracing::debug!(node_id, ?lane, address = node.raft_address, "connected to a peer");
                    up.send_replace(Some(connection.clone()));
                    if lane == Lane::Append {
                        // Nobody listens any more when the node stops.
                        let _ = self.came_up.send(node_id);
                    }
                    match &connection.append {
                        Some(link) => tokio::select! {
                            biased;
                            () = connection.channel.closed() => {}
                            () = link.ended() => {}
                        },
                        None => connection.channel.closed().await,
                    }
                    up.send_replace(None);
                    drop(driver);
                    tracing::info!(node_id, ?lane, "lost the connection to a peer");
                }
                Err(reason) => {
                    let mut last = state.last_fault.lock().expect("held for these lines only");
                    if *last != reason {
                        tracing::warn!(node_id, ?lane, reason, "cannot connect to a peer");
                        *last = reason;
                    }
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(DIAL_PAUSE.1);
        }
    }

    async fn connect(&self, node_id: NodeId, lane: Lane, node: &Node) -> Result<(Connection, DriverGuard), String> {
        let (mut connection, driver, _) = self.dial(node_id, node.raft_address.clone(), &node.incarnation).await?;
        if lane == Lane::Append {
            let opened = timeout(self.timings.connect, AppendLink::open(connection.client(), self.timings.no_progress));
            let link = opened.await.map_err(|_| "the append stream did not open in time".to_owned())?;
            connection.append = Some(link.map_err(|status| status.message().to_owned())?);
        }
        Ok((connection, driver))
    }

    /// Connects and says hello.
    async fn dial(
        &self,
        node_id: NodeId,
        address: String,
        incarnation: &str,
    ) -> Result<(Connection, DriverGuard, RaftHello), String> {
        let attempt = async {
            let stream = self
                .connector
                .connect(PeerTarget { node_id, address: address.clone() })
                .await
                .map_err(|error| format!("{address}: {error}"))?;
            let (channel, driver) =
                Channel::open(stream, self.timings.no_progress).await.map_err(|error| format!("{address}: {error}"))?;
            let driver = DriverGuard(driver);
            let origin: Uri = format!("http://node-{node_id}").parse().expect("a name with a number is a URI");
            let connection = Connection { channel, origin, append: None };
            let said = self.hello.say(node_id, incarnation);
            let answer = connection.client().hello(said.clone()).await;
            let answer = answer.map_err(|status| status.message().to_owned())?.into_inner();
            self.hello.check_answer(&said, &answer).map_err(|error| error.to_string())?;
            Ok((connection, driver, answer))
        };
        timeout(self.timings.connect, attempt).await.unwrap_or_else(|_| Err(format!("{address}: no answer in time")))
    }
}

/// Ends a connection's driver when the connection is given up.
struct DriverGuard(tokio::task::AbortHandle);

impl Drop for DriverGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}
