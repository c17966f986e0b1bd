//! The choice between nodes: data centre, standing, and of two at random the one with less to do.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Routing,
    node::Node,
    standing::{Favour, Trouble},
};
use crate::limits;

/// A node as a client sees it now.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeView {
    /// Host and port of its client port.
    pub address: String,
    /// The site that it stands in; empty where it is not known yet.
    pub data_centre: String,
    /// True for the leader.
    pub leads: bool,
    /// Why calls go elsewhere while another node will do; `None` for a node in favour.
    pub trouble: Option<Trouble>,
    /// Unary calls of this client that wait for its answer.
    pub calls_under_way: usize,
    /// How long its answers to reads take, smoothed; `None` before the first.
    pub latency: Option<Duration>,
}

struct Candidate {
    node: Arc<Node>,
    is_near: bool,
    leads: bool,
    favour: Favour,
}

impl Candidate {
    /// Work that waits there, in units of an ordinary answer.
    fn cost(&self, now: Instant) -> f64 {
        // A node that is not slow enough to be out of favour is asked before the leader: one late answer does not keep it
        // from showing whether there are more.
        let pace = self.node.pace().map_or(1.0, |pace| pace.ratio_at(now).min(limits::PACE_COST_MAX));
        let lead = if self.leads { limits::LEADER_COST } else { 1.0 };
        pace.max(0.01) * (self.node.calls_under_way() + 1) as f64 * lead
    }
}

impl Routing {
    /// A node to read from, and not one of `tried` while there is another. Nodes of the own data centre come first; among
    /// equals, of two at random the one with less to do. With every node out of favour, the one that returns soonest: a
    /// wrong standing delays, it never refuses.
    pub fn pick(&self, tried: &[Arc<Node>]) -> Arc<Node> {
        self.note_use();
        let now = Instant::now();
        let mut candidates = self.candidates(now);
        if let Some(node) = self.pick_in_favour(&candidates, tried, now) {
            return node;
        }
        candidates.sort_by_key(|candidate| {
            let returns_at = match candidate.favour {
                Favour::Out(until) => until,
                Favour::Good | Favour::Trial => now,
            };
            (is_among(tried, &candidate.node), returns_at)
        });
        candidates.swap_remove(0).node
    }

    /// The same, `None` when only nodes out of favour are left.
    pub fn pick_another(&self, tried: &[Arc<Node>]) -> Option<Arc<Node>> {
        let now = Instant::now();
        self.pick_in_favour(&self.candidates(now), tried, now)
    }

    fn pick_in_favour(&self, candidates: &[Candidate], tried: &[Arc<Node>], now: Instant) -> Option<Arc<Node>> {
        for is_near in [true, false] {
            let here: Vec<&Candidate> = candidates
                .iter()
                .filter(|candidate| candidate.is_near == is_near && !is_among(tried, &candidate.node))
                .collect();
            // A first attempt may try a node whose time out of favour is over; a second one goes where it is safe.
            if tried.is_empty()
                && let Some(candidate) = here.iter().find(|candidate| candidate.favour == Favour::Trial)
            {
                candidate.node.begin_trial(now);
                return Some(candidate.node.clone());
            }
            let good: Vec<&Candidate> = here.into_iter().filter(|one| one.favour == Favour::Good).collect();
            if let Some(chosen) = self.less_busy_of_two(&good, now) {
                return Some(chosen.node.clone());
            }
        }
        None
    }

