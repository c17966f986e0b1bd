//! Who a node says it is at the start of each connection, and whom it refuses.
//!
//! The incarnation is minted with the data directory and kept in the membership. A node whose disk was wiped comes back
//! with its id, its certificate and another incarnation: it has forgotten its votes and its log, so it is refused both
//! ways and has to join under a new id.
//!
//! A disk that was put back to an earlier state has the right incarnation. The leader knows it by what is missing: an
//! entry that the node acknowledged and that is committed is never cut from a log. A leader elected since knows nothing
//! of what the others held before it; until it meets one that does, such a node is taken for what it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use alert_core::{mutants::Mutant, pb::RaftHello};
use arc_swap::{ArcSwap, ArcSwapOption};
use thiserror::Error;
use tokio::sync::watch;

use super::{
    clocks::VoterClocks,
    types::{Membership, Node, NodeId},
    wire::WIRE_VERSION,
};

/// Why two nodes do not talk.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HelloError {
    #[error("node {node_id} is of cluster '{theirs}', this node of '{ours}'")]
    OtherCluster { node_id: NodeId, theirs: String, ours: String },
    #[error("the certificate is of node {certificate}, the hello of node {hello}")]
    OtherCertificate { certificate: NodeId, hello: NodeId },
    #[error("meant for node {meant}, reached node {reached}")]
    WrongNode { meant: NodeId, reached: NodeId },
    #[error(
        "node {node_id} has data directory {theirs}, the membership says {expected}: its disk was wiped or replaced; \
         remove it and join it again under a new id"
    )]
    OtherIncarnation { node_id: NodeId, theirs: String, expected: String },
    #[error(
        "node {node_id} was removed from this cluster; ids are never used twice: empty its directories and join it under \
         a new id"
    )]
    Removed { node_id: NodeId },
    #[error(
        "node {node_id} holds its log up to entry {holds} and had acknowledged entry {held}: its disk was put back to an \
         earlier state, or lost what it was told to keep; remove it and join it again under a new id"
    )]
    PutBack { node_id: NodeId, holds: u64, held: u64 },
    #[error("node {node_id} speaks protocol {theirs}, this node {ours}")]
    OtherProtocol { node_id: NodeId, theirs: u32, ours: u32 },
}

/// What is known of logs.
pub trait LogWitness: Send + Sync {
    /// Index of the last entry that this node holds, in its log or its state; 0 = none.
    fn last_index(&self) -> u64;

    /// Up to which index a member is known to have held committed entries; 0 = not known.
    fn held_by(&self, node_id: NodeId) -> u64;
}

/// Who this node is, and who the members are: what both ends of a hello are checked against.
pub struct Hello {
    cluster_id: String,
    node_id: NodeId,
    incarnation: String,
    pristine: AtomicBool,
    members: ArcSwap<BTreeMap<NodeId, Node>>,
    /// Nodes that were members once, as far as this node has applied the log.
    removed: ArcSwap<BTreeSet<NodeId>>,
    clocks: Arc<VoterClocks>,
    /// What a member said that knows this node under another incarnation.
    estranged: ArcSwapOption<String>,
    /// Until it is set, nothing is known.
    witness: OnceLock<Arc<dyn LogWitness>>,
    /// Why this node's disk is not what it was.
    put_back: watch::Sender<Option<String>>,
}

impl Hello {
    /// Without members yet, and not known to be empty.
    pub fn new(cluster_id: String, node_id: NodeId, incarnation: String, clocks: Arc<VoterClocks>) -> Self {
        Self {
            cluster_id,
            node_id,
            incarnation,
            pristine: AtomicBool::new(false),
            members: ArcSwap::default(),
            removed: ArcSwap::default(),
            clocks,
            estranged: ArcSwapOption::empty(),
            witness: OnceLock::new(),
            put_back: watch::channel(None).0,
        }
    }

    /// From now on what was acknowledged is compared with what is held.
    pub fn set_witness(&self, witness: Arc<dyn LogWitness>) {
        // A second witness would know the same.
        let _ = self.witness.set(witness);
    }

    /// Why this node's disk is not what it was, from the moment that a leader has shown it.
    pub fn put_back(&self) -> watch::Receiver<Option<String>> {
        self.put_back.subscribe()
    }

    /// Nodes that were members and are no longer, by what was applied: a removal that is only in the log may still be
    /// taken back, and the node be needed for a quorum.
    pub fn set_removed(&self, removed: BTreeSet<NodeId>) {
        self.removed.store(Arc::new(removed));
    }

