//! What each read level promises, on every node, whatever happens.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::world::{World, soon, value_of};
use crate::api::backend::{Level, ReadError, Store};

#[tokio::test(start_paused = true)]
async fn a_restarted_follower_serves_nothing_before_a_quorum_confirmed_its_state() {
    let mut world = World::of(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.kill(3).await;
    world.write(1, 7, 2).await.unwrap().unwrap();
    world.pipes.cut(3, 1);
    world.pipes.cut(3, 2);
    world.start(3).await;
    sleep(Duration::from_secs(5)).await;
    for level in [Level::Local, Level::Session { revision: 0 }, Level::Bounded(Duration::from_secs(60))] {
        let refused = world.read(3, level, 7).await;
        assert!(matches!(refused, Err(ReadError::NotReady { .. })), "{level:?}: {refused:?}");
    }
    assert!(!*world.node(3).ready().borrow());
    world.pipes.heal(3, 1);
    world.pipes.heal(3, 2);
    world.until_ready(3).await;
    assert_eq!(world.read(3, Level::Local, 7).await, Ok(Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_cut_off_leader_serves_no_linearizable_read_while_another_one_leads() {
    let world = World::of(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.pipes.cut(1, 2);
    world.pipes.cut(1, 3);
    let mut newer = None;
    let cut = Instant::now();
    while cut.elapsed() < Duration::from_secs(5) {
        for id in [2, 3] {
            if newer.is_none() && world.write_until(id, 7, 2, Instant::now() + Duration::from_millis(20)).await.is_ok()
            {
                newer = Some(id);
            }
        }
        let short = Instant::now() + Duration::from_millis(50);
        let read = world.node(1).read(Level::Linearizable, short).await;
        assert!(read.is_err(), "the old leader can prove nothing");
    }
    assert!(newer.is_some());
    // Without a quorum: what is here, marked as such.
    let local = world.node(1).read(Level::Local, soon(1)).await.unwrap();
    assert!(local.without_quorum);
    assert!(local.staleness.unwrap() > Duration::from_secs(3), "{:?}", local.staleness);
    assert_eq!(value_of(&local, 7), Some(1));
    assert_eq!(world.read(1, Level::Linearizable, 7).await, Err(ReadError::NoQuorum));
    assert_eq!(world.read(1, Level::Bounded(Duration::from_secs(1)), 7).await, Err(ReadError::NoQuorum));
}

#[tokio::test(start_paused = true)]
async fn a_bounded_read_holds_every_write_that_is_older_than_its_bound() {
    let world = World::of(3).await;
    let bound = Duration::from_millis(300);
    let mut acknowledged = Vec::new();
    for value in 1..=50 {
        world.write(1, 7, value).await.unwrap().unwrap();
        acknowledged.push((Instant::now(), value));
        sleep(Duration::from_millis(13 * (value % 7))).await;
        for id in 1..=3 {
            let asked = Instant::now();
            let handle = world.node(id).read(Level::Bounded(bound), soon(5)).await.unwrap();
            let due = acknowledged.iter().rev().find(|(at, _)| *at + bound < asked).map(|(_, value)| *value);
            assert!(value_of(&handle, 7) >= due, "node {id}: {:?} < {due:?}", value_of(&handle, 7));
            assert!(handle.staleness.unwrap() <= bound, "{:?}", handle.staleness);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_never_goes_back_and_a_token_from_the_future_is_refused() {
    let world = World::of(3).await;
    for value in 1..=20 {
        let done = world.write(1, 7, value).await.unwrap().unwrap();
        for id in [3, 2, 1] {
            let level = Level::Session { revision: done.revision };
            assert_eq!(world.read(id, level, 7).await, Ok(Some(value)), "node {id}");
        }
    }
    let revision = world.node(1).applied().borrow().revision + 1;
    assert_eq!(world.read(2, Level::Session { revision }, 7).await, Err(ReadError::TokenFromFuture));
}

#[tokio::test(start_paused = true)]
async fn many_readers_share_few_probes() {
    let world = World::of(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    let node = world.node(3);
    let reads = (0..1000).map(|_| node.read(Level::Linearizable, soon(5)));
    let began = Instant::now();
    for read in futures::future::join_all(reads).await {
        assert_eq!(value_of(&read.unwrap(), 7), Some(1));
    }
    assert!(began.elapsed() < Duration::from_millis(50), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_wrong_clock_moves_no_replicated_time() {
    let world = World::of(3).await;
    let day_ms = 24 * 3600 * 1000;
    world.write(1, 7, 1).await.unwrap().unwrap();
    let before = world.node(1).read(Level::Local, soon(1)).await.unwrap().stamp_ms;
    world.set_skew(1, day_ms);
    world.set_skew(2, -day_ms);
    sleep(Duration::from_secs(5)).await;
    world.write(1, 7, 2).await.unwrap().unwrap();
    let after = world.node(1).read(Level::Local, soon(1)).await.unwrap().stamp_ms;
    assert!((before..before + 20_000).contains(&after), "{} ms later", after - before);
    // Two of three are a majority.
    world.set_skew(2, day_ms);
    sleep(Duration::from_secs(5)).await;
    world.write(1, 7, 3).await.unwrap().unwrap();
    let moved = world.node(1).read(Level::Local, soon(1)).await.unwrap().stamp_ms;
    assert!(moved >= before + day_ms as u64);
}
