//! Streams against a cluster that breaks them, in virtual time.

mod fake;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alert_client::{BatchOptions, NewAttachment, codes, limits, pb};
use fake::{FakeCluster, passport};
use futures::{StreamExt, stream};

fn lines(count: u64) -> impl Iterator<Item = pb::ImportLine> {
    (1..=count).map(|line| pb::ImportLine { line, alert: Some(passport(&line.to_string(), 1)) })
}

#[tokio::test(start_paused = true)]
async fn an_import_answers_every_line_once_and_goes_on_after_a_bad_one() {
    let cluster = FakeCluster::in_memory(3);
    let bad = pb::ImportLine { line: 1000, alert: Some(pb::Alert::default()) };
    let mut outcomes = cluster.client().import(stream::iter(lines(500).chain([bad]).chain(lines(999).skip(500))));
    let mut answered = BTreeSet::new();
    let mut rejected = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        let outcome = outcome.unwrap();
        assert!(answered.insert(outcome.line), "line {} answered twice", outcome.line);
        if outcome.status() == pb::ImportStatus::Rejected {
            rejected.push((outcome.line, outcome.faults[0].field_path.clone()));
        }
    }
    assert_eq!(answered.len(), 1000);
    assert_eq!(rejected, [(1000, "core.source".to_owned())]);
    assert_eq!(cluster.state().alerts.len(), 999);
}

#[tokio::test(start_paused = true)]
async fn an_import_goes_on_through_lost_connections_and_a_new_leader_and_adds_nothing_twice() {
    let cluster = FakeCluster::in_memory(3);
    cluster.behave(1, |node| node.breaks_streams_after = Some(3));
    cluster.behave(2, |node| node.breaks_streams_after = Some(2));
    let client = cluster.client();
    let mut outcomes = client.import(stream::iter(lines(5000)));
    let mut answered = BTreeSet::new();
    while let Some(outcome) = outcomes.next().await {
        assert!(answered.insert(outcome.unwrap().line));
        if answered.len() == 300 {
            cluster.lead(2);
            cluster.behave(1, |node| node.is_down = true);
        }
    }
    assert_eq!(answered.len(), 5000);
    let state = cluster.state();
    assert_eq!((state.alerts.len(), state.effects), (5000, 5000));
}

#[tokio::test(start_paused = true)]
async fn lines_that_come_one_by_one_share_messages_and_none_waits_alone() {
    let cluster = FakeCluster::in_memory(1);
    cluster.behave(1, |node| node.takes = Duration::from_millis(5));
    let (source, lines_read) = tokio::sync::mpsc::channel(1);
    let mut outcomes = cluster.client().import(tokio_stream::wrappers::ReceiverStream::new(lines_read));
    let mut all = lines(501);
    // Nothing is under way: the line goes at once, though no other comes.
    source.send(all.next().unwrap()).await.unwrap();
    assert_eq!(outcomes.next().await.unwrap().unwrap().line, 1);
    let sending = tokio::spawn(async move {
        for line in all {
            source.send(line).await.unwrap();
        }
    });
    let mut answered = 1;
    while let Some(outcome) = outcomes.next().await {
        outcome.unwrap();
        answered += 1;
    }
    sending.await.unwrap();
    assert_eq!(answered, 501);
    let messages = cluster.state().import_messages;
    assert!(messages <= 10, "{messages} messages for 501 lines");
}

#[tokio::test(start_paused = true)]
async fn a_second_import_of_the_same_lines_changes_nothing() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    for expected in [pb::ImportStatus::Created, pb::ImportStatus::Unchanged] {
        let mut outcomes = client.import(stream::iter(lines(300)));
        while let Some(outcome) = outcomes.next().await {
            assert_eq!(outcome.unwrap().status(), expected);
        }
    }
    assert_eq!(cluster.state().effects, 300);
}