    fn less_busy_of_two<'a>(&self, candidates: &[&'a Candidate], now: Instant) -> Option<&'a Candidate> {
        if candidates.len() < 2 {
            return candidates.first().copied();
        }
        let first = self.random.below(candidates.len());
        let step = 1 + self.random.below(candidates.len() - 1);
        let (one, other) = (candidates[first], candidates[(first + step) % candidates.len()]);
        Some(if one.cost(now) <= other.cost(now) { one } else { other })
    }

    /// Every node of the topology (or the seeds, before there is one).
    fn candidates(&self, now: Instant) -> Vec<Candidate> {
        let view = self.view();
        view.addresses(&self.cluster.seeds)
            .into_iter()
            .map(|(address, data_centre)| {
                let node = self.node(address);
                Candidate {
                    favour: node.favour(now),
                    is_near: self.is_near(data_centre),
                    leads: view.leader_address() == Some(address),
                    node,
                }
            })
            .collect()
    }

    fn is_near(&self, data_centre: Option<&str>) -> bool {
        match (&self.cluster.data_centre, data_centre) {
            (Some(own), Some(other)) => own == other,
            _ => false,
        }
    }

    /// Compares a node's pace with that of the others that are not nearer: much slower, and it is out of favour.
    pub fn judge_pace(&self, node: &Arc<Node>) {
        let now = Instant::now();
        let Some(own) = node.pace() else { return };
        let candidates = self.candidates(now);
        let Some(this) = candidates.iter().find(|one| Arc::ptr_eq(&one.node, node)) else { return };
        let mut others: Vec<f64> = candidates
            .iter()
            .filter(|one| !Arc::ptr_eq(&one.node, node) && (this.is_near || !one.is_near) && one.favour == Favour::Good)
            .filter_map(|one| Some(one.node.pace()?.ratio_at(now)))
            .collect();
        others.sort_by(f64::total_cmp);
        let Some(usual) = others.get(others.len().saturating_sub(1) / 2) else { return };
        let is_slow = own.latency >= limits::SLOW_LATENCY_MIN && own.ratio_at(now) > usual * limits::SLOW_FACTOR;
        if is_slow {
            node.fall(Trouble::Slow, Duration::ZERO);
        } else {
            node.keeps_pace();
        }
    }

    /// All nodes, as they stand now.
    pub fn nodes_now(&self) -> Vec<NodeView> {
        let view = self.view();
        view.addresses(&self.cluster.seeds)
            .into_iter()
            .map(|(address, data_centre)| {
                let node = self.node(address);
                NodeView {
                    address: address.to_owned(),
                    data_centre: data_centre.unwrap_or_default().to_owned(),
                    leads: view.leader_address() == Some(address),
                    trouble: node.trouble(),
                    calls_under_way: node.calls_under_way(),
                    latency: node.pace().map(|pace| pace.latency),
                }
            })
            .collect()
    }
}

