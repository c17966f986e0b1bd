//! Where the nodes are and which one leads, as far as this client knows.

use std::collections::BTreeMap;

use alert_proto::v1 as pb;
use tokio::time::Instant;
use tracing::warn;

use crate::limits;

/// A view of the cluster. Which answer counts: the higher epoch, then the higher term, then the leader's own words.
#[derive(Debug, Clone, Default)]
pub struct TopologyView {
    topology: Option<pb::Topology>,
    /// Higher than the term of `topology` when a hint is newer than it.
    term: u64,
    leader_address: Option<String>,
    /// When the leader itself said so.
    confirmed_at: Option<Instant>,
    /// The name of another cluster than the one configured, which some seed belongs to.
    other_cluster: Option<String>,
    /// Nodes that were not talked to because of certificates, since the last answer of any node; and why.
    refused: BTreeMap<String, String>,
}

impl TopologyView {
    /// The newest answer of a node; `None` before the first.
    pub fn topology(&self) -> Option<&pb::Topology> {
        self.topology.as_ref()
    }

    /// Where the leader is; `None` while none is known.
    pub fn leader_address(&self) -> Option<&str> {
        self.leader_address.as_deref()
    }

    pub(super) fn other_cluster(&self) -> Option<&str> {
        self.other_cluster.as_deref()
    }

    /// Why no node of `addresses` can be talked to: certificates.
    pub(super) fn refused_by_all(&self, addresses: &[String]) -> Option<&str> {
        let mut reasons = addresses.iter().map(|address| self.refused.get(address));
        let first = reasons.next()??;
        reasons.all(|reason| reason.is_some()).then_some(first)
    }

    /// The view after a node was not talked to; `None` when it says nothing new.
    pub(super) fn with_refusal(&self, address: &str, why: &str) -> Option<Self> {
        let is_known = self.topology.is_some() || self.refused.get(address).is_some_and(|known| known == why);
        let mut refused = self.refused.clone();
        refused.insert(address.to_owned(), why.to_owned());
        (!is_known).then(|| Self { refused, ..self.clone() })
    }

    /// The view once certificates are others.
    pub(super) fn without_refusals(&self) -> Self {
        Self { refused: BTreeMap::new(), ..self.clone() }
    }

    /// The term that the leader belongs to.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// The addresses that calls can go to, each with its data centre where that is known: the nodes of the topology, or
    /// the seeds before there is one.
    pub(super) fn addresses<'a>(&'a self, seeds: &'a [String]) -> Vec<(&'a str, Option<&'a str>)> {
        let named: Vec<_> = self
            .topology
            .iter()
            .flat_map(|topology| &topology.nodes)
            .filter(|node| !node.client_address.is_empty())
            .map(|node| (node.client_address.as_str(), Some(node.data_centre.as_str())))
            .collect();
        if named.is_empty() { seeds.iter().map(|seed| (seed.as_str(), None)).collect() } else { named }
    }

    /// The view after a node's answer; `None` when what is known is better.
    pub(super) fn with_answer(&self, answer: pb::Topology, expected: Option<&str>, now: Instant) -> Option<Self> {
        if answer.nodes.is_empty() {
            // A node that belongs to no cluster yet.
            return None;
        }
        if let Some(expected) = expected.filter(|expected| *expected != answer.cluster_id) {
            warn!(expected, other = answer.cluster_id, "a node of another cluster answered");
            return Some(Self { other_cluster: Some(answer.cluster_id), ..self.clone() });
        }
        let from_leader = answer.leader_id != 0 && answer.answered_by == answer.leader_id;
        if let Some(known) = &self.topology {
            if known.cluster_id != answer.cluster_id {
                warn!(known = known.cluster_id, other = answer.cluster_id, "a node of another cluster answered");
                return None;
            }
            let is_older = (answer.epoch, answer.term) < (known.epoch, self.term);
            let is_hearsay = (answer.epoch, answer.term) == (known.epoch, self.term)
                && !from_leader
                && self.leader_address.is_some()
                && self.confirmed_at.is_some_and(|at| now.duration_since(at) < limits::TOPOLOGY_STALE);
            if is_older || is_hearsay {
                return None;
            }
        }
        let leader_address = address_of(&answer, answer.leader_id);
        Some(Self {
            term: answer.term,
            leader_address,
            confirmed_at: if from_leader { Some(now) } else { None },
            topology: Some(answer),
            other_cluster: self.other_cluster.clone(),
            refused: BTreeMap::new(),
        })
    }

    /// The view after a leader hint; `None` when it says nothing new.
    pub(super) fn with_hint(&self, hint: &pb::LeaderHint) -> Option<Self> {
        if hint.term < self.term {
            return None;
        }
        let address = if hint.address.is_empty() {
            self.topology.as_ref().and_then(|topology| address_of(topology, hint.node_id))
        } else {
            Some(hint.address.clone())
        }?;
        if hint.term == self.term && self.leader_address.as_ref() == Some(&address) {
            return None;
        }
        Some(Self { term: hint.term, leader_address: Some(address), confirmed_at: None, ..self.clone() })
    }
}

