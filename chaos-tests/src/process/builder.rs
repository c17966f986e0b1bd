//! What a cluster shall be like.

use std::{collections::BTreeMap, env, net::IpAddr, path::PathBuf, sync::Mutex, time::Duration};

use alert_cluster_config::{
    NodeConfig,
    dev_cluster::{DevCluster, loopback_of},
};
use anyhow::{Context, bail};

use super::{
    binaries::Binaries,
    cluster::LocalCluster,
    keeper::Keeper,
    node::NodeSettings,
    ports::{PortBlock, check_address},
};

/// A node that is not live or ready by then will not be: generous, because a busy machine with two processors runs
/// three nodes and the tests.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// What stays when the cluster is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// The directory with configuration, logs and data; the processes end.
    Files,
    /// All: the processes run on, also when ours ends.
    Running,
}

/// Changes the configuration of a node before its first start.
pub(super) type Change = Box<dyn Fn(&mut NodeConfig) + Send + Sync>;

/// Settings of a cluster; each has a default.
#[must_use]
pub struct ClusterBuilder {
    nodes: u64,
    data_centres: Vec<String>,
    partners: Vec<String>,
    directory: Option<PathBuf>,
    base_port: Option<u16>,
    binaries: Option<Binaries>,
    log_filter: String,
    round_trip_ms: u64,
    environment: Vec<(String, String)>,
    change: Option<Change>,
    ready_limit: Duration,
    keep: Keep,
}

impl Default for ClusterBuilder {
    fn default() -> Self {
        let kept = env::var_os("KEEP").is_some_and(|value| !value.is_empty() && value != "0");
        Self {
            nodes: 3,
            data_centres: ["lon", "man", "edi"].map(str::to_owned).to_vec(),
            partners: vec!["FR".to_owned()],
            directory: None,
            base_port: None,
            binaries: None,
            log_filter: "info".to_owned(),
            round_trip_ms: 10,
            environment: Vec::new(),
            change: None,
            ready_limit: READY_LIMIT,
            keep: if kept { Keep::Files } else { Keep::Nothing },
        }
    }
}

impl ClusterBuilder {
    /// How many nodes, 1 to 9; default 3. Further ones can join later, up to 10 in all.
    pub fn nodes(mut self, nodes: u64) -> Self {
        self.nodes = nodes.clamp(1, 9);
        self
    }

    /// Data centres over which the nodes are spread in turn; each has a loopback address of its own. Default: lon, man,
    /// edi.
    pub fn data_centres(mut self, names: &[&str]) -> Self {
        self.data_centres = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Countries of partners, each with an authority and a client "partner-CC". Default: FR.
    pub fn partners(mut self, countries: &[&str]) -> Self {
        self.partners = countries.iter().map(|country| (*country).to_owned()).collect();
        self
    }

    /// Where everything is written. Default: a new directory in the system's temporary one.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// First port. Default: a block of ports that is free.
    pub fn base_port(mut self, port: u16) -> Self {
        self.base_port = Some(port);
        self
    }

    /// The programs. Default: those of this build ([`Binaries::find`]).
    pub fn binaries(mut self, binaries: Binaries) -> Self {
        self.binaries = Some(binaries);
        self
    }

    /// What the nodes log. Default: "info".
    pub fn log_filter(mut self, filter: &str) -> Self {
        self.log_filter = filter.to_owned();
        self
    }

    /// Longest round trip that the nodes are told. Default: 10 ms.
    pub fn round_trip_ms(mut self, round_trip_ms: u64) -> Self {
        self.round_trip_ms = round_trip_ms;
        self
    }

    /// Adds a variable to every node's environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Changes the configuration of every node, later ones included.
    pub fn configure(mut self, change: impl Fn(&mut NodeConfig) + Send + Sync + 'static) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// How long waiting for a node to be live or ready may take. Default: 60 s.
    pub fn ready_limit(mut self, limit: Duration) -> Self {
        self.ready_limit = limit;
        self
    }

    /// What stays when the cluster is dropped. Default: nothing, or the files when KEEP is set in the environment.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Writes everything; nothing is started.
    pub fn write(self) -> anyhow::Result<LocalCluster> {
        let binaries = self.binaries.map_or_else(Binaries::find, Ok)?;
        if !binaries.alertd.is_file() {
            bail!("there is no program {}", binaries.alertd.display());
        }
        let addresses: Vec<IpAddr> = (0..self.data_centres.len().max(1)).map(loopback_of).collect();
        for address in &addresses {
            check_address(*address)?;
        }
        let (base_port, ports) = match self.base_port {
            Some(port) => (port, None),
            None => {
                let block = PortBlock::take(&addresses)?;
                (block.first, Some(block))
            }
        };
        let directory = match self.directory {
            Some(path) => std::path::absolute(path)?,
            // Its name only: the cluster removes it, if it is to be removed.
            None => tempfile::Builder::new().prefix("alertstore-").tempdir().context("a temporary directory")?.keep(),
        };
        let keeper = if self.keep == Keep::Nothing { Some(Keeper::of(&directory)?) } else { None };
        let logs = directory.join("logs");
        std::fs::create_dir_all(&logs).with_context(|| logs.display().to_string())?;
        let plan = DevCluster {
            partners: self.partners,
            round_trip_ms: self.round_trip_ms,
            log_filter: self.log_filter,
            ..DevCluster::on_loopback(&directory, self.nodes, &self.data_centres, base_port)
        };
        let settings = NodeSettings {
            program: binaries.alertd,
            logs,
            ready_limit: self.ready_limit,
            outlives: self.keep == Keep::Running,
            environment: self.environment,
        };
        let files = plan.write()?;
        let cluster = LocalCluster {
            directory,
            plan: Mutex::new(plan),
            data_centres: self.data_centres,
            base_port,
            clients: files.clients.into_iter().collect(),
            settings,
            change: self.change,
            nodes: Mutex::new(BTreeMap::new()),
            keep: self.keep,
            keeper,
            _ports: ports,
        };
        for (index, path) in files.nodes.into_iter().enumerate() {
            cluster.adopt(index as u64 + 1, path)?;
        }
        Ok(cluster)
    }

    /// Writes everything, starts every node, forms the cluster with all nodes as voters, and waits until all are ready.
    pub async fn start(self) -> anyhow::Result<LocalCluster> {
        let cluster = self.write()?;
        cluster.start_all()?;
        cluster.wait_all_live().await?;
        cluster.form().await?;
        cluster.wait_all_ready().await?;
        Ok(cluster)
    }
}
