//! Reads: levels and their defaults, tokens, pages, history, links, the audit record before the answer.

use std::time::Duration;

use alert_core::{
    alert::{AlertId, Role},
    pb::{self, alert_service_server::AlertService},
    state::command::Command,
};
use prost::Message;
use tonic::Code;

use super::{World, caller, code, context, nca, person, refusal, refusal_code};
use crate::api::{ApiOptions, Level, TokenSealer, tokens::TokenKind};

fn get(id: &str) -> pb::GetRequest {
    pb::GetRequest { context: context(), alert_id: id.into(), ..Default::default() }
}

fn at(level: pb::ReadLevel, token: &[u8]) -> Option<pb::ReadOptions> {
    Some(pb::ReadOptions { level: level as i32, bound: None, token: token.to_vec() })
}

fn search() -> pb::SearchRequest {
    let query = pb::Query { any_number: "500000001".into(), ..Default::default() };
    pb::SearchRequest { context: context(), query: Some(query), ..Default::default() }
}

#[tokio::test]
async fn a_search_reads_bounded_to_a_second_and_a_get_linearizable_unless_asked_otherwise() {
    let world = World::new();
    let id = world.create(1, "arrest");
    let mut alerts = world.alerts(nca()).await;
    let answer = alerts.get(get(&id)).await.unwrap().into_inner().answer.unwrap();
    assert_eq!(answer.level(), pb::ReadLevel::Linearizable);
    assert_eq!((answer.cluster.as_str(), answer.epoch, answer.revision), ("test-cluster", 1, 1));
    assert_eq!((answer.node.as_str(), answer.data_centre.as_str()), ("node-1", "dc-a"));
    world.search(nca()).await.search(search()).await.unwrap();
    alerts.get(pb::GetRequest { read: at(pb::ReadLevel::Session, &answer.token), ..get(&id) }).await.unwrap();
    let bound = Some(prost_types::Duration { seconds: 5, nanos: 0 });
    let read = Some(pb::ReadOptions { bound, ..at(pb::ReadLevel::Bounded, b"").unwrap() });
    alerts.get(pb::GetRequest { read, ..get(&id) }).await.unwrap();
    assert_eq!(
        *world.store.levels.lock(),
        [
            Level::Linearizable,
            Level::Bounded(Duration::from_secs(1)),
            Level::Session { revision: 1 },
            // What was cancelled is served by no bounded read a second later, however loose its bound.
            Level::Bounded(Duration::from_secs(1)),
        ]
    );
}

#[tokio::test]
async fn tokens_of_elsewhere_and_from_before_a_restore_are_refused() {
    let world = World::new();
    let id = world.create(1, "arrest");
    let mut alerts = world.alerts(nca()).await;
    let token = alerts.get(get(&id)).await.unwrap().into_inner().answer.unwrap().token;
    let read = at(pb::ReadLevel::Session, &token);
    alerts.get(pb::GetRequest { read: read.clone(), ..get(&id) }).await.unwrap();
    let nonsense = pb::GetRequest { read: at(pb::ReadLevel::Session, b"nonsense"), ..get(&id) };
    assert_eq!(refusal_code(alerts.get(nonsense).await), "TOKEN_INVALID");
    world.store.cluster.lock().epoch = 2;
    assert_eq!(refusal_code(alerts.get(pb::GetRequest { read: read.clone(), ..get(&id) }).await), "TOKEN_EPOCH");
    world.store.cluster.lock().cluster_id = "another".into();
    assert_eq!(refusal_code(alerts.get(pb::GetRequest { read, ..get(&id) }).await), "TOKEN_INVALID");
}

#[tokio::test]
async fn without_a_quorum_national_callers_get_local_answers_if_policy_says_so() {
    for allowed in [false, true] {
        let world = World::with(ApiOptions { local_without_quorum: allowed, ..ApiOptions::default() });
        world.create(1, "arrest");
        *world.store.no_quorum.lock() = true;
        let mut client = world.search(caller(Role::Search, "met")).await;
        let answered = client.search(search()).await;
        if allowed {
            let answer = answered.unwrap().into_inner().answer.unwrap();
            assert!(answer.without_quorum && answer.staleness_bound.is_none());
            assert_eq!(answer.level(), pb::ReadLevel::Local);
        } else {
            assert_eq!(refusal_code(answered), "NO_QUORUM");
        }
        // Who asks for a level gets it or is refused.
        let asked = pb::SearchRequest { read: at(pb::ReadLevel::Linearizable, b""), ..search() };
        assert_eq!(refusal_code(client.search(asked).await), "NO_QUORUM");
    }
}

