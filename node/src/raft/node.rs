//! Everything together: one node's part in the cluster.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use alert_core::{
    pb,
    search::Normalisers,
    state::command::{Answer, Proposal},
};
use bytes::Bytes;
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::{
    Consensus,
    admin::Admin,
    anchors::{Anchors, AuditHead},
    clocks::VoterClocks,
    due::Due,
    duty::Leader,
    feed_compaction::FeedCompaction,
    hello::{Hello, LogWitness},
    leadership::ClusterView,
    membership::{MembershipChanges, PromotionRule},
    network::Network,
    next_index::NextIndex,
    options::{OptionsError, RaftOptions},
    peers::{Lane, Peers},
    prober::RaftProber,
    propose::Proposer,
    read_pump::ReadPump,
    reads::Reads,
    server,
    service::{ForwardHandler, RaftRpc},
    snapshot_policy::SnapshotPolicy,
    snapshot_receive::SnapshotReceiver,
    snapshot_send::SnapshotSender,
    state_machine::{StateMachine, read_removed_node_ids},
    tick::Tick,
    transfer::Transfers,
    types::{LogId, NodeId},
};
use crate::{
    api::{
        backend::{
            Applied, BoxFuture, ClusterAbout, Deadline, ForwardError, ForwardedCaller, Leadership, Level, NodeAbout,
            ProposeError, ReadError, ReadHandle, Store,
        },
        forward_answer, forward_request,
    },
    seam::{self, Connector, Host, Listener},
    storage::{Storage, log::LogFigures},
};

/// Why a node cannot take part.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("options of consensus: {0}")]
    Options(#[from] OptionsError),
    #[error("consensus cannot start: {0}")]
    Consensus(String),
}

/// What this node holds, and what it knows, while it leads, of the others.
struct Holdings {
    raft: Consensus,
    storage: Storage,
}

impl LogWitness for Holdings {
    fn last_index(&self) -> u64 {
        // A snapshot may be ahead of the log.
        let applied = self.storage.state.position().borrow().applied_index().unwrap_or(0);
        self.storage.log.last_index().max(applied)
    }

    fn held_by(&self, node_id: NodeId) -> u64 {
        use openraft::async_runtime::WatchReceiver;
        let metrics = self.raft.data_metrics();
        let now = metrics.borrow_watched();
        let matched = now.replication.as_ref().and_then(|replication| replication.get(&node_id).copied().flatten());
        // What is applied is committed: nobody ever cuts it from a log.
        matched.min(now.last_applied).map_or(0, |id| id.index)
    }
}