#[tokio::test(start_paused = true)]
async fn an_import_reads_its_source_only_as_fast_as_answers_are_taken() {
    let cluster = FakeCluster::in_memory(1);
    let read = Arc::new(AtomicU64::new(0));
    let counted = {
        let read = read.clone();
        stream::iter(lines(100_000)).inspect(move |_| {
            read.fetch_add(1, Ordering::Relaxed);
        })
    };
    let mut outcomes = cluster.client().import(counted);
    outcomes.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let ahead = read.load(Ordering::Relaxed);
    let bound = (limits::IMPORT_WINDOW_LINES + 3 * limits::IMPORT_MESSAGE_LINES) as u64;
    assert!(ahead <= bound, "{ahead} lines read although nobody takes answers");
    for _ in 0..10_000 {
        outcomes.next().await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_without_a_cluster_gives_up_in_its_time() {
    let cluster = FakeCluster::in_memory(3);
    for id in 1..=3 {
        cluster.behave(id, |node| node.is_down = true);
    }
    let client = cluster.client().with_deadline(Duration::from_secs(20));
    let started = tokio::time::Instant::now();
    let error = client.import(stream::iter(lines(10))).next().await.unwrap().unwrap_err();
    assert_eq!(error.code, codes::STALLED);
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_empty_import_ends_without_a_connection_and_two_equal_line_numbers_are_refused() {
    let cluster = FakeCluster::in_memory(1);
    let client = cluster.client();
    assert!(client.import(stream::empty()).next().await.is_none());
    let twice = lines(1).chain(lines(1));
    let mut outcomes = client.import(stream::iter(twice));
    let mut last = None;
    while let Some(outcome) = outcomes.next().await {
        last = Some(outcome);
    }
    assert_eq!(last.unwrap().unwrap_err().code, codes::REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_refused_import_ends_with_the_refusal() {
    let cluster = FakeCluster::in_memory(1);
    let client = cluster.client().with_defaults(|defaults| defaults.officer_ref.clear());
    let mut outcomes = client.import(stream::iter(lines(10)));
    assert_eq!(outcomes.next().await.unwrap().unwrap_err().code, "CONTEXT_INVALID");
    assert!(outcomes.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_passenger_list_is_answered_by_key_through_a_lost_connection() {
    let cluster = FakeCluster::in_memory(3);
    for id in 1..=3 {
        cluster.behave(id, |node| node.breaks_streams_after = Some(2));
    }
    let queries = (0..300).map(|seat| pb::KeyedQuery { key: format!("seat-{seat}"), query: None });
    let mut answers = cluster.client().search_batch(BatchOptions::default(), stream::iter(queries));
    let mut keys = BTreeSet::new();
    while let Some(answer) = answers.next().await {
        assert!(keys.insert(answer.unwrap().key));
    }
    assert_eq!(keys.len(), 300);
    let ids: BTreeSet<_> = cluster.state().calls.iter().map(|(_, context)| context.search_id.clone()).collect();
    assert_eq!(ids.len(), 1, "one batch, one search id");
}

#[tokio::test(start_paused = true)]
async fn an_export_resumes_on_another_node_without_a_gap_or_a_double() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let mut outcomes = client.import(stream::iter(lines(21)));
    while outcomes.next().await.is_some() {}
    for id in 1..=3 {
        cluster.behave(id, |node| node.breaks_streams_after = Some(2));
    }
    let mut ids = Vec::new();
    let mut pages = client.export(pb::ExportRequest::default());
    while let Some(page) = pages.next().await {
        ids.extend(page.unwrap().records.into_iter().map(|record| record.info.unwrap().id));
    }
    let all: Vec<_> = cluster.state().alerts.keys().cloned().collect();
    assert_eq!(ids, all);
}

#[tokio::test(start_paused = true)]
async fn a_feed_goes_on_behind_its_last_cursor_and_ends_with_the_restart() {
    use pb::watch_response::Item;
    let cluster = FakeCluster::in_memory(3);
    for id in 1..=3 {
        cluster.behave(id, |node| node.breaks_streams_after = Some(2));
    }
    let mut feed = cluster.client().watch(pb::WatchRequest::default());
    let mut seen = Vec::new();
    while let Some(message) = feed.next().await {
        match message.unwrap().item.unwrap() {
            Item::Progress(progress) => seen.push(progress.cursor[0]),
            Item::Restart(restart) => assert_eq!(restart.code, "COMPACTED"),
            Item::Events(_) => unreachable!("this feed has marks only"),
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/// The connection stays and the node answers everything else: only the stream says nothing any more.
fn fall_silent(cluster: &FakeCluster, nodes: &[u64], after: usize) {
    for id in nodes {
        cluster.behave(*id, |node| node.stalls_streams_after = Some(after));
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_falls_silent_goes_on_at_another_node_whatever_the_deadline() {
    use pb::watch_response::Item;
    let cluster = FakeCluster::in_memory(3);
    fall_silent(&cluster, &[1, 2], 2);
    // Shorter than the time between two marks of a node that is well.
    let client = cluster.client().with_deadline(Duration::from_secs(1));
    let mut feed = client.watch(pb::WatchRequest::default());
    let mut seen = Vec::new();
    while let Some(message) = feed.next().await {
        if let Item::Progress(progress) = message.unwrap().item.unwrap() {
            seen.push(progress.cursor[0]);
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn an_export_that_falls_silent_goes_on_at_another_node_without_a_gap_or_a_double() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let mut outcomes = client.import(stream::iter(lines(21)));
    while outcomes.next().await.is_some() {}
    fall_silent(&cluster, &[1, 2], 1);
    let mut ids = Vec::new();
    let mut pages = client.export(pb::ExportRequest::default());
    while let Some(page) = pages.next().await {
        ids.extend(page.unwrap().records.into_iter().map(|record| record.info.unwrap().id));
    }
    assert_eq!(ids, cluster.state().alerts.keys().cloned().collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_passenger_list_whose_node_falls_silent_is_answered_by_another() {
    let cluster = FakeCluster::in_memory(3);
    fall_silent(&cluster, &[1, 2], 1);
    let queries = (0..300).map(|seat| pb::KeyedQuery { key: format!("seat-{seat}"), query: None });
    let mut answers = cluster.client().search_batch(BatchOptions::default(), stream::iter(queries));
    let mut keys = BTreeSet::new();
    while let Some(answer) = answers.next().await {
        assert!(keys.insert(answer.unwrap().key));
    }
    assert_eq!(keys.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn an_import_whose_leader_falls_silent_goes_on_at_the_next_and_adds_nothing_twice() {
    let cluster = FakeCluster::in_memory(3);
    fall_silent(&cluster, &[1], 2);
    let mut outcomes = cluster.client().import(stream::iter(lines(1000)));
    let mut answered = BTreeSet::new();
    while let Some(outcome) = outcomes.next().await {
        assert!(answered.insert(outcome.unwrap().line));
        if answered.len() == 200 {
            cluster.lead(3);
        }
    }
    assert_eq!(answered.len(), 1000);
    let state = cluster.state();
    assert_eq!((state.alerts.len(), state.effects), (1000, 1000));
}

#[tokio::test(start_paused = true)]
async fn a_passenger_list_is_read_only_as_fast_as_answers_are_taken() {
    let cluster = FakeCluster::in_memory(1);
    let read = Arc::new(AtomicU64::new(0));
    let queries = (0..100_000).map(|seat| pb::KeyedQuery { key: format!("seat-{seat}"), query: None });
    let counted = {
        let read = read.clone();
        stream::iter(queries).inspect(move |_| {
            read.fetch_add(1, Ordering::Relaxed);
        })
    };
    let mut answers = cluster.client().search_batch(BatchOptions::default(), counted);
    answers.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let ahead = read.load(Ordering::Relaxed);
    let bound = (limits::BATCH_WINDOW_QUERIES + 3 * limits::BATCH_MESSAGE_QUERIES) as u64;
    assert!(ahead <= bound, "{ahead} queries read although nobody takes answers");
    for _ in 0..10_000 {
        answers.next().await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_attachment_is_sent_and_fetched_whole() {
    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let content = vec![7; 3 * limits::ATTACHMENT_CHUNK_BYTES + 1];
    let size = content.len() as u64;
    let attachment = NewAttachment { alert_id: "a".into(), content: content.into(), ..NewAttachment::default() };
    assert_eq!(client.put_attachment(attachment).await.unwrap().reference.unwrap().size_bytes, size);
    cluster.behave(1, |node| node.breaks_streams_after = Some(2));
    cluster.behave(2, |node| node.breaks_streams_after = Some(0));
    let fetched = client.get_attachment(pb::GetAttachmentRequest::default()).await.unwrap();
    assert_eq!(fetched.content.len(), 4000, "a broken transfer begins again on another node");
}
