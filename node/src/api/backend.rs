//! What the services ask of the rest of the node. `raft/` implements [`Store`] and [`AdminBackend`], `audit/`
//! implements [`AuditSink`] and [`AuditBackend`]; tests and the simulator bring their own.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use alert_core::{
    alert::{AlertId, Caller},
    audit::Anchor,
    pb,
    search::Normalisers,
    state::{
        Meta, View,
        command::{Answer, Proposal},
    },
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;
use tonic::Status;

/// A future behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// When a call gives up. Virtual time under the simulator.
pub type Deadline = tokio::time::Instant;

/// One consistent state of the store, shareable between tasks.
pub trait StateView: View + Send + Sync + 'static {}

impl<T: View + Send + Sync + 'static> StateView for T {}

/// How fresh a read must be. Entitlements and tokens are the services' business; the store only serves or refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// All that was acknowledged before the call.
    Linearizable,
    /// Never older than this revision (out of a token of this cluster and epoch).
    Session { revision: u64 },
    /// Includes every write acknowledged longer ago than this before the call reached the node.
    Bounded(Duration),
    /// Whatever is here.
    Local,
}

/// A consistent state to answer from.
#[derive(Clone)]
pub struct ReadHandle {
    pub view: Arc<dyn StateView>,
    /// The state machine's counters, read from the view itself, once for all who read it.
    pub meta: Arc<Meta>,
    /// Read from the view itself.
    pub revision: u64,
    /// Read from the view itself.
    pub applied_index: u64,
    /// Replicated time of the view: the stamp of the last applied entry, milliseconds since 1970.
    pub stamp_ms: u64,
    /// What the state is as fresh as, as time since boot: when the newest quorum-confirmed probe was *sent* whose index
    /// the view has applied. `None` = never proven. Given at every level, `local` too: a node that cannot prove that its
    /// state is younger than a second serves no partner, since a suspended agreement may be unknown to it.
    pub proven_at: Option<Duration>,
    /// True when no quorum can be reached at present.
    pub without_quorum: bool,
}

impl ReadHandle {
    /// How old the state may be at `boot` (time since boot); `None` = nothing is proven.
    pub fn age_at(&self, boot: Duration) -> Option<Duration> {
        Some(boot.saturating_sub(self.proven_at?))
    }
}

/// Why a read cannot be served here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Restarted and not yet confirmed by a quorum, installing a snapshot, not yet part of a cluster.
    #[error("this node is not ready: {reason}")]
    NotReady { reason: String },
    /// Too far behind to be worth waiting for.
    #[error("this node is {lag_entries} log entries behind")]
    Behind { lag_entries: u64 },
    /// The token names a revision that the cluster has not reached.
    #[error("the token is from the future of this cluster")]
    TokenFromFuture,
    /// The level needs a quorum and there is none.
    #[error("no quorum can be reached")]
    NoQuorum,
    /// The deadline came first.
    #[error("the deadline passed while waiting for the read level")]
    DeadlineExceeded,
    /// The node is stopping.
    #[error("this node is stopping")]
    Stopped,
}

/// Why a proposal has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProposeError {
    /// No leader is known. Nothing was proposed.
    #[error("there is no leader at present")]
    NoLeader,
    /// Another node leads. Nothing was proposed.
    #[error("another node leads")]
    NotLeader { hint: Option<pb::LeaderHint> },
    /// Proposed, and the outcome cannot be known here. Safe to repeat under the same request id only.
    #[error("the outcome is not known: it may have been applied")]
    MaybeApplied,
    /// The queue is full. Nothing was proposed.
    #[error("the proposal queue is full")]
    Overloaded { retry_after: Duration },
    /// The deadline came before the proposal left the queue. Nothing was proposed.
    #[error("the deadline passed before the change was proposed")]
    DeadlineExceeded,
    /// The node is stopping. Nothing was proposed.
    #[error("this node is stopping")]
    Stopped,
}

