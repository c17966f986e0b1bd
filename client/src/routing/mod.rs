//! Which node a call goes to: the nodes and their connections, the topology, and the choice between nodes.
//!
//! tonic's own balancing keeps dead endpoints in rotation, so the choice is ours: a call picks a node here, reports what
//! it met, and picks another one for its next attempt.

mod node;
mod topology;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alert_proto::v1 as pb;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout},
};

pub use self::topology::TopologyView;
pub(crate) use self::{
    node::{Node, pause},
    topology::Refresher,
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
    next: AtomicUsize,
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
            // A client process starts at a node of its own, so that many short-lived ones spread too.
            next: AtomicUsize::new(random.below(1024)),
            random,
        }
    }

    pub fn random(&self) -> &Random {
        &self.random
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

    /// The node that is thought to lead, unless it is known to be failing.
    pub fn leader(&self) -> Option<Arc<Node>> {
        let view = self.view();
        let node = self.node(view.leader_address()?);
        node.is_available(Instant::now()).then_some(node)
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
            let known = |view: &Arc<TopologyView>| view.topology().is_some() || view.other_cluster().is_some();
            if timeout(at_most, view.wait_for(known)).await.is_err() {
                return Err(Error::deadline(at_most, None));
            }
        }
        let view = view.borrow();
        match view.other_cluster() {
            Some(other) if view.topology().is_none() => Err(Error::local(
                codes::OTHER_CLUSTER,
                format!("the seeds belong to cluster '{other}', and '{expected}' is configured"),
            )),
            _ => Ok(()),
        }
    }

    /// A node to read from: round-robin over the nodes that are available, those of the own data centre first, and
    /// not one of `tried` while there is another. With every node out of favour, the one that returns soonest.
    pub fn pick(&self, tried: &[Arc<Node>]) -> Arc<Node> {
        let view = self.view();
        let addresses = view.addresses(&self.cluster.seeds);
        let now = Instant::now();
        let untried = |node: &Arc<Node>| !tried.iter().any(|other| Arc::ptr_eq(other, node));
        let available: Vec<(Arc<Node>, bool)> = addresses
            .iter()
            .map(|(address, data_centre)| (self.node(address), self.is_near(*data_centre)))
            .filter(|(node, _)| node.is_available(now) && untried(node))
            .collect();
        let near: Vec<&Arc<Node>> = available.iter().filter(|(_, near)| *near).map(|(node, _)| node).collect();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        if !near.is_empty() {
            return near[turn % near.len()].clone();
        }
        if !available.is_empty() {
            return available[turn % available.len()].0.clone();
        }
        let mut rest: Vec<Arc<Node>> = addresses.iter().map(|(address, _)| self.node(address)).collect();
        rest.sort_by_key(|node| (!untried(node), node.available_at()));
        rest.swap_remove(0)
    }

    /// How many nodes a call can go to.
    pub fn node_count(&self) -> usize {
        self.view().addresses(&self.cluster.seeds).len()
    }

    fn is_near(&self, data_centre: Option<&str>) -> bool {
        match (&self.cluster.data_centre, data_centre) {
            (Some(own), Some(other)) => own == other,
            _ => false,
        }
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
