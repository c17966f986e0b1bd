//! Who leads and who is a member, as far as this node knows; and the pause of proposals while the leadership moves.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alert_core::pb;
use arc_swap::ArcSwap;
use openraft::{ServerState, async_runtime::WatchReceiver, raft::ReadPolicy};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Consensus,
    clocks::VoterClocks,
    hello::Hello,
    peers::Peers,
    types::{Membership, Node, NodeId, StoredMembership},
};
use crate::api::backend::Leadership;

/// Between two looks at whether a new leader has its quorum.
const QUORUM_RETRY: Duration = Duration::from_millis(2);

/// The cluster as this node sees it. Kept up to date by [`ClusterView::follow`].
pub struct ClusterView {
    own_id: NodeId,
    clocks: Arc<VoterClocks>,
    membership: ArcSwap<StoredMembership>,
    voters: ArcSwap<BTreeSet<NodeId>>,
    /// What is so, without regard to holds.
    known: Mutex<Leadership>,
    holds: AtomicUsize,
    published: watch::Sender<Leadership>,
}

/// While it lives, this node takes no proposals: it looks as if there were no leader.
pub struct Hold(Arc<ClusterView>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.holds.fetch_sub(1, Ordering::SeqCst);
        self.0.publish();
    }
}

impl ClusterView {
    /// Nothing known but what the state holds.
    pub fn new(own_id: NodeId, clocks: Arc<VoterClocks>, membership: StoredMembership) -> Arc<Self> {
        let view = Self {
            own_id,
            clocks,
            membership: ArcSwap::default(),
            voters: ArcSwap::default(),
            known: Mutex::default(),
            holds: AtomicUsize::new(0),
            published: watch::channel(Leadership::Unknown).0,
        };
        view.set_membership(Arc::new(membership));
        Arc::new(view)
    }

    /// Who leads. `Me` only once a quorum has confirmed it, and not while proposals are held.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.published.subscribe()
    }

    /// The membership in effect, committed or not.
    pub fn membership(&self) -> Arc<StoredMembership> {
        self.membership.load_full()
    }

    /// One member.
    pub fn node(&self, node_id: NodeId) -> Option<Node> {
        self.membership.load().membership().get_node(&node_id).cloned()
    }

    /// This node's id.
    pub fn own_id(&self) -> NodeId {
        self.own_id
    }

    /// True when this node leads and a quorum has confirmed it, whether or not proposals are held.
    pub fn leads(&self) -> bool {
        matches!(*self.known.lock().expect("held for this line only"), Leadership::Me { .. })
    }

    /// The leader, this node included.
    pub fn leader_id(&self) -> Option<NodeId> {
        match &*self.known.lock().expect("held for these lines only") {
            Leadership::Unknown => None,
            Leadership::Me { .. } => Some(self.own_id),
            Leadership::Other(hint) => Some(hint.node_id),
        }
    }

    /// Where to go with what only the leader does.
    pub fn hint(&self) -> Option<pb::LeaderHint> {
        match &*self.known.lock().expect("held for these lines only") {
            Leadership::Other(hint) => Some(hint.clone()),
            Leadership::Unknown | Leadership::Me { .. } => None,
        }
    }

    /// The latest time that a majority of the voters' wall clocks have reached, milliseconds since 1970.
    pub fn median_time_ms(&self) -> u64 {
        self.clocks.median_ms(self.voters.load().iter().copied(), self.own_id)
    }

    /// Takes no proposals until the hold is dropped.
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.holds.fetch_add(1, Ordering::SeqCst);
        self.publish();
        Hold(self.clone())
    }

    fn set_membership(&self, membership: Arc<StoredMembership>) {
        self.voters.store(Arc::new(membership.voter_ids().collect()));
        self.membership.store(membership);
    }

    fn set_known(&self, leadership: Leadership) {
        let before = std::mem::replace(&mut *self.known.lock().expect("held for this line only"), leadership.clone());
        if before != leadership {
            tracing::info!(?leadership, "the leadership changed");
            self.publish();
        }
    }

    fn publish(&self) {
        // The lock is held until after publishing, so that two callers cannot publish in the wrong order.
        let known = self.known.lock().expect("held in this function only");
        let shown = match &*known {
            Leadership::Me { .. } if self.holds.load(Ordering::SeqCst) > 0 => Leadership::Unknown,
            other => other.clone(),
        };
        self.published.send_if_modified(|published| {
            let changed = *published != shown;
            *published = shown;
            changed
        });
    }

    /// Keeps this view, the hello and the pool of connections at what consensus knows; until `stopping`.
    pub async fn follow(
        self: Arc<Self>,
        raft: Consensus,
        hello: Arc<Hello>,
        peers: Peers,
        stopping: CancellationToken,
    ) {
        let mut changes = raft.server_metrics();
        loop {
            let now = changes.borrow_watched().clone();
            if **self.membership.load() != *now.membership_config {
                self.set_membership(now.membership_config.clone());
            }
            let membership: &Membership = now.membership_config.membership();
            hello.set_members(membership);
            peers.set_members(&hello.members());
            let term = now.vote.leader_id.term;
            let mut confirm = false;
            match (now.state, now.current_leader) {
                (ServerState::Shutdown, _) | (_, None) => self.set_known(Leadership::Unknown),
                (ServerState::Leader, _) => {
                    let confirmed = *self.known.lock().expect("held for this line only") == Leadership::Me { term };
                    confirm = !confirmed;
                    if confirm {
                        self.set_known(Leadership::Unknown);
                    }
                }
                (_, Some(leader)) if leader == self.own_id => self.set_known(Leadership::Unknown),
                (_, Some(leader)) => {
                    let address = membership.get_node(&leader).map(|node| node.client_address.clone());
                    let hint = pb::LeaderHint { node_id: leader, address: address.unwrap_or_default(), term };
                    self.set_known(Leadership::Other(hint));
                }
            }
            let changed = if confirm {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return self.set_known(Leadership::Unknown),
                    changed = changes.changed() => changed,
                    () = quorum_confirms(&raft) => {
                        self.set_known(Leadership::Me { term });
                        continue;
                    }
                }
            } else {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return self.set_known(Leadership::Unknown),
                    changed = changes.changed() => changed,
                }
            };
            if changed.is_err() {
                self.set_known(Leadership::Unknown);
                return;
            }
        }
    }
}

/// Comes back when a quorum has confirmed that this node leads.
async fn quorum_confirms(raft: &Consensus) {
    while raft.get_read_linearizer(ReadPolicy::ReadIndex).await.is_err() {
        sleep(QUORUM_RETRY).await;
    }
}
