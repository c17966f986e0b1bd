//! The blocking client, as a program without `async` uses it, against nodes on loopback ports.

mod fake;

use alert_client::{
    AlertClient, BatchOptions,
    blocking::BlockingClient,
    pb::{self, watch_response::Item},
};
use fake::{FakeCluster, passport};
use tokio::runtime::Runtime;

#[test]
fn a_program_without_async_writes_reads_searches_and_takes_streams_as_iterators() {
    // The nodes' runtime; the client has its own.
    let nodes = Runtime::new().unwrap();
    let cluster = nodes.block_on(FakeCluster::on_loopback(3));
    let builder = AlertClient::builder()
        .seeds(cluster.addresses())
        .plaintext_loopback()
        .officer_ref("officer-1")
        .purpose("border-control");
    let client = BlockingClient::new(builder).unwrap();

    let create = pb::CreateRequest { alert: Some(passport("0", 1)), ..Default::default() };
    let written = client.create(create).unwrap();
    let get = |alert_id: String| client.get(pb::GetRequest { alert_id, ..Default::default() });
    assert_eq!(get(written.alert_id.clone()).unwrap().record.unwrap().info.unwrap().version, written.version);
    assert!(get("unknown".to_owned()).unwrap_err().is_not_found());
    assert!(client.search(pb::SearchRequest::default()).unwrap().answer.is_some());
    assert_eq!(client.inner().last_token().map(|token| token.len()), Some(8));

    let lines = (1..=300).map(|line| pb::ImportLine { line, alert: Some(passport(&line.to_string(), 1)) });
    let outcomes: Vec<_> = client.import(lines).map(Result::unwrap).collect();
    assert_eq!(outcomes.len(), 300);
    assert!(outcomes.iter().all(|outcome| outcome.status() == pb::ImportStatus::Created));

    let queries = (0..120).map(|seat| pb::KeyedQuery { key: format!("seat-{seat}"), query: None });
    assert_eq!(client.search_batch(BatchOptions::default(), queries).map(Result::unwrap).count(), 120);

    let pages = client.export(pb::ExportRequest::default());
    assert_eq!(pages.map(|page| page.unwrap().records.len()).sum::<usize>(), 301);

    let messages: Vec<_> =
        client.watch(pb::WatchRequest::default()).map(|message| message.unwrap().item.unwrap()).collect();
    assert!(matches!(messages.last(), Some(Item::Restart(_))) && messages.len() == 10, "{messages:?}");

    let status = client.wait(client.inner().admin().status()).unwrap();
    assert_eq!(status.cluster_id, "fake");
}
