//! The feed: no gap, no duplicate, removals that look alike.

use std::time::Duration;

use alert_core::{
    alert::{AlertId, Caller, Role, RuleSet, time::from_ms},
    pb::{self, feed_service_client::FeedServiceClient},
    state::command::{Command, Proposal},
};
use prost::Message;
use tonic::Streaming;

use super::{World, caller, change, code, context, nca, partner, person, refusal_code, under};
use crate::api::tokens::TokenKind;

type Watch = Streaming<pb::WatchResponse>;

async fn watch(world: &World, caller: Caller, context: Option<pb::CallContext>, cursor: Vec<u8>) -> Watch {
    let request = pb::WatchRequest { context, cursor, filter: None };
    FeedServiceClient::new(world.channel(caller).await).watch(request).await.unwrap().into_inner()
}

/// A cursor of now: what a watch from now on says first.
async fn now(world: &World, caller: Caller, context: Option<pb::CallContext>) -> Vec<u8> {
    let mut feed = watch(world, caller, context, Vec::new()).await;
    let message =
        tokio::time::timeout(Duration::from_secs(1), feed.message()).await.expect("at once").unwrap().unwrap();
    let Some(pb::watch_response::Item::Progress(progress)) = message.item else { panic!("no progress mark") };
    assert!(progress.as_of.is_some());
    progress.cursor
}

/// A cursor that no node has given out yet.
fn cursor_ahead(world: &World, revision: u64) -> Vec<u8> {
    let cluster = world.store.cluster.lock().clone();
    world.api.sealer().seal(TokenKind::Feed, &cluster, (revision, [0u8; 8]))
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
    let national = || caller(Role::Search, "met");
    let start = now(&world, national(), context()).await;
    let ids: Vec<_> = (1..=5).map(|number| world.create(number, "arrest")).collect();
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
    let start = now(&world, caller(Role::Search, "met"), context()).await;
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
    let status = loop {
        match tokio::time::timeout(Duration::from_secs(30), feed.message()).await.unwrap() {
            Ok(said) => {
                assert!(said.is_some_and(|said| matches!(said.item, Some(pb::watch_response::Item::Progress(_)))))
            }
            Err(status) => break status,
        }
    };
    assert_eq!(crate::api::detail_of(&status).unwrap().code, "AGREEMENT_NOT_IN_FORCE");
}

#[tokio::test]
async fn a_cursor_that_compaction_overtook_says_how_to_start_again() {
    let world = World::new();
    let start = now(&world, nca(), context()).await;
    (1..=3).for_each(|number| drop(world.create(number, "arrest")));
    let third = now(&world, nca(), context()).await;
    (4..=5).for_each(|number| drop(world.create(number, "arrest")));
    world.run(nca(), Command::CompactFeed { before_revision: 4 });
    let mut feed = watch(&world, nca(), context(), start).await;
    let Some(pb::watch_response::Item::Restart(restart)) = next(&mut feed).await else { panic!("no restart") };
    assert_eq!(restart.code, "COMPACTED");
    let mut feed = watch(&world, nca(), context(), third).await;
    assert_eq!(events(&mut feed, 2).await.len(), 2);
}

#[tokio::test]
async fn a_quiet_feed_says_how_far_it_is() {
    let world = World::new();
    let mut feed = watch(&world, nca(), context(), Vec::new()).await;
    let message = feed.message().await.unwrap().unwrap();
    let Some(pb::watch_response::Item::Progress(progress)) = message.item else { panic!("no progress mark") };
    assert_eq!(progress.as_of, Some(from_ms(super::world::START_MS)));
    let acknowledge = pb::AcknowledgeRequest { context: change(1), cursor: progress.cursor };
    let mut client = FeedServiceClient::new(world.channel(nca()).await);
    client.acknowledge(acknowledge).await.unwrap();
    let ahead = pb::AcknowledgeRequest { context: change(2), cursor: cursor_ahead(&world, 99) };
    assert_eq!(refusal_code(client.acknowledge(ahead).await), "TOKEN_FROM_FUTURE");
}

