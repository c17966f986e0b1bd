//! The mains fail: file systems that stop at one moment, without what was not synced.

use std::{collections::BTreeMap, fs::File, io::Write, path::PathBuf};

use alert_chaos::{
    process::{ClusterBuilder, LocalCluster, LoopDisk, not_run},
    traffic::{self, Answers},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::stage::{LIMIT, SOME, WRITE_EVERY, bureau, three};

/// Space of a node's disk, in MiB; the image is sparse.
const DISK_MIB: u64 = 512;

/// A disk for each node, or the reason why there are none, said aloud.
fn disks(test: &str) -> Option<BTreeMap<u64, LoopDisk>> {
    if let Some(reason) = LoopDisk::missing() {
        not_run(test, &reason);
        return None;
    }
    Some((1..=3).map(|id| (id, LoopDisk::create(DISK_MIB).unwrap())).collect())
}

/// Every node's data on its own disk.
fn on(disks: &BTreeMap<u64, LoopDisk>) -> ClusterBuilder {
    let paths: BTreeMap<u64, PathBuf> = disks.iter().map(|(id, disk)| (*id, disk.path())).collect();
    three().configure(move |config| {
        let disk = &paths[&config.node.id];
        config.storage.log_directory = disk.join("log");
        config.storage.state_directory = disk.join("state");
        config.storage.audit_directory = disk.join("audit");
    })
}

/// Syncs some of a node's files by chance, as a kernel might have done by itself: log and state then lose different
/// parts of their ends.
fn write_back_some(cluster: &LocalCluster, id: u64, chance: &mut StdRng) {
    for file in cluster.node(id).unwrap().files().unwrap() {
        if chance.random_bool(0.3)
            && let Ok(open) = File::open(&file.path)
        {
            // A file may be gone by now; then there is nothing to sync.
            let _ = open.sync_data();
        }
    }
}

async fn nothing_is_lost(cluster: &LocalCluster, writes: Answers) {
    cluster.wait_same_state().await.unwrap();
    let held = traffic::held_by_every_node(cluster, &bureau(cluster), &writes.acknowledged).await.unwrap();
    let count = writes.acknowledged.len() as u64;
    assert_eq!(held, [(1, count), (2, count), (3, count)]);
}

fn seeded(test: &str) -> StdRng {
    let seed = StdRng::from_os_rng().random();
    println!("{test}: seed {seed}");
    StdRng::seed_from_u64(seed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_each_node_in_turn_loses_power() {
    let Some(disks) = disks("power loss of one node") else { return };
    let mut chance = seeded("power loss of one node");
    let cluster = on(&disks).start().await.unwrap();
    let writes = traffic::writes(bureau(&cluster), "power", WRITE_EVERY);
    writes.more(SOME, LIMIT).await.unwrap();
    for (id, disk) in &disks {
        let node = cluster.node(*id).unwrap();
        write_back_some(&cluster, *id, &mut chance);
        disk.cut_power().unwrap();
        node.kill().unwrap();
        writes.more(SOME, LIMIT).await.unwrap();
        disk.power_on().await.unwrap();
        node.start().unwrap();
        node.wait_ready().await.unwrap();
        writes.more(SOME, LIMIT).await.unwrap();
    }
    let writes = writes.stop().await.unwrap();
    assert_eq!(writes.failed, Vec::<String>::new(), "two nodes had power at any time");
    nothing_is_lost(&cluster, writes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_all_nodes_lose_power_at_once() {
    let Some(disks) = disks("power loss of all nodes") else { return };
    let mut chance = seeded("power loss of all nodes");
    let cluster = on(&disks).start().await.unwrap();
    let writes = traffic::writes(bureau(&cluster), "blackout", WRITE_EVERY);
    for _ in 0..2 {
        writes.more(4 * SOME, LIMIT).await.unwrap();
        disks.keys().for_each(|id| write_back_some(&cluster, *id, &mut chance));
        disks.values().for_each(|disk| disk.cut_power().unwrap());
        cluster.kill_all().unwrap();
        for disk in disks.values() {
            disk.power_on().await.unwrap();
        }
        cluster.start_all().unwrap();
        cluster.wait_all_ready().await.unwrap();
    }
    writes.more(SOME, LIMIT).await.unwrap();
    nothing_is_lost(&cluster, writes.stop().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_disk_fails_stops_by_itself_and_the_others_go_on() {
    let Some(disks) = disks("a disk that fails") else { return };
    let cluster = on(&disks).start().await.unwrap();
    let writes = traffic::writes(bureau(&cluster), "disk", WRITE_EVERY);
    writes.more(SOME, LIMIT).await.unwrap();
    let leader = cluster.wait_leader().await.unwrap();
    let node = cluster.node(leader).unwrap();
    disks[&leader].cut_power().unwrap();
    node.wait_ended(LIMIT).await.unwrap();
    let said = node.log_tail(3);
    assert!(said.contains("alertd: "), "its last words say why: {said}");
    writes.more(SOME, LIMIT).await.unwrap();
    let writes = writes.stop().await.unwrap();
    assert_eq!(writes.failed, Vec::<String>::new());

    disks[&leader].power_on().await.unwrap();
    node.start().unwrap();
    node.wait_ready().await.unwrap();
    nothing_is_lost(&cluster, writes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_write_its_audit_log_stops_and_the_others_go_on() {
    if let Some(reason) = LoopDisk::missing() {
        return not_run("a full audit disk", &reason);
    }
    let disk = LoopDisk::create(64).unwrap();
    let audit = disk.path().join("audit");
    let cluster = three()
        .configure(move |config| {
            if config.node.id == 1 {
                config.storage.audit_directory.clone_from(&audit);
            }
        })
        .start()
        .await
        .unwrap();
    if cluster.wait_leader().await.unwrap() != 1 {
        cluster.client("operator").unwrap().admin().transfer_leader(1).await.unwrap();
    }
    let writes = traffic::writes(bureau(&cluster), "audit", WRITE_EVERY);
    writes.more(SOME, LIMIT).await.unwrap();
    // What is left of the disk goes to somebody else, to the last byte.
    let ballast = disk.path().join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    while file.write_all(&[1]).is_ok() {}
    let node = cluster.node(1).unwrap();
    let ended = node.wait_ended(LIMIT).await.unwrap();
    let said = node.log_tail(1);
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(said.starts_with("alertd: the audit log cannot be written: ") && said.contains("No space left"), "{said}");
    writes.more(SOME, LIMIT).await.unwrap();

    drop(file);
    std::fs::remove_file(ballast).unwrap();
    node.start().unwrap();
    node.wait_ready().await.unwrap();
    writes.more(SOME, LIMIT).await.unwrap();
    let writes = writes.stop().await.unwrap();
    assert_eq!(writes.failed, Vec::<String>::new(), "the other two were well at any time");
    nothing_is_lost(&cluster, writes).await;
}
