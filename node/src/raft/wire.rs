//! Bytes between nodes: our own structs, so that another version of openraft, or of this program, never changes what
//! is on the wire unseen. Each message is the codec's format byte, the version of this file, and the body.

use std::collections::{BTreeMap, BTreeSet};

use alert_core::codec::{self, CodecError};
use bytes::Bytes;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderError, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::types::{
    EncodedBatch, Entry, LeaderId, LogId, Membership, Node, NodeId, Payload, SnapshotMeta, StoredMembership,
    TypeConfig, Vote, log_id,
};

/// Version of the bodies below. Grows when one of them changes; a node tells its peers in the hello.
pub const WIRE_VERSION: u32 = 1;

/// Encodes a message behind format byte and version.
pub fn encode<T: Serialize>(message: &T) -> Bytes {
    codec::encode(&(WIRE_VERSION, message)).into()
}

/// Decodes a message of this version.
///
/// # Errors
/// Another version, or bytes that are no such message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (version, _) = codec::decode_prefix::<u32>(bytes)?;
    if version != WIRE_VERSION {
        return Err(CodecError::Malformed(format!("wire version {version}; this node speaks {WIRE_VERSION}")));
    }
    codec::decode::<(u32, T)>(bytes).map(|(_, message)| message)
}

/// (term, index).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireLogId {
    pub term: u64,
    pub index: u64,
}

impl From<LogId> for WireLogId {
    fn from(id: LogId) -> Self {
        Self { term: **id.committed_leader_id(), index: id.index }
    }
}

impl From<WireLogId> for LogId {
    fn from(id: WireLogId) -> Self {
        log_id(id.term, id.index)
    }
}

fn from_wire(id: Option<WireLogId>) -> Option<LogId> {
    id.map(Into::into)
}

fn to_wire(id: Option<LogId>) -> Option<WireLogId> {
    id.map(Into::into)
}

/// Whom a node follows or votes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireVote {
    pub term: u64,
    pub node_id: NodeId,
    /// A quorum granted it: the node leads this term.
    pub committed: bool,
}

impl From<Vote> for WireVote {
    fn from(vote: Vote) -> Self {
        Self { term: vote.leader_id.term, node_id: vote.leader_id.voted_for, committed: vote.committed }
    }
}

impl From<WireVote> for Vote {
    fn from(vote: WireVote) -> Self {
        Vote {
            leader_id: LeaderId { term: vote.term, voted_for: vote.node_id },
            committed: vote.committed,
        }
    }
}

/// Voters (two sets while they change), and the addresses of all members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireMembership {
    pub voters: Vec<BTreeSet<NodeId>>,
    pub nodes: BTreeMap<NodeId, Node>,
}

impl From<&Membership> for WireMembership {
    fn from(membership: &Membership) -> Self {
        Self {
            voters: membership.get_joint_config().clone(),
            nodes: membership.nodes().map(|(id, node)| (*id, node.clone())).collect(),
        }
    }
}

impl TryFrom<WireMembership> for Membership {
    type Error = CodecError;

    fn try_from(membership: WireMembership) -> Result<Self, CodecError> {
        Membership::new(membership.voters, membership.nodes).map_err(|error| CodecError::Malformed(error.to_string()))
    }
}

/// What a log entry carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WirePayload {
    Blank,
    Batch(EncodedBatch),
    Membership(WireMembership),
}

/// One log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEntry {
    pub log_id: WireLogId,
    pub payload: WirePayload,
}

impl From<Entry> for WireEntry {
    fn from(entry: Entry) -> Self {
        let payload = match entry.payload {
            Payload::Blank => WirePayload::Blank,
            Payload::Normal(batch) => WirePayload::Batch(batch),
            Payload::Membership(membership) => WirePayload::Membership((&membership).into()),
        };
        Self { log_id: entry.log_id.into(), payload }
    }
}