fn is_among(nodes: &[Arc<Node>], node: &Arc<Node>) -> bool {
    nodes.iter().any(|other| Arc::ptr_eq(other, node))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alert_proto::v1 as pb;

    use super::*;
    use crate::{
        connector::PlaintextLoopback,
        random::Random,
        routing::{Cluster, ConnectionSettings, Expected},
    };

    const EXPECTED: Expected = Expected { median: Duration::from_millis(10), hedge_after: Duration::from_millis(30) };

    /// Nodes "n1:1" to "n5:1", the first of them leading; 1 to 3 stand in "lon", 4 and 5 in "edi"; 5 is
    /// a learner.
    fn five_nodes(own_data_centre: Option<&str>) -> Routing {
        let settings = ConnectionSettings {
            connector: Arc::new(PlaintextLoopback::default()),
            connections_per_node: 1,
            connect_timeout: limits::CONNECT_TIMEOUT,
        };
        let cluster = Cluster {
            seeds: vec!["seed:1".to_owned()],
            data_centre: own_data_centre.map(str::to_owned),
            cluster_id: None,
        };
        let routing = Routing::new(settings, cluster, Random::new(Some(7)));
        let node = |id: u64| pb::TopologyNode {
            node_id: id,
            client_address: format!("n{id}:1"),
            data_centre: if id <= 3 { "lon" } else { "edi" }.to_owned(),
            voter: id != 5,
            ..Default::default()
        };
        routing.learn(pb::Topology {
            cluster_id: "c".to_owned(),
            leader_id: 1,
            term: 1,
            answered_by: 1,
            nodes: (1..=5).map(node).collect(),
            ..Default::default()
        });
        routing
    }

    /// How often each node is picked, its call being answered before the next.
    fn picks(routing: &Routing, count: usize) -> BTreeMap<String, usize> {
        let mut picks = BTreeMap::new();
        for _ in 0..count {
            *picks.entry(routing.pick(&[]).address().to_owned()).or_default() += 1;
        }
        picks
    }

    async fn answers_in(node: &Arc<Node>, latency: Duration) {
        let call = node.begin().timed(Some(EXPECTED));
        tokio::time::advance(latency).await;
        call.answered();
    }

    #[tokio::test(start_paused = true)]
    async fn reads_are_spread_over_followers_and_learners_and_reach_the_leader_when_those_are_busy() {
        let routing = five_nodes(None);
        let idle = picks(&routing, 400);
        assert_eq!(idle.get("n1:1"), None, "the leader has the writes to do");
        assert!((2..=5).all(|id| idle[&format!("n{id}:1")] > 50), "{idle:?}");
        let _busy: Vec<_> =
            (2..=5).flat_map(|id| vec![routing.node(&format!("n{id}:1")); 3]).map(|n| n.begin()).collect();
        assert!(picks(&routing, 100).contains_key("n1:1"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_own_data_centre_comes_first_and_another_one_when_it_is_out_of_favour() {
        let routing = five_nodes(Some("edi"));
        let near = picks(&routing, 100);
        assert_eq!(near.keys().collect::<Vec<_>>(), ["n4:1", "n5:1"]);
        for address in ["n4:1", "n5:1"] {
            routing.node(address).fall(Trouble::NotServing, Duration::ZERO);
        }
        let far = picks(&routing, 100);
        assert!(far.keys().all(|address| !near.contains_key(address)), "{far:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_nodes_the_one_with_more_calls_under_way_or_a_slower_pace_is_passed_over() {
        let routing = five_nodes(Some("edi"));
        let (busy, other) = (routing.node("n4:1"), routing.node("n5:1"));
        let calls: Vec<_> = (0..3).map(|_| busy.begin()).collect();
        assert_eq!(picks(&routing, 50), BTreeMap::from([("n5:1".to_owned(), 50)]));
        drop(calls);
        answers_in(&other, Duration::from_millis(18)).await;
        answers_in(&busy, Duration::from_millis(10)).await;
        assert_eq!(picks(&routing, 50), BTreeMap::from([("n4:1".to_owned(), 50)]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_much_slower_than_the_others_is_left_alone_and_tried_again_by_one_call() {
        let routing = five_nodes(None);
        for id in [2, 3, 4] {
            answers_in(&routing.node(&format!("n{id}:1")), Duration::from_millis(10)).await;
        }
        let slow = routing.node("n5:1");
        answers_in(&slow, Duration::from_millis(400)).await;
        routing.judge_pace(&slow);
        assert_eq!(slow.trouble(), Some(Trouble::Slow));
        assert_eq!(picks(&routing, 100).get("n5:1"), None);
        tokio::time::advance(limits::EJECTION_MIN).await;
        assert_eq!(picks(&routing, 100)["n5:1"], 1, "one call tries it");
        answers_in(&slow, Duration::from_millis(10)).await;
        routing.judge_pace(&slow);
        assert_eq!(slow.trouble(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_far_node_is_not_slow_for_being_far() {
        let routing = five_nodes(Some("lon"));
        for (id, millis) in [(2, 1), (3, 1), (4, 40), (5, 40)] {
            answers_in(&routing.node(&format!("n{id}:1")), Duration::from_millis(millis)).await;
        }
        let far = routing.node("n5:1");
        routing.judge_pace(&far);
        assert_eq!(far.trouble(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn with_every_node_out_of_favour_the_one_that_returns_soonest_is_asked() {
        let routing = five_nodes(None);
        for id in 1..=5 {
            let pause = Duration::from_secs(if id == 3 { 1 } else { 5 });
            routing.node(&format!("n{id}:1")).fall(Trouble::NotServing, pause);
        }
        assert_eq!(routing.pick_another(&[]).map(|node| node.address().to_owned()), None);
        assert_eq!(routing.pick(&[]).address(), "n3:1");
    }
}
