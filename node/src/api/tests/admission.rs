//! Admission: what the node does not take on it refuses at once, with the time to wait, and never the wrong caller.

use std::time::Duration;

use alert_core::{alert::Role, pb, state::command::Command};
use futures::StreamExt;
use prost::Message;
use tonic::{Code, Status};

use super::{World, caller, context, nca, partner, under};
use crate::api::{
    AdmissionLimits, ApiOptions, Deadline,
    admission::{CallerKey, Class},
    detail_of,
    tokens::TokenKind,
};

fn with(admission: AdmissionLimits) -> World {
    World::with(ApiOptions { admission, ..ApiOptions::default() })
}

fn search(context: Option<pb::CallContext>) -> pb::SearchRequest {
    let query = pb::Query { any_number: "500000001".into(), ..Default::default() };
    pb::SearchRequest { context, query: Some(query), ..Default::default() }
}

/// The code of a refusal that tells how long to wait, and that time.
fn wait(status: &Status) -> (String, Duration) {
    assert_eq!(status.code(), Code::ResourceExhausted);
    let detail = detail_of(status).expect("a refusal carries a detail");
    assert!(detail.retryable);
    let retry_after = detail.retry_after.expect("the time to wait").try_into().unwrap();
    (detail.code, retry_after)
}

#[tokio::test]
async fn a_caller_has_so_many_calls_a_second_and_another_one_its_own() {
    let world = with(AdmissionLimits { caller_calls_per_s: 2, caller_burst_calls: 3, ..AdmissionLimits::default() });
    let mut one = world.search(caller(Role::Search, "met")).await;
    for _ in 0..3 {
        one.search(search(context())).await.unwrap();
    }
    let (code, retry_after) = wait(&one.search(search(context())).await.unwrap_err());
    assert_eq!((code.as_str(), retry_after), ("QUOTA_EXCEEDED", Duration::from_millis(500)));
    world.search(caller(Role::Search, "psni")).await.search(search(context())).await.unwrap();
    // After the time that it was told.
    world.clock.0.fetch_add(500, std::sync::atomic::Ordering::Relaxed);
    one.search(search(context())).await.unwrap();
    assert_eq!(world.audit.entries.lock().len(), 5, "who is turned away was not looked at, and is not logged");
}

#[tokio::test]
async fn an_agreement_says_how_many_calls_a_second_at_once_and_a_day() {
    let world = World::new();
    let mut agreed = super::world::agreement("fr-1");
    agreed.quota = Some(pb::Quota { per_second: 1, burst: 2, per_day: 4 });
    world.run(nca(), Command::PutAgreement { agreement: agreed.encode_to_vec(), expected_version: 0 });
    let pass = |seconds: u64| world.clock.0.fetch_add(seconds * 1000, std::sync::atomic::Ordering::Relaxed);
    let mut client = world.search(partner()).await;
    for _ in 0..2 {
        client.search(search(under("fr-1"))).await.unwrap();
    }
    let (code, retry_after) = wait(&client.search(search(under("fr-1"))).await.unwrap_err());
    assert_eq!((code.as_str(), retry_after), ("QUOTA_EXCEEDED", Duration::from_secs(1)));
    // A batch counts its queries.
    pass(10);
    let keyed = |key: &str| pb::KeyedQuery { key: key.into(), query: search(None).query };
    let batch = |keys: &[&str]| {
        let queries = keys.iter().map(|key| keyed(key)).collect();
        tokio_stream::iter([pb::SearchBatchRequest { context: under("fr-1"), queries, ..Default::default() }])
    };
    let mut answers = client.search_batch(batch(&["a", "b", "c"])).await.unwrap().into_inner();
    wait(&answers.message().await.unwrap_err());
    let mut answers = client.search_batch(batch(&["a", "b"])).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().answers.len(), 2);
    // Four today: however long it waits, that is all until midnight.
    pass(100);
    let (_, retry_after) = wait(&client.search(search(under("fr-1"))).await.unwrap_err());
    assert!(retry_after > Duration::from_secs(60), "{retry_after:?}");
    pass(retry_after.as_secs() + 1);
    client.search(search(under("fr-1"))).await.unwrap();
    world.search(caller(Role::Search, "met")).await.search(search(context())).await.unwrap();
}

