//! The feed: no gap, no duplicate, removals that look alike.

use std::time::Duration;

use alert_core::{
    alert::{AlertId, Caller, Role},
    pb::{self, feed_service_client::FeedServiceClient},
    state::command::Command,
};
use prost::Message;
use tonic::Streaming;

use super::{World, caller, change, context, nca, partner, person, refusal_code, under};
use crate::api::feed::feed_cursor;

type Watch = Streaming<pb::WatchResponse>;

async fn watch(world: &World, caller: Caller, context: Option<pb::CallContext>, cursor: Vec<u8>) -> Watch {
    let request = pb::WatchRequest { context, cursor, filter: None };
    FeedServiceClient::new(world.channel(caller).await).watch(request).await.unwrap().into_inner()
}

/// The next message that is no progress mark.
async fn next(watch: &mut Watch) -> Option<pb::watch_response::Item> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(30), watch.message());
        match message.await.expect("the feed says something in time").unwrap()?.item.unwrap() {
            pb::watch_response::Item::Progress(_) => {}
            item => return Some(item),
        }
    }
}

/// (id, true for an upsert) of the next events.
async fn events(watch: &mut Watch, count: usize) -> Vec<(String, bool)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let Some(pb::watch_response::Item::Events(events)) = next(watch).await else { panic!("after {seen:?}") };
        for event in events.events {
            let upsert = matches!(event.change, Some(pb::feed_event::Change::Upsert(_)));
            seen.push((event.alert_id, upsert));
        }
    }
    seen
}

fn cancel(id: &str) -> Command {
    Command::Cancel { id: id.parse().unwrap(), expected_version: 0, reason: "executed".into(), by: "desk".into() }
}

fn update(number: u8, category: &str, expected_version: u64) -> Command {
    let alert = person(number.into(), category).encode_to_vec();
    Command::Update { id: AlertId::from_bytes([number; 16]), expected_version, alert }
}

#[tokio::test]
async fn changes_come_in_order_and_only_what_the_caller_sees() {
    let world = World::new();
    world.agree("fr-1");
    let mut feed = watch(&world, partner(), under("fr-1"), Vec::new()).await;
    let first = world.create(1, "arrest");
    world.create(2, "discreet-check");
    let third = world.create(3, "arrest");
    assert_eq!(events(&mut feed, 2).await, [(first.clone(), true), (third.clone(), true)]);
    // Cancelled, and gone covert: to the partner both are removals.
    world.run(nca(), cancel(&first));
    world.run(nca(), update(3, "discreet-check", 1));
    assert_eq!(events(&mut feed, 2).await, [(first, false), (third.clone(), false)]);
    world.run(nca(), update(3, "arrest", 2));
    assert_eq!(events(&mut feed, 1).await, [(third, true)]);
}

#[tokio::test]
async fn a_watch_goes_on_after_its_cursor_without_gap_or_duplicate() {
    let world = World::new();
    let start = feed_cursor(&world.api, 0);
    let ids: Vec<_> = (1..=5).map(|number| world.create(number, "arrest")).collect();
    let national = || caller(Role::Search, "met");
    let mut feed = watch(&world, national(), context(), start).await;
    let Some(pb::watch_response::Item::Events(all)) = next(&mut feed).await else { panic!("no events") };
    assert_eq!(all.events.iter().map(|event| event.alert_id.clone()).collect::<Vec<_>>(), ids);
    for (position, event) in all.events.iter().enumerate() {
        let other = world.second_node();
        let mut resumed = watch(&other, national(), context(), event.cursor.clone()).await;
        other.store.applied.send_replace(*world.store.applied.borrow());
        let rest = &ids[position + 1..];
        assert_eq!(events(&mut resumed, rest.len()).await.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), rest);
    }
}

#[tokio::test]
async fn what_was_cancelled_since_is_never_shown_to_who_comes_late() {
    let world = World::new();
    let start = feed_cursor(&world.api, 0);
    let id = world.create(1, "arrest");
    world.run(nca(), cancel(&id));
    let mut feed = watch(&world, caller(Role::Search, "met"), context(), start).await;
    assert!(events(&mut feed, 1).await.iter().all(|(_, upsert)| !upsert));
}

#[tokio::test]
async fn an_agreement_that_changes_ends_the_stream() {
    let world = World::new();
    world.agree("fr-1");
    let mut feed = watch(&world, partner(), under("fr-1"), Vec::new()).await;
    world.create(1, "arrest");
    events(&mut feed, 1).await;
    let mut wider = super::world::agreement("fr-1");
    wider.covert = true;
    let command = Command::PutAgreement { agreement: wider.encode_to_vec(), expected_version: 1 };
    world.run(nca(), command);
    let Some(pb::watch_response::Item::Restart(restart)) = next(&mut feed).await else { panic!("no restart") };
    assert_eq!(restart.code, "RESYNC");
    assert!(next(&mut feed).await.is_none());
}

#[tokio::test]
async fn a_suspended_agreement_ends_the_stream_too() {
    let world = World::new();
    world.agree("fr-1");
    let mut feed = watch(&world, partner(), under("fr-1"), Vec::new()).await;
    world.set_agreement("fr-1", pb::AgreementState::Suspended);
    let status = tokio::time::timeout(Duration::from_secs(30), feed.message()).await.unwrap().unwrap_err();
    assert_eq!(crate::api::detail_of(&status).unwrap().code, "AGREEMENT_NOT_IN_FORCE");
}

#[tokio::test]
async fn a_cursor_that_compaction_overtook_says_how_to_start_again() {
    let world = World::new();
    let start = feed_cursor(&world.api, 0);
    (1..=5).for_each(|number| drop(world.create(number, "arrest")));
    world.run(nca(), Command::CompactFeed { before_revision: 4 });
    let mut feed = watch(&world, nca(), context(), start).await;
    let Some(pb::watch_response::Item::Restart(restart)) = next(&mut feed).await else { panic!("no restart") };
    assert_eq!(restart.code, "COMPACTED");
    let mut feed = watch(&world, nca(), context(), feed_cursor(&world.api, 3)).await;
    assert_eq!(events(&mut feed, 2).await.len(), 2);
}

#[tokio::test]
async fn a_quiet_feed_says_how_far_it_is() {
    let world = World::new();
    let mut feed = watch(&world, nca(), context(), Vec::new()).await;
    let message = feed.message().await.unwrap().unwrap();
    let Some(pb::watch_response::Item::Progress(progress)) = message.item else { panic!("no progress mark") };
    let acknowledge = pb::AcknowledgeRequest { context: change(1), cursor: progress.cursor };
    let mut client = FeedServiceClient::new(world.channel(nca()).await);
    client.acknowledge(acknowledge).await.unwrap();
    let ahead = pb::AcknowledgeRequest { context: change(2), cursor: feed_cursor(&world.api, 99) };
    assert_eq!(refusal_code(client.acknowledge(ahead).await), "TOKEN_FROM_FUTURE");
}
