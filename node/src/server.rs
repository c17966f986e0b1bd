//! A whole node put together from its configuration: storage, consensus, services, ports.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_cluster_config::{
    NodeConfig,
    tls::{Reload, TlsError},
};
use alert_core::pb;
use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Api, ApiOptions, ApiParts, BoxFuture, TokenSealer},
    audit::{self, AuditLog, AuditOptions},
    limits,
    net::{Port, TcpConnector, TcpServer, Transport},
    ops::{Health, OpsServer, watch_node},
    preflight::{self, Obstacle},
    raft::{ForwardHandler, RaftNode, RaftOptions, StartError, types::Node},
    seam::{Connector, Host, Lane, run},
    storage::{
        OpenError, Storage,
        data_directory::DirectoryOptions,
        engine::{
            Engines,
            rocks::{RocksEngines, RocksSettings},
        },
    },
};

const MIB: usize = 1 << 20;

/// Why a node does not start. Each is one sentence that an operator can act on.
#[derive(Debug, Error)]
pub enum ServerError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Storage(#[from] OpenError),
    #[error(transparent)]
    Audit(#[from] audit::OpenError),
    #[error(transparent)]
    Raft(#[from] StartError),
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
        let (files, directories) = (Arc::clone(&host.files), config.storage.clone());
        run(&*host.blocking, Lane::Snapshot, move || preflight::check_directories(&*files, &directories)).await?;
        let storage = open_storage(&config, &host).await?;
        let audit = open_audit(&config, &host).await?;

        let connector: Arc<dyn Connector> = Arc::new(TcpConnector::new(Arc::clone(&transport)));
        let node = RaftNode::start(raft_options(&config), host.clone(), storage.clone(), connector).await?;
        let (audit_head, audit_failure) = (audit.head(), audit.failure());
        node.anchor_audit(audit_head.clone(), limits::AUDIT_ANCHOR_INTERVAL);
        let api = Api::new(ApiParts {
            store: Arc::new(node.clone()),
            audit: Arc::clone(&audit) as _,
            audit_log: audit,
            admin: Arc::new(node.admin()),
            host,
            sealer,
            options: ApiOptions::of(&config.limits, &config.policy),
        });
        node.set_forward_handler(Arc::new(Forwarded(api.clone())));

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
        tokio::spawn(watch_node(node.clone(), audit_head, audit_failure, health, failed, stopping.clone()));
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

async fn bind(config: &NodeConfig, transport: &Arc<Transport>, port: Port) -> Result<TcpServer, ServerError> {
    let (field, address) = match port {
        Port::Client => ("client", config.listen.client),
        Port::Raft => ("raft", config.listen.raft),
    };
    let bound = TcpServer::bind(address, Arc::clone(transport), port).await;
    Ok(bound.map_err(|error| Obstacle::Listen { field, address, error })?)
}

async fn open_storage(config: &NodeConfig, host: &Host) -> Result<Storage, ServerError> {
    let options = DirectoryOptions {
        log: config.storage.log_directory.clone(),
        state: config.storage.state_directory.clone(),
        cluster_id: config.node.cluster_id.clone(),
        node_id: config.node.id,
    };
    let settings = RocksSettings {
        block_cache_bytes: config.storage.block_cache_mib as usize * MIB,
        write_buffer_bytes: config.storage.write_buffer_mib as usize * MIB,
        background_bytes_per_second: config.storage.compaction_rate_mib_per_s * MIB as u64,
        ..RocksSettings::default()
    };
    let (blocking, host) = (Arc::clone(&host.blocking), host.clone());
    let open = move || {
        let engines: Arc<dyn Engines> = Arc::new(RocksEngines::new(settings));
        Storage::open(&host, &engines, &options)
    };
    Ok(run(&*blocking, Lane::Snapshot, open).await?)
}

async fn open_audit(config: &NodeConfig, host: &Host) -> Result<Arc<AuditLog>, ServerError> {
    let options = AuditOptions {
        directory: config.storage.audit_directory.clone(),
        cluster_id: config.node.cluster_id.clone(),
        node_name: config.node.name.clone(),
    };
    Ok(Arc::new(AuditLog::open(host.clone(), options).await?))
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

/// Calls that other nodes send on, answered by the services.
struct Forwarded(Api);

impl ForwardHandler for Forwarded {
    fn forwarded(&self, _from_node: u64, request: pb::ForwardRequest) -> BoxFuture<'_, pb::ForwardResponse> {
        Box::pin(self.0.handle_forwarded(request))
    }
}
