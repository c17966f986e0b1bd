//! Writes, and linearizable reads on every node, while something happens to the leader or to a node that is behind.

use std::time::Duration;

use alert_chaos::{
    model::Operation,
    process::{LocalCluster, wait_until},
};
use alert_client::pb;
use alert_synth::known;
use futures::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    clients::{Crew, Mix},
    stage::{PATIENCE, Stage, judge, seed, work_goes_on},
};

const MIX: Mix = Mix { writes: 50, session_reads: 0, bounded_reads: 0 };
/// Answered writes and reads between two faults.
const WORK: usize = 60;
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_make_sense_when_leaders_are_killed() {
    let (stage, seed) = (Stage::set().await, seed("leader-kills"));
    let crew = Crew::start(&stage, MIX, seed).await;
    for _ in 0..ROUNDS {
        work_goes_on(&crew.notes, WORK).await;
        let leader = stage.leader().await;
        let node = stage.cluster.node(leader).unwrap();
        node.kill().unwrap();
        stage.leader_after(leader).await;
        work_goes_on(&crew.notes, WORK).await;
        node.start().unwrap();
        node.wait_ready().await.unwrap();
    }
    judge("leader-kills", &crew.stop().await);
}

/// A stopped leader wakes up in a term that is over, with calls in its hands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_make_sense_when_leaders_are_stopped_and_wake_up() {
    let (stage, seed) = (Stage::set().await, seed("leader-stops"));
    let crew = Crew::start(&stage, MIX, seed).await;
    for _ in 0..ROUNDS {
        work_goes_on(&crew.notes, WORK).await;
        let leader = stage.leader().await;
        let node = stage.cluster.node(leader).unwrap();
        node.pause().unwrap();
        stage.leader_after(leader).await;
        work_goes_on(&crew.notes, WORK).await;
        node.resume().unwrap();
        node.wait_ready().await.unwrap();
    }
    judge("leader-stops", &crew.stop().await);
}

/// Cut off from the other nodes, the old leader still has clients who ask it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_make_sense_when_leaders_are_cut_off_from_the_nodes() {
    let (stage, seed) = (Stage::set().await, seed("partitions"));
    let crew = Crew::start(&stage, MIX, seed).await;
    for round in 0..ROUNDS + 1 {
        work_goes_on(&crew.notes, WORK).await;
        let leader = stage.leader().await;
        match round {
            0 => stage.links.part_from_nodes(leader),
            1 => stage.links.isolate(leader),
            // It sends heartbeats and hears no answer; and the other way round.
            2 => others(&stage.cluster, leader).for_each(|other| stage.links.cut(other, leader)),
            _ => others(&stage.cluster, leader).for_each(|other| stage.links.cut(leader, other)),
        }
        stage.leader_after(leader).await;
        work_goes_on(&crew.notes, WORK).await;
        stage.links.heal();
        stage.cluster.node(leader).unwrap().wait_ready().await.unwrap();
    }
    judge("partitions", &crew.stop().await);
}

fn others(cluster: &LocalCluster, node: u64) -> impl Iterator<Item = u64> {
    cluster.nodes().into_iter().map(|node| node.id()).filter(move |id| *id != node)
}

/// What a node misses while it is away: several times the log that is kept for it, so that it needs a snapshot.
const MISSED: u64 = 500;
const MISSED_BYTES_EACH: usize = 10 << 10;
const LOG_KEPT_BYTES: u64 = 1 << 20;
/// So that the snapshot is on its way for a few seconds, and reads come meanwhile.
const SNAPSHOT_MIB_PER_S: u64 = 1;