impl WireEntry {
    /// As openraft's.
    ///
    /// # Errors
    /// A membership that contradicts itself.
    pub fn into_entry(self) -> Result<Entry, CodecError> {
        let payload = match self.payload {
            WirePayload::Blank => Payload::Blank,
            WirePayload::Batch(batch) => Payload::Normal(batch),
            WirePayload::Membership(membership) => Payload::Membership(membership.try_into()?),
        };
        Ok(Entry { log_id: self.log_id.into(), payload })
    }
}

/// Entries for a follower, or none: a heartbeat, or news of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendRequest {
    pub vote: WireVote,
    pub previous: Option<WireLogId>,
    pub entries: Vec<WireEntry>,
    pub leader_commit: Option<WireLogId>,
}

impl From<AppendEntriesRequest<TypeConfig>> for AppendRequest {
    fn from(request: AppendEntriesRequest<TypeConfig>) -> Self {
        Self {
            vote: request.vote.into(),
            previous: to_wire(request.prev_log_id),
            entries: request.entries.into_iter().map(Into::into).collect(),
            leader_commit: to_wire(request.leader_commit),
        }
    }
}

impl TryFrom<AppendRequest> for AppendEntriesRequest<TypeConfig> {
    type Error = CodecError;

    fn try_from(request: AppendRequest) -> Result<Self, CodecError> {
        Ok(Self {
            vote: request.vote.into(),
            prev_log_id: from_wire(request.previous),
            entries: request.entries.into_iter().map(WireEntry::into_entry).collect::<Result<_, _>>()?,
            leader_commit: from_wire(request.leader_commit),
        })
    }
}

/// A follower's word on an [`AppendRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppendReply {
    Success,
    PartialSuccess(Option<WireLogId>),
    Conflict,
    HigherVote(WireVote),
}

impl From<AppendEntriesResponse<TypeConfig>> for AppendReply {
    fn from(response: AppendEntriesResponse<TypeConfig>) -> Self {
        match response {
            AppendEntriesResponse::Success => Self::Success,
            AppendEntriesResponse::PartialSuccess(matching) => Self::PartialSuccess(to_wire(matching)),
            AppendEntriesResponse::Conflict => Self::Conflict,
            AppendEntriesResponse::HigherVote(vote) => Self::HigherVote(vote.into()),
        }
    }
}

impl From<AppendReply> for AppendEntriesResponse<TypeConfig> {
    fn from(reply: AppendReply) -> Self {
        match reply {
            AppendReply::Success => Self::Success,
            AppendReply::PartialSuccess(matching) => Self::PartialSuccess(from_wire(matching)),
            AppendReply::Conflict => Self::Conflict,
            AppendReply::HigherVote(vote) => Self::HigherVote(vote.into()),
        }
    }
}

/// A follower's word on a heartbeat, with its wall clock (milliseconds since 1970) for the leader's time proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatReply {
    pub reply: AppendReply,
    pub wall_clock_ms: u64,
}

/// A candidate asks for a vote, or whether it would get one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteAsked {
    pub vote: WireVote,
    pub last_log_id: Option<WireLogId>,
    /// The leader itself asked for this election: no lease protects it.
    pub leadership_transfer: bool,
}

impl From<VoteRequest<TypeConfig>> for VoteAsked {
    fn from(request: VoteRequest<TypeConfig>) -> Self {
        Self {
            vote: request.vote.into(),
            last_log_id: to_wire(request.last_log_id),
            leadership_transfer: request.leadership_transfer,
        }
    }
}

impl From<VoteAsked> for VoteRequest<TypeConfig> {
    fn from(asked: VoteAsked) -> Self {
        Self {
            vote: asked.vote.into(),
            last_log_id: from_wire(asked.last_log_id),
            leadership_transfer: asked.leadership_transfer,
        }
    }
}

/// The answer to [`VoteAsked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteReply {
    pub vote: WireVote,
    pub granted: bool,
    pub last_log_id: Option<WireLogId>,
}

