//! Stand-ins for consensus, the audit log and the cluster's administration.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alert_core::{
    audit::Anchor,
    pb,
    state::{
        Caches, MemoryView, Meta, apply,
        command::{Answer, Batch, Proposal},
        founding,
    },
};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;
use tonic::Status;

use crate::{
    api::{
        AdminBackend, AdminError, Api, Applied, AuditBackend, AuditEntry, AuditError, AuditQuestion, AuditSink,
        AuditVerdict, BoxFuture, ClusterAbout, Deadline, ForwardError, ForwardedCaller, Leadership, Level, NodeAbout,
        ProposeError, ReadError, ReadHandle, Receipt, Store, forward_answer, forward_request,
    },
    seam::Clock,
};

/// A clock that stands until it is moved.
pub struct FakeClock(pub AtomicU64);

impl Clock for FakeClock {
    fn wall_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn boot(&self) -> Duration {
        Duration::from_millis(self.wall_ms())
    }
}

/// What several nodes share in place of consensus.
pub struct Replicated {
    state: Mutex<(MemoryView, Caches)>,
}

impl Default for Replicated {
    /// A cluster that was founded, and nothing more.
    fn default() -> Self {
        let (mut view, mut caches) = (MemoryView::default(), Caches::default());
        let founding = Proposal { caller: None, request: None, rules_revision: 0, command: founding() };
        let batch = Batch { proposed_at_ms: 0, proposals: vec![founding] };
        view.write(apply(&view, &mut caches, &[batch]).unwrap().writes);
        Self { state: Mutex::new((view, caches)) }
    }
}

/// A node's store: one state machine for all nodes, and switches for what may go wrong.
pub struct FakeStore {
    replicated: Arc<Replicated>,
    clock: Arc<FakeClock>,
    node: NodeAbout,
    pub cluster: Mutex<ClusterAbout>,
    pub leadership: watch::Sender<Leadership>,
    pub applied: watch::Sender<Applied>,
    pub ready: watch::Sender<bool>,
    /// How old reads say that they are.
    pub staleness: Mutex<Option<Duration>>,
    /// Refuses reads of these kinds of level.
    pub no_quorum: Mutex<bool>,
    /// Outcomes of the next proposals, instead of applying them; `None` = apply.
    pub next_proposals: Mutex<VecDeque<Option<ProposeError>>>,
    /// Applied, but the answer is lost.
    pub lose_answers: Mutex<usize>,
    /// Where calls are sent on to.
    pub peer: Mutex<Option<Api>>,
    /// The levels that reads asked for.
    pub levels: Mutex<Vec<Level>>,
    /// Commands that were applied.
    pub proposals: AtomicU64,
}

impl FakeStore {
    pub fn new(replicated: Arc<Replicated>, clock: Arc<FakeClock>, node_id: u64) -> Self {
        let node = NodeAbout { node_id, name: format!("node-{node_id}"), data_centre: "dc-a".into() };
        let cluster = ClusterAbout { cluster_id: "test-cluster".into(), epoch: 1 };
        Self {
            replicated,
            clock,
            node,
            cluster: Mutex::new(cluster),
            leadership: watch::Sender::new(Leadership::Me { term: 1 }),
            applied: watch::Sender::new(Applied::default()),
            ready: watch::Sender::new(true),
            staleness: Mutex::new(Some(Duration::ZERO)),
            no_quorum: Mutex::new(false),
            next_proposals: Mutex::new(VecDeque::new()),
            lose_answers: Mutex::new(0),
            peer: Mutex::new(None),
            levels: Mutex::new(Vec::new()),
            proposals: AtomicU64::new(0),
        }
    }

    /// Applies one proposal as consensus would.
    pub fn apply(&self, proposal: Proposal) -> Answer {
        let mut state = self.replicated.state.lock();
        let (view, caches) = &mut *state;
        let batch = Batch { proposed_at_ms: self.clock.wall_ms(), proposals: vec![proposal] };
        let effects = apply(view, caches, &[batch]).unwrap();
        view.write(effects.writes);
        self.proposals.fetch_add(1, Ordering::Relaxed);
        let applied = Applied { index: effects.meta.revision, revision: effects.meta.revision };
        self.applied.send_replace(applied);
        effects.answers[0][0].clone()
    }

    pub fn view(&self) -> MemoryView {
        self.replicated.state.lock().0.clone()
    }
}

