//! A whole node put together from its configuration: storage, consensus, services, ports.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_cluster_config::{
    NodeConfig,
    tls::{Reload, TlsError},
};
use alert_core::search::normalise::variants;
use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Api, ApiOptions, TokenSealer},
    assembly::{Assembly, AssemblyError, Blueprint},
    audit::AuditOptions,
    net::{Port, TcpConnector, TcpServer, Transport},
    ops::{Health, OpsServer, watch_node},
    preflight::{self, Obstacle},
    raft::{RaftNode, RaftOptions, types::Node},
    seam::{Blocking, Host, Lane, run},
    storage::{
        Storage,
        data_directory::DirectoryOptions,
        engine::rocks::{RocksEngines, RocksSettings},
    },
};

const MIB: usize = 1 << 20;

/// Why a node does not start. Each is one sentence that an operator can act on.
#[derive(Debug, Error)]
pub enum ServerError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error(transparent)]
    Machine(#[from] Obstacle),
}

/// A running node.
pub struct Server {
    node: RaftNode,
    api: Api,
    transport: Arc<Transport>,
    storage: Storage,
    stopping: CancellationToken,
    failure: watch::Receiver<Option<String>>,
    /// The client port and the raft port, until they are awaited.
    ports: Mutex<Option<(JoinHandle<()>, JoinHandle<()>)>>,
}

impl Server {
    /// Opens everything and begins to serve. Ports are bound last, but the ops port: it tells how far the start is.
    pub async fn start(config: NodeConfig, metrics: PrometheusHandle) -> Result<Self, ServerError> {
        let host = Host::real();
        let health = Health::default();
        let ops = OpsServer::bind(config.listen.ops, health.clone(), metrics)
            .await
            .map_err(|error| Obstacle::Listen { field: "ops", address: config.listen.ops, error })?;
        health.set_ready("started", false, "opening the data directories");
        tokio::spawn(ops.serve());

        let transport = Arc::new(Transport::open(&config)?);
        let sealer = TokenSealer::new(transport.token_key(&config.node.cluster_id), Arc::clone(&host.random));
        let tables = tokio::spawn(read_tables(Arc::clone(&host.blocking)));
        let (files, directories) = (Arc::clone(&host.files), config.storage.clone());
        run(&*host.blocking, Lane::Snapshot, move || preflight::check_directories(&*files, &directories)).await?;
        let assembly = Assembly::open(Blueprint {
            engines: Arc::new(RocksEngines::new(rocks_settings(&config))),
            directories: data_directories(&config),
            audit: audit_options(&config),
            raft: raft_options(&config),
            connector: Arc::new(TcpConnector::new(Arc::clone(&transport))),
            options: ApiOptions::of(&config.limits, &config.policy),
            host,
            sealer,
        });
        let Assembly { node, api, storage, audit } = assembly.await?;

        let stopping = CancellationToken::new();
        let (failed, failure) = watch::channel(None);
        let raft_port = bind(&config, &transport, Port::Raft).await?;
        let client_port = bind(&config, &transport, Port::Client).await?;
        tracing::info!(
            node = config.node.name,
            client = %config.listen.client,
            raft = %config.listen.raft,
            ops = %config.listen.ops,
            "node started"
        );
        let raft_served = tokio::spawn({
            let node = node.clone();
            let failed = failed.clone();
            async move {
                if let Err(error) = node.serve(Box::new(raft_port)).await {
                    failed.send_replace(Some(format!("the raft port failed: {error}")));
                }
            }
        });
        // Callers wait for them once, and not each for its first question.
        tables.await.expect("they are part of the program, and a test reads them");
        let client_served = tokio::spawn({
            let (api, stopping, failed) = (api.clone(), stopping.clone(), failed.clone());
            async move {
                let stop = async move { stopping.cancelled().await };
                if let Err(error) = api::serve(api, Box::new(client_port), stop).await {
                    failed.send_replace(Some(format!("the client port failed: {error}")));
                }
            }
        });
        health.set_ready("started", true, "data directories are open and ports are bound");
        tokio::spawn(watch_node(node.clone(), audit.head(), audit.failure(), health, failed, stopping.clone()));
        Ok(Self {
            node,
            api,
            transport,
            storage,
            stopping,
            failure,
            ports: Mutex::new(Some((client_served, raft_served))),
        })
    }

