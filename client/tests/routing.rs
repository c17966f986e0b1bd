//! Where reads go when nodes are slow, silent, behind or full: against a cluster that does what it is told, in virtual
//! time.

mod fake;

use std::{collections::BTreeMap, time::Duration};

use alert_client::{AlertClient, Trouble, limits, pb};
use fake::{FakeCluster, passport, refusal};
use tokio::time::{Instant, sleep};
use tonic::Code;

const TICK: Duration = Duration::from_millis(10);

async fn one_alert(client: &AlertClient) -> pb::GetRequest {
    let request = pb::CreateRequest { alert: Some(passport("1", 1)), ..Default::default() };
    let written = client.create(request).await.unwrap();
    pb::GetRequest { alert_id: written.alert_id, ..Default::default() }
}

/// A client that has made enough calls to know how long they take.
async fn practised(cluster: &FakeCluster, takes: Duration) -> (AlertClient, pb::GetRequest) {
    for id in 1..=cluster.addresses().len() as u64 {
        cluster.behave(id, |node| node.takes = takes);
    }
    let client = cluster.client();
    let get = one_alert(&client).await;
    for _ in 0..200 {
        client.get(get.clone()).await.unwrap();
    }
    cluster.state().calls.clear();
    (client, get)
}

fn trouble(client: &AlertClient, address: &str) -> Option<Trouble> {
    client.nodes().into_iter().find(|node| node.address == address).unwrap().trouble
}

fn calls_by_node(cluster: &FakeCluster) -> BTreeMap<u64, usize> {
    let mut calls = BTreeMap::new();
    for (node, _) in &cluster.state().calls {
        *calls.entry(*node).or_default() += 1;
    }
    calls
}

