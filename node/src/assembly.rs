//! A node put together from its seams: storage, audit log, consensus, services. What listens, and what lies behind the
//! connections, is the caller's: TLS over TCP in [`crate::server`], the simulated network in the simulator.

use std::sync::Arc;

use alert_core::pb;
use thiserror::Error;

use crate::{
    api::{Api, ApiOptions, ApiParts, BoxFuture, TokenSealer},
    audit::{self, AuditLog, AuditOptions},
    limits,
    raft::{ForwardHandler, RaftNode, RaftOptions, StartError},
    seam::{Connector, Host, Lane, run},
    storage::{OpenError, Storage, data_directory::DirectoryOptions, engine::Engines},
};

/// What a node is made of.
pub struct Blueprint {
    pub host: Host,
    pub engines: Arc<dyn Engines>,
    pub directories: DirectoryOptions,
    pub audit: AuditOptions,
    pub raft: RaftOptions,
    pub connector: Arc<dyn Connector>,
    pub sealer: TokenSealer,
    pub options: ApiOptions,
}

/// A node that is open and takes part in consensus; it serves what its owner hands it ports for.
#[derive(Clone)]
pub struct Assembly {
    pub node: RaftNode,
    pub api: Api,
    pub storage: Storage,
    pub audit: Arc<AuditLog>,
}

/// Why a node does not open. Each is one sentence that an operator can act on.
#[derive(Debug, Error)]
pub enum AssemblyError {
    #[error(transparent)]
    Storage(#[from] OpenError),
    #[error(transparent)]
    Audit(#[from] audit::OpenError),
    #[error(transparent)]
    Raft(#[from] StartError),
}

impl Assembly {
    /// Opens the directories and starts consensus and services on them.
    ///
    /// # Errors
    /// [`AssemblyError`]: directories that are refused, storage that cannot be read, options that contradict each other.
    pub async fn open(blueprint: Blueprint) -> Result<Self, AssemblyError> {
        let Blueprint { host, engines, directories, audit, raft, connector, sealer, options } = blueprint;
        let storage = {
            let host = host.clone();
            run(&*host.blocking.clone(), Lane::Snapshot, move || Storage::open(&host, &engines, &directories)).await?
        };
        let audit = Arc::new(AuditLog::open(host.clone(), audit).await?);
        let node = RaftNode::start(raft, host.clone(), storage.clone(), connector).await?;
        node.anchor_audit(audit.head(), limits::AUDIT_ANCHOR_INTERVAL);
        let api = Api::new(ApiParts {
            store: Arc::new(node.clone()),
            audit: Arc::clone(&audit) as _,
            audit_log: Arc::clone(&audit) as _,
            admin: Arc::new(node.admin()),
            host,
            sealer,
            options,
        });
        node.set_forward_handler(Arc::new(Forwarded(api.clone())));
        Ok(Self { node, api, storage, audit })
    }
}

/// Calls that other nodes send on, answered by the services.
struct Forwarded(Api);

impl ForwardHandler for Forwarded {
    fn forwarded(&self, _from_node: u64, request: pb::ForwardRequest) -> BoxFuture<'_, pb::ForwardResponse> {
        Box::pin(self.0.handle_forwarded(request))
    }
}