/// How many of twenty reads of one caller, none of which can be answered, are refused at once, how many wait until their
/// deadline, and what a read of another caller comes to.
async fn crowd(admission: AdmissionLimits) -> (usize, usize, Code) {
    let world = with(admission);
    // A token that this node has not reached: reads wait for it.
    let cluster = world.store.cluster.lock().clone();
    let token = world.api.sealer().seal(TokenKind::Session, &cluster, 1000u64);
    let read = Some(pb::ReadOptions { level: pb::ReadLevel::Session as i32, token, ..Default::default() });
    let asked = |authority: &'static str| {
        let (world, read) = (&world, read.clone());
        async move {
            let mut client = world.search(caller(Role::Search, authority)).await;
            let mut request = tonic::Request::new(pb::SearchRequest { read, ..search(context()) });
            request.set_timeout(Duration::from_secs(2));
            let status = client.search(request).await.unwrap_err();
            if status.code() == Code::ResourceExhausted {
                assert_eq!(wait(&status).0, "OVERLOADED");
            }
            status.code()
        }
    };
    let many = futures::future::join_all((0..20).map(|_| asked("met")));
    let other = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        asked("psni").await
    };
    let (codes, other) = tokio::join!(many, other);
    let count = |code| codes.iter().filter(|one| **one == code).count();
    (count(Code::ResourceExhausted), count(Code::DeadlineExceeded), other)
}

#[tokio::test(start_paused = true)]
async fn reads_that_wait_for_their_level_are_bounded_and_the_rest_is_refused_at_once() {
    let limits = AdmissionLimits { linearizable_waiting_max: 5, ..AdmissionLimits::default() };
    // The five are one caller's: another one has a share of its own.
    assert_eq!(crowd(limits).await, (15, 5, Code::DeadlineExceeded));
}

#[tokio::test(start_paused = true)]
async fn unary_reads_under_way_are_bounded_and_the_rest_is_refused_at_once() {
    let limits = AdmissionLimits { searches_waiting_max: 7, ..AdmissionLimits::default() };
    assert_eq!(crowd(limits).await, (13, 7, Code::DeadlineExceeded));
}

fn passengers(keys: &[&str]) -> pb::SearchBatchRequest {
    let keyed = |key: &&str| pb::KeyedQuery { key: (*key).into(), query: search(None).query };
    pb::SearchBatchRequest { context: context(), queries: keys.iter().map(keyed).collect(), ..Default::default() }
}

/// A passenger list that goes on for as long as its sender likes, after one message.
fn batch(keys: &[&str]) -> impl futures::Stream<Item = pb::SearchBatchRequest> + Send + use<> {
    tokio_stream::iter([passengers(keys)]).chain(futures::stream::pending())
}

