//! A node that lost its disk has forgotten its votes: it must not come back as if it had not.

use std::{fs, path::Path};

use alert_chaos::{
    process::{LocalCluster, wait_until},
    traffic,
};
use alert_client::Admin;

use crate::stage::{LIMIT, SOME, WRITE_EVERY, bureau, three};

/// Administration of the node that leads.
async fn leader_admin(cluster: &LocalCluster) -> (u64, Admin) {
    let leader = cluster.wait_leader().await.unwrap();
    let admin = cluster.client("operator").unwrap().admin();
    (leader, admin.at(cluster.node(leader).unwrap().client_address().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_its_disk_is_refused_and_rebuilt_by_snapshot_under_a_new_id() {
    // With snapshots of the longest age allowed, all that a snapshot covers leaves the log at once: the new node cannot
    // be fed from the log.
    let cluster = three().configure(|config| config.storage.snapshot_age_max_s = 86_400).start().await.unwrap();
    let client = bureau(&cluster);
    let writes = traffic::writes(client.clone(), "lost-disk", WRITE_EVERY);
    writes.more(4 * SOME, LIMIT).await.unwrap();

    let (leader, _) = leader_admin(&cluster).await;
    let lost = cluster.node(leader % 3 + 1).unwrap();
    lost.kill().unwrap();
    lost.wipe().unwrap();
    lost.start().unwrap();
    let way_out = "its disk was wiped or replaced; remove it and join it again under a new id";
    lost.wait_for_log(way_out).await.unwrap();
    cluster.node(leader).unwrap().wait_for_log(way_out).await.unwrap();
    wait_until("its health to say why", LIMIT, || async {
        let health = lost.ops("/readyz").await?;
        Ok((health.status == 503 && health.body.contains(way_out)).then_some(()))
    })
    .await
    .unwrap();
    writes.more(SOME, LIMIT).await.unwrap();
    assert_eq!(lost.ops("/readyz").await.unwrap().status, 503, "it stays outside however long the others go on");

    // The way out.
    lost.kill().unwrap();
    let (leader, admin) = leader_admin(&cluster).await;
    admin.remove(lost.id()).await.unwrap();
    admin.trigger_snapshot().await.unwrap();
    wait_until("the leader's log to be cut", LIMIT, || async {
        Ok((cluster.status(leader).await?.purged_index > 0).then_some(()))
    })
    .await
    .unwrap();
    let again = cluster.add_node().unwrap();
    again.wait_live().await.unwrap();
    cluster.join(&again).await.unwrap();
    again.wait_ready().await.unwrap();
    writes.more(SOME, LIMIT).await.unwrap();
    let writes = writes.stop().await.unwrap();
    assert_eq!(writes.failed, Vec::<String>::new(), "the other two served all the time");

    let status = cluster.status(again.id()).await.unwrap();
    assert!(status.snapshot_index > 0, "a snapshot came: {status:?}");
    cluster.wait_same_state().await.unwrap();
    let held = traffic::held_by_every_node(&cluster, &client, &writes.acknowledged).await.unwrap();
    assert_eq!(held.len(), 3);
    assert!(held.iter().any(|(id, _)| *id == again.id()), "{held:?}");

    // Neither the old id nor the old directory comes in by the back door.
    lost.start().unwrap();
    lost.wait_live().await.unwrap();
    let refused = admin.add_learner(cluster.as_learner(&lost).unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("was used before; ids are never used twice"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_one_of_its_two_disks_does_not_start() {
    let cluster = three().start().await.unwrap();
    let node = cluster.node(2).unwrap();
    node.kill().unwrap();
    let [log, ..] = node.directories().unwrap();
    fs::remove_dir_all(&log).unwrap();
    node.start().unwrap();
    let ended = node.wait_ended(LIMIT).await.unwrap();
    assert!(!ended.success());
    let said = node.log_tail(1);
    assert!(said.starts_with("alertd: ") && said.contains("one of the two was lost"), "{said}");
    assert!(said.ends_with("under a new id"), "the way out: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_disk_was_put_back_is_found_out_by_what_it_had_acknowledged() {
    let cluster = three().start().await.unwrap();
    let writes = traffic::writes(bureau(&cluster), "put-back", WRITE_EVERY);
    writes.more(SOME, LIMIT).await.unwrap();
    let (leader, _) = leader_admin(&cluster).await;
    let node = cluster.node(leader % 3 + 1).unwrap();
    // A copy of the disk, and what the node acknowledged since.
    node.kill().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let directories = node.directories().unwrap();
    for (number, directory) in directories.iter().enumerate() {
        copy(directory, &copies.path().join(number.to_string()));
    }
    node.start().unwrap();
    node.wait_ready().await.unwrap();
    writes.more(4 * SOME, LIMIT).await.unwrap();

    node.kill().unwrap();
    node.wipe().unwrap();
    for (number, directory) in directories.iter().enumerate() {
        copy(&copies.path().join(number.to_string()), directory);
    }
    node.start().unwrap();
    let ended = node.wait_ended(LIMIT).await.unwrap();
    let said = node.log_tail(1);
    assert_eq!(ended.code(), Some(1), "{said}");
    let why = "its disk was put back to an earlier state, or lost what it was told to keep";
    assert!(said.starts_with("alertd: ") && said.contains(why), "{said}");

    // Nor does it try again with the next leader.
    node.start().unwrap();
    assert_eq!(node.wait_ended(LIMIT).await.unwrap().code(), Some(1));
    let said = node.log_tail(1);
    assert!(said.contains("is suspect") && said.contains(why) && said.ends_with("under a new id"), "{said}");
    writes.more(SOME, LIMIT).await.unwrap();
    assert_eq!(writes.stop().await.unwrap().failed, Vec::<String>::new(), "the other two served all the time");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
