//! What each read level promises, on every node, whatever happens.

use std::time::Duration;

use alert_core::{
    alert::{RuleSet, StoredAlert},
    pb,
    state::{
        FeedEntries, Meta,
        command::{Command, Proposal},
        family::Family,
        next_due_ms, rule_kind,
    },
};
use prost::Message;
use tokio::time::{Instant, sleep};

use super::world::{START_MS, World, proposal, soon, value_of};
use crate::{
    api::backend::{AdminBackend, Level, ReadError, ReadHandle, Store},
    seam::Lane,
    storage::testing::{alert_id, creation},
};

const SECOND: Duration = Duration::from_secs(1);

/// How old what a node answers from may be by now.
fn age(world: &World, id: u64, handle: &ReadHandle) -> Option<Duration> {
    handle.age_at(world.host(id).clock.boot())
}

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
        // It refuses at once, and virtual time only passes where somebody waits.
        sleep(Duration::from_millis(1)).await;
    }
    assert!(newer.is_some());
    // Without a quorum: what is here, marked as such.
    let local = world.node(1).read(Level::Local, soon(1)).await.unwrap();
    assert!(local.without_quorum);
    let age = age(&world, 1, &local).unwrap();
    assert!(age > Duration::from_secs(3), "{age:?}");
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
            let age = age(&world, id, &handle).unwrap();
            assert!(age <= bound, "{age:?}");
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

