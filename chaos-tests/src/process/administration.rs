//! What an operator does to a cluster, over gRPC to one node, without the routing and retries of the client crate:
//! tests want to know what this very node says, and the client crate is among what they test.

use std::{io, sync::Arc, time::Duration};

use alert_cluster_config::tls::{ClientTls, server_name};
use alert_proto::v1::{self as pb, cluster_service_client::ClusterServiceClient};
use anyhow::{Context, bail};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint, Uri},
};

use super::{LocalCluster, NodeProcess, State, wait_until};

/// One administrative call takes no longer than this.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// The administration service of one node.
pub type Operator = ClusterServiceClient<Channel>;

impl LocalCluster {
    /// The administration service of a node, with the operator's certificate. Connects with the first call.
    pub fn operator(&self, id: u64) -> anyhow::Result<Operator> {
        let tls = ClientTls::open(&self.client_config("operator")?.tls)?;
        Ok(ClusterServiceClient::new(channel(&self.node(id)?.client_address()?, &tls)?))
    }

    /// What a node says of itself.
    pub async fn status(&self, id: u64) -> anyhow::Result<pb::StatusResponse> {
        let answer = self.operator(id)?.status(pb::StatusRequest {}).await;
        Ok(answer.with_context(|| format!("status of node {id}"))?.into_inner())
    }

    /// Waits until a node that runs says that it leads, and gives its number. (The old leader may say so for a while
    /// after it was cut off; the highest term wins.)
    pub async fn wait_leader(&self) -> anyhow::Result<u64> {
        wait_until("a leader", self.settings.ready_limit, || async {
            let mut leader: Option<(u64, u64)> = None;
            for node in self.nodes().into_iter().filter(|node| node.state() == State::Running) {
                if let Ok(status) = self.status(node.id()).await
                    && status.role == "leader"
                {
                    leader = leader.max(Some((status.term, status.node_id)));
                }
            }
            Ok(leader.map(|(_, id)| id))
        })
        .await
    }

    /// Forms the cluster: node 1 alone, and then each other node as a voter.
    pub async fn form(&self) -> anyhow::Result<()> {
        self.init(1).await?;
        for node in self.nodes().into_iter().filter(|node| node.id() != 1) {
            self.join(&node).await?;
        }
        Ok(())
    }

    /// Forms a cluster of one node; says whether it was done now, or before.
    pub async fn init(&self, id: u64) -> anyhow::Result<bool> {
        let answer = self.operator(id)?.init(pb::InitRequest {}).await;
        let formed = answer.with_context(|| format!("forming the cluster on node {id}"))?.into_inner();
        Ok(formed.formed_now)
    }

    /// Adds a node that runs to the cluster, first as a learner, then as a voter.
    pub async fn join(&self, node: &NodeProcess) -> anyhow::Result<()> {
        self.join_as_learner(node).await?;
        let request = pb::PromoteRequest { node_id: node.id() };
        self.ask_leader("promoting", node.id(), |mut operator| async move { operator.promote(request).await.map(drop) })
            .await
    }

    /// Adds a node that runs to the cluster as a learner.
    pub async fn join_as_learner(&self, node: &NodeProcess) -> anyhow::Result<()> {
        let config = node.config()?;
        let request = pb::AddLearnerRequest {
            node_id: node.id(),
            name: config.node.name.clone(),
            raft_address: config.raft_address(),
            client_address: config.client_address(),
            data_centre: config.node.data_centre.clone(),
        };
        self.ask_leader("adding", node.id(), |mut operator| {
            let request = request.clone();
            async move { operator.add_learner(request).await.map(drop) }
        })
        .await
    }

    /// Asks the leader of the moment until it agrees: one change of membership at a time, and only of a node that has
    /// caught up, so the first refusals say little.
    async fn ask_leader<F>(&self, what: &str, id: u64, ask: impl Fn(Operator) -> F) -> anyhow::Result<()>
    where
        F: Future<Output = Result<(), Status>>,
    {
        let last = std::sync::Mutex::new(String::new());
        let waited = wait_until(&format!("{what} node {id}"), self.settings.ready_limit, || async {
            let leader = self.wait_leader().await?;
            let error = match ask(self.operator(leader)?).await {
                Ok(()) => return Ok(Some(())),
                Err(error) => error,
            };
            match error.code() {
                Code::InvalidArgument | Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented => {
                    bail!("{what} node {id}: {error}")
                }
                // Done by an earlier try whose answer was lost.
                Code::AlreadyExists => Ok(Some(())),
                _ => {
                    *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = error.to_string();
                    Ok(None)
                }
            }
        })
        .await;
        waited.with_context(|| format!("last: {}", last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)))
    }
}

/// A channel to one node over mutual TLS.
fn channel(address: &str, tls: &ClientTls) -> anyhow::Result<Channel> {
    let (name, rustls) = (server_name(address)?, TlsConnector::from(tls.config()));
    let target: Arc<str> = address.into();
    let connect = tower::service_fn(move |_: Uri| {
        let (name, rustls, target) = (name.clone(), rustls.clone(), target.clone());
        async move {
            let stream = TcpStream::connect(&*target).await?;
            stream.set_nodelay(true)?;
            Ok::<_, io::Error>(TokioIo::new(rustls.connect(name, stream).await?))
        }
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?.timeout(CALL_LIMIT).connect_timeout(CALL_LIMIT);
    Ok(endpoint.connect_with_connector_lazy(connect))
}
