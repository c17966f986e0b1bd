//! At one revision every node gives the same candidates and the same cut marks, byte for byte.

use super::{
    persons::{Answers, NEW, NEW_RELEASE, ask, load, normalisers, questions, want},
    world::{World, soon},
};
use crate::{
    api::backend::{AdminBackend, Store},
    raft::types::NodeId,
};

const PERSONS: u64 = 1_000;
const QUERIES: u64 = 10_000;

/// Waits until these nodes are at one revision, and asks each of them everything, side by side.
async fn ask_all(world: &World, nodes: &[NodeId]) -> Vec<Answers> {
    let revision = world.write(1, 7, 7).await.unwrap().unwrap().revision;
    world
        .until("all are at one revision", |world| {
            nodes.iter().all(|id| world.node(*id).applied().borrow().revision == revision)
        })
        .await;
    let queries = questions(PERSONS, QUERIES);
    assert!(queries.len() as u64 > QUERIES * 9 / 10, "{}", queries.len());
    std::thread::scope(|scope| {
        let asked: Vec<_> = nodes.iter().map(|id| scope.spawn(|| ask(world, *id, &queries))).collect();
        asked.into_iter().map(|answers| answers.join().unwrap()).collect()
    })
}

fn all_equal(answers: &[Answers]) {
    for other in &answers[1..] {
        assert_eq!(*other, answers[0]);
    }
    let Answers { candidates, cut, .. } = answers[0];
    println!("{QUERIES} queries: {candidates} candidates, {cut} lists cut");
    assert!(candidates > 2_000 && cut > 500, "{:?}", answers[0]);
}

#[tokio::test(start_paused = true)]
async fn nodes_answer_alike_also_after_a_snapshot_install_and_a_change_of_normaliser() {
    let mut world = World::new();
    world.releases = (1..=4).map(|id| (id, NEW_RELEASE)).collect();
    (world.log.keep_entries, world.log.keep_bytes) = (0, 0);
    world.log.snapshot_after_bytes = 1 << 40;
    let mut world = world.formed(3).await;
    load(&world, 1, 0..PERSONS).await;
    let at_first = ask_all(&world, &[1, 2, 3]).await;
    all_equal(&at_first);

    // A node of which the log knows nothing any more gets the state as a snapshot.
    for value in 0..1_100 {
        world.write(1, 8, value).await.unwrap().unwrap();
    }
    world.node(1).admin().trigger_snapshot(soon(60)).await.unwrap();
    world.until_status(1, "the log is cut", |status| status.purged_index > PERSONS / 256).await;
    world.start(4).await;
    world.join(1, 4).await.unwrap();
    world.until_status(4, "it has a snapshot", |status| status.snapshot_index > 0).await;
    let installed = ask_all(&world, &[1, 4]).await;
    all_equal(&installed);
    assert_eq!(installed[0].hash, at_first[0].hash, "other records have changed, no person");

    want(&world, 1, NEW).await;
    world.until("all have switched", |world| (1..=4).all(|id| normalisers(world, id) == (NEW, None))).await;
    let switched = ask_all(&world, &[1, 2, 3, 4]).await;
    all_equal(&switched);
    assert_eq!(switched[0].normaliser, NEW);
    assert_ne!(switched[0].hash, at_first[0].hash);
}