#[tokio::test(start_paused = true)]
async fn every_level_is_served_on_leader_follower_and_learner() {
    let mut world = World::of(3).await;
    world.start(4).await;
    world.join(1, 4).await.unwrap();
    world.until_ready(4).await;
    for value in 1..=20 {
        let done = world.write(1, 7, value).await.unwrap().unwrap();
        for id in 1..=4 {
            for level in [Level::Linearizable, Level::Session { revision: done.revision }, Level::Bounded(SECOND)] {
                let handle = world.node(id).read(level, soon(5)).await.unwrap();
                let fresh = !matches!(level, Level::Bounded(_));
                assert!(!fresh || value_of(&handle, 7) == Some(value), "node {id}, {level:?}");
                assert!(age(&world, id, &handle).is_some_and(|age| age <= SECOND), "node {id}, {level:?}");
                assert!(!handle.without_quorum);
            }
            assert!(world.read(id, Level::Local, 7).await.unwrap().is_some());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_knows_it_is_cut_off_refuses_at_once_and_comes_back_by_itself() {
    let world = World::of(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.pipes.cut(3, 1);
    world.pipes.cut(3, 2);
    sleep(Duration::from_millis(1500)).await;
    for level in [Level::Linearizable, Level::Bounded(SECOND)] {
        let asked = Instant::now();
        assert_eq!(world.read(3, level, 7).await, Err(ReadError::NoQuorum), "{level:?}");
        assert!(asked.elapsed() < Duration::from_millis(5), "{level:?}: {:?}", asked.elapsed());
    }
    // What it has seen before it still gives to those that ask for no more.
    assert_eq!(world.read(3, Level::Session { revision: 1 }, 7).await, Ok(Some(1)));
    // What it has not seen it cannot come to see: not at the deadline, but soon.
    let done = world.write(1, 7, 2).await.unwrap().unwrap();
    let asked = Instant::now();
    let refused = world.read(3, Level::Session { revision: done.revision }, 7).await;
    assert_eq!(refused, Err(ReadError::NoQuorum));
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    world.pipes.heal(3, 1);
    world.pipes.heal(3, 2);
    world.until("its probes come back", |world| !world.node(3).0.pump.without_quorum()).await;
    assert_eq!(world.read(3, Level::Linearizable, 7).await, Ok(Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_receives_a_snapshot_refuses_at_once_whoever_would_have_to_wait_for_it() {
    let mut world = World::new();
    world.log.keep_entries = 0;
    world.log.keep_bytes = 0;
    world.log.snapshot_after_bytes = 1 << 40;
    let mut world = world.formed(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.until("node 3 has it", |world| world.node(3).applied().borrow().revision >= 1).await;
    world.pipes.cut(3, 1);
    world.pipes.cut(3, 2);
    for value in 2..=1500 {
        world.write(1, 7, value).await.unwrap().unwrap();
    }
    world.node(1).admin().trigger_snapshot(soon(10)).await.unwrap();
    world.until_status(1, "the log is cut", |status| status.purged_index >= 1500).await;
    // From now on a snapshot takes its time: the leader is another one after its restart.
    for id in [1, 2] {
        world.snapshot_bytes_per_second = Some(20_000);
        world.kill(id).await;
        world.start(id).await;
        world.leader().await;
        world.until_ready(id).await;
    }
    let leader = world.leader().await;
    world.node(leader).admin().trigger_snapshot(soon(10)).await.unwrap();
    world.until_status(leader, "the log is cut", |status| status.purged_index >= 1500).await;
    let term = world.node(leader).admin().status().await.unwrap().term;
    world.pipes.heal(3, 1);
    world.pipes.heal(3, 2);
    let receiving = world.node(3).snapshots_under_way();
    world.until("a snapshot is on its way", |_| *receiving.borrow() > 0).await;
    world.until("its probes come back", |world| !world.node(3).0.pump.without_quorum()).await;
    for level in [Level::Linearizable, Level::Bounded(SECOND), Level::Session { revision: 1400 }] {
        let asked = Instant::now();
        let refused = world.read(3, level, 7).await;
        assert!(matches!(refused, Err(ReadError::NotReady { .. })), "{level:?}: {refused:?}");
        assert!(asked.elapsed() < Duration::from_millis(100), "{level:?}: {:?}", asked.elapsed());
    }
    assert_eq!(world.read(3, Level::Local, 7).await, Ok(Some(1)));
    world.until("it is installed", |world| world.node(3).applied().borrow().revision >= 1400).await;
    assert_eq!(world.read(3, Level::Linearizable, 7).await, Ok(Some(1500)));
    // Heartbeats went by while the snapshot came: nobody missed the leader.
    assert_eq!(world.node(leader).admin().status().await.unwrap().term, term);
}

#[tokio::test(start_paused = true)]
async fn a_node_far_behind_refuses_at_once_and_one_a_little_behind_waits() {
    let mut world = World::new();
    world.lag_entries_max = Some(10);
    let world = world.formed(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.until("node 3 has it", |world| world.node(3).applied().borrow().revision >= 1).await;
    // Node 3 takes what the leader sends, is told how far the log is, and applies nothing.
    world.hold(3, Lane::Apply);
    let done = world.write(1, 7, 2).await.unwrap().unwrap();
    sleep(SECOND + Duration::from_millis(500)).await;
    let node = world.node(3);
    let mut waiting = Vec::new();
    for level in [Level::Linearizable, Level::Bounded(SECOND), Level::Session { revision: done.revision }] {
        let mut read = node.read(level, soon(60));
        assert!(tokio::time::timeout(Duration::from_millis(500), &mut read).await.is_err(), "{level:?} waits");
        waiting.push(read);
    }
    let mut newest = done.revision;
    for value in 3..=40 {
        newest = world.write(1, 7, value).await.unwrap().unwrap().revision;
    }
    sleep(SECOND + Duration::from_millis(500)).await;
    for level in [Level::Linearizable, Level::Bounded(SECOND), Level::Session { revision: newest }] {
        let asked = Instant::now();
        let refused = world.read(3, level, 7).await;
        let Err(ReadError::Behind { lag_entries }) = refused else { panic!("{level:?}: {refused:?}") };
        assert!((38..60).contains(&lag_entries), "{level:?}: {lag_entries}");
        assert!(asked.elapsed() < Duration::from_millis(100), "{level:?}: {:?}", asked.elapsed());
    }
    assert_eq!(world.read(3, Level::Local, 7).await, Ok(Some(1)));
    assert_eq!(world.read(3, Level::Session { revision: 1 }, 7).await, Ok(Some(1)));
    world.release(3, Lane::Apply);
    for read in waiting {
        assert!(value_of(&read.await.unwrap(), 7) >= Some(2));
    }
    for level in [Level::Linearizable, Level::Session { revision: newest }] {
        assert_eq!(world.read(3, level, 7).await, Ok(Some(40)), "{level:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_snapshot_takes_the_place_of_its_state_a_node_serves_no_level() {
    let world = World::of(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.until("node 3 has it", |world| world.node(3).applied().borrow().revision >= 1).await;
    [1, 2].into_iter().for_each(|other| world.pipes.cut(3, other));
    for value in 2..=50 {
        world.write(1, 7, value).await.unwrap().unwrap();
    }
    let built = world.node(1).admin().trigger_snapshot(soon(10)).await.unwrap();
    world.cut_log(1, built.snapshot_index).await;
    world.hold(3, Lane::Snapshot);
    [1, 2].into_iter().for_each(|other| world.pipes.heal(3, other));
    let is_installing = || {
        let refused = world.node(3).0.reads.check_ready();
        matches!(refused, Err(ReadError::NotReady { reason }) if reason == "it installs a snapshot")
    };
    // Piece by piece, up to the swap.
    for _ in 0..10_000 {
        if is_installing() {
            break;
        }
        world.do_one(3, Lane::Snapshot);
        sleep(Duration::from_millis(1)).await;
    }
    assert!(is_installing());
    let session = Level::Session { revision: 1 };
    for level in [Level::Local, session, Level::Bounded(Duration::from_secs(3600)), Level::Linearizable] {
        let asked = Instant::now();
        let refused = world.read(3, level, 7).await;
        assert!(matches!(refused, Err(ReadError::NotReady { .. })), "{level:?}: {refused:?}");
        assert!(asked.elapsed() < Duration::from_millis(10), "{level:?}: {:?}", asked.elapsed());
    }
    world.until("it says so", |world| !*world.node(3).ready().borrow()).await;
    world.release(3, Lane::Snapshot);
    world.until_ready(3).await;
    for level in [Level::Local, session, Level::Linearizable] {
        assert_eq!(world.read(3, level, 7).await, Ok(Some(50)), "{level:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_alert_expires_on_every_node_once_a_majority_of_clocks_says_that_it_has_ended() {
    let world = World::of(3).await;
    world.node(1).propose(creation(1), soon(5)).await.unwrap().unwrap();
    let state_on = |world: &World, id| {
        let handle = world.node(id).0.reads.newest().unwrap();
        let stored = handle.view.get(Family::Alerts, alert_id(1).as_bytes()).unwrap();
        stored.map(|bytes| StoredAlert::decode_header(&bytes).unwrap().state)
    };
    let (active, expired) = (Some(pb::AlertState::Active as i32), Some(pb::AlertState::Expired as i32));
    for id in 1..=3 {
        world.until("the alert is in force", |world| state_on(world, id) == active).await;
    }
    let ends_ms = next_due_ms(&*world.node(1).0.reads.newest().unwrap().view).unwrap().unwrap();
    let beyond_ms = i64::try_from(ends_ms - START_MS).unwrap() + 1000;
    // The leader's own clock is the wrong one, and it is the leader that proposes what falls due.
    world.set_skew(1, beyond_ms);
    sleep(Duration::from_secs(30)).await;
    for id in 1..=3 {
        assert_eq!(state_on(&world, id), active, "one clock is no majority: node {id}");
    }
    world.set_skew(2, beyond_ms);
    for id in 1..=3 {
        world.until("the alert has expired", |world| state_on(world, id) == expired).await;
    }
}

#[tokio::test(start_paused = true)]
async fn old_changes_leave_the_feed_once_a_majority_of_clocks_says_that_they_are_old() {
    let world = World::of(3).await;
    // Any change will do: the search profile, put once more.
    let mut defaults = RuleSet::default_rules().into_iter();
    let profile = defaults.find(|rules| rule_kind(rules) == pb::RuleKind::SearchProfile).unwrap();
    let command = Command::PutRules { rules: profile.encode_to_vec(), expected_version: profile.version };
    world.node(1).propose(Proposal { command, ..proposal(0, 0) }, soon(5)).await.unwrap().unwrap();
    let compacted = |world: &World| {
        let handle = world.node(1).0.reads.newest().unwrap();
        (
            Meta::read(&*handle.view).unwrap().feed_compacted_before,
            FeedEntries::after(&*handle.view, 0).unwrap().next_entry(),
        )
    };
    assert!(matches!(compacted(&world), (0, Ok(Some(_)))));
    let month_ms = 31 * 24 * 3600 * 1000;
    world.set_skew(1, month_ms);
    sleep(Duration::from_secs(130)).await;
    assert!(matches!(compacted(&world), (0, Ok(Some(_)))), "one clock is no majority");
    world.set_skew(2, month_ms);
    sleep(Duration::from_secs(61)).await;
    world.until("the feed is compacted", |world| compacted(world).0 > 0).await;
    assert!(matches!(compacted(&world).1, Ok(None)));
}