/// Who leads, as far as this node knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Leadership {
    /// Nobody known.
    #[default]
    Unknown,
    /// This node, and it takes proposals now.
    Me { term: u64 },
    /// Another node.
    Other(pb::LeaderHint),
}

/// This node, as its configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAbout {
    pub node_id: u64,
    pub name: String,
    pub data_centre: String,
}

/// The cluster this node is part of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterAbout {
    /// Empty before the cluster is formed.
    pub cluster_id: String,
    /// Grows when the store is restored from a backup.
    pub epoch: u64,
}

/// How far this node has applied the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    pub index: u64,
    pub revision: u64,
}

/// Who called the node that forwards, believed only from a node's certificate. `ForwardRequest.caller` is this,
/// encoded by the core's `codec`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedCaller {
    pub caller: Caller,
    pub certificate_serial: String,
}

/// The replicated store as the services see it.
pub trait Store: Send + Sync + 'static {
    /// Proposes one command and waits for its answer. Many may be under way at once: they share log entries.
    fn propose(&self, proposal: Proposal, deadline: Deadline) -> BoxFuture<'_, Result<Answer, ProposeError>>;

    /// A state that satisfies `level`.
    fn read(&self, level: Level, deadline: Deadline) -> BoxFuture<'_, Result<ReadHandle, ReadError>>;

    /// Who leads; changes wake those who hold a call until there is a leader.
    fn leadership(&self) -> watch::Receiver<Leadership>;

    /// How far this node is; wakes watchers of the feed.
    fn applied(&self) -> watch::Receiver<Applied>;

    /// True while reads may be served (after the first quorum-confirmed probe, not while a snapshot is installed).
    /// Drives the health service.
    fn ready(&self) -> watch::Receiver<bool>;

    /// The nodes and their addresses; `answered_by` set to this node.
    fn topology(&self) -> pb::Topology;

    /// The normalisers that this node can read queries by.
    fn normalisers(&self) -> Normalisers {
        Normalisers::default()
    }

    /// This node.
    fn node(&self) -> NodeAbout;

    /// The cluster.
    fn cluster(&self) -> ClusterAbout;

    /// Sends a call on to the leader, once. `Ok` is what the leader's [`super::Api::handle_forwarded`] answered.
    ///
    /// # Errors
    /// [`ForwardError`] says whether the call may have reached the leader.
    fn forward(
        &self,
        to: pb::LeaderHint,
        method: &'static str,
        message: Bytes,
        caller: ForwardedCaller,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<Result<Bytes, Status>, ForwardError>>;
}

/// Why a forwarded call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForwardError {
    /// Not sent.
    #[error("the leader cannot be reached: {0}")]
    Unreachable(String),
    /// Sent, and no answer came.
    #[error("the connection to the leader broke while it worked")]
    Broken,
}

/// One attempt of one question or change, for the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// One audit record each; retries and hedges are attempts of the same record.
    pub search_id: AlertId,
    /// This node's wall clock, milliseconds since 1970.
    pub at_ms: u64,
    pub caller: Caller,
    pub certificate_serial: String,
    pub context: pb::CallContext,
    /// "search", "get", "create"...
    pub operation: &'static str,
    /// The request's protobuf bytes without its context, and without the record's content where the call is a change
    /// (an audit log must not keep what is erased elsewhere).
    pub asked: Vec<u8>,
    pub disclosed: Vec<pb::AuditDisclosure>,
    pub revision: u64,
    pub outcome: tonic::Code,
}

/// Names an answer in the audit log: `<node>-<sequence>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt(pub String);

impl Receipt {
    /// The node whose log it is in, and the place there.
    pub fn place(&self) -> Option<(&str, u64)> {
        let (node, sequence) = self.0.rsplit_once('-')?;
        Some((node, sequence.parse().ok()?))
    }
}

