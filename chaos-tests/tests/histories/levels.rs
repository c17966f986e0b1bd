//! Session and bounded reads against their own definitions, while links are cut and one clock is wrong.

use std::{path::Path, time::Duration};

use crate::{
    clients::{Crew, Mix},
    stage::{PATIENCE, Stage, judge, seed, work_goes_on},
};
use alert_chaos::process::{LocalCluster, not_run, wait_until};
use alert_client::pb;
use alert_synth::known;

const MIX: Mix = Mix { writes: 30, session_reads: 25, bounded_reads: 30 };
const WORK: usize = 40;
/// Debian's package "faketime".
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_and_bounded_reads_keep_their_promise_through_partitions() {
    let (stage, seed) = (Stage::set().await, seed("levels"));
    let crew = Crew::start(&stage, MIX, seed).await;
    for node in 1..=3 {
        work_goes_on(&crew.notes, WORK).await;
        stage.links.part_from_nodes(node);
        work_goes_on(&crew.notes, WORK).await;
        stage.links.heal();
        stage.cluster.node(node).unwrap().wait_ready().await.unwrap();
    }
    judge("levels", &crew.stop().await);
}

/// The bound's proof needs no synchronised clocks: it is measured with one that counts from the machine's start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_and_bounded_reads_keep_their_promise_on_a_node_whose_clock_is_wrong() {
    if !Path::new(FAKETIME).exists() {
        not_run("a node with a wrong clock", &format!("it needs Debian's package faketime ({FAKETIME})"));
        return;
    }
    for skew in ["+2h", "-40m"] {
        let test = format!("clock{skew}");
        let builder = LocalCluster::builder();
        let prepare = |cluster: &LocalCluster| {
            let node = cluster.node(2).unwrap();
            node.set_environment("LD_PRELOAD", FAKETIME);
            node.set_environment("FAKETIME", skew);
            node.set_environment("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        };
        let (stage, seed) = (Stage::set_with(builder, prepare).await, seed(&test));
        let crew = Crew::start(&stage, MIX, seed).await;
        work_goes_on(&crew.notes, WORK).await;
        // Also while it leads.
        let operator = stage.client("operator").build().unwrap();
        let leader = stage.leader().await;
        let admin = operator.admin().at(stage.cluster.node(leader).unwrap().client_address().unwrap());
        if leader != 2 {
            admin.transfer_leader(2).await.unwrap();
        }
        work_goes_on(&crew.notes, WORK).await;
        // And while it is cut off.
        stage.links.part_from_nodes(2);
        stage.leader_after(2).await;
        work_goes_on(&crew.notes, WORK).await;
        stage.links.heal();
        work_goes_on(&crew.notes, WORK).await;
        judge(&test, &crew.stop().await);
    }
}

/// What travels from one process to another is the token alone, as bytes in a message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_in_another_process_and_is_never_older_there() {
    let stage = Stage::set().await;
    let bureau = stage.client("bureau").build().unwrap();
    let create = pb::CreateRequest { alert: Some(known::numbered("session", 1)), ..Default::default() };
    let first = bureau.create(create).await.unwrap();
    let leader = stage.leader().await;
    let behind = stage.cluster.nodes().into_iter().find(|node| node.id() != leader).unwrap();
    let at_behind = |token: Vec<u8>| {
        let client = stage.client("bureau").deadline(Duration::from_secs(2)).build().unwrap();
        client.carry_token(token);
        let client = client.at_node(behind.client_address().unwrap()).with_read_level(pb::ReadLevel::Session);
        let get = pb::GetRequest { alert_id: first.alert_id.clone(), ..Default::default() };
        async move { client.get(get).await.map(|answer| answer.record.unwrap().info.unwrap().version) }
    };
    let seen_first = bureau.last_token().unwrap();
    wait_until("the first version on every node", PATIENCE, || async {
        Ok(at_behind(seen_first.clone()).await.is_ok().then_some(()))
    })
    .await
    .unwrap();
    // One node misses what the session sees next.
    stage.links.part_from_nodes(behind.id());
    let mut changed = known::numbered("session", 1);
    changed.id.clone_from(&first.alert_id);
    changed.internal.get_or_insert_default().note = "changed".into();
    let update = pb::UpdateRequest { alert: Some(changed), expected_version: first.version, ..Default::default() };
    let second = bureau.update(update).await.unwrap().version;
    let seen_second = bureau.last_token().unwrap();
    // Who has seen no more than this node has is served while its state is proven young, and then refused: what was
    // cancelled since would be shown.
    let refused = wait_until("the node cannot prove its state young", PATIENCE, || async {
        match at_behind(seen_first.clone()).await {
            Ok(version) => {
                assert_eq!(version, first.version);
                Ok(None)
            }
            Err(refused) => Ok(Some(refused)),
        }
    });
    let refused = refused.await.unwrap();
    assert!(refused.retryable, "another node may serve it: {refused}");
    let refused = at_behind(seen_second.clone()).await.unwrap_err();
    assert!(refused.retryable, "it cannot know the newer version, and says so: {refused}");
    stage.links.heal();
    let served = wait_until("the second version on the node", PATIENCE, || async {
        Ok(at_behind(seen_second.clone()).await.ok())
    });
    assert_eq!(served.await.unwrap(), second);
}
