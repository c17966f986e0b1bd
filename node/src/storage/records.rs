//! Bytes on disk of what consensus keeps. The types of the consensus library never reach the disk: its encodings are
//! promised to nobody. Each record here is ours, behind the codec's format byte, with golden bytes in the tests.

use std::collections::{BTreeMap, BTreeSet};

use alert_core::codec::{self, CodecError};
use serde::{Deserialize, Serialize};

use crate::raft::types::{self, LeaderId, LogId, Membership, Node, NodeId, StoredMembership, Vote};

/// (term, index) of a log entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogIdRecord {
    pub term: u64,
    pub index: u64,
}

impl From<LogId> for LogIdRecord {
    fn from(id: LogId) -> Self {
        Self { term: id.leader_id.term, index: id.index }
    }
}

impl From<LogIdRecord> for LogId {
    fn from(record: LogIdRecord) -> Self {
        types::log_id(record.term, record.index)
    }
}

/// Whom a node voted for, or follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteRecord {
    pub term: u64,
    pub node_id: NodeId,
    /// A quorum granted it: the node follows this leader.
    pub committed: bool,
}

impl From<&Vote> for VoteRecord {
    fn from(vote: &Vote) -> Self {
        Self { term: vote.leader_id.term, node_id: vote.leader_id.voted_for, committed: vote.committed }
    }
}

impl From<VoteRecord> for Vote {
    fn from(record: VoteRecord) -> Self {
        Vote { leader_id: LeaderId { term: record.term, voted_for: record.node_id }, committed: record.committed }
    }
}

/// A member and where it is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    pub id: NodeId,
    pub raft_address: String,
    pub client_address: String,
    pub name: String,
    pub data_centre: String,
    pub incarnation: String,
}

/// Voters and learners. Two sets of voters while a change is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipRecord {
    pub voter_sets: Vec<Vec<NodeId>>,
    pub nodes: Vec<NodeRecord>,
}

impl From<&Membership> for MembershipRecord {
    fn from(membership: &Membership) -> Self {
        Self {
            voter_sets: membership.get_joint_config().iter().map(|set| set.iter().copied().collect()).collect(),
            nodes: membership
                .nodes()
                .map(|(id, node)| NodeRecord {
                    id: *id,
                    raft_address: node.raft_address.clone(),
                    client_address: node.client_address.clone(),
                    name: node.name.clone(),
                    data_centre: node.data_centre.clone(),
                    incarnation: node.incarnation.clone(),
                })
                .collect(),
        }
    }
}

impl TryFrom<MembershipRecord> for Membership {
    type Error = CodecError;

    fn try_from(record: MembershipRecord) -> Result<Self, CodecError> {
        let voters = record.voter_sets.into_iter().map(BTreeSet::from_iter).collect();
        let nodes: BTreeMap<NodeId, Node> = record
            .nodes
            .into_iter()
            .map(|node| {
                let NodeRecord { id, raft_address, client_address, name, data_centre, incarnation } = node;
                (id, Node { raft_address, client_address, name, data_centre, incarnation })
            })
            .collect();
        Membership::new(voters, nodes).map_err(|error| CodecError::Malformed(error.to_string()))
    }
}

/// A membership and the log entry that set it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMembershipRecord {
    pub log_id: Option<LogIdRecord>,
    pub membership: MembershipRecord,
}

impl From<&StoredMembership> for StoredMembershipRecord {
    fn from(stored: &StoredMembership) -> Self {
        Self { log_id: stored.log_id().map(Into::into), membership: stored.membership().into() }
    }
}

impl TryFrom<StoredMembershipRecord> for StoredMembership {
    type Error = CodecError;

    fn try_from(record: StoredMembershipRecord) -> Result<Self, CodecError> {
        Ok(StoredMembership::new(record.log_id.map(Into::into), record.membership.try_into()?))
    }
}

/// What consensus needs of the state: written in the same batch as the state itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RaftMeta {
    /// The last entry that the state holds.
    pub last_applied: Option<LogId>,
    /// The membership in force at it.
    pub membership: StoredMembership,
}

#[derive(Serialize, Deserialize)]
struct RaftMetaRecord {
    last_applied: Option<LogIdRecord>,
    membership: StoredMembershipRecord,
}

impl RaftMeta {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(&RaftMetaRecord {
            last_applied: self.last_applied.map(Into::into),
            membership: (&self.membership).into(),
        })
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let record: RaftMetaRecord = codec::decode(bytes)?;
        Ok(Self { last_applied: record.last_applied.map(Into::into), membership: record.membership.try_into()? })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Nodes 1 and 2 vote, node 3 learns.
    pub fn membership() -> Membership {
        let node = |id: u64| Node {
            raft_address: format!("127.0.0.1:{id}"),
            client_address: "c".into(),
            name: format!("n{id}"),
            data_centre: "d".into(),
            incarnation: "i".into(),
        };
        Membership::new(vec![BTreeSet::from([1, 2])], (1..=3).map(|id| (id, node(id))).collect::<BTreeMap<_, _>>())
            .unwrap()
    }

    #[test]
    fn bytes_of_votes_and_memberships_on_disk_do_not_change() {
        let vote = Vote { leader_id: LeaderId { term: 300, voted_for: 2 }, committed: true };
        let bytes = codec::encode(&VoteRecord::from(&vote));
        assert_eq!(bytes, [1, 251, 44, 1, 2, 1]);
        assert_eq!(Vote::from(codec::decode::<VoteRecord>(&bytes).unwrap()), vote);

        let meta = RaftMeta {
            last_applied: Some(types::log_id(2, 9)),
            membership: StoredMembership::new(Some(types::log_id(1, 3)), membership()),
        };
        let bytes = meta.encode();
        assert_eq!(bytes[..12], [1, 1, 2, 9, 1, 1, 3, 1, 2, 1, 2, 3]);
        assert_eq!(bytes[12..35], *b"\x01\x0b127.0.0.1:1\x01c\x02n1\x01d\x01i\x02");
        assert_eq!(RaftMeta::decode(&bytes).unwrap(), meta);
    }

    #[test]
    fn an_empty_state_has_no_position() {
        let empty = RaftMeta::default();
        assert_eq!(RaftMeta::decode(&empty.encode()).unwrap(), empty);
    }
}