#[tokio::test]
async fn no_answer_leaves_before_its_audit_record() {
    let world = World::new();
    let id = world.create(1, "arrest");
    let mut alerts = world.alerts(nca()).await;
    let answer = alerts.get(get(&id)).await.unwrap().into_inner().answer.unwrap();
    {
        let entries = world.audit.entries.lock();
        let entry = &entries[0];
        assert_eq!((entry.operation, entry.outcome, entry.revision), ("get", Code::Ok, 1));
        assert_eq!((answer.receipt.as_str(), entry.certificate_serial.as_str()), ("receipt-1", "0a"));
        assert_eq!(entry.caller, nca());
        assert_eq!(entry.disclosed[0].alert_id, id);
        let asked = pb::GetRequest::decode(entry.asked.as_slice()).unwrap();
        assert_eq!((asked.alert_id, asked.context), (id.clone(), None));
    }
    assert_eq!(refusal_code(alerts.get(get("0190b0a2-7c3d-7000-8000-00000000000a")).await), "NOT_FOUND");
    assert_eq!(world.audit.entries.lock()[1].outcome, Code::NotFound);
    *world.audit.broken.lock() = true;
    assert_eq!(refusal_code(alerts.get(get(&id)).await), "AUDIT_UNAVAILABLE");
    assert_eq!(refusal_code(world.search(nca()).await.search(search()).await), "AUDIT_UNAVAILABLE");
}

