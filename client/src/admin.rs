//! Cluster administration: forming the cluster, its members, its leader. For operators' certificates.

use alert_proto::v1::{
    self as pb, cluster_service_client::ClusterServiceClient, topology_service_client::TopologyServiceClient,
};
use tonic::{Request, Response, Status, transport::Channel};

use crate::{
    AlertClient, Error,
    call::{Call, Kind},
};

/// Administration of the cluster. Calls that change something go to the leader, or to the one node named with
/// [`Admin::at`]; they are repeated only when nothing can have happened.
///
/// ```no_run
/// # async fn example(client: alert_client::AlertClient) -> Result<(), alert_client::Error> {
/// let status = client.admin().at("alerts-1.example:7001").status().await?;
/// println!("node {} is {} in term {}", status.node_id, status.role, status.term);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Admin {
    client: AlertClient,
}

impl Admin {
    pub(crate) fn new(client: AlertClient) -> Self {
        Self { client }
    }

    /// The same, with every call sent to the node at `address` (host:port of its client port).
    #[must_use]
    pub fn at(&self, address: impl Into<String>) -> Self {
        Self { client: self.client.at_node(address) }
    }

    /// Forms the cluster. Name the node with [`Admin::at`]; on a cluster that is formed already it does nothing and says
    /// so.
    ///
    /// # Errors
    /// [`Error`], when it was refused or unanswered.
    pub async fn init(&self) -> Result<pb::InitResponse, Error> {
        self.client.call(pb::InitRequest {}).await
    }

    /// What one node knows of itself and, when it leads, of the others.
    ///
    /// # Errors
    /// [`Error`], when it was refused or unanswered.
    pub async fn status(&self) -> Result<pb::StatusResponse, Error> {
        self.client.call(pb::StatusRequest {}).await
    }

    /// Adds an empty node as a learner, after an identity check.
    ///
    /// # Errors
    /// [`Error`], when it was refused or unanswered.
    pub async fn add_learner(&self, node: pb::AddLearnerRequest) -> Result<pb::MembershipResponse, Error> {
        self.client.call(node).await
    }

    /// Makes a caught-up learner a voter.
    ///
    /// # Errors
    /// [`Error`], when it was refused or unanswered.
    pub async fn promote(&self, node_id: u64) -> Result<pb::MembershipResponse, Error> {
        self.client.call(pb::PromoteRequest { node_id }).await
    }

    /// Takes a node out of the cluster; its id is never used again.
    ///
    /// # Errors
    /// [`Error`], when it was refused or unanswered.
    pub async fn remove(&self, node_id: u64) -> Result<pb::MembershipResponse, Error> {
        self.client.call(pb::RemoveRequest { node_id }).await
    }

    /// Hands leadership over, to `to_node_id` or (0) to the best caught-up voter.
    ///
    /// # Errors
    /// [`Error`], when it was refused or unanswered.
    pub async fn transfer_leader(&self, to_node_id: u64) -> Result<pb::TransferLeaderResponse, Error> {
        self.client.call(pb::TransferLeaderRequest { to_node_id }).await
    }

    /// Lets a node build a snapshot now.
    ///
    /// # Errors
    /// [`Error`], when it was refused or unanswered.
    pub async fn trigger_snapshot(&self) -> Result<pb::TriggerSnapshotResponse, Error> {
        self.client.call(pb::TriggerSnapshotRequest {}).await
    }

    /// Where the nodes are and which one leads; open to every certificate.
    ///
    /// # Errors
    /// [`Error`], when no node answered.
    pub async fn topology(&self) -> Result<pb::Topology, Error> {
        self.client.call(pb::TopologyRequest {}).await
    }
}

macro_rules! admin_calls {
    ($client:ident { $( $kind:ident $request:ident -> $answer:ident = $rpc:ident; )* }) => {
        $(
            impl Call for pb::$request {
                type Answer = pb::$answer;
                const METHOD: &'static str = concat!("admin_", stringify!($rpc));
                const KIND: Kind = Kind::$kind;

                async fn send(channel: Channel, request: Request<Self>) -> Result<Response<Self::Answer>, Status> {
                    $client::new(channel).$rpc(request).await
                }
            }
        )*
    };
}

admin_calls! { ClusterServiceClient {
    Admin InitRequest -> InitResponse = init;
    AdminRead StatusRequest -> StatusResponse = status;
    Admin AddLearnerRequest -> MembershipResponse = add_learner;
    Admin PromoteRequest -> MembershipResponse = promote;
    Admin RemoveRequest -> MembershipResponse = remove;
    Admin TransferLeaderRequest -> TransferLeaderResponse = transfer_leader;
    Admin TriggerSnapshotRequest -> TriggerSnapshotResponse = trigger_snapshot;
} }

admin_calls! { TopologyServiceClient {
    AdminRead TopologyRequest -> Topology = get;
} }