#[tokio::test]
async fn what_leaves_the_filter_is_a_removal_like_a_deletion() {
    let world = World::new();
    let filter = pb::AlertFilter { categories: vec![code("category", "arrest").unwrap()], ..Default::default() };
    let request = pb::WatchRequest { context: context(), filter: Some(filter), ..Default::default() };
    let channel = world.channel(caller(Role::Search, "met")).await;
    let mut feed = FeedServiceClient::new(channel).watch(request).await.unwrap().into_inner();
    let mut one = async || {
        let Some(pb::watch_response::Item::Events(events)) = next(&mut feed).await else { panic!("no events") };
        let [event] = &events.events[..] else { panic!("{events:?}") };
        event.clone()
    };
    let is_removal = |event: &pb::FeedEvent| matches!(event.change, Some(pb::feed_event::Change::Removal(_)));
    let id = world.create(1, "arrest");
    assert!(!is_removal(&one().await));
    world.create(2, "missing");
    world.run(nca(), update(1, "missing", 1));
    let left = one().await;
    world.run(nca(), update(1, "arrest", 2));
    assert!(!is_removal(&one().await));
    world.run(nca(), cancel(&id));
    let cancelled = one().await;
    assert!(is_removal(&left) && is_removal(&cancelled));
    let plain = |event: &pb::FeedEvent| pb::FeedEvent { cursor: Vec::new(), ..event.clone() };
    assert_eq!(plain(&left), plain(&cancelled), "which of the two it was nobody can tell");
}

/// An alert for a stolen vehicle, kept by the National Crime Agency.
fn vehicle(number: u64) -> pb::Alert {
    let object = pb::Object {
        class: code("object-class", "vehicle"),
        status: code("object-status", "stolen"),
        detail: Some(pb::object::Detail::Vehicle(pb::Vehicle {
            plate: Some(pb::NumberPlate {
                number: format!("AB{number:02}CDE"),
                country: Some(pb::Party { code: "GB".into() }),
            }),
            ..Default::default()
        })),
        ..Default::default()
    };
    let mut core = person(number, "object-seizure").core.unwrap();
    core.subject_kind = pb::SubjectKind::Object as i32;
    core.reason = code("reason", "theft");
    pb::Alert {
        core: Some(core),
        objects: Some(pb::ObjectSection { objects: vec![object] }),
        action: Some(pb::ActionSection { action: code("action", "seize"), ..Default::default() }),
        ..Default::default()
    }
}

