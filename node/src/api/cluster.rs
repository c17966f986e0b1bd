//! Where the nodes are, for every client; administration, for operators. Neither names an alert.

use alert_core::{
    alert::Role,
    pb::{self, cluster_service_server::ClusterService, topology_service_server::TopologyService},
};
use tonic::{Request, Response, Status};

use super::{
    backend::{AdminBackend, AdminError, Deadline, Level},
    call::peer_of,
    core::Api,
    deadline,
    errors::{ApiError, ApiResult, ErrorCode, duration},
};
use crate::limits::CALL_DEADLINE_MAX;

#[tonic::async_trait]
impl TopologyService for Api {
    async fn get(&self, request: Request<pb::TopologyRequest>) -> Result<Response<pb::Topology>, Status> {
        let peer = peer_of(&request)?;
        if peer.caller.role == Role::Node {
            let message = "a node's certificate opens the Raft port and no client service";
            return Err(ApiError::new(ErrorCode::NotPermitted, message).into());
        }
        let mut topology = self.store().topology();
        // A client that asks where to read from learns how this node stands without having to try it.
        let deadline = deadline::of_call(request.metadata(), self.options().deadline_max);
        match self.store().read(Level::Local, deadline).await {
            Ok(state) => topology.staleness = state.age_at(self.host().clock.boot()).map(duration),
            Err(error) => topology.serves_no_reads_because = error.to_string(),
        }
        Ok(Response::new(topology))
    }
}

impl Api {
    /// Lets an operator in. That its certificate is of the cluster's own authority was checked with the connection:
    /// no client authority is bound to the role of operator.
    async fn administer<'a, T, R, F>(
        &'a self,
        action: &'static str,
        request: Request<T>,
        work: impl FnOnce(&'a dyn AdminBackend, T, Deadline) -> F,
    ) -> Result<Response<R>, Status>
    where
        F: Future<Output = Result<R, AdminError>>,
    {
        let deadline = deadline::of_call(request.metadata(), CALL_DEADLINE_MAX);
        let entered = (|| -> ApiResult<_> {
            let peer = peer_of(&request)?;
            if peer.caller.role == Role::Operator {
                return Ok(peer);
            }
            let message = "administration of the cluster is open to operators only";
            Err(ApiError::new(ErrorCode::NotPermitted, message))
        })();
        let result = match entered {
            Ok(peer) => {
                tracing::info!(action, operator = %peer.caller, "cluster administration");
                deadline::within(deadline, async { Ok(work(self.admin(), request.into_inner(), deadline).await?) })
                    .await
            }
            Err(error) => Err(error),
        };
        result.map(Response::new).map_err(|error| {
            tracing::info!(action, code = error.code.row().name, message = error.message, "refused");
            error.into()
        })
    }
}

#[tonic::async_trait]
impl ClusterService for Api {
    async fn init(&self, request: Request<pb::InitRequest>) -> Result<Response<pb::InitResponse>, Status> {
        self.administer("init", request, |admin, _, deadline| admin.init(deadline)).await
    }

    async fn status(&self, request: Request<pb::StatusRequest>) -> Result<Response<pb::StatusResponse>, Status> {
        self.administer("status", request, |admin, _, _| admin.status()).await
    }

    async fn add_learner(
        &self,
        request: Request<pb::AddLearnerRequest>,
    ) -> Result<Response<pb::MembershipResponse>, Status> {
        self.administer("add-learner", request, |admin, node, deadline| admin.add_learner(node, deadline)).await
    }

    async fn promote(&self, request: Request<pb::PromoteRequest>) -> Result<Response<pb::MembershipResponse>, Status> {
        self.administer("promote", request, |admin, node, deadline| admin.promote(node.node_id, deadline)).await
    }

    async fn remove(&self, request: Request<pb::RemoveRequest>) -> Result<Response<pb::MembershipResponse>, Status> {
        self.administer("remove", request, |admin, node, deadline| admin.remove(node.node_id, deadline)).await
    }

    async fn transfer_leader(
        &self,
        request: Request<pb::TransferLeaderRequest>,
    ) -> Result<Response<pb::TransferLeaderResponse>, Status> {
        self.administer("transfer-leader", request, |admin, to, deadline| {
            admin.transfer_leader(to.to_node_id, deadline)
        })
        .await
    }

    async fn trigger_snapshot(
        &self,
        request: Request<pb::TriggerSnapshotRequest>,
    ) -> Result<Response<pb::TriggerSnapshotResponse>, Status> {
        self.administer("trigger-snapshot", request, |admin, _, deadline| admin.trigger_snapshot(deadline)).await
    }
}
