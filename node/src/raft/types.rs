//! The types that consensus is made of: what a log entry carries, what applying it answers, who a node is.
//!
//! Nothing here is written to disk or wire as it stands: storage and network turn it into versioned bytes of our own.

use std::fmt;

use alert_core::state::command::Answer;
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// Id of a node. Never used twice, not even after the node was removed.
pub type NodeId = u64;

/// A member of the cluster, as the membership records it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// host:port that other nodes connect to.
    pub raft_address: String,
    /// host:port that clients connect to.
    pub client_address: String,
    /// The node's name; the common name of its certificate.
    pub name: String,
    /// Where it stands.
    pub data_centre: String,
    /// Incarnation of its data directory (32 hexadecimal digits): a wiped disk under an old id is known by another one.
    pub incarnation: String,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} in {}", self.name, self.raft_address, self.data_centre)
    }
}

/// What a log entry carries: an encoded `alert_core::state::command::Batch`. The leader encodes it once; the log, the
/// wire and every follower pass the same bytes on. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedBatch(pub Bytes);

impl fmt::Display for EncodedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch of {} bytes", self.0.len())
    }
}

impl Serialize for EncodedBatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for EncodedBatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOneCopy;
        impl Visitor<'_> for InOneCopy {
            type Value = EncodedBatch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the bytes of a batch")
            }

            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<EncodedBatch, E> {
                Ok(EncodedBatch(bytes.into()))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<EncodedBatch, E> {
                Ok(EncodedBatch(Bytes::copy_from_slice(bytes)))
            }
        }
        // As a byte string, not as a list of numbers: entries reach a megabyte.
        deserializer.deserialize_byte_buf(InOneCopy)
    }
}

/// What applying one log entry answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// One answer for each command of the batch, in order; none for blank and membership entries.
    pub answers: Vec<Answer>,
}

/// The runtime that consensus runs on.
pub type Runtime = openraft_rt_tokio::TokioRuntime;

openraft::declare_raft_types!(
    /// The type configuration of the store: one leader in a term, so a log id is (term, index).
    pub TypeConfig:
        D = EncodedBatch,
        R = Applied,
        NodeId = NodeId,
        Node = Node,
        Term = u64,
        LeaderId = openraft::impls::leader_id_std::LeaderId<u64, NodeId>,
        AsyncRuntime = Runtime,
);

/// (term, node id) of a leader or candidate.
pub type LeaderId = openraft::type_config::alias::LeaderIdOf<TypeConfig>;
/// Whom this node follows or votes for.
pub type Vote = openraft::type_config::alias::VoteOf<TypeConfig>;
/// (term, index) of a log entry.
pub type LogId = openraft::type_config::alias::LogIdOf<TypeConfig>;
/// One log entry.
pub type Entry = openraft::type_config::alias::EntryOf<TypeConfig>;
/// What one log entry is: nothing, a batch of commands, a membership.
pub type Payload = openraft::EntryPayload<EncodedBatch, NodeId, Node>;
/// Voters, learners, and their addresses.
pub type Membership = openraft::Membership<NodeId, Node>;
/// A membership with the log id that set it.
pub type StoredMembership = openraft::type_config::alias::StoredMembershipOf<TypeConfig>;
/// What a snapshot covers.
pub type SnapshotMeta = openraft::type_config::alias::SnapshotMetaOf<TypeConfig>;

/// The log id of (term, index).
pub fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(openraft::vote::leader_id_std::CommittedLeaderId::new(term), index)
}