    /// The membership in effect, committed or not.
    pub fn set_members(&self, membership: &Membership) {
        let members: BTreeMap<NodeId, Node> = membership.nodes().map(|(id, node)| (*id, node.clone())).collect();
        if !members.is_empty() {
            self.pristine.store(false, Ordering::Relaxed);
        }
        self.members.store(Arc::new(members));
    }

    /// Whether this node's directory holds nothing of any cluster.
    pub fn set_pristine(&self, pristine: bool) {
        self.pristine.store(pristine, Ordering::Relaxed);
    }

    /// The member of this id.
    pub fn member(&self, node_id: NodeId) -> Option<Node> {
        self.members.load().get(&node_id).cloned()
    }

    /// All members.
    pub fn members(&self) -> Arc<BTreeMap<NodeId, Node>> {
        self.members.load_full()
    }

    /// This node.
    pub fn node_id(&self) -> NodeId {
        self.node_id
    }

    /// This node's data directory.
    pub fn incarnation(&self) -> &str {
        &self.incarnation
    }

    /// The cluster.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Why no member talks to this node, when that is so: its disk is not the one that the membership knows. Only an
    /// operator can mend it.
    pub fn estranged(&self) -> Option<String> {
        self.estranged.load().as_deref().cloned()
    }

    /// What this node says to `to`. An empty incarnation asks for it.
    pub fn say(&self, to: NodeId, to_incarnation: &str) -> RaftHello {
        RaftHello {
            cluster_id: self.cluster_id.clone(),
            node_id: self.node_id,
            incarnation: self.incarnation.clone(),
            pristine: self.pristine.load(Ordering::Relaxed),
            protocol_version: WIRE_VERSION,
            to_node_id: to,
            to_incarnation: to_incarnation.to_owned(),
            wall_clock_ms: self.clocks.own_ms() as i64,
            last_log_index: self.witness.get().map_or(0, |witness| witness.last_index()),
            to_held_index: self.held_by(to),
        }
    }

    fn held_by(&self, node_id: NodeId) -> u64 {
        self.witness.get().map_or(0, |witness| witness.held_by(node_id))
    }

    /// Checks that this node has lost nothing that a peer knows it to have held. What it holds is looked up after the
    /// peer said so: it can only be more by then.
    fn check_own(&self, held: u64) -> Result<(), HelloError> {
        let Some(witness) = self.witness.get() else { return Ok(()) };
        let holds = witness.last_index();
        if holds < held {
            let error = HelloError::PutBack { node_id: self.node_id, holds, held };
            self.put_back.send_replace(Some(error.to_string()));
            return Err(error);
        }
        Ok(())
    }