    /// Comes back when something has broken that only a restart, or an operator, can mend: what it was.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.clone();
        match failure.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().unwrap_or_default(),
            Err(_) => "the node's own watch ended".into(),
        }
    }

    /// Reads certificates, authorities and the deny list again.
    pub fn reload(&self, config: &NodeConfig) {
        match self.transport.reload(config) {
            Ok(Reload::Changed) => tracing::info!("certificates changed: new connections use the new ones"),
            Ok(Reload::Unchanged) => tracing::info!("certificates are the same as before"),
            Err(error) => tracing::error!(%error, "certificates not changed: those in use stay in use"),
        }
    }

    /// Hands over the leadership, lets calls under way end, and closes everything in order.
    pub async fn stop(&self) {
        const PORTS_GRACE: Duration = Duration::from_secs(12);
        // Calls under way still find the leader, here or on the node that it goes to.
        self.node.shutdown_leadership().await;
        self.api.stop();
        self.stopping.cancel();
        let ports = self.ports.lock().expect("held for this line only").take();
        let Some((client_port, raft_port)) = ports else { return };
        // Calls under way may still need the other nodes, so consensus stops after them.
        if tokio::time::timeout(PORTS_GRACE, client_port).await.is_err() {
            tracing::warn!("calls were still under way after {PORTS_GRACE:?}");
        }
        self.node.stop().await;
        if tokio::time::timeout(PORTS_GRACE, raft_port).await.is_err() {
            tracing::warn!("other nodes still held their connections after {PORTS_GRACE:?}");
        }
        if let Err(error) = self.storage.close().await {
            tracing::warn!(%error, "storage did not close in order");
        }
    }
}

/// Reads what searches keep for the life of the process, which takes longer than a caller may wait.
async fn read_tables(blocking: Arc<dyn Blocking>) {
    run(&*blocking, Lane::Read, || variants::groups("")).await;
}

async fn bind(config: &NodeConfig, transport: &Arc<Transport>, port: Port) -> Result<TcpServer, ServerError> {
    let (field, address) = match port {
        Port::Client => ("client", config.listen.client),
        Port::Raft => ("raft", config.listen.raft),
    };
    let bound = TcpServer::bind(address, Arc::clone(transport), port).await;
    Ok(bound.map_err(|error| Obstacle::Listen { field, address, error })?)
}

fn data_directories(config: &NodeConfig) -> DirectoryOptions {
    DirectoryOptions {
        log: config.storage.log_directory.clone(),
        state: config.storage.state_directory.clone(),
        cluster_id: config.node.cluster_id.clone(),
        node_id: config.node.id,
    }
}

fn rocks_settings(config: &NodeConfig) -> RocksSettings {
    RocksSettings {
        block_cache_bytes: config.storage.block_cache_mib as usize * MIB,
        write_buffer_bytes: config.storage.write_buffer_mib as usize * MIB,
        background_bytes_per_second: config.storage.compaction_rate_mib_per_s * MIB as u64,
        ..RocksSettings::default()
    }
}

fn audit_options(config: &NodeConfig) -> AuditOptions {
    AuditOptions {
        directory: config.storage.audit_directory.clone(),
        cluster_id: config.node.cluster_id.clone(),
        node_name: config.node.name.clone(),
    }
}

fn raft_options(config: &NodeConfig) -> RaftOptions {
    let node = Node {
        raft_address: config.raft_address(),
        client_address: config.client_address(),
        name: config.node.name.clone(),
        data_centre: config.node.data_centre.clone(),
        incarnation: String::new(),
    };
    let storage = &config.storage;
    let mut options = RaftOptions::new(&config.node.cluster_id, config.node.id, node, config.raft_times().into());
    options.log = storage.into();
    options.proposals = (&config.limits).into();
    options.snapshot_bytes_per_second =
        (storage.snapshot_send_mib_per_s > 0).then(|| storage.snapshot_send_mib_per_s * MIB as u64);
    options
}