/// A silent node keeps its connections open: nothing but time tells.
#[tokio::test(start_paused = true)]
async fn a_node_that_falls_silent_is_left_alone_within_a_second_and_no_call_fails_or_waits_longer() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    cluster.behave(2, |node| node.hangs = true);
    let silent_since = Instant::now();
    let mut ejected_after = None;
    while silent_since.elapsed() < Duration::from_secs(3) {
        let called = Instant::now();
        client.get(get.clone()).await.unwrap();
        assert!(called.elapsed() < Duration::from_secs(1), "a read took {:?}", called.elapsed());
        if trouble(&client, "n2:1").is_some() {
            ejected_after.get_or_insert(silent_since.elapsed());
        }
        sleep(TICK).await;
    }
    assert!(ejected_after.unwrap() < Duration::from_secs(1), "out of favour after {ejected_after:?}");

    cluster.behave(2, |node| node.hangs = false);
    let well_since = Instant::now();
    while trouble(&client, "n2:1").is_some() {
        assert!(well_since.elapsed() < Duration::from_secs(1), "not found again");
        sleep(TICK).await;
        client.get(get.clone()).await.unwrap();
    }
    cluster.state().calls.clear();
    for _ in 0..50 {
        client.get(get.clone()).await.unwrap();
    }
    assert!(calls_by_node(&cluster)[&2] > 5, "it is read from again");
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_a_node_that_died_silently_are_repeated_elsewhere_within_a_second() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client().with_deadline(Duration::from_secs(20));
    one_alert(&client).await;
    cluster.behave(1, |node| node.hangs = true);
    let called = Instant::now();
    let writing = tokio::spawn({
        let client = client.clone();
        async move { client.create(pb::CreateRequest { alert: Some(passport("2", 1)), ..Default::default() }).await }
    });
    sleep(Duration::from_millis(300)).await;
    cluster.lead(3);
    writing.await.unwrap().unwrap();
    assert!(called.elapsed() < Duration::from_millis(1100), "{:?}", called.elapsed());
    assert_eq!(cluster.state().effects, 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_overtaken_by_a_hedge_under_the_same_search_id() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    cluster.behave(2, |node| node.takes = Duration::from_millis(400));
    for _ in 0..30 {
        let called = Instant::now();
        client.get(get.clone()).await.unwrap();
        assert!(called.elapsed() < Duration::from_millis(50), "{:?}", called.elapsed());
    }
    let mut nodes_of_question = BTreeMap::<String, Vec<u64>>::new();
    for (node, context) in &cluster.state().calls {
        nodes_of_question.entry(context.search_id.clone()).or_default().push(*node);
    }
    assert_eq!(nodes_of_question.len(), 30);
    let hedged: Vec<_> = nodes_of_question.values().filter(|nodes| nodes.len() > 1).collect();
    assert!(!hedged.is_empty() && hedged.iter().all(|nodes| nodes.len() == 2 && nodes[0] == 2), "{hedged:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_node_is_left_alone_and_tried_again() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    cluster.behave(2, |node| node.takes = Duration::from_millis(400));
    while trouble(&client, "n2:1") != Some(Trouble::Slow) {
        client.get(get.clone()).await.unwrap();
        assert!(cluster.state().calls.len() < 100, "the slow node is not found: {:?}", client.nodes());
    }
    cluster.behave(2, |node| node.takes = Duration::from_millis(5));
    let well_since = Instant::now();
    while trouble(&client, "n2:1").is_some() {
        assert!(well_since.elapsed() < 2 * limits::EJECTION_MAX, "not tried again");
        client.get(get.clone()).await.unwrap();
        sleep(TICK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn hedges_keep_to_their_budget_when_every_node_becomes_slow() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    for id in 1..=3 {
        cluster.behave(id, |node| node.takes = Duration::from_millis(90));
    }
    let reads = 1000;
    let reading = (0..reads).map(|_| client.get(get.clone()));
    let began = Instant::now();
    futures::future::try_join_all(reading).await.unwrap();
    let extra = cluster.state().calls.len() - reads;
    let most = limits::HEDGES_SAVED_MAX
        + limits::HEDGES_PER_READ * reads as f64
        + limits::HEDGES_PER_SECOND * began.elapsed().as_secs_f64();
    assert!(extra > 0 && extra as f64 <= most, "{extra} hedges of {reads} reads");
}

#[tokio::test(start_paused = true)]
async fn a_client_without_hedges_asks_one_node() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    for id in 1..=3 {
        cluster.behave(id, |node| node.takes = Duration::from_millis(300));
    }
    client.with_defaults(|defaults| defaults.without_hedges = true).get(get).await.unwrap();
    assert_eq!(cluster.state().calls.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retries_keep_to_their_budget_and_no_call_fails_for_it() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client().with_deadline(Duration::from_secs(120));
    let get = one_alert(&client).await;
    cluster.state().calls.clear();
    let refuse =
        || refusal(Code::Unavailable, pb::ErrorDetail { code: "BEHIND".into(), retryable: true, ..Default::default() });
    for id in 1..=3 {
        cluster.behave(id, |node| node.errors = (0..200).map(|_| refuse()).collect());
    }
    let reads = 100;
    let began = Instant::now();
    let reading: Vec<_> = (0..reads)
        .map(|_| {
            let (client, get) = (client.clone(), get.clone());
            tokio::spawn(async move { client.get(get).await })
        })
        .collect();
    let mut second = Duration::from_secs(1);
    while reading.iter().any(|read| !read.is_finished()) {
        sleep(Duration::from_millis(100)).await;
        if began.elapsed() >= second {
            let attempts = cluster.state().calls.len() as f64;
            let budget = limits::RETRIES_SAVED_MAX
                + limits::RETRIES_PER_CALL * f64::from(reads)
                + limits::RETRIES_PER_SECOND * began.elapsed().as_secs_f64();
            // Hedges have a budget of their own.
            let most =
                f64::from(reads) + budget + limits::HEDGES_SAVED_MAX + limits::HEDGES_PER_READ * f64::from(reads);
            assert!(attempts <= most, "{attempts} attempts after {:?}", began.elapsed());
            second += Duration::from_secs(1);
        }
    }
    for read in reading {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_behind_is_not_asked_until_it_says_that_it_has_caught_up() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    cluster.behave(3, |node| {
        node.serves_no_reads_because = "installing a snapshot".into();
        let detail = pb::ErrorDetail { code: "NODE_NOT_READY".into(), retryable: true, ..Default::default() };
        node.errors = (0..1000).map(|_| refusal(Code::Unavailable, detail.clone())).collect();
    });
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        client.get(get.clone()).await.unwrap();
        sleep(TICK).await;
    }
    let calls = calls_by_node(&cluster);
    assert!(calls[&3] <= 3 && calls[&2] > 300, "{calls:?}");
    assert_eq!(trouble(&client, "n3:1"), Some(Trouble::NotServing));

    cluster.behave(3, |node| {
        node.serves_no_reads_because.clear();
        node.errors.clear();
    });
    cluster.state().calls.clear();
    let well_since = Instant::now();
    while !calls_by_node(&cluster).contains_key(&3) {
        assert!(well_since.elapsed() < Duration::from_secs(1), "not asked again");
        client.get(get.clone()).await.unwrap();
        sleep(TICK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_state_is_old_by_its_own_word_is_not_asked_until_it_is_young_again() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    cluster.behave(3, |node| node.staleness = limits::STALENESS_MAX + Duration::from_millis(1));
    let old_since = Instant::now();
    // It answers every read, so that nothing but the look at all nodes tells.
    while trouble(&client, "n3:1") != Some(Trouble::NotServing) {
        assert!(old_since.elapsed() < 2 * limits::TOPOLOGY_INTERVAL, "not found to be behind");
        client.get(get.clone()).await.unwrap();
        sleep(TICK).await;
    }
    cluster.state().calls.clear();
    for _ in 0..300 {
        client.get(get.clone()).await.unwrap();
        sleep(TICK).await;
    }
    let calls = calls_by_node(&cluster);
    assert!(!calls.contains_key(&3) && calls[&2] > 200, "{calls:?}");

    cluster.behave(3, |node| node.staleness = limits::STALENESS_MAX);
    let young_since = Instant::now();
    while !calls_by_node(&cluster).contains_key(&3) {
        assert!(young_since.elapsed() < Duration::from_secs(1), "not asked again");
        client.get(get.clone()).await.unwrap();
        sleep(TICK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_spread_over_followers_and_learners_and_writes_go_to_the_leader() {
    let cluster = FakeCluster::in_memory(4);
    cluster.state().learners.insert(4);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    for _ in 0..300 {
        client.get(get.clone()).await.unwrap();
    }
    let calls = calls_by_node(&cluster);
    assert!((2..=4).all(|id| calls[&id] > 20) && !calls.contains_key(&1), "{calls:?}");
    let view = client.topology_view();
    let voters = view.topology().unwrap().nodes.iter().filter(|node| node.voter).count();
    assert_eq!(voters, 3, "the fourth is a learner, and the client knows");

    cluster.state().calls.clear();
    client.create(pb::CreateRequest { alert: Some(passport("2", 1)), ..Default::default() }).await.unwrap();
    assert_eq!(calls_by_node(&cluster), BTreeMap::from([(1, 1)]));
}

fn overloaded(code: &str) -> tonic::Status {
    let detail = pb::ErrorDetail {
        code: code.into(),
        retryable: true,
        retry_after: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        ..Default::default()
    };
    refusal(Code::ResourceExhausted, detail)
}

#[tokio::test(start_paused = true)]
async fn a_full_node_is_left_alone_for_as_long_as_it_asks_while_others_serve() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    cluster.behave(2, |node| node.errors = (0..1000).map(|_| overloaded("OVERLOADED")).collect());
    let mut refused_at = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let before = calls_by_node(&cluster).get(&2).copied().unwrap_or_default();
        let called = Instant::now();
        client.get(get.clone()).await.unwrap();
        assert!(called.elapsed() < Duration::from_millis(100), "another node serves at once");
        if calls_by_node(&cluster).get(&2).copied().unwrap_or_default() > before {
            refused_at.push(called);
        }
        sleep(TICK).await;
    }
    assert!(refused_at.len() >= 2);
    assert!(refused_at.windows(2).all(|two| two[1] - two[0] >= Duration::from_secs(1)), "{refused_at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_spent_quota_is_waited_for_and_not_tried_elsewhere() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    for id in 1..=3 {
        cluster.behave(id, |node| node.errors = [overloaded("QUOTA_EXCEEDED")].into());
    }
    let called = Instant::now();
    client.get(get).await.unwrap_or_else(|error| panic!("{error}"));
    let waited = called.elapsed();
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
    let calls = cluster.state().calls.len();
    assert!(calls <= 4, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn what_one_node_cannot_answer_for_a_fault_of_its_own_another_does() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    let broken = || refusal(Code::Internal, pb::ErrorDetail { code: "INTERNAL".into(), ..Default::default() });
    cluster.behave(2, |node| node.errors = (0..100).map(|_| broken()).collect());
    for _ in 0..20 {
        client.get(get.clone()).await.unwrap();
    }
    cluster.behave(1, |node| node.errors = (0..100).map(|_| broken()).collect());
    cluster.behave(3, |node| node.errors = (0..100).map(|_| broken()).collect());
    let error = client.get(get).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.attempts), ("INTERNAL", 3), "each was asked once");
}

#[tokio::test(start_paused = true)]
async fn a_short_deadline_still_leaves_time_for_a_second_node() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let get = one_alert(&client).await;
    let hasty =
        client.with_deadline(Duration::from_millis(300)).with_defaults(|defaults| defaults.without_hedges = true);
    cluster.behave(2, |node| node.hangs = true);
    for _ in 0..10 {
        hasty.get(get.clone()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn every_read_that_sat_out_a_time_without_a_quorum_is_answered() {
    let cluster = FakeCluster::in_memory(3);
    let (client, get) = practised(&cluster, Duration::from_millis(5)).await;
    let detail = || pb::ErrorDetail { code: "NO_QUORUM".into(), retryable: true, ..Default::default() };
    for id in 1..=3 {
        cluster.behave(id, |node| node.errors = (0..100_000).map(|_| refusal(Code::Unavailable, detail())).collect());
    }
    // Far more of them than the budget of retries has saved up.
    let waiting: Vec<_> = (0..500)
        .map(|_| {
            let (client, get) = (client.clone(), get.clone());
            tokio::spawn(async move { client.get(get).await })
        })
        .collect();
    sleep(Duration::from_millis(1500)).await;
    for id in 1..=3 {
        cluster.behave(id, |node| node.errors.clear());
    }
    let back_at = Instant::now();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    assert!(back_at.elapsed() <= limits::BACKOFF_MAX + Duration::from_secs(1), "{:?}", back_at.elapsed());
    let calls = cluster.state().calls.len();
    assert!(calls <= 500 * 25, "the pauses grow: {calls} calls");
}
