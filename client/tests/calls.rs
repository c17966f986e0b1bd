//! Unary calls against a cluster that does what it is told, in virtual time.

mod fake;

use std::{collections::BTreeSet, time::Duration};

use alert_client::{codes, limits, pb};
use fake::{FakeCluster, passport, refusal};
use tokio::time::Instant;
use tonic::Code;

fn create(reference: &str) -> pb::CreateRequest {
    pb::CreateRequest { alert: Some(passport(reference, 1)), ..Default::default() }
}

fn get(id: &str) -> pb::GetRequest {
    pb::GetRequest { alert_id: id.to_owned(), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_created_and_read_back_with_the_callers_context() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let written = client.create(create("1")).await.unwrap();
    assert_eq!((written.version, written.state()), (1, pb::AlertState::Active));
    let read = client.get(get(&written.alert_id)).await.unwrap();
    assert_eq!(read.record.unwrap().info.unwrap().id, written.alert_id);
    let state = cluster.state();
    let (node, context) = &state.calls[0];
    assert_eq!((*node, context.officer_ref.as_str()), (1, "officer-1"), "a write goes to the leader");
    assert_eq!(context.purpose.as_ref().unwrap().value, "border-control");
    let id = context.request_id.as_ref().unwrap();
    assert_eq!((id.session.len(), id.sequence), (16, 1));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_carried_into_a_used_client_is_settled_by_one_linearizable_read() {
    let cluster = FakeCluster::in_memory(3);
    // Of one seed they would share a session.
    let (here, there) = (cluster.client(), cluster.builder().seed(8).build().unwrap());
    let written = here.create(create("1")).await.unwrap();
    there.create(create("2")).await.unwrap();
    let (own, foreign) = (here.last_token().unwrap(), there.last_token().unwrap());
    assert_ne!(own, foreign);
    here.carry_token(foreign);
    assert_eq!(here.last_token(), Some(own));
    let session = here.with_read_level(pb::ReadLevel::Session);
    cluster.state().reads.clear();
    for _ in 0..2 {
        session.get(get(&written.alert_id)).await.unwrap();
    }
    let newest = there.last_token().unwrap();
    let reads: Vec<_> = cluster.state().reads.iter().map(|read| (read.level(), read.token.clone())).collect();
    assert_eq!(
        reads,
        [(pb::ReadLevel::Linearizable, Vec::new()), (pb::ReadLevel::Session, newest)],
        "newer than both, and then its own"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_when_the_leader_changes_has_one_effect() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    client.create(create("1")).await.unwrap();
    cluster.behave(1, |node| node.loses_answers = 1);
    let writing = tokio::spawn({
        let client = client.clone();
        async move { client.create(create("2")).await }
    });
    while cluster.state().effects < 2 {
        tokio::task::yield_now().await;
    }
    cluster.behave(1, |node| node.is_down = true);
    cluster.lead(2);
    let written = writing.await.unwrap().unwrap();
    assert!(written.repeated_request, "the second attempt is told the first one's answer");
    let state = cluster.state();
    assert_eq!((state.effects, state.alerts.len()), (2, 2));
    let ids: BTreeSet<_> =
        state.calls.iter().map(|(_, context)| context.request_id.clone().unwrap().sequence).collect();
    assert_eq!(ids, BTreeSet::from([1, 2]), "all attempts of a write carry its one id");
}

#[tokio::test(start_paused = true)]
async fn leader_hints_are_followed_without_a_pause() {
    let cluster = FakeCluster::in_memory(3);
    for id in 1..=3 {
        cluster.behave(id, |node| node.does_not_forward = true);
    }
    let client = cluster.client();
    client.create(create("1")).await.unwrap();
    cluster.lead(3);
    let started = Instant::now();
    client.create(create("2")).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    let nodes: Vec<_> = cluster.state().calls.iter().map(|(node, _)| *node).collect();
    assert_eq!(nodes, [1, 1, 3]);
    assert_eq!(client.topology_view().leader_address(), Some("n3:1"));
}

#[tokio::test(start_paused = true)]
async fn a_write_waits_while_there_is_no_leader() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    client.create(create("1")).await.unwrap();
    cluster.state().leader = 0;
    cluster.state().term = 2;
    let writing = tokio::spawn({
        let client = client.clone();
        async move { client.create(create("2")).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!writing.is_finished());
    cluster.lead(2);
    writing.await.unwrap().unwrap();
    assert_eq!(cluster.state().effects, 2);
}

#[tokio::test(start_paused = true)]
async fn dead_seeds_are_skipped_and_the_nodes_behind_the_living_one_are_found() {
    let cluster = FakeCluster::in_memory(3);
    let seeds = vec!["gone-1:1".to_owned(), "gone-2:1".to_owned(), cluster.address(3)];
    let client = cluster.builder_with_seeds(seeds).build().unwrap();
    let written = client.create(create("1")).await.unwrap();
    for _ in 0..30 {
        client.get(get(&written.alert_id)).await.unwrap();
    }
    let readers: BTreeSet<_> = cluster.state().calls.iter().skip(1).map(|(node, _)| *node).collect();
    assert_eq!(readers, BTreeSet::from([2, 3]), "reads are spread over the followers");
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_to_another_node_under_the_same_search_id() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let written = client.create(create("1")).await.unwrap();
    let behind = || {
        let detail = pb::ErrorDetail { code: "BEHIND".into(), retryable: true, ..Default::default() };
        refusal(Code::Unavailable, detail)
    };
    for id in 1..=2 {
        cluster.behave(id, |node| node.errors = [behind(), behind()].into());
    }
    cluster.state().calls.clear();
    let started = Instant::now();
    client.get(get(&written.alert_id)).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO, "another node is asked at once");
    let state = cluster.state();
    let ids: BTreeSet<_> = state.calls.iter().map(|(_, context)| context.search_id.clone()).collect();
    assert_eq!(ids.len(), 1);
    let nodes: BTreeSet<_> = state.calls.iter().map(|(node, _)| *node).collect();
    assert_eq!(nodes.len(), state.calls.len(), "no node is asked twice: {nodes:?}");
}

#[tokio::test(start_paused = true)]
async fn reads_survive_the_loss_of_any_one_node_without_an_error() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let written = client.create(create("1")).await.unwrap();
    for id in 1..=3 {
        cluster.behave(id, |node| node.is_down = true);
        for _ in 0..50 {
            client.get(get(&written.alert_id)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cluster.behave(id, |node| node.is_down = false);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_prefer_the_callers_own_data_centre() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.builder().data_centre("dc-2").build().unwrap();
    let written = client.create(create("1")).await.unwrap();
    cluster.state().calls.clear();
    for _ in 0..10 {
        client.get(get(&written.alert_id)).await.unwrap();
    }
    assert!(cluster.state().calls.iter().all(|(node, _)| *node == 2));
    cluster.behave(2, |node| node.is_down = true);
    client.get(get(&written.alert_id)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_kept_and_says_whether_the_write_may_have_taken_effect() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client().with_deadline(Duration::from_secs(4));
    let written = client.create(create("1")).await.unwrap();
    for id in 1..=3 {
        cluster.behave(id, |node| node.hangs = true);
    }
    let started = Instant::now();
    let error = client.create(create("2")).await.unwrap_err();
    assert!(started.elapsed() <= Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(error.code, codes::DEADLINE_EXCEEDED);
    assert!(error.maybe_applied && error.retryable && error.is_unavailable());
    assert_eq!(error.request_id.as_ref().unwrap().sequence, 2);
    assert!(error.attempts >= 2, "{} attempts", error.attempts);

    let started = Instant::now();
    let error = client.get(get(&written.alert_id)).await.unwrap_err();
    assert!(started.elapsed() <= Duration::from_secs(4));
    assert_eq!(error.code, codes::DEADLINE_EXCEEDED);
    assert!(!error.maybe_applied, "a read changes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_outcome_can_be_repeated_by_hand_under_its_id() {
    let cluster = FakeCluster::in_memory(1);
    let client = cluster.client().with_deadline(Duration::from_secs(3));
    client.create(create("1")).await.unwrap();
    cluster.behave(1, |node| node.loses_answers = 1000);
    let error = client.create(create("2")).await.unwrap_err();
    assert!(error.maybe_applied);
    cluster.behave(1, |node| node.loses_answers = 0);
    let mut again = create("2");
    again.context = Some(pb::CallContext { request_id: error.request_id.clone(), ..Default::default() });
    assert!(client.create(again).await.unwrap().repeated_request);
    assert_eq!(cluster.state().effects, 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_comes_at_once_with_all_its_faults() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    client.create(create("1")).await.unwrap();
    let started = Instant::now();
    let error = client.create(pb::CreateRequest::default()).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!((error.code.as_str(), error.grpc, error.attempts), ("RECORD_INVALID", Code::InvalidArgument, 1));
    let paths: Vec<_> = error.faults.iter().map(|fault| fault.field_path.as_str()).collect();
    assert_eq!(paths, ["core.category", "core.owner"]);
    assert!(!error.retryable && !error.maybe_applied);

    let error = client.get(get("no-such-alert")).await.unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test(start_paused = true)]
async fn a_session_read_carries_the_newest_token_and_a_token_travels_between_processes() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    assert_eq!(client.last_token(), None);
    client.create(create("1")).await.unwrap();
    let written = client.create(create("2")).await.unwrap();
    let token = client.last_token().unwrap();
    assert_eq!(token, written.answer.unwrap().token);
    let other = cluster.client();
    other.carry_token(token.clone());
    assert_eq!(other.last_token(), Some(token));

    let epoch = pb::ErrorDetail { code: codes::TOKEN_EPOCH.into(), ..Default::default() };
    for id in 1..=3 {
        cluster.behave(id, |node| node.errors = [refusal(Code::FailedPrecondition, epoch.clone())].into());
    }
    let session = other.with_read_level(pb::ReadLevel::Session);
    assert_eq!(session.get(get(&written.alert_id)).await.unwrap_err().code, codes::TOKEN_EPOCH);
    assert_eq!(other.last_token(), None, "after a restore the old token means nothing");
}

#[tokio::test(start_paused = true)]
async fn a_client_of_one_cluster_does_not_talk_to_another() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.builder().cluster_id("mine").build().unwrap();
    let error = client.create(create("1")).await.unwrap_err();
    assert_eq!(error.code, codes::OTHER_CLUSTER);
    assert_eq!(cluster.state().effects, 0);
    let client = cluster.builder().cluster_id("fake").build().unwrap();
    client.create(create("1")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_to_one_node_goes_to_no_other() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let written = client.create(create("1")).await.unwrap();
    cluster.state().calls.clear();
    let at_three = client.at_node(cluster.address(3)).with_deadline(Duration::from_secs(2));
    at_three.get(get(&written.alert_id)).await.unwrap();
    cluster.behave(3, |node| node.is_down = true);
    assert!(at_three.get(get(&written.alert_id)).await.unwrap_err().is_unavailable());
    assert!(cluster.state().calls.iter().all(|(node, _)| *node == 3));
}

#[tokio::test(start_paused = true)]
async fn administration_is_repeated_only_when_nothing_can_have_happened() {
    let cluster = FakeCluster::in_memory(3);
    for id in 1..=3 {
        cluster.behave(id, |node| node.does_not_forward = true);
    }
    let client = cluster.client();
    client.create(create("1")).await.unwrap();
    cluster.lead(2);
    let answer = client.admin().remove(3).await.unwrap();
    assert_eq!(answer.members.len(), 2, "a hint is followed: the refusing node did nothing");

    cluster.behave(2, |node| node.hangs = true);
    let error = client.with_deadline(Duration::from_secs(5)).admin().transfer_leader(1).await.unwrap_err();
    assert!(error.maybe_applied);
    assert_eq!(error.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_opens_has_changed_nothing_so_even_administration_goes_elsewhere() {
    let cluster = FakeCluster::in_memory(3);
    cluster.behave(1, |node| node.never_opens = true);
    let client = cluster.client();
    let started = Instant::now();
    let answer = client.admin().remove(3).await.unwrap();
    assert_eq!(answer.members.len(), 2);
    assert!(started.elapsed() >= limits::CONNECT_TIMEOUT, "the leader was tried first");
    assert!(started.elapsed() < limits::CONNECT_TIMEOUT + Duration::from_secs(2), "{:?}", started.elapsed());
}
