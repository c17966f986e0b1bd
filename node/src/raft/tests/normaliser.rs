//! A change of normaliser in a cluster: everybody builds, then everybody switches at one entry of the log.

use std::time::Duration;

use alert_core::{
    pb,
    search::index::key::version_of,
    state::{IndexBuild, View, index_families, scan_from},
};
use tokio::time::sleep;

use super::{
    persons::{NEW, NEW_RELEASE, OLD, OLD_RELEASE, ask, load, normalisers, questions, want},
    world::World,
};
use crate::{
    api::backend::{AdminBackend, Store},
    raft::types::NodeId,
};

const PERSONS: u64 = 150;

fn world() -> World {
    let mut world = World::new();
    world.releases = (1..=5).map(|id| (id, NEW_RELEASE)).collect();
    world
}

/// Versions of the index entries on a node's disk.
fn versions_on_disk(world: &World, node: NodeId) -> Vec<u32> {
    let view = world.storage(node).state.read().unwrap();
    let mut versions = Vec::new();
    for family in index_families() {
        scan_from(&view as &dyn View, family, b"", |key, _| {
            versions.extend(version_of(key));
            Ok(true)
        })
        .unwrap();
    }
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// Waits until a node has built a part of the next index.
async fn until_in_the_middle(world: &World, node: NodeId) {
    for _ in 0..10_000 {
        let build = IndexBuild::read(&world.storage(node).state.read().unwrap()).unwrap();
        if build.is_some_and(|build| build.upto.is_some()) {
            assert!(!build.unwrap().complete, "the middle was missed");
            return;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("nothing is built");
}

async fn until_switched(world: &World) {
    world
        .until("every node has switched and dropped the old index", |world| {
            let nodes = world.running();
            nodes.iter().all(|id| normalisers(world, *id) == (NEW, None) && versions_on_disk(world, *id) == [NEW])
        })
        .await;
}

/// Every running node gives the same answers, of the new normaliser.
async fn all_answer_alike(world: &World) {
    let leader = world.leader().await;
    // One more change, so that all can be waited for at one revision.
    world.write(leader, 7, 7).await.unwrap().unwrap();
    let revision = world.node(leader).applied().borrow().revision;
    world
        .until("all are at one revision", |world| {
            world.running().iter().all(|id| world.node(*id).applied().borrow().revision >= revision)
        })
        .await;
    let queries = questions(PERSONS, 120);
    let expected = ask(world, leader, &queries);
    assert_eq!(expected.normaliser, NEW);
    assert!(expected.candidates > 30 && expected.cut > 10, "{expected:?}");
    for id in world.running() {
        assert_eq!(ask(world, id, &queries), expected, "node {id}");
    }
}

fn next_index(status: &pb::StatusResponse) -> String {
    status.checks.iter().find(|check| check.name == "next index").map(|check| check.detail.clone()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn all_switch_once_every_member_has_built_the_index_learners_included() {
    let mut world = world().formed(3).await;
    world.start(4).await;
    world.join(1, 4).await.unwrap();
    load(&world, 1, 0..PERSONS).await;
    world.kill(4).await;
    let (before, queries) = (ask(&world, 1, &questions(PERSONS, 120)), questions(PERSONS, 120));
    want(&world, 1, NEW).await;
    world.until_status(1, "it waits for the learner", |status| next_index(status).contains("node 4")).await;
    world.until("the voters have built", |world| versions_on_disk(world, 2) == [OLD, NEW]).await;
    sleep(Duration::from_secs(20)).await;
    for id in 1..=3 {
        assert_eq!(normalisers(&world, id), (OLD, Some(NEW)), "node {id}");
    }
    assert_eq!(ask(&world, 1, &queries).hash, before.hash, "until the switch the old normaliser answers, alone");
    world.start(4).await;
    until_switched(&world).await;
    all_answer_alike(&world).await;
    let hashes: Vec<_> = futures::future::join_all((1..=4).map(|id| {
        let admin = world.node(id).admin();
        async move { admin.status().await.unwrap().state_hash }
    }))
    .await;
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{hashes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_member_of_an_older_release_holds_the_switch_back_serves_on_and_is_named() {
    let mut world = world();
    world.releases.insert(3, OLD_RELEASE);
    let mut world = world.formed(3).await;
    load(&world, 1, 0..PERSONS).await;
    want(&world, 1, NEW).await;
    world.until_status(1, "node 3 is named", |status| next_index(status).contains("node 3 runs a release")).await;
    world.until_status(3, "it says so itself", |status| next_index(status).contains("not in this node's")).await;
    load(&world, 1, PERSONS..PERSONS + 20).await;
    assert_eq!(ask(&world, 3, &questions(PERSONS, 60)).normaliser, OLD);
    assert_eq!(normalisers(&world, 1), (OLD, Some(NEW)));
    // The rolling upgrade reaches it.
    world.kill(3).await;
    world.releases.insert(3, NEW_RELEASE);
    world.start(3).await;
    until_switched(&world).await;
    all_answer_alike(&world).await;
    // And once the switch is done, the old release cannot come back.
    world.kill(2).await;
    world.releases.insert(2, OLD_RELEASE);
    let refused = world.try_start(2).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("normaliser {NEW}")) && refused.contains("release"), "{refused}");
    world.releases.insert(2, NEW_RELEASE);
    world.start(2).await;
    world.until_ready(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_and_a_change_of_leader_in_the_middle_lose_nothing() {
    let mut world = world().formed(3).await;
    load(&world, 1, 0..PERSONS).await;
    want(&world, 1, NEW).await;
    until_in_the_middle(&world, 2).await;
    world.kill(2).await;
    world.kill(1).await;
    world.start(2).await;
    let leader = world.leader().await;
    // Both indexes are written while one is built.
    load(&world, leader, PERSONS..PERSONS + 40).await;
    assert_eq!(normalisers(&world, leader), (OLD, Some(NEW)), "node 1 is away and a member");
    world.start(1).await;
    until_switched(&world).await;
    all_answer_alike(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_gets_a_snapshot_in_the_middle_goes_on_where_the_snapshot_was() {
    let mut world = world();
    world.log.keep_entries = 0;
    world.log.keep_bytes = 0;
    world.log.snapshot_after_bytes = 1 << 40;
    let mut world = world.formed(1).await;
    for number in 0..1100 {
        world.write(1, number % 10, number).await.unwrap().unwrap();
    }
    load(&world, 1, 0..PERSONS).await;
    want(&world, 1, NEW).await;
    until_in_the_middle(&world, 1).await;
    world.node(1).admin().trigger_snapshot(super::world::soon(10)).await.unwrap();
    world.start(2).await;
    world.join(1, 2).await.unwrap();
    until_switched(&world).await;
    all_answer_alike(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_meets_the_switch_in_the_log_completes_its_index_first() {
    let mut world = world().formed(1).await;
    load(&world, 1, 0..PERSONS).await;
    want(&world, 1, NEW).await;
    until_switched(&world).await;
    load(&world, 1, PERSONS..PERSONS + 20).await;
    // It gets the whole story at once: alerts, the wish, the switch.
    world.start(2).await;
    world.join(1, 2).await.unwrap();
    world.node(1).admin().promote(2, super::world::soon(60)).await.unwrap();
    world.until("it has switched", |world| normalisers(world, 2) == (NEW, None)).await;
    until_switched(&world).await;
    all_answer_alike(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_normaliser_is_taken_back_in_the_same_way() {
    let world = world().formed(3).await;
    load(&world, 1, 0..PERSONS).await;
    let queries = questions(PERSONS, 120);
    let before = ask(&world, 1, &queries);
    assert_eq!(want(&world, 1, NEW).await, 2);
    until_switched(&world).await;
    assert_ne!(ask(&world, 1, &queries).hash, before.hash, "the second normaliser answers differently");
    assert_eq!(want(&world, 1, OLD).await, 3);
    world
        .until("all are back", |world| {
            (1..=3).all(|id| normalisers(world, id) == (OLD, None) && versions_on_disk(world, id) == [OLD])
        })
        .await;
    assert_eq!(ask(&world, 1, &queries).hash, before.hash);
}
