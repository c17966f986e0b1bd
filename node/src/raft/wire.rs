//! Bytes between nodes: our own structs, like those on disk (`storage::records`, used inside), so that another version
//! of openraft, or of this program, never changes what is on the wire unseen. Each message is the codec's format byte, the version of this file, and the body.

use alert_core::codec::{self, CodecError};
use bytes::Bytes;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderError, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::types::{EncodedBatch, Entry, LogId, NodeId, Payload, TypeConfig};
use crate::storage::records::{LogIdRecord, MembershipRecord, VoteRecord};

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

fn from_wire(id: Option<LogIdRecord>) -> Option<LogId> {
    id.map(Into::into)
}

fn to_wire(id: Option<LogId>) -> Option<LogIdRecord> {
    id.map(Into::into)
}

/// What a log entry carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WirePayload {
    Blank,
    Batch(EncodedBatch),
    Membership(MembershipRecord),
}

/// One log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEntry {
    pub log_id: LogIdRecord,
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
    pub vote: VoteRecord,
    pub previous: Option<LogIdRecord>,
    pub entries: Vec<WireEntry>,
    pub leader_commit: Option<LogIdRecord>,
}

impl From<AppendEntriesRequest<TypeConfig>> for AppendRequest {
    fn from(request: AppendEntriesRequest<TypeConfig>) -> Self {
        Self {
            vote: (&request.vote).into(),
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
    PartialSuccess(Option<LogIdRecord>),
    Conflict,
    HigherVote(VoteRecord),
}

impl From<AppendEntriesResponse<TypeConfig>> for AppendReply {
    fn from(response: AppendEntriesResponse<TypeConfig>) -> Self {
        match response {
            AppendEntriesResponse::Success => Self::Success,
            AppendEntriesResponse::PartialSuccess(matching) => Self::PartialSuccess(to_wire(matching)),
            AppendEntriesResponse::Conflict => Self::Conflict,
            AppendEntriesResponse::HigherVote(vote) => Self::HigherVote((&vote).into()),
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
    pub vote: VoteRecord,
    pub last_log_id: Option<LogIdRecord>,
    /// The leader itself asked for this election: no lease protects it.
    pub leadership_transfer: bool,
}

impl From<VoteRequest<TypeConfig>> for VoteAsked {
    fn from(request: VoteRequest<TypeConfig>) -> Self {
        Self {
            vote: (&request.vote).into(),
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
    pub vote: VoteRecord,
    pub granted: bool,
    pub last_log_id: Option<LogIdRecord>,
}

impl From<VoteResponse<TypeConfig>> for VoteReply {
    fn from(response: VoteResponse<TypeConfig>) -> Self {
        Self {
            vote: (&response.vote).into(),
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
    pub from: VoteRecord,
    pub to: NodeId,
    pub last_log_id: Option<LogIdRecord>,
}

impl From<TransferLeaderRequest<TypeConfig>> for TransferAsked {
    fn from(request: TransferLeaderRequest<TypeConfig>) -> Self {
        Self {
            from: request.from_leader().into(),
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
    VoteChanged { expected: VoteRecord, actual: VoteRecord },
    LogNotFlushed { expected: Option<LogIdRecord>, actual: Option<LogIdRecord> },
}

impl From<TransferLeaderResponse<TypeConfig>> for TransferReply {
    fn from(response: TransferLeaderResponse<TypeConfig>) -> Self {
        match response {
            Ok(()) => Self::Accepted,
            Err(TransferLeaderError::VoteChanged { expected, actual }) => {
                Self::VoteChanged { expected: (&expected).into(), actual: (&actual).into() }
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

/// The leader asks how far a member is with the index of the next normaliser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexAsked {
    pub normaliser: u32,
}

/// The answer to [`IndexAsked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexReply {
    /// Every alert is in it.
    Complete,
    /// Not yet.
    Building,
    /// The node's release does not have the normaliser.
    Lacking,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::anchors::AuditHead;

    const VOTE: VoteRecord = VoteRecord { term: 300, node_id: 2, committed: true };

    fn id(index: u64) -> LogIdRecord {
        LogIdRecord { term: 2, index }
    }

    fn append() -> AppendRequest {
        AppendRequest {
            vote: VOTE,
            previous: Some(id(9)),
            entries: vec![
                WireEntry { log_id: id(10), payload: WirePayload::Blank },
                WireEntry { log_id: id(11), payload: WirePayload::Batch(EncodedBatch(Bytes::from_static(b"ab"))) },
            ],
            leader_commit: None,
        }
    }

    #[test]
    fn bytes_between_nodes_do_not_change() {
        let golden: [u8; 21] = [1, 1, 251, 44, 1, 2, 1, 1, 2, 9, 2, 2, 10, 0, 2, 11, 1, 2, 97, 98, 0];
        assert_eq!(encode(&append())[..], golden);
        assert_eq!(decode::<AppendRequest>(&golden), Ok(append()));
        let asked = VoteAsked { vote: VOTE, last_log_id: Some(id(9)), leadership_transfer: true };
        assert_eq!(encode(&asked)[..], [1, 1, 251, 44, 1, 2, 1, 1, 2, 9, 1]);
        let granted = VoteReply { vote: VOTE, granted: true, last_log_id: None };
        assert_eq!(encode(&granted)[..], [1, 1, 251, 44, 1, 2, 1, 1, 0]);
        let transfer = TransferAsked { from: VOTE, to: 3, last_log_id: Some(id(9)) };
        assert_eq!(encode(&transfer)[..], [1, 1, 251, 44, 1, 2, 1, 3, 1, 2, 9]);
        let replies = [
            (AppendReply::Success, vec![1, 1, 0, 7]),
            (AppendReply::PartialSuccess(Some(id(9))), vec![1, 1, 1, 1, 2, 9, 7]),
            (AppendReply::Conflict, vec![1, 1, 2, 7]),
            (AppendReply::HigherVote(VOTE), vec![1, 1, 3, 251, 44, 1, 2, 1, 7]),
        ];
        for (reply, golden) in replies {
            assert_eq!(encode(&HeartbeatReply { reply, wall_clock_ms: 7 })[..], golden);
        }
        assert_eq!(encode(&ReadIndexReply::Index(5))[..], [1, 1, 0, 5]);
        assert_eq!(encode(&ReadIndexReply::NotLeader(Some(3)))[..], [1, 1, 1, 1, 3]);
        assert_eq!(encode(&ReadIndexReply::NoQuorum)[..], [1, 1, 2]);
        assert_eq!(encode(&IndexAsked { normaliser: 300 })[..], [1, 1, 251, 44, 1]);
        for (reply, golden) in [(IndexReply::Complete, 0), (IndexReply::Building, 1), (IndexReply::Lacking, 2)] {
            assert_eq!(encode(&reply)[..], [1, 1, golden]);
        }
        assert_eq!(encode(&TransferReply::Accepted)[..], [1, 1, 0]);
        let changed = TransferReply::VoteChanged { expected: VOTE, actual: VoteRecord { term: 2, ..VOTE } };
        assert_eq!(encode(&changed)[..], [1, 1, 1, 251, 44, 1, 2, 1, 2, 2, 1]);
        let lagging = TransferReply::LogNotFlushed { expected: Some(id(9)), actual: None };
        assert_eq!(encode(&lagging)[..], [1, 1, 2, 1, 2, 9, 0]);
        assert_eq!(encode(&AppendReply::PartialSuccess(Some(id(9))))[..], [1, 1, 1, 1, 2, 9]);
        assert_eq!(encode(&ReadIndexAsked { patience_ms: 300 })[..], [1, 1, 251, 44, 1]);
        let head: AuditHead = (300, [9; 32]);
        assert_eq!(encode(&head)[..], [&[1, 1, 251, 44, 1][..], &[9; 32]].concat());
        assert_eq!(encode(&())[..], [1, 1], "an anchor was taken");
        // As on disk (`storage::records`), behind the entry's id and kind.
        let membership = MembershipRecord { voter_sets: vec![vec![1, 2]], nodes: Vec::new() };
        let entry = WireEntry { log_id: id(10), payload: WirePayload::Membership(membership.clone()) };
        assert_eq!(encode(&entry)[..], [&[1, 1, 2, 10, 2][..], &codec::encode(&membership)[1..]].concat());
    }

    #[test]
    fn messages_come_back_from_openraft_as_they_were() {
        let request = AppendEntriesRequest::<TypeConfig>::try_from(append()).unwrap();
        assert_eq!(AppendRequest::from(request), append());
        let asked = VoteAsked { vote: VOTE, last_log_id: Some(id(9)), leadership_transfer: true };
        let request = VoteRequest::<TypeConfig>::from(asked);
        assert!(request.leadership_transfer, "or a planned transfer waits for the lease");
        assert_eq!(VoteAsked::from(request), asked);
        let granted = VoteReply { vote: VOTE, granted: true, last_log_id: Some(id(1)) };
        assert_eq!(VoteReply::from(VoteResponse::<TypeConfig>::from(granted)), granted);
        for reply in [
            TransferReply::Accepted,
            TransferReply::VoteChanged { expected: VOTE, actual: VoteRecord { term: 301, ..VOTE } },
            TransferReply::LogNotFlushed { expected: Some(id(9)), actual: None },
        ] {
            assert_eq!(TransferReply::from(TransferLeaderResponse::<TypeConfig>::from(reply)), reply);
        }
        for reply in [
            AppendReply::Success,
            AppendReply::PartialSuccess(Some(id(4))),
            AppendReply::Conflict,
            AppendReply::HigherVote(VOTE),
        ] {
            assert_eq!(AppendReply::from(AppendEntriesResponse::<TypeConfig>::from(reply)), reply);
        }
    }

    #[test]
    fn another_version_and_torn_bytes_are_refused() {
        let mut bytes = encode(&append()).to_vec();
        bytes[1] = 2;
        let error = decode::<AppendRequest>(&bytes).unwrap_err().to_string();
        assert!(error.contains("wire version 2"), "{error}");
        let bytes = encode(&append());
        assert!(decode::<AppendRequest>(&bytes[..bytes.len() - 1]).is_err());
    }
}
