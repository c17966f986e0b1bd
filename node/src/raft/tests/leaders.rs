//! Leaders fall, hand over, and are cut off; what was acknowledged stays.

use std::time::Duration;

use alert_core::{
    pb,
    state::command::{Command, Proposal, Rejection},
};
use prost::Message;
use tokio::time::{Instant, sleep};

use super::world::{World, proposal, soon};
use crate::api::backend::{AdminBackend, Leadership, Level, ProposeError, Store};

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_and_keeps_nothing_back() {
    let mut world = World::of(3).await;
    for value in 1..=50 {
        world.write(1, value, value).await.unwrap().unwrap();
    }
    let killed = Instant::now();
    world.kill(1).await;
    let leader = world.leader().await;
    world.write(leader, 99, 99).await.unwrap().unwrap();
    // The lease, which is the longest time-out, and a random part: three of them are far too long.
    assert!(killed.elapsed() < Duration::from_millis(3000), "{:?}", killed.elapsed());
    for id in [2, 3] {
        // A follower without a leader refuses at once, until its next probe comes back.
        world.until("a quorum is in reach again", |world| !world.node(id).0.pump.without_quorum()).await;
        for key in (1..=50).chain([99]) {
            assert_eq!(world.read(id, Level::Linearizable, key).await, Ok(Some(key)), "node {id}");
        }
    }
    world.start(1).await;
    world.until_ready(1).await;
    assert_eq!(world.read(1, Level::Linearizable, 99).await, Ok(Some(99)));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_restarts_at_once_does_not_resume_its_term() {
    let mut world = World::of(3).await;
    let term = world.node(1).admin().status().await.unwrap().term;
    world.kill(1).await;
    world.start(1).await;
    sleep(Duration::from_millis(50)).await;
    let status = world.node(1).admin().status().await.unwrap();
    assert_ne!((status.role.as_str(), status.term), ("leader", term));
    let leader = world.leader().await;
    assert!(world.node(leader).admin().status().await.unwrap().term > term);
}

#[tokio::test(start_paused = true)]
async fn the_leadership_moves_without_a_failed_write() {
    let world = World::of(3).await;
    let writing = async {
        let mut leader = 1;
        for value in 1..=200 {
            loop {
                match world.write(leader, 7, value).await {
                    Ok(answer) => {
                        answer.unwrap();
                        break;
                    }
                    Err(ProposeError::NotLeader { hint: Some(hint) }) => leader = hint.node_id,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    let moving = async {
        sleep(Duration::from_millis(20)).await;
        let moved = world.node(1).admin().transfer_leader(3, soon(5)).await.unwrap();
        assert_eq!(moved.leader_id, 3);
        // The old leader may hear of it before the new one has said so to its own services.
        let mut leadership = world.node(3).leadership();
        leadership.wait_for(|leadership| matches!(leadership, Leadership::Me { .. })).await.unwrap();
        let best = world.node(3).admin().transfer_leader(0, soon(5)).await.unwrap();
        assert_ne!(best.leader_id, 3);
    };
    let began = Instant::now();
    tokio::join!(writing, moving);
    assert!(began.elapsed() < Duration::from_secs(1), "no election time-out was waited for: {:?}", began.elapsed());
    assert_eq!(world.read(2, Level::Linearizable, 7).await, Ok(Some(200)));
}

#[tokio::test(start_paused = true)]
async fn the_leadership_goes_only_to_a_voter_that_can_be_reached() {
    let mut world = World::of(3).await;
    world.start(4).await;
    world.join(1, 4).await.unwrap();
    world.kill(3).await;
    sleep(Duration::from_millis(100)).await;
    assert!(world.node(1).admin().transfer_leader(3, soon(5)).await.is_err(), "it is gone");
    assert!(world.node(1).admin().transfer_leader(4, soon(5)).await.is_err(), "a learner");
    assert!(world.node(1).admin().transfer_leader(1, soon(5)).await.is_err(), "it leads already");
    assert!(world.node(2).admin().transfer_leader(0, soon(5)).await.is_err(), "it does not lead");
    world.write(1, 7, 1).await.unwrap().unwrap();
    assert_eq!(world.node(1).admin().transfer_leader(0, soon(5)).await.unwrap().leader_id, 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_cut_off_for_a_minute_comes_back_without_an_election() {
    let world = World::of(3).await;
    let term = world.node(1).admin().status().await.unwrap().term;
    world.pipes.cut(3, 1);
    world.pipes.cut(3, 2);
    sleep(Duration::from_secs(60)).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.pipes.heal(3, 1);
    world.pipes.heal(3, 2);
    sleep(Duration::from_secs(5)).await;
    for id in 1..=3 {
        let status = world.node(id).admin().status().await.unwrap();
        assert_eq!((status.leader_id, status.term), (1, term), "node {id}");
    }
    assert_eq!(world.read(3, Level::Linearizable, 7).await, Ok(Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_outcome_is_unknown_is_never_called_refused() {
    let world = World::of(3).await;
    let node = world.node(1);
    world.pipes.cut(1, 2);
    world.pipes.cut(1, 3);
    // Still inside the lease: it goes into the log, and nobody confirms it.
    let outcome = node.propose(proposal(7, 1), soon(1)).await;
    assert_eq!(outcome, Err(ProposeError::MaybeApplied));
    let leader = loop {
        let others =
            [2, 3].into_iter().find(|id| matches!(*world.node(*id).leadership().borrow(), Leadership::Me { .. }));
        match others {
            Some(leader) => break leader,
            None => sleep(Duration::from_millis(10)).await,
        }
    };
    world.write(leader, 8, 2).await.unwrap().unwrap();
    world.pipes.heal(1, 2);
    world.pipes.heal(1, 3);
    world.until("the old leader follows", |world| world.node(1).topology().leader_id == leader).await;
    assert!(
        matches!(world.write(1, 7, 3).await, Err(ProposeError::NotLeader { hint: Some(hint) }) if hint.node_id == leader)
    );
    world.until("a quorum is in reach again", |world| !world.node(1).0.pump.without_quorum()).await;
    assert_eq!(world.read(1, Level::Linearizable, 8).await, Ok(Some(2)));
}

#[tokio::test(start_paused = true)]
async fn without_a_leader_nothing_is_proposed_and_a_held_write_goes_on_when_there_is_one() {
    let mut world = World::of(3).await;
    world.kill(2).await;
    world.kill(3).await;
    // Until the lease is over the leader believes in itself.
    sleep(Duration::from_secs(3)).await;
    let refused = world.write_until(1, 7, 1, soon(1)).await.unwrap_err();
    assert!(matches!(refused, ProposeError::NoLeader | ProposeError::DeadlineExceeded), "{refused:?}");
    let (node, held) = (world.node(1), proposal(7, 2));
    let held = tokio::spawn(async move { node.propose(held, soon(20)).await });
    world.start(2).await;
    let answered = held.await.unwrap();
    let other_leads = matches!(answered, Err(ProposeError::NotLeader { hint: Some(_) }));
    assert!(answered.is_ok() || other_leads, "{answered:?}");
}

#[tokio::test(start_paused = true)]
async fn many_writes_share_entries_large_ones_pass_and_one_too_large_is_refused() {
    let world = World::of(3).await;
    let before = world.node(1).admin().status().await.unwrap().last_log_index;
    let node = world.node(1);
    let writes = (0..2000u64).map(|key| {
        let node = node.clone();
        async move { node.propose(proposal(key, key), soon(10)).await.unwrap().unwrap() }
    });
    futures::future::join_all(writes).await;
    let entries = world.node(1).admin().status().await.unwrap().last_log_index - before;
    assert!(entries < 50, "{entries} entries for 2000 writes at once");
    assert_eq!(world.read(3, Level::Linearizable, 1999).await, Ok(Some(1999)));

    // Twenty entries of almost a megabyte at once, in several messages. Each holds a message
    // that decodes: one that does not is of another version, and stops every node that applies it.
    let large = |bytes: usize| {
        let message = pb::HitMessage { text: "x".repeat(bytes), ..Default::default() }.encode_to_vec();
        let id = alert_core::alert::AlertId::from_bytes([1; 16]);
        Proposal { command: Command::HitMessage { id, message, answers: false }, ..proposal(0, 0) }
    };
    let writes = (0..20).map(|_| node.propose(large(1_000_000), soon(10)));
    for answer in futures::future::join_all(writes).await {
        assert_eq!(answer.unwrap().unwrap_err(), Rejection::NotFound);
    }
    let too_large = node.propose(large(2 << 20), soon(10)).await.unwrap();
    assert!(matches!(too_large, Err(Rejection::LimitReached { .. })), "{too_large:?}");
    world.write(1, 5, 6).await.unwrap().unwrap();
    assert_eq!(world.read(2, Level::Linearizable, 5).await, Ok(Some(6)));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stops_hands_over_first() {
    let mut world = World::of(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    let began = Instant::now();
    world.node(1).shutdown_leadership().await;
    world.kill(1).await;
    let leader = world.leader().await;
    assert_ne!(leader, 1);
    world.write(leader, 7, 2).await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_nobody_uses_renews_its_snapshots_and_cuts_its_log() {
    let mut world = World::new();
    world.log.snapshot_after = Duration::from_secs(10);
    world.form().await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    let built = world.node(1).admin().trigger_snapshot(soon(30)).await.unwrap();
    // An hour by the clocks; the looks themselves go by timers.
    world.set_skew(1, 3_600_000);
    sleep(Duration::from_secs(60)).await;
    world.until_status(1, "another snapshot", |status| status.snapshot_index > built.snapshot_index).await;
}
