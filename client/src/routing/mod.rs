//! Which node a call goes to: the nodes and their connections, the topology, and the choice between nodes.
//!
//! tonic's own balancing keeps dead endpoints in rotation, so the choice is ours: a call picks a node here, reports what
//! it met, and picks another one for its next attempt.

mod choice;
mod latency;
mod node;
mod standing;
mod topology;
mod watcher;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use alert_proto::v1 as pb;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout},
};

pub use self::{choice::NodeView, standing::Trouble, topology::TopologyView};
pub(crate) use self::{
    latency::{Expected, Latencies},
    node::Node,
    standing::pause,
    watcher::Watcher,
};
use crate::{
    connector::Connector,
    error::{Error, codes},
    random::Random,
};

/// How connections are made and kept.
#[derive(Clone)]
pub(crate) struct ConnectionSettings {
    pub connector: Arc<dyn Connector>,
    pub connections_per_node: usize,
    pub connect_timeout: Duration,
}

/// What the settings say of the cluster.
pub(crate) struct Cluster {
    pub seeds: Vec<String>,
    /// Reads prefer nodes of this data centre.
    pub data_centre: Option<String>,
    /// No call goes to another cluster than this.
    pub cluster_id: Option<String>,
}

/// The nodes, and what is known about them.
pub(crate) struct Routing {
    settings: ConnectionSettings,
    cluster: Cluster,
    /// By address; a node stays for as long as the topology or the seeds name it.
    nodes: Mutex<BTreeMap<String, Arc<Node>>>,
    view: watch::Sender<Arc<TopologyView>>,
    refresh: Notify,
    /// When the last call looked for a node; wakes the watcher when that was long ago.
    used_at: Mutex<Instant>,
    watcher_rests: AtomicBool,
    latencies: Latencies,
    random: Random,
}

impl Routing {
    pub fn new(settings: ConnectionSettings, cluster: Cluster, random: Random) -> Self {
        Self {
            settings,
            cluster,
            nodes: Mutex::new(BTreeMap::new()),
            view: watch::Sender::new(Arc::new(TopologyView::default())),
            refresh: Notify::new(),
            used_at: Mutex::new(Instant::now()),
            watcher_rests: AtomicBool::new(false),
            latencies: Latencies::default(),
            random,
        }
    }

    pub fn random(&self) -> &Random {
        &self.random
    }

    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// What is known of the cluster now.
    pub fn view(&self) -> Arc<TopologyView> {
        self.view.borrow().clone()
    }

    /// Asks the refresher for a new look soon.
    pub fn refresh_soon(&self) {
        self.refresh.notify_one();
    }

    /// The node at `address`, whether or not the topology names it.
    pub fn node(&self, address: &str) -> Arc<Node> {
        let mut nodes = self.nodes.lock();
        match nodes.get(address) {
            Some(node) => node.clone(),
            None => {
                let node = Arc::new(Node::new(address, &self.settings));
                nodes.insert(address.to_owned(), node.clone());
                node
            }
        }
    }

    /// The node that is thought to lead, unless nobody is there.
    pub fn leader(&self) -> Option<Arc<Node>> {
        self.note_use();
        let view = self.view();
        let node = self.node(view.leader_address()?);
        node.is_reachable(Instant::now()).then_some(node)
    }

    /// Comes back when another node than the one at `address` leads in a later term than the one known now.
    pub async fn leader_moved_from(&self, address: &str) {
        let mut view = self.view.subscribe();
        let term = view.borrow_and_update().term();
        let moved = |view: &Arc<TopologyView>| {
            view.term() > term && view.leader_address().is_some_and(|leader| leader != address)
        };
        if view.wait_for(moved).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// A call looks for a node: the nodes are looked after closely for a while.
    fn note_use(&self) {
        *self.used_at.lock() = Instant::now();
        if self.watcher_rests.swap(false, Ordering::Relaxed) {
            self.refresh.notify_one();
        }
    }

    fn unused_for(&self) -> Duration {
        self.used_at.lock().elapsed()
    }

    /// The next calls get new connections; those under way keep theirs to their end.
    pub fn renew_connections(&self) {
        self.nodes.lock().values().for_each(|node| node.renew_connections());
        self.view.send_modify(|view| *view = Arc::new(view.without_refusals()));
    }

    /// A node was not talked to because of certificates.
    fn note_refusal(&self, address: &str, why: &str) {
        self.view.send_if_modified(|view| match view.with_refusal(address, why) {
            Some(changed) => {
                *view = Arc::new(changed);
                true
            }
            None => false,
        });
    }

    /// Waits for a first leader to be known, for a short time only.
    pub async fn first_look(&self, at_most: Duration) {
        let mut view = self.view.subscribe();
        if view.borrow().leader_address().is_none() {
            self.refresh_soon();
            let _ = timeout(at_most, view.wait_for(|view| view.leader_address().is_some())).await;
        }
    }

    /// With a cluster's name configured, waits until a node of it has answered, and refuses every other cluster.
    pub async fn check_cluster(&self, at_most: Duration) -> Result<(), Error> {
        let Some(expected) = &self.cluster.cluster_id else { return Ok(()) };
        let mut view = self.view.subscribe();
        if view.borrow().topology().is_none() {
            self.refresh_soon();
            let seeds = self.cluster.seeds.as_slice();
            let known = |view: &Arc<TopologyView>| {
                view.topology().is_some() || view.other_cluster().is_some() || view.refused_by_all(seeds).is_some()
            };
            if timeout(at_most, view.wait_for(known)).await.is_err() {
                return Err(Error::deadline(at_most, None));
            }
        }
        let view = view.borrow();
        if let Some(why) = view.refused_by_all(&self.cluster.seeds) {
            return Err(Error::certificate(why));
        }
        match view.other_cluster() {
            Some(other) if view.topology().is_none() => Err(Error::local(
                codes::OTHER_CLUSTER,
                format!("the seeds belong to cluster '{other}', and '{expected}' is configured"),
            )),
            _ => Ok(()),
        }
    }

    /// How many nodes a call can go to.
    pub fn node_count(&self) -> usize {
        self.view().addresses(&self.cluster.seeds).len()
    }

    /// Follows what a refusing node says about who leads.
    pub fn follow(&self, hint: &pb::LeaderHint) {
        self.view.send_if_modified(|view| match view.with_hint(hint) {
            Some(changed) => {
                *view = Arc::new(changed);
                true
            }
            None => false,
        });
    }

    /// Takes in what one node answered.
    fn learn(&self, topology: pb::Topology) {
        let mut learnt = false;
        self.view.send_if_modified(|view| {
            match view.with_answer(topology, self.cluster.cluster_id.as_deref(), Instant::now()) {
                Some(changed) => {
                    *view = Arc::new(changed);
                    learnt = true;
                    true
                }
                None => false,
            }
        });
        if learnt {
            let view = self.view();
            let known = view.addresses(&self.cluster.seeds);
            // Connections to nodes that left the cluster close when their last call ends.
            self.nodes.lock().retain(|address, _| {
                known.iter().any(|(other, _)| other == address) || self.cluster.seeds.iter().any(|seed| seed == address)
            });
        }
    }
}