/// Text that does not become shorter on disk.
fn filler(random: &mut StdRng) -> String {
    (0..MISSED_BYTES_EACH).map(|_| char::from(random.random_range(b'0'..=b'z'))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_make_sense_while_a_node_installs_a_snapshot() {
    let builder = LocalCluster::builder().configure(|config| {
        config.storage.log_keep_bytes_max = LOG_KEPT_BYTES;
        config.storage.snapshot_send_mib_per_s = SNAPSHOT_MIB_PER_S;
    });
    let (stage, seed) = (Stage::set_with(builder, |_| {}).await, seed("snapshots"));
    let crew = Crew::start(&stage, MIX, seed).await;
    work_goes_on(&crew.notes, WORK).await;
    let leader = stage.leader().await;
    let behind = others(&stage.cluster, leader).next().unwrap();
    let node = stage.cluster.node(behind).unwrap();
    node.kill().unwrap();
    let bureau = stage.client("bureau").build().unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let fillers = (0..MISSED).map(|number| {
        let mut alert = known::numbered(&format!("filler-{seed}"), number);
        alert.internal.get_or_insert_default().note = filler(&mut random);
        bureau.create(pb::CreateRequest { alert: Some(alert), ..Default::default() })
    });
    stream::iter(fillers).buffer_unordered(2).for_each(|written| async move { drop(written.unwrap()) }).await;
    let operator = stage.client("operator").build().unwrap();
    let leader = stage.cluster.node(stage.leader().await).unwrap();
    operator.admin().at(leader.client_address().unwrap()).trigger_snapshot().await.unwrap();
    let missing = last_index(&stage, behind).await;
    wait_until("a log that begins behind what the node knows", PATIENCE, || async {
        Ok((stage.cluster.status(leader.id()).await?.purged_index > missing).then_some(()))
    })
    .await
    .unwrap();
    let started_us = crew.notes.now_us();
    node.start().unwrap();
    wait_until("the snapshot on the node", PATIENCE, || async {
        let Ok(status) = stage.cluster.status(behind).await else { return Ok(None) };
        Ok((status.snapshot_index > missing && status.applied_index > missing).then_some(()))
    })
    .await
    .unwrap();
    let installed_us = crew.notes.now_us();
    node.wait_ready().await.unwrap();
    work_goes_on(&crew.notes, WORK).await;
    let meanwhile = started_us..installed_us;
    let refused = crew.notes.refusals().into_iter().filter(|refusal| {
        refusal.node == Some(behind) && refusal.code == "NODE_NOT_READY" && meanwhile.contains(&refusal.called_us)
    });
    let refused = refused.count();
    eprintln!("snapshots: {refused} reads were refused by the node while it installed");
    assert!(refused > 0, "no read was asked of the node while it installed");
    wait_until("reads at the node", PATIENCE, || async {
        let answered = |one: &Operation| one.node == Some(behind) && one.is_answered_read();
        let later = |one: &Operation| one.called_us > installed_us && answered(one);
        Ok(crew.notes.history().operations.iter().any(later).then_some(()))
    })
    .await
    .unwrap();
    judge("snapshots", &crew.stop().await);
}

/// How far the log of a node reached when it was last heard of, as the leader knows.
async fn last_index(stage: &Stage, node: u64) -> u64 {
    let leader = stage.leader().await;
    let status = stage.cluster.status(leader).await.unwrap();
    status.members.iter().find(|member| member.node_id == node).map_or(0, |member| member.matched_index)
}

/// Not a fault: the crew's own promise, that it works everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linearizable_reads_are_answered_by_every_node_a_learner_too() {
    let (stage, seed) = (Stage::set().await, seed("everywhere"));
    let learner = stage.cluster.add_node().unwrap();
    learner.wait_live().await.unwrap();
    stage.cluster.join_as_learner(&learner).await.unwrap();
    learner.wait_ready().await.unwrap();
    let crew = Crew::start(&stage, MIX, seed).await;
    wait_until("answers of every node", Duration::from_secs(60), || async {
        let history = crew.notes.history();
        let answered: std::collections::BTreeSet<u64> =
            history.operations.iter().filter(|one| one.is_answered_read()).filter_map(|one| one.node).collect();
        Ok((answered.len() == 4).then_some(()))
    })
    .await
    .unwrap();
    judge("everywhere", &crew.stop().await);
}