#[tokio::test]
async fn a_list_goes_through_every_visible_alert_a_page_at_a_time() {
    let world = World::new();
    let ids: Vec<_> = (1..=7).map(|number| world.create(number, "arrest")).collect();
    world.create(8, "discreet-check");
    let mut alerts = world.alerts(caller(Role::SearchOpen, "met")).await;
    let mut request = pb::ListRequest { context: context(), page_size: 3, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = alerts.list(request.clone()).await.unwrap().into_inner();
        assert!(page.records.len() <= 3);
        seen.extend(page.records.iter().map(|record| record.info.as_ref().unwrap().id.clone()));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(seen, ids);

    let filter = pb::AlertFilter { categories: vec![code("category", "arrest").unwrap()], ..Default::default() };
    let other = pb::ListRequest { filter: Some(filter), ..request.clone() };
    assert_eq!(refusal_code(alerts.list(other).await), "TOKEN_INVALID", "a token is good for its own question only");
    let filter =
        pb::AlertFilter { categories: vec![code("category", "discreet-check").unwrap()], ..Default::default() };
    let covert = pb::ListRequest { context: context(), filter: Some(filter), ..Default::default() };
    assert!(alerts.list(covert.clone()).await.unwrap().into_inner().records.is_empty());
    assert_eq!(world.alerts(nca()).await.list(covert).await.unwrap().into_inner().records.len(), 1);
}

#[tokio::test]
async fn history_shows_the_versions_that_the_viewer_could_see() {
    let world = World::new();
    let id = world.create(1, "arrest");
    let alert_id: AlertId = id.parse().unwrap();
    let update = |category: &str, expected_version| Command::Update {
        id: alert_id,
        expected_version,
        alert: person(1, category).encode_to_vec(),
    };
    world.run(nca(), update("discreet-check", 1));
    world.run(nca(), update("arrest", 2));
    let request = pb::HistoryRequest { context: context(), alert_id: id.clone(), page_size: 2, ..Default::default() };
    let versions = |answer: &pb::HistoryResponse| -> Vec<u64> {
        answer.entries.iter().map(|entry| entry.record.as_ref().unwrap().info.as_ref().unwrap().version).collect()
    };
    let mut bureau = world.alerts(nca()).await;
    let first = bureau.history(request.clone()).await.unwrap().into_inner();
    assert_eq!(versions(&first), [1, 2]);
    assert_eq!(first.entries[0].change, "create");
    let next = pb::HistoryRequest { page_token: first.next_page_token, ..request.clone() };
    let second = bureau.history(next).await.unwrap().into_inner();
    assert_eq!((versions(&second), second.next_page_token.is_empty()), (vec![3], true));
    let mut open = world.alerts(caller(Role::SearchOpen, "met")).await;
    let seen = open.history(pb::HistoryRequest { page_size: 0, ..request }).await.unwrap().into_inner();
    assert_eq!(versions(&seen), [1, 3]);
    assert_eq!(seen.entries[0].changed_by, "GB/nca", "which system it was is the owner's business");
}

#[tokio::test]
async fn a_link_shows_only_to_who_sees_both_sides() {
    let world = World::new();
    let (open, covert) = (world.create(1, "arrest"), world.create(2, "discreet-check"));
    let link =
        pb::Link { alert_a: open.clone(), alert_b: covert, kind: code("link-kind", "same-case"), ..Default::default() };
    world.run(nca(), Command::Link { id: AlertId::from_bytes([9; 16]), link: link.encode_to_vec() });
    let request = pb::GetRequest { with_links: true, ..get(&open) };
    let links = |role| {
        let request = request.clone();
        let world = &world;
        async move { world.alerts(caller(role, "met")).await.get(request).await.unwrap().into_inner().links.len() }
    };
    assert_eq!(links(Role::Search).await, 1);
    assert_eq!(links(Role::SearchOpen).await, 0);
}

#[tokio::test]
async fn the_owners_own_section_stays_with_the_owner() {
    let world = World::new();
    let id = world.create(1, "arrest");
    let alert = |answer: pb::GetResponse| answer.record.unwrap().alert.unwrap();
    let owner = alert(world.alerts(nca()).await.get(get(&id)).await.unwrap().into_inner());
    assert!(owner.internal.is_some());
    let national = alert(world.alerts(caller(Role::Search, "met")).await.get(get(&id)).await.unwrap().into_inner());
    assert!(national.internal.is_none() && national.identities.is_some());
}

#[tokio::test]
async fn a_bureau_is_told_of_its_alerts_that_end_soon() {
    let world = World::new();
    let id = world.create(1, "arrest");
    world.create(2, "discreet-check");
    let mut alerts = world.alerts(nca()).await;
    let record = alerts.get(get(&id)).await.unwrap().into_inner().record.unwrap();
    let expires = record.alert.unwrap().lifecycle.unwrap().expires_at.unwrap();
    let due = pb::DueForReviewRequest { context: context(), ..Default::default() };
    assert!(alerts.due_for_review(due.clone()).await.unwrap().into_inner().records.is_empty());

    let before = Some(prost_types::Timestamp { seconds: expires.seconds + 1, ..expires });
    let all = pb::DueForReviewRequest { before, page_size: 1, ..due.clone() };
    let first = alerts.due_for_review(all.clone()).await.unwrap().into_inner();
    assert_eq!(first.records.len(), 1);
    let second = pb::DueForReviewRequest { page_token: first.next_page_token, ..all.clone() };
    let second = alerts.due_for_review(second).await.unwrap().into_inner();
    assert_eq!(second.records[0].info.as_ref().unwrap().id, id, "in the order of their ends");

    let month_ms = 30 * 86_400_000;
    let soon = expires.seconds as u64 * 1000 - month_ms;
    world.clock.0.store(soon, std::sync::atomic::Ordering::Relaxed);
    assert!(!alerts.due_for_review(due.clone()).await.unwrap().into_inner().records.is_empty());
    let mut other = world.alerts(caller(Role::Bureau, "met")).await;
    assert!(
        other.due_for_review(pb::DueForReviewRequest { before, ..due }).await.unwrap().into_inner().records.is_empty()
    );
}

#[tokio::test]
async fn statistics_count_what_the_caller_may_know_of() {
    use alert_core::pb::statistics_service_client::StatisticsServiceClient;
    let world = World::new();
    world.create(1, "arrest");
    world.create(2, "arrest");
    world.create(3, "discreet-check");
    let request = pb::StatisticsRequest { context: context(), ..Default::default() };
    for (role, expected) in [(Role::Bureau, 3), (Role::Policy, 2)] {
        let mut statistics = StatisticsServiceClient::new(world.channel(caller(role, "met")).await);
        let rows = statistics.report(request.clone()).await.unwrap().into_inner().rows;
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), expected, "{role:?}");
    }
}

