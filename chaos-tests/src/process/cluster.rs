//! A cluster of real processes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use alert_cluster_config::{ClientConfig, Config, dev_cluster::DevCluster};
use anyhow::{Context, bail};

use super::{
    builder::{Change, ClusterBuilder, Keep},
    keeper::Keeper,
    node::{NodeProcess, NodeSettings},
    ports::PortBlock,
};

/// Lines of each node's log that a panicking test shows.
const PANIC_LINES: usize = 40;
/// Nodes that a block of ports has room for.
const NODES_MAX: u64 = 10;

/// Nodes with certificates and configuration in one directory. Dropping it ends them and removes the directory, unless
/// it was told to [`Keep`] them.
pub struct LocalCluster {
    pub(super) directory: PathBuf,
    pub(super) plan: Mutex<DevCluster>,
    pub(super) data_centres: Vec<String>,
    pub(super) base_port: u16,
    pub(super) clients: BTreeMap<String, PathBuf>,
    pub(super) settings: NodeSettings,
    pub(super) change: Option<Change>,
    pub(super) nodes: Mutex<BTreeMap<u64, Arc<NodeProcess>>>,
    pub(super) keep: Keep,
    /// Removes the directory; none where it stays.
    pub(super) keeper: Option<Keeper>,
    pub(super) _ports: Option<PortBlock>,
}

impl LocalCluster {
    /// Settings for a new one.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::default()
    }

    /// Where everything is: configuration, `logs/`, `data/`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A node by its number.
    pub fn node(&self, id: u64) -> anyhow::Result<Arc<NodeProcess>> {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.get(&id).cloned().with_context(|| format!("there is no node {id}"))
    }

    /// All nodes, by number, also those that do not run.
    pub fn nodes(&self) -> Vec<Arc<NodeProcess>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The configuration file of a client: "operator", "bureau", "search", "search-open", "auditor", "policy" or
    /// "partner-fr".
    pub fn client_config_path(&self, name: &str) -> anyhow::Result<&Path> {
        self.clients.get(name).map(PathBuf::as_path).with_context(|| {
            let known: Vec<&str> = self.clients.keys().map(String::as_str).collect();
            format!("there is no client '{name}', only {}", known.join(", "))
        })
    }

    /// The configuration of a client, as [`Self::client_config_path`] names them.
    pub fn client_config(&self, name: &str) -> anyhow::Result<ClientConfig> {
        Ok(ClientConfig::load(self.client_config_path(name)?)?)
    }

    /// Starts every node.
    pub fn start_all(&self) -> anyhow::Result<()> {
        self.nodes().iter().try_for_each(|node| node.start())
    }

    /// Kills every node.
    pub fn kill_all(&self) -> anyhow::Result<()> {
        self.nodes().iter().try_for_each(|node| node.kill())
    }

    /// Waits until every node says that it lives.
    pub async fn wait_all_live(&self) -> anyhow::Result<()> {
        for node in self.nodes() {
            node.wait_live().await?;
        }
        Ok(())
    }

    /// Waits until every node says that it can serve.
    pub async fn wait_all_ready(&self) -> anyhow::Result<()> {
        for node in self.nodes() {
            node.wait_ready().await?;
        }
        Ok(())
    }

    /// Writes one more node, with the next number, and starts it. It belongs to no cluster yet: [`Self::join`].
    pub fn add_node(&self) -> anyhow::Result<Arc<NodeProcess>> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let id = plan.nodes.iter().map(|node| node.id).max().unwrap_or_default() + 1;
        if id > NODES_MAX {
            bail!("there is room for {NODES_MAX} nodes");
        }
        let wider = DevCluster::on_loopback(&self.directory, id, &self.data_centres, self.base_port);
        let node =
            wider.nodes.into_iter().find(|node| node.id == id).context("the plan holds every number up to its size")?;
        let path = plan.write_node(&node)?;
        plan.nodes.push(node);
        drop(plan);
        let node = self.adopt(id, path)?;
        node.start()?;
        Ok(node)
    }

    /// Lets everything run on and stay after this is dropped; for a cluster that was built with [`Keep::Running`].
    pub fn leave_running(self) -> PathBuf {
        self.directory.clone()
    }

    /// A node whose configuration has been written.
    pub(super) fn adopt(&self, id: u64, config: PathBuf) -> anyhow::Result<Arc<NodeProcess>> {
        let node = Arc::new(NodeProcess::new(id, config, &self.settings));
        if let Some(change) = &self.change {
            node.configure(change)?;
        }
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).insert(id, node.clone());
        Ok(node)
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        if thread::panicking() {
            for node in self.nodes() {
                eprintln!("--- log of node {} ---\n{}", node.id(), node.log_tail(PANIC_LINES));
            }
        }
        if self.keep == Keep::Running {
            self.nodes().iter().for_each(|node| node.let_go());
            return;
        }
        for node in self.nodes() {
            if let Err(error) = node.kill() {
                eprintln!("{error:#}");
            }
        }
        if self.keep == Keep::Files {
            eprintln!("the cluster's files stay in {}", self.directory.display());
        }
        drop(self.keeper.take());
    }
}