impl Store for FakeStore {
    fn propose(&self, proposal: Proposal, _: Deadline) -> BoxFuture<'_, Result<Answer, ProposeError>> {
        Box::pin(async move {
            if let Some(Some(error)) = self.next_proposals.lock().pop_front() {
                return Err(error);
            }
            let answer = self.apply(proposal);
            let mut lose = self.lose_answers.lock();
            if *lose > 0 {
                *lose -= 1;
                return Err(ProposeError::MaybeApplied);
            }
            Ok(answer)
        })
    }

    fn read(&self, level: Level, deadline: Deadline) -> BoxFuture<'_, Result<ReadHandle, ReadError>> {
        Box::pin(async move {
            self.levels.lock().push(level);
            let without_quorum = *self.no_quorum.lock();
            if without_quorum && !matches!(level, Level::Session { .. } | Level::Local) {
                return Err(ReadError::NoQuorum);
            }
            let view = self.view();
            let meta = Meta::read(&view).unwrap();
            if let Level::Session { revision } = level
                && revision > meta.revision
            {
                tokio::time::sleep_until(deadline).await;
                return Err(ReadError::DeadlineExceeded);
            }
            Ok(ReadHandle {
                view: Arc::new(view),
                revision: meta.revision,
                applied_index: meta.revision,
                stamp_ms: meta.time_ms,
                meta: Arc::new(meta),
                proven_at: (*self.staleness.lock()).map(|staleness| self.clock.boot().saturating_sub(staleness)),
                without_quorum,
            })
        })
    }

    fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.subscribe()
    }

    fn applied(&self) -> watch::Receiver<Applied> {
        self.applied.subscribe()
    }

    fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    fn topology(&self) -> pb::Topology {
        pb::Topology { cluster_id: self.cluster.lock().cluster_id.clone(), answered_by: 1, ..Default::default() }
    }

    fn node(&self) -> NodeAbout {
        self.node.clone()
    }

    fn cluster(&self) -> ClusterAbout {
        self.cluster.lock().clone()
    }

    fn forward(
        &self,
        _: pb::LeaderHint,
        method: &'static str,
        message: Bytes,
        caller: ForwardedCaller,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<Result<Bytes, Status>, ForwardError>> {
        let peer = self.peer.lock().clone();
        Box::pin(async move {
            let Some(peer) = peer else { return Err(ForwardError::Unreachable("no route".into())) };
            let request = forward_request(method, message, &caller, deadline);
            Ok(forward_answer(peer.handle_forwarded(request).await))
        })
    }
}

/// Remembers what it is told.
#[derive(Default)]
pub struct FakeAudit {
    pub entries: Mutex<Vec<AuditEntry>>,
    pub broken: Mutex<bool>,
    /// No record becomes durable.
    pub hangs: Mutex<bool>,
    /// Each record takes so many milliseconds of this clock.
    pub takes: Mutex<Option<(Arc<FakeClock>, u64)>>,
}

impl AuditSink for FakeAudit {
    fn record(&self, entry: AuditEntry) -> BoxFuture<'_, Result<Receipt, AuditError>> {
        Box::pin(async move {
            if *self.hangs.lock() {
                std::future::pending::<()>().await;
            }
            if *self.broken.lock() {
                return Err(AuditError::Unwritable("no space".into()));
            }
            if let Some((clock, ms)) = &*self.takes.lock() {
                clock.0.fetch_add(*ms, Ordering::Relaxed);
            }
            let mut entries = self.entries.lock();
            entries.push(entry);
            Ok(Receipt(format!("receipt-{}", entries.len())))
        })
    }
}

impl AuditBackend for FakeAudit {
    fn verify(&self, anchors: Vec<Anchor>) -> BoxFuture<'_, Result<AuditVerdict, AuditError>> {
        let verdict = AuditVerdict {
            intact: true,
            records: self.entries.lock().len() as u64,
            head_hash: [1; 32],
            anchors_met: anchors.len() as u64,
            anchored_until_ms: anchors.last().map(|anchor| anchor.at_ms),
            first_fault: String::new(),
        };
        Box::pin(async move { Ok(verdict) })
    }

    fn find(
        &self,
        _: AuditQuestion,
        _: u64,
        _: u64,
        _: u64,
        _: usize,
    ) -> BoxFuture<'_, Result<Vec<pb::AuditRecord>, AuditError>> {
        Box::pin(async { Err(AuditError::Unsupported("looking through the audit log")) })
    }
}

/// A cluster that is never in a state for anything.
pub struct FakeAdmin;

fn refused<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, AdminError>> {
    Box::pin(async { Err(AdminError::Refused("another change is under way".into())) })
}

impl AdminBackend for FakeAdmin {
    fn init(&self, _: Deadline) -> BoxFuture<'_, Result<pb::InitResponse, AdminError>> {
        Box::pin(async { Ok(pb::InitResponse { cluster_id: "test-cluster".into(), formed_now: true }) })
    }

    fn status(&self) -> BoxFuture<'_, Result<pb::StatusResponse, AdminError>> {
        Box::pin(async { Ok(pb::StatusResponse { role: "leader".into(), ..Default::default() }) })
    }

    fn add_learner(
        &self,
        _: pb::AddLearnerRequest,
        _: Deadline,
    ) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>> {
        refused()
    }

    fn promote(&self, node_id: u64, _: Deadline) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>> {
        Box::pin(async move { Err(AdminError::UnknownNode(node_id)) })
    }

    fn remove(&self, _: u64, _: Deadline) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>> {
        refused()
    }

    fn transfer_leader(&self, _: u64, _: Deadline) -> BoxFuture<'_, Result<pb::TransferLeaderResponse, AdminError>> {
        let hint = Some(pb::LeaderHint { node_id: 2, address: "b:1".into(), term: 3 });
        Box::pin(async move { Err(AdminError::NotLeader { hint }) })
    }

    fn trigger_snapshot(&self, _: Deadline) -> BoxFuture<'_, Result<pb::TriggerSnapshotResponse, AdminError>> {
        refused()
    }
}
