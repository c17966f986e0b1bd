//! What a node answers other nodes. Only nodes get this far, only after their hello, and only for as long as the
//! membership agrees with it.

use std::{pin::Pin, sync::Arc, time::Duration};

use alert_core::pb::{
    ForwardRequest, ForwardResponse, InitRequest, InitResponse, RaftFrame, RaftHello, SnapshotChunk, SnapshotInstalled,
    SnapshotManifest, SnapshotWanted, raft_service_server::RaftService,
};
use futures::{Stream, StreamExt, future::BoxFuture};
use openraft::raft::{AppendEntriesRequest, TransferLeaderRequest, VoteRequest};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{
    Consensus,
    admin::Admin,
    anchors,
    anchors::AuditHead,
    clocks::VoterClocks,
    hello::Hello,
    leadership::ClusterView,
    limits::{ANCHOR_PATIENCE, APPEND_WORK_WINDOW, FORM_PATIENCE},
    next_index::NextIndex,
    propose::Proposer,
    read_pump::ReadPump,
    server::{ConnectionInfo, SaidHello},
    snapshot_receive::SnapshotReceiver,
    types::TypeConfig,
    wire,
};
use crate::api::backend::{AdminBackend, ReadError};

/// Handles calls that another node forwards to the leader. `api` implements it.
pub trait ForwardHandler: Send + Sync + 'static {
    /// Authorises again, does it, and answers.
    fn forwarded(&self, from_node: u64, request: ForwardRequest) -> BoxFuture<'_, ForwardResponse>;
}

/// The service.
#[derive(Clone)]
pub struct RaftRpc {
    pub(super) admin: Admin,
    pub(super) raft: Consensus,
    pub(super) hello: Arc<Hello>,
    pub(super) clocks: Arc<VoterClocks>,
    pub(super) cluster: Arc<ClusterView>,
    pub(super) pump: ReadPump,
    pub(super) next_index: NextIndex,
    pub(super) proposer: Proposer,
    pub(super) snapshots: SnapshotReceiver,
    pub(super) forward: Arc<std::sync::OnceLock<Arc<dyn ForwardHandler>>>,
    pub(super) stopping: CancellationToken,
}