/// One node's part in the cluster: the store and its administration to the rest of the node. Cheap to clone.
#[derive(Clone)]
pub struct RaftNode(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) options: RaftOptions,
    pub(super) raft: Consensus,
    storage: Storage,
    pub(super) hello: Arc<Hello>,
    pub(super) clocks: Arc<VoterClocks>,
    pub(super) cluster: Arc<ClusterView>,
    pub(super) peers: Peers,
    pub(super) pump: ReadPump,
    pub(super) reads: Reads,
    pub(super) proposer: Proposer,
    pub(super) changes: MembershipChanges,
    pub(super) transfers: Transfers,
    pub(super) next_index: NextIndex,
    snapshots: SnapshotReceiver,
    forward: Arc<OnceLock<Arc<dyn ForwardHandler>>>,
    ready: watch::Sender<bool>,
    applied: watch::Sender<Applied>,
    stopping: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl RaftNode {
    /// How many snapshots are on their way here.
    #[cfg(test)]
    pub(crate) fn snapshots_under_way(&self) -> watch::Receiver<usize> {
        self.0.snapshots.under_way()
    }

    /// Opens consensus on what the disk holds and starts its work. Nothing is served before [`RaftNode::serve`].
    ///
    /// # Errors
    /// Options that contradict each other, or storage that does not fit together.
    pub async fn start(
        mut options: RaftOptions,
        host: Host,
        storage: Storage,
        connector: Arc<dyn Connector>,
    ) -> Result<Self, StartError> {
        let config = options.config()?;
        let incarnation = storage.directory.identity().incarnation.clone();
        options.node.incarnation = incarnation.clone();
        let own_id = options.node_id;
        let timings = options.timings;
        let machine = StateMachine::new(storage.clone());
        let clocks = Arc::new(VoterClocks::new(host.clock.clone()));
        let hello = Arc::new(Hello::new(options.cluster_id.clone(), own_id, incarnation, clocks.clone()));
        let membership = storage.state.raft_meta().membership;
        hello.set_members(membership.membership());
        let (came_up, peers_up) = mpsc::unbounded_channel();
        let peers = Peers::new(hello.clone(), connector, timings, came_up);
        let snapshots =
            SnapshotSender { no_progress: timings.no_progress, bytes_per_second: options.snapshot_bytes_per_second };
        let network = Network { own_id, peers: peers.clone(), clocks: clocks.clone(), snapshots };
        let raft = Consensus::new(own_id, config, network, storage.log.clone(), machine.clone()).await;
        let raft = raft.map_err(|error| StartError::Consensus(error.to_string()))?;
        let initialized = raft.is_initialized().await.map_err(|error| StartError::Consensus(error.to_string()))?;
        hello.set_pristine(!initialized);
        hello.set_witness(Arc::new(Holdings { raft: raft.clone(), storage: storage.clone() }));

        let stopping = CancellationToken::new();
        let cluster = ClusterView::new(own_id, clocks.clone(), membership);
        let pump = ReadPump::new(options.reads, host.clock.clone());
        let snapshots_in = SnapshotReceiver::new(raft.clone(), storage.checkpoints.clone());
        let reads = Reads::new(
            storage.state.clone(),
            machine.installing(),
            snapshots_in.under_way(),
            pump.clone(),
            host.clock.clone(),
            options.reads,
        );
        let proposer = Proposer::new(options.proposals, cluster.clone());
        let changes = MembershipChanges {
            raft: raft.clone(),
            cluster: cluster.clone(),
            peers: peers.clone(),
            reads: reads.clone(),
            promotion: PromotionRule {
                lag_entries_max: options.promote_lag_entries,
                stable_for: options.promote_after,
            },
            one_at_a_time: Arc::default(),
        };
        let transfers = Transfers {
            raft: raft.clone(),
            cluster: cluster.clone(),
            peers: peers.clone(),
            in_flight: proposer.in_flight(),
            drain: timings.election_min,
        };
        let policy = SnapshotPolicy {
            raft: raft.clone(),
            bounds: options.log,
            cluster: cluster.clone(),
            marks: machine.log_marks(),
            checkpoints: storage.checkpoints.clone(),
            installing: machine.installing(),
        };
        let next_index = NextIndex::new(storage.state.clone());
        let prober = RaftProber { raft: raft.clone(), cluster: cluster.clone(), peers: peers.clone() };
        let node = Self(Arc::new(Inner {
            snapshots: snapshots_in,
            options,
            storage,
            hello: hello.clone(),
            clocks,
            cluster: cluster.clone(),
            peers: peers.clone(),
            pump: pump.clone(),
            reads: reads.clone(),
            proposer: proposer.clone(),
            changes,
            transfers,
            next_index: next_index.clone(),
            forward: Arc::default(),
            ready: watch::channel(false).0,
            applied: watch::channel(Applied::default()).0,
            stopping: stopping.clone(),
            tasks: Mutex::default(),
            raft: raft.clone(),
        }));
        node.spawn(cluster.clone().follow(raft.clone(), hello, peers.clone(), stopping.clone()));
        node.spawn(pump.run(Arc::new(prober), stopping.clone()));
        node.spawn(proposer.clone().run(raft.clone(), stopping.clone()));
        node.spawn(next_index.clone().run_work(host.clone(), stopping.clone()));
        node.spawn(next_index.run_switch(cluster.clone(), peers.clone(), proposer.clone(), stopping.clone()));
        node.spawn(node.clone().mark_put_back(host.clone(), stopping.clone()));
        let leader = Leader { cluster, reads, proposer, host };
        node.spawn(leader.clone().perform(Due::default(), stopping.clone()));
        node.spawn(leader.clone().perform(FeedCompaction, stopping.clone()));
        node.spawn(leader.perform(Tick, stopping.clone()));
        node.spawn(policy.run(stopping.clone()));
        node.spawn(reset_backoffs(raft, peers_up, stopping.clone()));
        node.spawn(node.clone().publish(stopping));
        Ok(node)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.lock().expect("held for this line only").push(tokio::spawn(work));
    }

    /// Serves the Raft port until the node stops.
    ///
    /// # Errors
    /// The server could not be set up.
    pub async fn serve(&self, listener: Box<dyn Listener>) -> Result<(), tonic::transport::Error> {
        let service = RaftRpc {
            admin: self.admin(),
            raft: self.0.raft.clone(),
            hello: self.0.hello.clone(),
            clocks: self.0.clocks.clone(),
            cluster: self.0.cluster.clone(),
            pump: self.0.pump.clone(),
            next_index: self.0.next_index.clone(),
            proposer: self.0.proposer.clone(),
            snapshots: self.0.snapshots.clone(),
            forward: self.0.forward.clone(),
            stopping: self.0.stopping.clone(),
        };
        server::serve(listener, service, self.0.options.timings.no_progress, self.0.stopping.clone()).await
    }

    /// Who handles calls that other nodes forward. Once; until then such calls are refused as retryable.
    pub fn set_forward_handler(&self, handler: Arc<dyn ForwardHandler>) {
        // A second handler would be a second home for the calls; the first stays.
        let _ = self.0.forward.set(handler);
    }

    /// Keeps the cluster's memory of this node's audit log up to date: proposes its head whenever that has moved, and
    /// not more often than once in `interval`.
    pub fn anchor_audit(&self, head: watch::Receiver<AuditHead>, interval: Duration) {
        let anchors = Anchors {
            cluster: self.0.cluster.clone(),
            peers: self.0.peers.clone(),
            proposer: self.0.proposer.clone(),
            patience: self.0.options.timings.no_progress,
        };
        self.spawn(anchors.run(head, interval, self.0.stopping.clone()));
    }

    /// Administration.
    pub fn admin(&self) -> Admin {
        Admin(self.0.clone())
    }

    /// Counters of the log.
    pub fn log_figures(&self) -> LogFigures {
        self.0.storage.log.figures()
    }

    /// True once consensus has stopped by itself: storage failed, or an invariant broke. Only a restart, or an
    /// operator, can mend it.
    pub fn failure(&self) -> Option<String> {
        use openraft::async_runtime::WatchReceiver;
        let metrics = self.0.raft.metrics();
        let state = metrics.borrow_watched().running_state.clone();
        let put_back = self.0.hello.put_back().borrow().clone();
        put_back.or_else(|| state.err().map(|fatal| fatal.to_string()))
    }

    /// A node whose disk was put back to an earlier state has forgotten what it promised: it shall not come back with it.
    async fn mark_put_back(self, host: Host, stopping: CancellationToken) {
        let mut put_back = self.0.hello.put_back();
        let reason = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            reason = put_back.wait_for(Option::is_some) => reason.ok().and_then(|reason| reason.clone()),
        };
        if let Some(reason) = reason {
            let (directory, files) = (self.0.storage.directory.clone(), host.files.clone());
            seam::run(&*host.blocking, seam::Lane::Snapshot, move || directory.mark_suspect(&*files, &reason)).await;
        }
    }

    /// Why no member talks to this node; see [`Hello::estranged`].
    pub fn estranged(&self) -> Option<String> {
        self.0.hello.estranged()
    }

    /// Hands the leadership over, if this node has it and another voter can take it. First of all when a node stops:
    /// the services still answer, and send what they get on to the new leader.
    pub async fn shutdown_leadership(&self) {
        if !self.0.cluster.leads() || self.0.cluster.membership().voter_ids().count() < 2 {
            return;
        }
        let patience = Instant::now() + self.0.options.timings.election_max;
        if let Err(error) = self.0.transfers.transfer(0, patience).await {
            tracing::info!(%error, "stopping as the leader");
        }
    }

    /// Ends all work. Storage may be closed afterwards.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        if let Err(error) = self.0.raft.shutdown().await {
            tracing::warn!(%error, "consensus did not end cleanly");
        }
        self.0.peers.close();
        let tasks = std::mem::take(&mut *self.0.tasks.lock().expect("held for this line only"));
        for task in tasks {
            // A task that panicked has said so.
            let _ = task.await;
        }
    }

    /// Tells the hello which nodes were removed, once the membership in effect has been applied here.
    fn note_removed(&self, applied_index: u64, known: &mut Option<LogId>) {
        let membership = self.0.cluster.membership();
        let Some(changed_at) = *membership.log_id() else { return };
        if *known == Some(changed_at) || changed_at.index > applied_index {
            return;
        }
        let view = self.0.storage.state.read().map_err(|error| error.to_string());
        let removed = view
            .and_then(|view| read_removed_node_ids(&view, membership.membership()).map_err(|error| error.to_string()));
        match removed {
            Ok(removed) => {
                self.0.hello.set_removed(removed);
                *known = Some(changed_at);
            }
            // Tried again at the next look.
            Err(error) => tracing::warn!(%error, "nodes that were removed cannot be read"),
        }
    }

    /// Publishes readiness and progress to the services.
    async fn publish(self, stopping: CancellationToken) {
        let mut position = self.0.storage.state.position();
        let mut members_known = None;
        loop {
            let seen = *position.borrow_and_update();
            let now = Applied { index: seen.applied_index().unwrap_or(0), revision: seen.revision };
            self.note_removed(now.index, &mut members_known);
            self.0.applied.send_if_modified(|applied| std::mem::replace(applied, now) != now);
            let ready = self.0.reads.check_ready().is_ok();
            self.0.ready.send_if_modified(|before| std::mem::replace(before, ready) != ready);
            // Proofs do not announce themselves; until the first one the pump is looked at again soon.
            let again = if ready { Duration::from_millis(500) } else { Duration::from_millis(10) };
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                changed = position.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(again) => {}
            }
        }
        self.0.ready.send_replace(false);
    }
}

