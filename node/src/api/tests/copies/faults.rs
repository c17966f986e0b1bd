//! What befalls the cluster meanwhile: one fault after the other, each with its end.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng, rngs::StdRng, seq::SliceRandom};
use tokio::time::{sleep, timeout};

use super::{LEARNER, VOTERS};
use crate::{
    api::{Leadership, Store, backend::AdminBackend, tests::cluster::Cluster},
    raft::tests::world::soon,
};

const KILLED: &str = "killed";
const CUT_OFF: &str = "cut off";
const CUT_FROM_ONE: &str = "cut from one";
const LEADERSHIP_MOVED: &str = "leadership moved";
const NEEDS_SNAPSHOT: &str = "cut off until it needs a snapshot";
/// In this mixture, each round in another order: so that each happens in any run that is long enough.
pub(super) const ROUND: [&str; 10] =
    [KILLED, KILLED, KILLED, CUT_OFF, CUT_OFF, CUT_OFF, CUT_FROM_ONE, CUT_FROM_ONE, LEADERSHIP_MOVED, NEEDS_SNAPSHOT];

/// What happens next.
#[derive(Default)]
pub(super) struct Faults {
    pub round: Vec<&'static str>,
    pub happened: BTreeMap<&'static str, u64>,
    /// Snapshots that were seen on their way to a node that had been away. Some are over before they are seen.
    pub snapshots: u64,
}

impl Faults {
    fn next(&mut self, random: &mut StdRng) -> &'static str {
        if self.round.is_empty() {
            self.round.extend(ROUND);
            self.round.shuffle(random);
        }
        let kind = self.round.pop().expect("just filled");
        *self.happened.entry(kind).or_default() += 1;
        kind
    }
}

/// One fault, and its end.
pub(super) async fn fault(cluster: &mut Cluster, random: &mut StdRng, faults: &mut Faults) {
    let node = [1, 2, 3, LEARNER][random.random_range(0..4)];
    let others: Vec<u64> = [1, 2, 3, LEARNER].into_iter().filter(|other| *other != node).collect();
    let for_a_while = Duration::from_millis(random.random_range(200..15_000));
    match faults.next(random) {
        KILLED => {
            cluster.kill(node).await;
            sleep(for_a_while).await;
            cluster.start(node).await;
        }
        CUT_OFF => {
            others.iter().for_each(|other| cluster.world.pipes.cut(node, *other));
            sleep(for_a_while).await;
            others.iter().for_each(|other| cluster.world.pipes.heal(node, *other));
        }
        CUT_FROM_ONE => {
            let other = others[random.random_range(0..others.len())];
            cluster.world.pipes.cut(node, other);
            sleep(for_a_while).await;
            cluster.world.pipes.heal(node, other);
        }
        LEADERSHIP_MOVED => {
            if let Some(leader) = leader(cluster) {
                // It may well be refused: the others lag, or another fault is not over yet.
                drop(cluster.world.node(leader).admin().transfer_leader(0, soon(5)).await);
            }
        }
        _ => {
            others.iter().for_each(|other| cluster.world.pipes.cut(node, *other));
            sleep(Duration::from_secs(5)).await;
            for other in others.iter().filter(|other| VOTERS.contains(other)) {
                if let Ok(built) = cluster.world.node(*other).admin().trigger_snapshot(soon(5)).await {
                    cluster.world.cut_log(*other, built.snapshot_index).await;
                }
            }
            sleep(Duration::from_secs(2)).await;
            let mut receives = cluster.world.node(node).snapshots_under_way();
            others.iter().for_each(|other| cluster.world.pipes.heal(node, *other));
            // Not where so little was written meanwhile that the log still reaches back.
            let received = timeout(Duration::from_secs(20), receives.wait_for(|coming| *coming > 0)).await;
            faults.snapshots += u64::from(received.is_ok());
        }
    }
}

pub(super) fn leader(cluster: &Cluster) -> Option<u64> {
    let alive = cluster.alive.lock().unwrap();
    let mut leads = alive.iter().filter(|(_, (node, _))| matches!(*node.leadership().borrow(), Leadership::Me { .. }));
    leads.next().map(|(id, _)| *id)
}