/// A watch with a filter, from now on.
async fn filtered(world: &World, filter: pb::AlertFilter) -> Watch {
    let request = pb::WatchRequest { context: context(), filter: Some(filter), ..Default::default() };
    let channel = world.channel(caller(Role::Search, "met")).await;
    FeedServiceClient::new(channel).watch(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_filter_by_object_class_tells_of_these_objects_and_no_others() {
    let world = World::new();
    let boats = pb::AlertFilter { object_classes: vec![code("object-class", "boat").unwrap()], ..Default::default() };
    let vehicles =
        pb::AlertFilter { object_classes: vec![code("object-class", "vehicle").unwrap()], ..Default::default() };
    let (mut boats, mut vehicles) = (filtered(&world, boats).await, filtered(&world, vehicles).await);
    world.create(1, "arrest");
    let car = world.create_alert(2, vehicle(2));
    let mut boat = vehicle(3);
    let object = &mut boat.objects.as_mut().unwrap().objects[0];
    object.class = code("object-class", "boat");
    object.detail =
        Some(pb::object::Detail::Boat(pb::Boat { hull_number: "GB-SYN00003B303".into(), ..Default::default() }));
    let boat = world.create_alert(3, boat);
    assert_eq!(events(&mut vehicles, 1).await, [(car.clone(), true)]);
    assert_eq!(events(&mut boats, 1).await, [(boat.clone(), true)]);
    // The record of the car is about a boat by now: it left the one filter and came into the other.
    let mut other = vehicle(2);
    let object = &mut other.objects.as_mut().unwrap().objects[0];
    object.class = code("object-class", "boat");
    object.detail =
        Some(pb::object::Detail::Boat(pb::Boat { hull_number: "GB-SYN00002B303".into(), ..Default::default() }));
    let command =
        Command::Update { id: AlertId::from_bytes([2; 16]), expected_version: 1, alert: other.encode_to_vec() };
    world.run(nca(), command);
    assert_eq!(events(&mut vehicles, 1).await, [(car.clone(), false)]);
    assert_eq!(events(&mut boats, 1).await, [(car, true)]);
}

#[tokio::test]
async fn a_filter_by_owner_tells_of_this_owners_alerts_and_no_others() {
    let world = World::new();
    let owned_by = |code: &str| pb::AlertFilter { owners: vec![pb::Party { code: code.into() }], ..Default::default() };
    let (mut british, mut french) = (filtered(&world, owned_by("GB")).await, filtered(&world, owned_by("FR")).await);
    let own = world.create(1, "arrest");
    // Received from abroad, and kept here on behalf of its owner.
    let mut foreign = person(2, "arrest");
    foreign.core.as_mut().unwrap().owner.as_mut().unwrap().party = Some(pb::Party { code: "FR".into() });
    let id = AlertId::from_bytes([2; 16]);
    let create = Command::Create { id, alert: foreign.encode_to_vec(), as_draft: false };
    world.store.apply(Proposal { caller: None, request: None, rules_revision: 0, command: create }).unwrap();
    assert_eq!(events(&mut british, 1).await, [(own.clone(), true)]);
    assert_eq!(events(&mut french, 1).await, [(id.to_string(), true)]);
    world.run(nca(), cancel(&own));
    let by = Command::Cancel { id, expected_version: 0, reason: "executed".into(), by: "desk".into() };
    world.store.apply(Proposal { caller: None, request: None, rules_revision: 0, command: by }).unwrap();
    assert_eq!(events(&mut british, 1).await, [(own, false)]);
    assert_eq!(events(&mut french, 1).await, [(id.to_string(), false)]);
}

#[tokio::test]
async fn an_erased_alert_leaves_nothing_but_removals_in_the_feed() {
    let world = World::new();
    let start = now(&world, nca(), context()).await;
    let id = world.create(1, "arrest");
    world.run(nca(), update(1, "missing", 1));
    world.run(nca(), Command::Erase { id: id.parse().unwrap(), ground: "court order".into(), by: "desk".into() });
    let mut feed = watch(&world, nca(), context(), start).await;
    assert_eq!(events(&mut feed, 3).await, [(id.clone(), false), (id.clone(), false), (id, false)]);
}

#[tokio::test]
async fn who_was_away_while_its_agreement_changed_begins_anew() {
    let world = World::new();
    world.agree("fr-1");
    let cursor = now(&world, partner(), under("fr-1")).await;
    world.create(1, "arrest");
    // Suspended and resumed: in force again, and another version.
    world.set_agreement("fr-1", pb::AgreementState::Suspended);
    world.set_agreement("fr-1", pb::AgreementState::Active);
    // The change itself may be out of the feed by now.
    let mut feed = watch(&world, partner(), under("fr-1"), cursor).await;
    let Some(pb::watch_response::Item::Restart(restart)) = next(&mut feed).await else { panic!("no restart") };
    assert_eq!(restart.code, "RESYNC");
}

#[tokio::test]
async fn a_cursor_goes_on_with_the_question_it_was_given_for() {
    let world = World::new();
    let cursor = now(&world, nca(), context()).await;
    let filter = pb::AlertFilter { owners: vec![pb::Party { code: "GB".into() }], ..Default::default() };
    let request = pb::WatchRequest { context: context(), cursor: cursor.clone(), filter: Some(filter) };
    let mut feed = FeedServiceClient::new(world.channel(nca()).await).watch(request).await.unwrap().into_inner();
    let Some(pb::watch_response::Item::Restart(restart)) = next(&mut feed).await else { panic!("no restart") };
    assert_eq!(restart.code, "RESYNC");
    // Another authority sees other alerts: what was sent to one is no copy of the other's.
    let mut feed = watch(&world, caller(Role::Bureau, "met"), context(), cursor).await;
    assert!(matches!(next(&mut feed).await, Some(pb::watch_response::Item::Restart(_))));
}

#[tokio::test]
async fn a_cursor_ahead_of_the_node_waits_and_is_no_error() {
    let world = World::new();
    world.create(1, "arrest");
    let mut feed = watch(&world, nca(), context(), cursor_ahead(&world, 1000)).await;
    // It says how far it is: as far as the cursor, and not from when, since this node does not know.
    let message = tokio::time::timeout(Duration::from_secs(30), feed.message()).await.unwrap().unwrap().unwrap();
    let answer = message.answer.unwrap();
    assert_eq!((answer.level(), answer.node.as_str()), (pb::ReadLevel::Bounded, "node-1"));
    assert!(answer.rules.is_some() && answer.staleness_bound.is_some(), "the whole context");
    let Some(pb::watch_response::Item::Progress(progress)) = message.item else { panic!("no progress mark") };
    assert_eq!(progress.as_of, None);
    let position: (u64, [u8; 8]) =
        world.api.sealer().open(TokenKind::Feed, &world.store.cluster.lock(), &progress.cursor).unwrap();
    assert_eq!(position.0, 1000);
}

#[tokio::test]
async fn acknowledgements_prove_the_sharing_timescale() {
    use alert_core::pb::agreement_service_client::AgreementServiceClient;
    let world = World::new();
    let mut agreed = super::world::agreement("fr-1");
    agreed.sharing_timescale = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    world.run(nca(), Command::PutAgreement { agreement: agreed.encode_to_vec(), expected_version: 0 });
    let pass = |seconds: u64| world.clock.0.fetch_add(seconds * 1000, std::sync::atomic::Ordering::Relaxed);
    let mut feed = FeedServiceClient::new(world.channel(partner()).await);
    let mut sequence = 0;
    let mut acknowledge = async || {
        sequence += 1;
        let cursor = now(&world, partner(), under("fr-1")).await;
        let context = pb::CallContext { request_id: change(sequence).unwrap().request_id, ..under("fr-1").unwrap() };
        feed.acknowledge(pb::AcknowledgeRequest { context: Some(context), cursor }).await.unwrap();
    };
    let mut keeper = AgreementServiceClient::new(world.channel(caller(Role::Policy, "x")).await);
    let mut told = async || {
        let get = pb::GetAgreementRequest { context: context(), agreement_id: "fr-1".into(), ..Default::default() };
        let told = keeper.get(get).await.unwrap().into_inner().acknowledgements;
        let [told] = &told[..] else { panic!("one system acknowledges: {told:?}") };
        assert_eq!((told.authority.as_str(), told.system.as_str()), ("pjudiciaire", "desk"));
        (told.slowest.unwrap().seconds, told.oldest_waiting.map(|age| age.seconds), told.within_timescale)
    };
    acknowledge().await;
    assert_eq!(told().await, (0, None, Some(true)));
    // What it may not see does not count against it.
    world.create(1, "discreet-check");
    pass(3600);
    assert_eq!(told().await, (0, None, Some(true)));
    world.create(2, "arrest");
    pass(40);
    assert_eq!(told().await, (0, Some(40), Some(true)));
    acknowledge().await;
    assert_eq!(told().await, (40, None, Some(true)));
    // Too late, and known while it lasts; later too.
    world.create(3, "arrest");
    pass(61);
    assert_eq!(told().await, (40, Some(61), Some(false)));
    acknowledge().await;
    assert_eq!(told().await, (61, None, Some(false)));
    world.create(4, "arrest");
    pass(1);
    acknowledge().await;
    assert_eq!(told().await, (61, None, Some(false)), "the slowest is kept");
}

#[tokio::test]
async fn a_progress_mark_claims_no_more_than_the_state_behind_it_is_proven_to_hold() {
    let world = World::new();
    *world.store.staleness.lock() = Some(Duration::from_millis(400));
    let mut feed = watch(&world, nca(), context(), Vec::new()).await;
    let message = feed.message().await.unwrap().unwrap();
    let Some(pb::watch_response::Item::Progress(progress)) = message.item else { panic!("no progress mark") };
    assert_eq!(progress.as_of, Some(from_ms(super::world::START_MS - 400)));
}

#[tokio::test]
async fn a_caller_whom_the_rules_place_elsewhere_begins_anew() {
    let world = World::new();
    let cursor = now(&world, caller(Role::Search, "border-force"), context()).await;
    // Suspensions have territories: from now on other alerts are in its sight, and no alert has changed.
    let mut documents = RuleSet::default_rules().into_iter();
    let mut rules = documents.find(|rules| matches!(rules.rules, Some(pb::rules::Rules::CodeLists(_)))).unwrap();
    let Some(pb::rules::Rules::CodeLists(lists)) = &mut rules.rules else { panic!("the code lists") };
    let authorities = lists.lists.iter_mut().find(|list| list.name == "authority").unwrap();
    let entry = authorities.entries.iter_mut().find(|entry| entry.value == "border-force").unwrap();
    entry.attributes.insert("territory".into(), "GB-SCT".into());
    world.run(nca(), Command::PutRules { rules: rules.encode_to_vec(), expected_version: rules.version });
    let mut feed = watch(&world, caller(Role::Search, "border-force"), context(), cursor.clone()).await;
    let Some(pb::watch_response::Item::Restart(restart)) = next(&mut feed).await else { panic!("no restart") };
    assert_eq!(restart.code, "RESYNC");
}