#[tokio::test]
async fn batches_are_bounded_and_one_that_ends_makes_room() {
    let world = with(AdmissionLimits { batches_open_max: 2, ..AdmissionLimits::default() });
    let mut client = world.search(caller(Role::Search, "met")).await;
    let (list, messages) = tokio::sync::mpsc::channel(1);
    list.send(passengers(&["a"])).await.unwrap();
    let first = client.search_batch(tokio_stream::wrappers::ReceiverStream::new(messages)).await.unwrap();
    let mut first = first.into_inner();
    let mut second = client.search_batch(batch(&["a"])).await.unwrap().into_inner();
    let (code, _) = wait(&client.search_batch(batch(&["a"])).await.unwrap_err());
    assert_eq!(code, "OVERLOADED");
    // Another caller has a share, and an officer's search is of another class.
    let mut other = world.search(caller(Role::Search, "psni")).await;
    let mut others = other.search_batch(tokio_stream::iter([passengers(&["a"])])).await.unwrap().into_inner();
    client.search(search(context())).await.unwrap();
    assert_eq!(second.message().await.unwrap().unwrap().answers.len(), 1);
    drop(list);
    for answers in [&mut first, &mut others] {
        assert_eq!(answers.message().await.unwrap().unwrap().answers.len(), 1);
        assert_eq!(answers.message().await.unwrap(), None);
    }
    // The node hears of it over the connection.
    for _ in 0..1000 {
        if client.search_batch(batch(&["a"])).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the stream that ended keeps its place");
}

#[tokio::test(start_paused = true)]
async fn a_batch_counts_its_queries_and_is_held_back_rather_than_refused() {
    let limits = AdmissionLimits { caller_calls_per_s: 2, caller_burst_calls: 4, ..AdmissionLimits::default() };
    let world = with(limits);
    let mut client = world.search(caller(Role::Search, "met")).await;
    let mut answers = client.search_batch(batch(&["a", "b", "c"])).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().answers.len(), 3);
    // Four calls are spent: the stream and its queries. A search is refused, the next list waits.
    world.clock.0.fetch_add(500, std::sync::atomic::Ordering::Relaxed);
    let mut answers = client.search_batch(batch(&["a", "b"])).await.unwrap().into_inner();
    assert_eq!(wait(&client.search(search(context())).await.unwrap_err()).0, "QUOTA_EXCEEDED");
    let mut message = Box::pin(answers.message());
    assert!(tokio::time::timeout(Duration::from_secs(3), &mut message).await.is_err(), "answered before its time");
    world.clock.0.fetch_add(1000, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(message.await.unwrap().unwrap().answers.len(), 2);
}

#[tokio::test]
async fn an_export_and_each_of_its_resumptions_count_as_a_call_under_the_agreement() {
    let world = World::new();
    let mut agreed = super::world::agreement("fr-1");
    agreed.quota = Some(pb::Quota { per_second: 0, burst: 0, per_day: 2 });
    world.run(nca(), Command::PutAgreement { agreement: agreed.encode_to_vec(), expected_version: 0 });
    (1..=251).for_each(|number| drop(world.create(number, "arrest")));
    let mut client = world.alerts(partner()).await;
    let export = pb::ExportRequest { context: under("fr-1"), ..Default::default() };
    let mut pages = client.export(export.clone()).await.unwrap().into_inner();
    let first = pages.message().await.unwrap().unwrap();
    assert!(pages.message().await.unwrap().is_some(), "pages are no calls of their own");
    let resumed = pb::ExportRequest { resume_token: first.resume_token, ..export.clone() };
    let mut pages = client.export(resumed).await.unwrap().into_inner();
    assert!(pages.message().await.unwrap().is_some());
    let mut pages = client.export(export).await.unwrap().into_inner();
    assert_eq!(wait(&pages.message().await.unwrap_err()).0, "QUOTA_EXCEEDED");
}

/// A search by name: work for a thread.
fn search_by_name() -> pb::SearchRequest {
    let person = pb::PersonQuery { names: vec!["Example Syntheticb".into()], ..Default::default() };
    let query = Some(pb::Query { person: Some(person), ..Default::default() });
    pb::SearchRequest { context: context(), query, ..Default::default() }
}

#[tokio::test]
async fn work_whose_caller_hangs_up_while_it_waits_for_its_turn_is_never_begun() {
    let world = with(AdmissionLimits { threads: 1, ..AdmissionLimits::default() });
    world.create(1, "arrest");
    let soon = Deadline::now() + Duration::from_secs(60);
    let met = CallerKey::from(&caller(Role::Search, "met"));
    let at_work = world.api.admission().turn(Class::Search, met, soon).await.unwrap();
    let mut client = world.search(caller(Role::Search, "met")).await;
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { client.search(search_by_name()).await }
    });
    let under_way = async |wanted: usize| {
        while world.api.admission().under_way(Class::Search) != wanted {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), under_way(1)).await.expect("it came");
    waiting.abort();
    // Known while its turn has not come, which is as long as the other's work takes.
    tokio::time::timeout(Duration::from_secs(30), under_way(0)).await.expect("the node heard that it went");
    drop(at_work);
    let answer = client.search(search_by_name()).await.unwrap().into_inner();
    assert_eq!(answer.sources[0].candidates.len(), 1);
    assert_eq!(world.audit.entries.lock().len(), 1, "nobody was shown anything but who asked last");
}

#[tokio::test]
async fn streams_of_the_feed_are_bounded_and_one_that_ends_makes_room() {
    let world = with(AdmissionLimits { feeds_open_max: 2, ..AdmissionLimits::default() });
    let mut client = pb::feed_service_client::FeedServiceClient::new(world.channel(nca()).await);
    let watch = || pb::WatchRequest { context: context(), ..Default::default() };
    let first = client.watch(watch()).await.unwrap().into_inner();
    let _second = client.watch(watch()).await.unwrap().into_inner();
    let (code, _) = wait(&client.watch(watch()).await.unwrap_err());
    assert_eq!(code, "OVERLOADED");
    drop(first);
    // The node hears of it over the connection.
    for _ in 0..1000 {
        if client.watch(watch()).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the stream that ended keeps its place");
}
