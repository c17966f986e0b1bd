//! A cursor that is ahead of the node it is taken to: the watch waits until the node gets there, whatever keeps it.

use std::time::Duration;

use alert_core::{
    alert::{AlertId, Caller},
    pb::{self, feed_service_server::FeedService},
    state::command::Command,
};
use futures::{FutureExt, StreamExt};
use prost::Message;
use tokio::time::{sleep, timeout};

use super::{
    cluster::{Cluster, answered, stream},
    context, nca, partner, person, under,
    world::agreement,
};
use crate::{
    api::{AdminBackend, ApiOptions, Store, stream::AnswerStream},
    raft::tests::world::{World, soon},
    seam::Lane,
};

const BEHIND: u64 = 3;

type Watch = AnswerStream<pb::WatchResponse>;

async fn watch(
    cluster: &Cluster,
    node: u64,
    (who, context): &(Caller, Option<pb::CallContext>),
    cursor: &[u8],
) -> Watch {
    let watch = pb::WatchRequest { context: context.clone(), cursor: cursor.to_vec(), filter: None };
    answered(cluster.api(node).watch(stream(who.clone(), watch)).await).expect("a watch that waits")
}

/// The next message's cursor, and whose changes it told.
async fn next(watch: &mut Watch) -> (Vec<u8>, Vec<String>) {
    let message = timeout(Duration::from_secs(30), watch.next()).await.expect("the feed says something in time");
    match message.unwrap().unwrap().item.unwrap() {
        pb::watch_response::Item::Progress(progress) => (progress.cursor, Vec::new()),
        pb::watch_response::Item::Events(events) => {
            let cursor = events.events.last().unwrap().cursor.clone();
            (cursor, events.events.into_iter().map(|event| event.alert_id).collect())
        }
        item => panic!("{item:?}"),
    }
}

async fn create(cluster: &Cluster, number: u8) -> String {
    let id = AlertId::from_bytes([number; 16]);
    let alert = person(number.into(), "arrest").encode_to_vec();
    cluster.run(Command::Create { id, alert, as_draft: false }).await;
    id.to_string()
}

/// Node 3 is kept from following, changes are made, and watches go to node 3 with cursors behind these. They wait, and say
/// nothing that is wrong; when node 3 may follow again they tell the next change.
async fn story(mut world: World, keep: impl Fn(&World), meanwhile: impl AsyncFn(&Cluster), let_go: impl Fn(&World)) {
    world.lag_entries_max = Some(10);
    let cluster = Cluster::over(world.formed(3).await, [1, 2, 3], ApiOptions::default());
    create(&cluster, 1).await;
    let reached = cluster.world.node(1).applied().borrow().revision;
    cluster.world.until("node 3 has it", |world| world.node(BEHIND).applied().borrow().revision >= reached).await;
    keep(&cluster.world);
    // Not even the agreement is known there.
    let agreed = agreement("fr-1").encode_to_vec();
    cluster.run(Command::PutAgreement { agreement: agreed, expected_version: 0 }).await;
    for number in 2..=30 {
        create(&cluster, number).await;
    }
    let callers = [(nca(), context()), (partner(), under("fr-1"))];
    let mut watches = Vec::new();
    for caller in &callers {
        let (cursor, _) = next(&mut watch(&cluster, 1, caller, b"").await).await;
        watches.push((cursor.clone(), watch(&cluster, BEHIND, caller, &cursor).await));
    }
    meanwhile(&cluster).await;
    for (_, watch) in &mut watches {
        // Long enough for a second look and a third.
        sleep(Duration::from_secs(5)).await;
        if let Some(said) = watch.next().now_or_never() {
            let said = said.expect("it goes on").expect("no error").item;
            assert!(matches!(said, Some(pb::watch_response::Item::Progress(_))), "{said:?}");
        }
    }
    let new = create(&cluster, 31).await;
    let_go(&cluster.world);
    for (_, watch) in &mut watches {
        loop {
            let (_, told) = next(watch).await;
            if !told.is_empty() {
                assert_eq!(
                    told.as_slice(),
                    std::slice::from_ref(&new),
                    "the first change behind the cursor, and no other"
                );
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_on_a_node_that_is_cut_off() {
    let cut = |world: &World| [1, 2].iter().for_each(|other| world.pipes.cut(BEHIND, *other));
    let heal = |world: &World| [1, 2].iter().for_each(|other| world.pipes.heal(BEHIND, *other));
    story(World::new(), cut, async |_: &Cluster| {}, heal).await;
}

#[tokio::test(start_paused = true)]
async fn it_waits_on_a_node_that_lags_far_behind() {
    let hold = |world: &World| world.hold(BEHIND, Lane::Apply);
    let release = |world: &World| world.release(BEHIND, Lane::Apply);
    story(World::new(), hold, async |_: &Cluster| {}, release).await;
}

#[tokio::test(start_paused = true)]
async fn it_waits_on_a_node_that_receives_a_snapshot() {
    let cut = |world: &World| [1, 2].iter().for_each(|other| world.pipes.cut(BEHIND, *other));
    let snapshot = async |cluster: &Cluster| {
        let world = &cluster.world;
        let built = world.node(1).admin().trigger_snapshot(soon(10)).await.unwrap();
        world.cut_log(1, built.snapshot_index).await;
        world.hold(BEHIND, Lane::Snapshot);
        [1, 2].iter().for_each(|other| world.pipes.heal(BEHIND, *other));
        let receiving = world.node(BEHIND).snapshots_under_way();
        // The offer is worked on, and the files that follow it are not.
        for _ in 0..10_000 {
            if *receiving.borrow() > 0 {
                return;
            }
            world.do_one(BEHIND, Lane::Snapshot);
            sleep(Duration::from_millis(1)).await;
        }
        panic!("no snapshot is on its way");
    };
    let release = |world: &World| world.release(BEHIND, Lane::Snapshot);
    story(World::new(), cut, snapshot, release).await;
}
