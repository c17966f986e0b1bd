//! Calls that reach a node which does not lead.

use std::time::Duration;

use alert_core::{alert::Role, pb};
use tonic::{Code, Request};

use super::{World, caller, change, nca, person, refusal_code};
use crate::api::{Deadline, ForwardedCaller, Leadership, errors::detail_of, forward_answer, forward_request};

fn create(sequence: u64) -> pb::CreateRequest {
    pb::CreateRequest { context: change(sequence), alert: Some(person(sequence, "arrest")), as_draft: false }
}

/// A leader, and a follower that knows it.
fn two_nodes() -> (World, World) {
    let leader = World::new();
    let follower = leader.second_node();
    let hint = pb::LeaderHint { node_id: 1, address: "a:1".into(), term: 1 };
    follower.store.leadership.send_replace(Leadership::Other(hint));
    *follower.store.peer.lock() = Some(leader.api.clone());
    (leader, follower)
}

#[tokio::test]
async fn a_follower_sends_a_change_on_and_the_leader_logs_it_for_its_caller() {
    let (leader, follower) = two_nodes();
    let created = follower.alerts(nca()).await.create(create(1)).await.unwrap().into_inner();
    assert_eq!(created.answer.unwrap().node, "node-1");
    assert!(follower.audit.entries.lock().is_empty());
    let entries = leader.audit.entries.lock();
    assert_eq!((entries.len(), &entries[0].caller), (1, &nca()));
    assert_eq!(entries[0].certificate_serial, "0a");
}

#[tokio::test]
async fn a_refusal_of_the_leader_comes_back_as_it_is() {
    let (_leader, follower) = two_nodes();
    let mut alerts = follower.alerts(nca()).await;
    alerts.create(create(1)).await.unwrap();
    let reused = pb::CreateRequest { as_draft: true, ..create(1) };
    assert_eq!(refusal_code(alerts.create(reused).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn the_leader_authorises_a_forwarded_call_again() {
    let (leader, _follower) = two_nodes();
    let forward = |role, method| {
        let caller = ForwardedCaller { caller: caller(role, "nca"), certificate_serial: "0a".into() };
        let message = prost::Message::encode_to_vec(&create(1)).into();
        let request = forward_request(method, message, &caller, Deadline::now() + Duration::from_secs(5));
        let api = leader.api.clone();
        async move { forward_answer(api.handle_forwarded(request).await) }
    };
    let method = "/alertstore.v1.AlertService/Create";
    let refused = forward(Role::Search, method).await.unwrap_err();
    assert_eq!(detail_of(&refused).unwrap().code, "NOT_PERMITTED");
    let read = forward(Role::Bureau, "/alertstore.v1.AlertService/Get").await.unwrap_err();
    assert_eq!(read.code(), Code::Unimplemented, "reads are not sent on");
    forward(Role::Bureau, method).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_call_is_not_sent_on_again_but_held_where_it_came_from() {
    let (leader, follower) = two_nodes();
    leader.store.leadership.send_replace(Leadership::Unknown);
    let mut request = Request::new(create(1));
    request.set_timeout(Duration::from_millis(300));
    let mut alerts = follower.alerts(nca()).await;
    assert_eq!(refusal_code(alerts.create(request).await), "NO_LEADER");

    let held = tokio::spawn(async move { alerts.create(create(1)).await });
    tokio::task::yield_now().await;
    leader.store.leadership.send_replace(Leadership::Me { term: 3 });
    assert_eq!(held.await.unwrap().unwrap().into_inner().version, 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_be_reached_is_named() {
    let (_leader, follower) = two_nodes();
    *follower.store.peer.lock() = None;
    let mut request = Request::new(create(1));
    request.set_timeout(Duration::from_millis(200));
    let detail = detail_of(&follower.alerts(nca()).await.create(request).await.unwrap_err()).unwrap();
    assert_eq!((detail.code.as_str(), detail.maybe_applied), ("NOT_LEADER", false));
    assert_eq!(detail.leader.unwrap().node_id, 1);
}

#[tokio::test]
async fn an_import_goes_through_a_follower() {
    let (leader, follower) = two_nodes();
    let lines = vec![pb::ImportLine { line: 1, alert: Some(person(1, "arrest")) }];
    let message = pb::ImportRequest { context: super::context(), lines };
    let mut alerts = follower.alerts(nca()).await;
    let mut answers = alerts.import(tokio_stream::iter([message])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    assert_eq!(answer.outcomes[0].status(), pb::ImportStatus::Created);
    assert_eq!(answers.message().await.unwrap(), None);
    assert_eq!(leader.audit.entries.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_change_that_was_too_late_to_be_answered_is_never_called_refused() {
    let (leader, follower) = two_nodes();
    // The change is made, and its audit record does not become durable before the deadline.
    *leader.audit.hangs.lock() = true;
    let mut request = Request::new(create(1));
    request.set_timeout(Duration::from_millis(300));
    let detail = detail_of(&follower.alerts(nca()).await.create(request).await.unwrap_err()).unwrap();
    assert!(detail.maybe_applied, "{detail:?}");
    assert_eq!(leader.store.proposals.load(std::sync::atomic::Ordering::Relaxed), 1);
}