fn address_of(topology: &pb::Topology, node_id: u64) -> Option<String> {
    topology
        .nodes
        .iter()
        .find(|node| node.node_id == node_id && node_id != 0 && !node.client_address.is_empty())
        .map(|node| node.client_address.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(term: u64, leader: u64, answered_by: u64, nodes: u64) -> pb::Topology {
        pb::Topology {
            cluster_id: "c".into(),
            epoch: 1,
            leader_id: leader,
            term,
            nodes: (1..=nodes)
                .map(|id| pb::TopologyNode { node_id: id, client_address: format!("n{id}:1"), ..Default::default() })
                .collect(),
            answered_by,
            ..Default::default()
        }
    }

    fn view(answer: pb::Topology) -> TopologyView {
        TopologyView::default().with_answer(answer, None, Instant::now()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_off_node_cannot_bring_an_old_leader_back() {
        let known = view(answer(5, 2, 2, 3));
        assert!(known.with_answer(answer(4, 1, 1, 3), None, Instant::now()).is_none());
        assert_eq!(known.leader_address(), Some("n2:1"));
    }

    #[tokio::test(start_paused = true)]
    async fn within_a_term_the_leader_is_believed_before_others_until_it_falls_silent() {
        let known = view(answer(5, 2, 2, 4));
        assert!(known.with_answer(answer(5, 2, 1, 3), None, Instant::now()).is_none());
        tokio::time::advance(limits::TOPOLOGY_STALE).await;
        assert!(known.with_answer(answer(5, 2, 1, 3), None, Instant::now()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_of_an_older_term_is_not_followed() {
        let known = view(answer(5, 2, 2, 3));
        let hint = |term, node_id| pb::LeaderHint { node_id, address: String::new(), term };
        assert!(known.with_hint(&hint(4, 1)).is_none());
        let after = known.with_hint(&hint(6, 3)).unwrap();
        assert_eq!((after.leader_address(), after.term()), (Some("n3:1"), 6));
        assert!(after.with_answer(answer(5, 2, 2, 3), None, Instant::now()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_cluster_named_the_nodes_of_another_are_never_learnt() {
        let view = TopologyView::default().with_answer(answer(5, 2, 2, 3), Some("mine"), Instant::now()).unwrap();
        assert!(view.topology().is_none());
        assert_eq!(view.other_cluster(), Some("c"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_of_another_cluster_and_one_without_a_cluster_are_not_listened_to() {
        let known = view(answer(5, 2, 2, 3));
        let mut other = answer(9, 1, 1, 3);
        other.cluster_id = "other".into();
        assert!(known.with_answer(other, None, Instant::now()).is_none());
        assert!(TopologyView::default().with_answer(pb::Topology::default(), None, Instant::now()).is_none());
    }
}
