//! Session and bounded reads against their own definitions, while links are cut and one clock is wrong.

use std::path::Path;

use crate::{
    clients::{Crew, Mix},
    stage::{Stage, judge, seed, work_goes_on},
};
use alert_chaos::process::{LocalCluster, not_run};

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