fn decode<T: DeserializeOwned>(frame: &RaftFrame) -> Result<T, Status> {
    wire::decode(&frame.payload).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn frame<T: Serialize>(message: &T) -> RaftFrame {
    RaftFrame { payload: wire::encode(message) }
}

/// Consensus has stopped: to a peer that is as if the node were gone.
fn stopped(error: impl std::fmt::Display) -> Status {
    Status::unavailable(error.to_string())
}

impl RaftRpc {
    /// Who calls, as its hello on this connection said.
    fn caller<T>(&self, request: &Request<T>) -> Result<SaidHello, Status> {
        let info = connection(request)?;
        let said = info.hello.get().ok_or_else(|| Status::failed_precondition("say hello first"))?;
        if !said.knows_us {
            return Err(Status::failed_precondition("this connection asked who this node is; open another"));
        }
        self.check(said)?;
        Ok(said.clone())
    }

    /// Who calls, where it has to be a member by what this node knows: the leader knows.
    fn member<T>(&self, request: &Request<T>) -> Result<SaidHello, Status> {
        let said = self.caller(request)?;
        match self.hello.member(said.node_id) {
            Some(_) => Ok(said),
            None => Err(Status::permission_denied(format!("node {} is no member of this cluster", said.node_id))),
        }
    }

    fn check(&self, said: &SaidHello) -> Result<(), Status> {
        let checked = self.hello.check_member(said.node_id, &said.incarnation);
        checked.map_err(|error| Status::permission_denied(error.to_string()))
    }

    async fn append_one(self, said: SaidHello, frame_in: Result<RaftFrame, Status>) -> Result<RaftFrame, Status> {
        self.check(&said)?;
        let request: wire::AppendRequest = decode(&frame_in?)?;
        let request = AppendEntriesRequest::<TypeConfig>::try_from(request)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let response = self.raft.append_entries(request).await.map_err(stopped)?;
        Ok(frame(&wire::AppendReply::from(response)))
    }
}

fn connection<T>(request: &Request<T>) -> Result<&ConnectionInfo, Status> {
    request.extensions().get::<ConnectionInfo>().ok_or_else(|| Status::internal("a connection without its peer"))
}

type FrameStream = Pin<Box<dyn Stream<Item = Result<RaftFrame, Status>> + Send>>;

#[tonic::async_trait]
impl RaftService for RaftRpc {
    type AppendStream = FrameStream;

    async fn hello(&self, request: Request<RaftHello>) -> Result<Response<RaftHello>, Status> {
        let info = connection(&request)?.clone();
        let Some(certificate) = info.peer.node_id else {
            return Err(Status::permission_denied("this port is for nodes"));
        };
        let hello = request.into_inner();
        if let Err(error) = self.hello.check_caller(&hello, certificate) {
            tracing::warn!(remote = info.remote_address, %error, "a node is refused");
            return Err(Status::permission_denied(error.to_string()));
        }
        let answer = self.hello.say(hello.node_id, &hello.incarnation);
        let said = SaidHello {
            node_id: hello.node_id,
            incarnation: hello.incarnation,
            knows_us: !hello.to_incarnation.is_empty(),
        };
        if info.hello.set(said).is_err() {
            return Err(Status::failed_precondition("a connection says hello once"));
        }
        Ok(Response::new(answer))
    }

    async fn form(&self, request: Request<InitRequest>) -> Result<Response<InitResponse>, Status> {
        let info = connection(&request)?;
        if info.peer.node_id != Some(self.hello.node_id()) {
            return Err(Status::permission_denied("a node is told to form the cluster by itself or by an operator"));
        }
        tracing::info!(remote = info.remote_address, "asked to form the cluster");
        let formed = self.admin.init(Instant::now() + FORM_PATIENCE).await;
        formed.map(Response::new).map_err(|error| Status::failed_precondition(error.to_string()))
    }

    async fn append(&self, request: Request<Streaming<RaftFrame>>) -> Result<Response<FrameStream>, Status> {
        let said = self.caller(&request)?;
        let service = self.clone();
        // In order, many at once: each is answered when it is on disk. The first fault ends the stream.
        let replies = request
            .into_inner()
            .map(move |frame| service.clone().append_one(said.clone(), frame))
            .buffered(APPEND_WORK_WINDOW)
            .scan(false, |ended, reply| {
                let item = (!*ended).then(|| {
                    *ended = reply.is_err();
                    reply
                });
                futures::future::ready(item)
            })
            .take_until(self.stopping.clone().cancelled_owned());
        Ok(Response::new(Box::pin(replies)))
    }

    async fn heartbeat(&self, request: Request<RaftFrame>) -> Result<Response<RaftFrame>, Status> {
        let said = self.caller(&request)?;
        let request: wire::AppendRequest = decode(request.get_ref())?;
        let request = AppendEntriesRequest::<TypeConfig>::try_from(request)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let response = self.raft.append_entries(request).await.map_err(stopped)?;
        tracing::trace!(from = said.node_id, "heartbeat");
        let reply = wire::HeartbeatReply { reply: response.into(), wall_clock_ms: self.clocks.own_ms() };
        Ok(Response::new(frame(&reply)))
    }

    async fn vote(&self, request: Request<RaftFrame>) -> Result<Response<RaftFrame>, Status> {
        self.caller(&request)?;
        let asked: wire::VoteAsked = decode(request.get_ref())?;
        let response = self.raft.vote(VoteRequest::from(asked)).await.map_err(stopped)?;
        Ok(Response::new(frame(&wire::VoteReply::from(response))))
    }

    async fn pre_vote(&self, request: Request<RaftFrame>) -> Result<Response<RaftFrame>, Status> {
        self.caller(&request)?;
        let asked: wire::VoteAsked = decode(request.get_ref())?;
        let response = self.raft.pre_vote(VoteRequest::from(asked)).await.map_err(stopped)?;
        Ok(Response::new(frame(&wire::VoteReply::from(response))))
    }

    async fn transfer_leader(&self, request: Request<RaftFrame>) -> Result<Response<RaftFrame>, Status> {
        self.caller(&request)?;
        let asked: wire::TransferAsked = decode(request.get_ref())?;
        let response = self.raft.handle_transfer_leader(TransferLeaderRequest::from(asked)).await.map_err(stopped)?;
        Ok(Response::new(frame(&wire::TransferReply::from(response))))
    }

    async fn read_index(&self, request: Request<RaftFrame>) -> Result<Response<RaftFrame>, Status> {
        self.caller(&request)?;
        let asked: wire::ReadIndexAsked = decode(request.get_ref())?;
        let reply = if self.cluster.leads() {
            let deadline = Instant::now() + Duration::from_millis(asked.patience_ms);
            match self.pump.index(deadline).await {
                Ok(index) => wire::ReadIndexReply::Index(index),
                Err(ReadError::Stopped) => return Err(stopped("this node is stopping")),
                Err(_) if !self.cluster.leads() => wire::ReadIndexReply::NotLeader(self.cluster.leader_id()),
                Err(_) => wire::ReadIndexReply::NoQuorum,
            }
        } else {
            wire::ReadIndexReply::NotLeader(self.cluster.leader_id())
        };
        Ok(Response::new(frame(&reply)))
    }

    async fn forward(&self, request: Request<ForwardRequest>) -> Result<Response<ForwardResponse>, Status> {
        let said = self.member(&request)?;
        let handler = self.forward.get().ok_or_else(|| Status::unavailable("this node is starting"))?;
        Ok(Response::new(handler.forwarded(said.node_id, request.into_inner()).await))
    }

    async fn next_index(&self, request: Request<RaftFrame>) -> Result<Response<RaftFrame>, Status> {
        self.caller(&request)?;
        let asked: wire::IndexAsked = decode(request.get_ref())?;
        let reply = self.next_index.progress(asked.normaliser).map_err(stopped)?;
        Ok(Response::new(frame(&reply)))
    }

    async fn anchor_audit(&self, request: Request<RaftFrame>) -> Result<Response<RaftFrame>, Status> {
        // A node speaks for its own log only.
        let said = self.member(&request)?;
        let head: AuditHead = decode(request.get_ref())?;
        let deadline = Instant::now() + ANCHOR_PATIENCE;
        anchors::propose(&self.proposer, said.node_id, head, deadline).await.map_err(Status::unavailable)?;
        Ok(Response::new(frame(&())))
    }

    async fn snapshot_offer(&self, request: Request<SnapshotManifest>) -> Result<Response<SnapshotWanted>, Status> {
        let said = self.caller(&request)?;
        self.snapshots.offer(said.node_id, request.into_inner()).await.map(Response::new)
    }

    async fn snapshot_files(
        &self,
        request: Request<Streaming<SnapshotChunk>>,
    ) -> Result<Response<SnapshotInstalled>, Status> {
        let said = self.caller(&request)?;
        self.snapshots.files(said.node_id, request.into_inner()).await.map(Response::new)
    }
}
