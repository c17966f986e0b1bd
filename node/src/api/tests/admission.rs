//! Admission: what the node does not take on it refuses at once, with the time to wait, and never the wrong caller.

use std::time::Duration;

use alert_core::{alert::Role, pb, state::command::Command};
use prost::Message;
use tonic::{Code, Status};

use super::{World, caller, context, nca, partner, under};
use crate::api::{AdmissionLimits, ApiOptions, detail_of, tokens::TokenKind};

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

#[tokio::test(start_paused = true)]
async fn reads_that_wait_for_their_level_are_bounded_and_the_rest_is_refused_at_once() {
    let world = with(AdmissionLimits { linearizable_waiting_max: 5, ..AdmissionLimits::default() });
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
            client.search(request).await.unwrap_err().code()
        }
    };
    let many = futures::future::join_all((0..20).map(|_| asked("met")));
    let other = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        asked("psni").await
    };
    let (codes, other) = tokio::join!(many, other);
    let refused = codes.iter().filter(|code| **code == Code::ResourceExhausted).count();
    assert_eq!((refused, codes.iter().filter(|code| **code == Code::DeadlineExceeded).count()), (15, 5));
    // The five are one caller's: another one has a share of its own.
    assert_eq!(other, Code::DeadlineExceeded);
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