impl From<VoteResponse<TypeConfig>> for VoteReply {
    fn from(response: VoteResponse<TypeConfig>) -> Self {
        Self {
            vote: response.vote.into(),
            granted: response.vote_granted,
            last_log_id: to_wire(response.last_log_id),
        }
    }
}

impl From<VoteReply> for VoteResponse<TypeConfig> {
    fn from(reply: VoteReply) -> Self {
        Self { vote: reply.vote.into(), vote_granted: reply.granted, last_log_id: from_wire(reply.last_log_id) }
    }
}

/// The leader asks a voter to take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferAsked {
    pub from: WireVote,
    pub to: NodeId,
    pub last_log_id: Option<WireLogId>,
}

impl From<TransferLeaderRequest<TypeConfig>> for TransferAsked {
    fn from(request: TransferLeaderRequest<TypeConfig>) -> Self {
        Self {
            from: (*request.from_leader()).into(),
            to: *request.to_node_id(),
            last_log_id: to_wire(request.last_log_id().copied()),
        }
    }
}

impl From<TransferAsked> for TransferLeaderRequest<TypeConfig> {
    fn from(asked: TransferAsked) -> Self {
        Self::new(asked.from.into(), asked.to, from_wire(asked.last_log_id))
    }
}

/// The answer to [`TransferAsked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferReply {
    Accepted,
    VoteChanged { expected: WireVote, actual: WireVote },
    LogNotFlushed { expected: Option<WireLogId>, actual: Option<WireLogId> },
}

impl From<TransferLeaderResponse<TypeConfig>> for TransferReply {
    fn from(response: TransferLeaderResponse<TypeConfig>) -> Self {
        match response {
            Ok(()) => Self::Accepted,
            Err(TransferLeaderError::VoteChanged { expected, actual }) => {
                Self::VoteChanged { expected: expected.into(), actual: actual.into() }
            }
            Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
                Self::LogNotFlushed { expected: to_wire(expected), actual: to_wire(actual) }
            }
        }
    }
}

impl From<TransferReply> for TransferLeaderResponse<TypeConfig> {
    fn from(reply: TransferReply) -> Self {
        match reply {
            TransferReply::Accepted => Ok(()),
            TransferReply::VoteChanged { expected, actual } => {
                Err(TransferLeaderError::VoteChanged { expected: expected.into(), actual: actual.into() })
            }
            TransferReply::LogNotFlushed { expected, actual } => {
                Err(TransferLeaderError::LogNotFlushed { expected: from_wire(expected), actual: from_wire(actual) })
            }
        }
    }
}

/// A follower asks how far the log is committed, after proof to a quorum that the answerer leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadIndexAsked {
    /// How long the asker waits, in milliseconds.
    pub patience_ms: u64,
}

/// The answer to [`ReadIndexAsked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadIndexReply {
    /// A state that has applied this index holds all that was acknowledged before the question.
    Index(u64),
    /// The node asked does not lead; who does, as far as it knows.
    NotLeader(Option<NodeId>),
    /// No quorum answered in time.
    NoQuorum,
}

/// What a snapshot covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireSnapshotMeta {
    pub last_log_id: Option<WireLogId>,
    pub membership_log_id: Option<WireLogId>,
    pub membership: WireMembership,
}

impl From<&SnapshotMeta> for WireSnapshotMeta {
    fn from(meta: &SnapshotMeta) -> Self {
        Self {
            last_log_id: to_wire(meta.last_log_id),
            membership_log_id: to_wire(*meta.last_membership.log_id()),
            membership: meta.last_membership.membership().into(),
        }
    }
}

impl TryFrom<WireSnapshotMeta> for SnapshotMeta {
    type Error = CodecError;

    fn try_from(meta: WireSnapshotMeta) -> Result<Self, CodecError> {
        Ok(Self {
            last_log_id: from_wire(meta.last_log_id),
            last_membership: StoredMembership::new(from_wire(meta.membership_log_id), meta.membership.try_into()?),
        })
    }
}