    /// Checks what a caller says, whose certificate is of node `certificate`. How much log it says that it has is not
    /// compared with what it acknowledged: an acknowledgement on another connection may have overtaken its hello. It
    /// finds out by the answer.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check_caller(&self, hello: &RaftHello, certificate: NodeId) -> Result<(), HelloError> {
        if hello.node_id != certificate {
            return Err(HelloError::OtherCertificate { certificate, hello: hello.node_id });
        }
        self.check_common(hello)?;
        if hello.to_node_id != self.node_id {
            return Err(HelloError::WrongNode { meant: hello.to_node_id, reached: self.node_id });
        }
        let wrong = !hello.to_incarnation.is_empty() && hello.to_incarnation != self.incarnation;
        if wrong && !Mutant::WipedDiskAccepted.is_planted() {
            let error = HelloError::OtherIncarnation {
                node_id: self.node_id,
                theirs: self.incarnation.clone(),
                expected: hello.to_incarnation.clone(),
            };
            self.estranged.store(Some(Arc::new(error.to_string())));
            return Err(error);
        }
        self.check_member(hello.node_id, &hello.incarnation)?;
        self.check_own(hello.to_held_index)?;
        self.clocks.note(hello.node_id, hello.wall_clock_ms.max(0) as u64);
        Ok(())
    }

    /// Checks what a node answers to what this one `said`: it is the node that was meant, of the incarnation that was
    /// named unless that was empty, and holds what was known of it when this node spoke.
    ///
    /// # Errors
    /// Why this node does not talk to it.
    pub fn check_answer(&self, said: &RaftHello, answer: &RaftHello) -> Result<(), HelloError> {
        self.check_common(answer)?;
        let (target, incarnation) = (said.to_node_id, &said.to_incarnation);
        if answer.node_id != target {
            return Err(HelloError::WrongNode { meant: target, reached: answer.node_id });
        }
        let wrong = !incarnation.is_empty() && answer.incarnation != *incarnation;
        if wrong && !Mutant::WipedDiskAccepted.is_planted() {
            return Err(HelloError::OtherIncarnation {
                node_id: target,
                theirs: answer.incarnation.clone(),
                expected: incarnation.clone(),
            });
        }
        if !incarnation.is_empty() {
            let (holds, held) = (answer.last_log_index, said.to_held_index);
            if holds < held {
                return Err(HelloError::PutBack { node_id: target, holds, held });
            }
            self.check_own(answer.to_held_index)?;
        }
        self.clocks.note(target, answer.wall_clock_ms.max(0) as u64);
        Ok(())
    }

    /// Checks a peer again, later: the membership may have moved on. A node that the membership never named is let
    /// through: this node's own membership may be the older one.
    ///
    /// # Errors
    /// The membership names another incarnation, or named the node once.
    pub fn check_member(&self, node_id: NodeId, incarnation: &str) -> Result<(), HelloError> {
        match self.members.load().get(&node_id) {
            Some(member) if member.incarnation != incarnation && !Mutant::WipedDiskAccepted.is_planted() => {
                Err(HelloError::OtherIncarnation {
                    node_id,
                    theirs: incarnation.to_owned(),
                    expected: member.incarnation.clone(),
                })
            }
            Some(_) => Ok(()),
            None if self.removed.load().contains(&node_id) => Err(HelloError::Removed { node_id }),
            None => Ok(()),
        }
    }

    fn check_common(&self, hello: &RaftHello) -> Result<(), HelloError> {
        if hello.cluster_id != self.cluster_id {
            return Err(HelloError::OtherCluster {
                node_id: hello.node_id,
                theirs: hello.cluster_id.clone(),
                ours: self.cluster_id.clone(),
            });
        }
        if hello.protocol_version != WIRE_VERSION {
            return Err(HelloError::OtherProtocol {
                node_id: hello.node_id,
                theirs: hello.protocol_version,
                ours: WIRE_VERSION,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::seam::SystemClock;

    fn node(id: NodeId, incarnation: &str, members: &[(NodeId, &str)]) -> Hello {
        let clocks = Arc::new(VoterClocks::new(Arc::new(SystemClock)));
        let hello = Hello::new("c".into(), id, incarnation.into(), clocks);
        hello.set_pristine(true);
        let nodes: BTreeMap<NodeId, Node> = members
            .iter()
            .map(|(id, incarnation)| (*id, Node { incarnation: (*incarnation).into(), ..Node::default() }))
            .collect();
        let voters: BTreeSet<NodeId> = nodes.keys().copied().collect();
        if !nodes.is_empty() {
            hello.set_members(&Membership::new(vec![voters], nodes).unwrap());
        }
        hello
    }

    #[test]
    fn a_wiped_node_is_refused_both_ways_under_its_old_id() {
        let members = [(1, "one"), (2, "two")];
        let (one, wiped) = (node(1, "one", &members), node(2, "fresh", &[]));
        let from_wiped = one.check_caller(&wiped.say(1, "one"), 2);
        assert!(matches!(from_wiped, Err(HelloError::OtherIncarnation { node_id: 2, .. })), "{from_wiped:?}");
        let to_wiped = wiped.check_caller(&one.say(2, "two"), 1);
        assert!(matches!(to_wiped, Err(HelloError::OtherIncarnation { node_id: 2, .. })), "{to_wiped:?}");
        assert_eq!(wiped.estranged(), to_wiped.err().map(|error| error.to_string()), "it can say so itself");
        assert_eq!(one.estranged(), None);
        let answer = one.check_answer(&one.say(2, "two"), &wiped.say(1, "one"));
        assert!(matches!(answer, Err(HelloError::OtherIncarnation { node_id: 2, .. })), "{answer:?}");
    }

    #[test]
    fn an_empty_node_may_be_asked_who_it_is() {
        let (one, fresh) = (node(1, "one", &[(1, "one")]), node(2, "fresh", &[]));
        assert_eq!(fresh.check_caller(&one.say(2, ""), 1), Ok(()));
        let answer = fresh.say(1, "one");
        assert_eq!(one.check_answer(&one.say(2, ""), &answer), Ok(()));
        assert!(answer.pristine);
        assert!(!one.say(2, "").pristine, "a member is not empty");
    }

    #[test]
    fn a_certificate_of_another_node_another_cluster_and_a_wrong_address_are_refused() {
        let (one, two) = (node(1, "one", &[]), node(2, "two", &[]));
        let hello = two.say(1, "one");
        assert!(matches!(one.check_caller(&hello, 3), Err(HelloError::OtherCertificate { .. })));
        let strange = RaftHello { cluster_id: "x".into(), ..hello.clone() };
        assert!(matches!(one.check_caller(&strange, 2), Err(HelloError::OtherCluster { .. })));
        let newer = RaftHello { protocol_version: 99, ..hello.clone() };
        assert!(matches!(one.check_caller(&newer, 2), Err(HelloError::OtherProtocol { .. })));
        assert!(matches!(one.check_answer(&one.say(3, ""), &hello), Err(HelloError::WrongNode { .. })));
        let astray = RaftHello { to_node_id: 7, ..hello };
        assert!(matches!(one.check_caller(&astray, 2), Err(HelloError::WrongNode { .. })));
    }

    #[test]
    fn a_node_that_was_removed_is_refused_and_one_that_is_still_a_member_is_not() {
        let (one, two) = (node(1, "one", &[(1, "one")]), node(2, "two", &[]));
        assert_eq!(one.check_caller(&two.say(1, "one"), 2), Ok(()), "a node not heard of yet");
        one.set_removed(BTreeSet::from([2]));
        assert_eq!(one.check_caller(&two.say(1, "one"), 2), Err(HelloError::Removed { node_id: 2 }));
        let still = node(1, "one", &[(1, "one"), (2, "two")]);
        still.set_removed(BTreeSet::from([2]));
        assert_eq!(still.check_caller(&two.say(1, "one"), 2), Ok(()));
    }

    #[derive(Default)]
    struct Known {
        last: AtomicU64,
        /// Of node 2.
        held: AtomicU64,
    }

    impl Known {
        fn of(last: u64, held: u64) -> Arc<Self> {
            Arc::new(Self { last: last.into(), held: held.into() })
        }
    }

    impl LogWitness for Known {
        fn last_index(&self) -> u64 {
            self.last.load(Ordering::Relaxed)
        }

        fn held_by(&self, node_id: NodeId) -> u64 {
            if node_id == 2 { self.held.load(Ordering::Relaxed) } else { 0 }
        }
    }

    const MEMBERS: [(NodeId, &str); 3] = [(1, "one"), (2, "two"), (3, "three")];

    #[test]
    fn a_disk_that_was_put_back_is_refused_by_the_leader_and_knows_it_itself() {
        let meet = |leader_knows: u64, holds: u64| {
            let (leader, follower) = (node(1, "one", &MEMBERS), node(2, "two", &MEMBERS));
            leader.set_witness(Known::of(100, leader_knows));
            follower.set_witness(Known::of(holds, 0));
            // The leader calls: the follower knows, and if it did not, the leader would.
            let said = leader.say(2, "two");
            let asked = follower.check_caller(&said, 1);
            assert_eq!(leader.check_answer(&said, &follower.say(1, "one")), asked);
            let knows = follower.put_back().borrow().clone();
            assert_eq!(knows, asked.clone().err().map(|error| error.to_string()));
            // The follower calls: it finds out by the answer.
            let said = follower.say(1, "one");
            assert_eq!(leader.check_caller(&said, 2), Ok(()));
            assert_eq!(follower.check_answer(&said, &leader.say(2, "two")), asked);
            asked
        };
        assert_eq!(meet(90, 90), Ok(()));
        assert_eq!(meet(90, 97), Ok(()), "what was not known to be committed");
        assert_eq!(meet(0, 0), Ok(()), "a leader that was elected just now");
        assert_eq!(meet(90, 89), Err(HelloError::PutBack { node_id: 2, holds: 89, held: 90 }));
    }

    #[test]
    fn an_acknowledgement_that_overtakes_a_hello_is_no_sign_of_another_disk() {
        let (leader, follower) = (node(1, "one", &MEMBERS), node(2, "two", &MEMBERS));
        let (at_leader, at_follower) = (Known::of(100, 90), Known::of(90, 0));
        leader.set_witness(at_leader.clone());
        follower.set_witness(at_follower.clone());
        let (called, calling) = (leader.say(2, "two"), follower.say(1, "one"));
        let answer = follower.say(1, "one");
        // Entries flow on another connection while these are on their way.
        at_follower.last.store(95, Ordering::Relaxed);
        at_leader.held.store(95, Ordering::Relaxed);
        assert_eq!(leader.check_caller(&calling, 2), Ok(()));
        assert_eq!(follower.check_answer(&calling, &leader.say(2, "two")), Ok(()));
        assert_eq!(follower.check_caller(&called, 1), Ok(()));
        assert_eq!(leader.check_answer(&called, &answer), Ok(()));
        assert_eq!(*follower.put_back().borrow(), None);
    }

    #[test]
    fn a_member_replaced_since_the_hello_is_refused() {
        let one = node(1, "one", &[(1, "one"), (2, "two")]);
        assert_eq!(one.check_member(2, "two"), Ok(()));
        assert_eq!(one.check_member(9, "unknown"), Ok(()), "this node's membership may be the older one");
        assert!(one.check_member(2, "other").is_err());
    }
}