/// The audit log could not take or give a record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuditError {
    /// The log cannot be written: nothing may leave this node.
    #[error("the audit log cannot be written: {0}")]
    Unwritable(String),
    /// Too many records wait to become durable.
    #[error("the audit log is behind")]
    Overloaded,
    /// This question is not answered yet.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    /// The log cannot be read.
    #[error("the audit log cannot be read: {0}")]
    Unreadable(String),
}

/// Takes audit records.
pub trait AuditSink: Send + Sync + 'static {
    /// Comes back when the record is durable: only then may the answer leave.
    fn record(&self, entry: AuditEntry) -> BoxFuture<'_, Result<Receipt, AuditError>>;
}

/// What an auditor asks of this node's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditQuestion {
    /// Every record given out of one alert.
    WhoSaw { alert_id: AlertId },
    /// Everything one caller asked. Empty fields match all.
    WhatDidAsk { country: String, authority: String, system: String, role: String },
    /// The record of this place in the log.
    Receipt { sequence: u64 },
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditVerdict {
    pub intact: bool,
    pub records: u64,
    pub head_hash: [u8; 32],
    /// Anchors that the log bears out.
    pub anchors_met: u64,
    /// When the newest of these was made, milliseconds since 1970.
    pub anchored_until_ms: Option<u64>,
    /// In words; empty when intact.
    pub first_fault: String,
}

/// Reads the audit log of this node.
pub trait AuditBackend: Send + Sync + 'static {
    /// Checks the whole chain, and that it holds what the cluster remembers of it.
    fn verify(&self, anchors: Vec<Anchor>) -> BoxFuture<'_, Result<AuditVerdict, AuditError>>;

    /// Records that answer `question`, of times in `[from_ms, until_ms)`, each with its attempts, whose first attempt has
    /// a sequence above `after`, in order, at most `limit`.
    fn find(
        &self,
        question: AuditQuestion,
        from_ms: u64,
        until_ms: u64,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<pb::AuditRecord>, AuditError>>;
}

/// Why an administrative action was not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdminError {
    /// Only the leader does this.
    #[error("only the leader does this")]
    NotLeader { hint: Option<pb::LeaderHint> },
    /// The node is not in a state for it: not formed yet, a change is under way, the learner lags...
    #[error("{0}")]
    Refused(String),
    /// No such node.
    #[error("no node {0} in this cluster")]
    UnknownNode(u64),
    /// The request itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The deadline came first; the action may still take effect.
    #[error("the deadline passed; look at the status before trying again")]
    DeadlineExceeded,
    /// The node does not serve yet, or not now: the same call may succeed later.
    #[error("{0}")]
    NotReady(String),
    /// It failed inside the node.
    #[error("{0}")]
    Failed(String),
}

impl From<ReadError> for AdminError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::DeadlineExceeded => Self::DeadlineExceeded,
            ReadError::NotReady { .. }
            | ReadError::Behind { .. }
            | ReadError::NoQuorum
            | ReadError::Stopped
            | ReadError::TokenFromFuture => Self::NotReady(error.to_string()),
        }
    }
}

/// Administration of the cluster: for operators.
pub trait AdminBackend: Send + Sync + 'static {
    /// Forms a cluster of this one node; repeated, says so and does nothing.
    fn init(&self, deadline: Deadline) -> BoxFuture<'_, Result<pb::InitResponse, AdminError>>;
    fn status(&self) -> BoxFuture<'_, Result<pb::StatusResponse, AdminError>>;
    fn add_learner(
        &self,
        node: pb::AddLearnerRequest,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>>;
    fn promote(&self, node_id: u64, deadline: Deadline) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>>;
    fn remove(&self, node_id: u64, deadline: Deadline) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>>;
    /// To a node, or (0) to the best caught-up voter; comes back when it leads.
    fn transfer_leader(
        &self,
        to_node_id: u64,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<pb::TransferLeaderResponse, AdminError>>;
    fn trigger_snapshot(&self, deadline: Deadline) -> BoxFuture<'_, Result<pb::TriggerSnapshotResponse, AdminError>>;
}