#[tokio::test]
async fn statistics_over_a_stretch_of_time_tell_what_happened_then() {
    use alert_core::{pb::statistics_service_client::StatisticsServiceClient, state::command::Command};
    let world = World::new();
    world.create(1, "arrest");
    world.create(2, "missing");
    world.clock.0.fetch_add(10_000, std::sync::atomic::Ordering::Relaxed);
    world.create(3, "discreet-check");
    let id = AlertId::from_bytes([1; 16]);
    world.run(nca(), Command::Cancel { id, expected_version: 0, reason: "executed".into(), by: String::new() });
    let hit = pb::Hit { alert_id: AlertId::from_bytes([2; 16]).to_string(), version_seen: 1, ..Default::default() };
    world.run(nca(), Command::ReportHit { id: AlertId::from_bytes([9; 16]), hit: hit.encode_to_vec() });
    let at = |ms: u64| Some(alert_core::alert::time::from_ms(super::world::START_MS + ms));
    let rows = async |role, from, until| {
        let mut statistics = StatisticsServiceClient::new(world.channel(caller(role, "nca")).await);
        let request = pb::StatisticsRequest { context: context(), from, until, ..Default::default() };
        let rows = statistics.report(request).await.unwrap().into_inner().rows;
        let row = |row: pb::StatisticsRow| format!("{} {} {}", row.measure, row.category.unwrap().value, row.count);
        rows.into_iter().map(row).collect::<Vec<_>>()
    };
    let created = ["alerts-created arrest 1", "alerts-created missing 1"];
    assert_eq!(rows(Role::Bureau, at(0), at(10_000)).await, created);
    let later = ["alerts-created discreet-check 1", "alerts-ended arrest 1", "hits-reported missing 1"];
    assert_eq!(rows(Role::Bureau, at(10_000), None).await, later);
    // The policy role counts no covert alert.
    assert_eq!(rows(Role::Policy, at(10_000), None).await, later[1..]);
}

#[tokio::test]
async fn a_batch_answers_each_query_under_its_key_and_refuses_one_alone() {
    let world = World::new();
    world.create(1, "arrest");
    let query = |number: &str| Some(pb::Query { any_number: number.into(), ..Default::default() });
    let keyed = |key: &str, query| pb::KeyedQuery { key: key.into(), query };
    let messages = vec![
        pb::SearchBatchRequest {
            context: context(),
            queries: vec![keyed("a", query("500000001")), keyed("b", None)],
            ..Default::default()
        },
        pb::SearchBatchRequest { queries: vec![keyed("c", query("no-such-number"))], ..Default::default() },
    ];
    let mut client = world.search(caller(Role::Search, "met")).await;
    let mut answers = client.search_batch(tokio_stream::iter(messages)).await.unwrap().into_inner();
    let mut found = std::collections::BTreeMap::new();
    while let Some(message) = answers.message().await.unwrap() {
        assert!(message.answer.is_some());
        for answer in message.answers {
            let candidates = answer.sources.iter().map(|source| source.candidates.len()).sum::<usize>();
            found.insert(answer.key, (candidates, answer.error.map(|error| error.code)));
        }
    }
    let expected = [("a", 1, None), ("b", 0, Some("REQUEST_INVALID".to_owned())), ("c", 0, None)];
    assert_eq!(found, expected.map(|(key, count, error)| (key.to_owned(), (count, error))).into());
    assert_eq!(world.audit.entries.lock().len(), 2, "one attempt for each message");
}

#[tokio::test]
async fn a_deadline_is_kept_to_the_last_step() {
    let world = World::new();
    world.create(1, "arrest");
    // A token ahead of this node: the read waits, and the call gives up before its caller does.
    let sealer = TokenSealer::new([3; 32], std::sync::Arc::new(crate::seam::OsRandom));
    let cluster = world.store.cluster.lock().clone();
    let token = sealer.seal(TokenKind::Session, &cluster, 1000u64);
    let id = AlertId::from_bytes([1; 16]).to_string();
    let mut request = tonic::Request::new(pb::GetRequest { read: at(pb::ReadLevel::Session, &token), ..get(&id) });
    request.set_timeout(Duration::from_millis(300));
    let refused = world.alerts(nca()).await.get(request).await;
    assert_eq!(refusal(refused).0, Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_kept_while_the_audit_log_hangs_whether_the_call_is_answered_or_refused() {
    let world = World::new();
    let id = world.create(1, "arrest");
    *world.audit.hangs.lock() = true;
    let cluster = world.store.cluster.lock().clone();
    let ahead = at(pb::ReadLevel::Session, &world.api.sealer().seal(TokenKind::Session, &cluster, 1000u64));
    // A read whose record does not become durable; one that is refused at its deadline; one that is refused at once.
    let (answered, late) = (get(&id), pb::GetRequest { read: ahead, ..get(&id) });
    let missing = get("0190b0a2-7c3d-7000-8000-00000000000a");
    let expected = ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "NOT_FOUND"];
    for (request, expected) in [answered, late, missing].into_iter().zip(expected) {
        let mut request = super::cluster::call(nca(), request);
        request.set_timeout(Duration::from_millis(300));
        let asked = tokio::time::Instant::now();
        assert_eq!(refusal_code(world.api.get(request).await), expected);
        assert!(asked.elapsed() <= Duration::from_millis(300), "{expected}: {:?}", asked.elapsed());
    }
}