/// A peer whose entries can flow again is not left waiting for the end of a backoff.
async fn reset_backoffs(raft: Consensus, mut up: mpsc::UnboundedReceiver<u64>, stopping: CancellationToken) {
    loop {
        let node_id = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            node_id = up.recv() => node_id,
        };
        let Some(node_id) = node_id else { return };
        if raft.is_leader() && raft.trigger().reset_backoff([node_id]).await.is_err() {
            return;
        }
    }
}

impl Store for RaftNode {
    fn propose(&self, proposal: Proposal, deadline: Deadline) -> BoxFuture<'_, Result<Answer, ProposeError>> {
        Box::pin(self.0.proposer.propose(proposal, deadline))
    }

    fn read(&self, level: Level, deadline: Deadline) -> BoxFuture<'_, Result<ReadHandle, ReadError>> {
        Box::pin(self.0.reads.read(level, deadline))
    }

    fn leadership(&self) -> watch::Receiver<Leadership> {
        self.0.cluster.leadership()
    }

    fn applied(&self) -> watch::Receiver<Applied> {
        self.0.applied.subscribe()
    }

    fn ready(&self) -> watch::Receiver<bool> {
        self.0.ready.subscribe()
    }

    fn topology(&self) -> pb::Topology {
        let membership = self.0.cluster.membership();
        let voters: Vec<u64> = membership.voter_ids().collect();
        let leadership = self.0.cluster.leadership().borrow().clone();
        let term = match leadership {
            Leadership::Me { term } => term,
            Leadership::Other(hint) => hint.term,
            Leadership::Unknown => 0,
        };
        pb::Topology {
            cluster_id: self.0.options.cluster_id.clone(),
            epoch: self.0.options.epoch,
            leader_id: self.0.cluster.leader_id().unwrap_or(0),
            term,
            nodes: membership
                .nodes()
                .map(|(id, node)| pb::TopologyNode {
                    node_id: *id,
                    name: node.name.clone(),
                    client_address: node.client_address.clone(),
                    data_centre: node.data_centre.clone(),
                    voter: voters.contains(id),
                })
                .collect(),
            answered_by: self.0.options.node_id,
            ..Default::default()
        }
    }

    fn normalisers(&self) -> Normalisers {
        self.0.storage.state.normalisers()
    }

    fn node(&self) -> NodeAbout {
        let RaftOptions { node_id, node, .. } = &self.0.options;
        NodeAbout { node_id: *node_id, name: node.name.clone(), data_centre: node.data_centre.clone() }
    }

    fn cluster(&self) -> ClusterAbout {
        ClusterAbout { cluster_id: self.0.options.cluster_id.clone(), epoch: self.0.options.epoch }
    }

    fn forward(
        &self,
        to: pb::LeaderHint,
        method: &'static str,
        message: Bytes,
        caller: ForwardedCaller,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<Result<Bytes, Status>, ForwardError>> {
        Box::pin(self.0.forward_call(to, method, message, caller, deadline))
    }
}

impl Inner {
    async fn forward_call(
        &self,
        to: pb::LeaderHint,
        method: &'static str,
        message: Bytes,
        caller: ForwardedCaller,
        deadline: Deadline,
    ) -> Result<Result<Bytes, Status>, ForwardError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = left.min(self.options.timings.connect);
        let connection = self.peers.connection(to.node_id, Lane::Forward, patience).await;
        let connection = connection.map_err(|error| ForwardError::Unreachable(error.to_string()))?;
        let request = forward_request(method, message, &caller, deadline);
        let mut client = connection.client();
        let answer = match tokio::time::timeout_at(deadline, client.forward(request)).await {
            Ok(Ok(answer)) => answer.into_inner(),
            // Refused before anything was looked at.
            Ok(Err(status)) if matches!(status.code(), Code::PermissionDenied | Code::FailedPrecondition) => {
                return Err(ForwardError::Unreachable(status.message().to_owned()));
            }
            Ok(Err(_)) | Err(_) => return Err(ForwardError::Broken),
        };
        self.peers.note_contact(to.node_id);
        Ok(forward_answer(answer))
    }
}
