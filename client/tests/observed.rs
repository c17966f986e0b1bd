//! What a call leaves in traces and metrics: enough to find a slow or failing node, and nobody's data.

mod fake;

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_client::{BatchOptions, metric, pb};
use fake::{FakeCluster, passport, refusal};
use futures::stream;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tonic::Code;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt, registry::LookupSpan};

/// Fields of a span, by name.
type Fields = BTreeMap<String, String>;

/// Keeps what spans of calls say of themselves, and all that is said at all.
#[derive(Clone, Default)]
struct Recording {
    open: Arc<Mutex<BTreeMap<u64, Fields>>>,
    calls: Arc<Mutex<Vec<Fields>>>,
    everything: Arc<Mutex<String>>,
}

impl Recording {
    fn note(&self, fields: &mut Fields, record: impl FnOnce(&mut dyn Visit)) {
        struct Visitor<'a>(&'a mut Fields, &'a mut String);
        impl Visit for Visitor<'_> {
            fn record_str(&mut self, field: &Field, value: &str) {
                let _ = writeln!(self.1, "{}={value}", field.name());
                self.0.insert(field.name().to_owned(), value.to_owned());
            }
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                self.record_str(field, &format!("{value:?}"));
            }
        }
        record(&mut Visitor(fields, &mut self.everything.lock().unwrap()));
    }

    /// Those that are over.
    fn calls(&self) -> Vec<Fields> {
        self.calls.lock().unwrap().clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recording {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut fields = Fields::new();
        self.note(&mut fields, |visitor| attributes.record(visitor));
        if attributes.metadata().name() == "alert_client.call" {
            self.open.lock().unwrap().insert(id.into_u64(), fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut open = self.open.lock().unwrap();
        let mut other = Fields::new();
        self.note(open.get_mut(&id.into_u64()).unwrap_or(&mut other), |visitor| values.record(visitor));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.note(&mut Fields::new(), |visitor| event.record(visitor));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.calls.lock().unwrap().extend(self.open.lock().unwrap().remove(&id.into_u64()));
    }
}

fn get(id: &str) -> pb::GetRequest {
    pb::GetRequest { alert_id: id.to_owned(), ..Default::default() }
}

/// One test: subscriber and recorder belong to its thread.
#[tokio::test(start_paused = true)]
async fn a_call_is_told_in_one_span_and_counted_and_nobodys_data_is_in_either() {
    let recording = Recording::default();
    let _traced = tracing::subscriber::set_default(tracing_subscriber::registry().with(recording.clone()));
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _counted = metrics::set_default_local_recorder(&recorder);
    metric::describe();

    let cluster = FakeCluster::in_memory(3);
    let client = cluster.client();
    let id = client.create(pb::CreateRequest { alert: Some(passport("1", 1)), ..Default::default() }).await.unwrap();
    for node in 1..=3 {
        cluster.behave(node, |node| node.takes = Duration::from_millis(5));
    }
    for _ in 0..100 {
        client.get(get(&id.alert_id)).await.unwrap();
    }
    client.get(get("unknown")).await.unwrap_err();

    // A question about somebody, which a slow node leaves to a hedge.
    cluster.behave(2, |node| node.takes = Duration::from_secs(2));
    let person = pb::PersonQuery { names: vec!["Quenthorpe".into()], ..Default::default() };
    let query = pb::Query { person: Some(person), any_number: "AB123456".into(), ..Default::default() };
    let search_id = "0190a7c8-0000-7000-8000-00000000abcd".to_owned();
    for _ in 0..10 {
        let context = Some(pb::CallContext { search_id: search_id.clone(), ..Default::default() });
        client.search(pb::SearchRequest { context, query: Some(query.clone()), ..Default::default() }).await.unwrap();
    }
    cluster.behave(2, |node| node.takes = Duration::ZERO);

    // The lead moves, and the old leader says where to.
    cluster.behave(1, |node| node.does_not_forward = true);
    cluster.lead(3);
    client.create(pb::CreateRequest { alert: Some(passport("2", 1)), ..Default::default() }).await.unwrap();

    // A batch whose connection breaks, and more refusals than the budget of retries pays for at once.
    for node in 1..=3 {
        cluster.behave(node, |node| node.breaks_streams_after = Some(0));
    }
    let queries = [pb::KeyedQuery { key: "14A".into(), query: Some(query) }];
    let mut answers = client.search_batch(BatchOptions::default(), stream::iter(queries));
    while let Some(answer) = answers.next().await {
        answer.unwrap();
    }
    let broken =
        || refusal(Code::Internal, pb::ErrorDetail { code: "INTERNAL".into(), retryable: true, ..Default::default() });
    for node in 1..=3 {
        cluster.behave(node, |node| node.errors = (0..100).map(|_| broken()).collect());
    }
    let patient = client.with_deadline(Duration::from_secs(60));
    let reading = (0..150).map(|_| patient.get(get(&id.alert_id)));
    futures::future::try_join_all(reading).await.unwrap();
    // And a node that dies.
    cluster.behave(2, |node| node.is_down = true);
    for _ in 0..20 {
        client.get(get(&id.alert_id)).await.unwrap();
    }

    let calls = recording.calls();
    assert_eq!(calls.len(), 1 + 100 + 1 + 10 + 1 + 150 + 20, "one span for each call");
    assert!(
        calls
            .iter()
            .all(|call| ["method", "search_id", "attempts", "outcome"].iter().all(|name| call.contains_key(*name)))
    );
    let searched: Vec<_> = calls.iter().filter(|call| call["method"] == "search").collect();
    assert!(searched.iter().all(|call| call["search_id"] == search_id && call["outcome"] == "ok"), "{searched:?}");
    assert!(searched.iter().any(|call| call["attempts"] == "2" && call["node"] != "n2:1"), "a hedge: {searched:?}");
    let refused = calls.iter().find(|call| call["outcome"] == "NOT_FOUND").unwrap();
    assert_eq!((refused["method"].as_str(), refused["attempts"].as_str()), ("get", "1"));
    let everything = recording.everything.lock().unwrap().clone();
    assert!(everything.contains("out of favour") && everything.contains("n2:1"), "the fall of a node is told");
    for secret in ["Quenthorpe", "AB123456", "14A", "X1"] {
        assert!(!everything.contains(secret), "{secret} is in the traces");
    }

    let mut counts = BTreeMap::<String, u64>::new();
    for (key, _, description, value) in snapshotter.snapshot().into_vec() {
        let name = key.key().name();
        assert!(description.is_some(), "{name} was described");
        let count = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(values) => values.len() as u64,
            DebugValue::Gauge(_) => panic!("the client has no gauges"),
        };
        let labels: Vec<String> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        *counts.entry(name.to_owned()).or_default() += count;
        *counts.entry(format!("{name} {}", labels.join(" "))).or_default() += count;
    }
    for (name, ..) in metric::ALL {
        assert!(counts.get(*name).is_some_and(|count| *count > 0), "{name}: {counts:#?}");
    }
    let count = |name: &str, labels: &str| counts.get(&format!("{name} {labels}")).copied().unwrap_or_default();
    assert_eq!(counts[metric::CALLS], calls.len() as u64);
    assert_eq!(counts[metric::CALL_SECONDS], calls.len() as u64);
    assert_eq!(count(metric::CALLS, "method=get outcome=NOT_FOUND"), 1);
    assert_eq!(count(metric::CALLS, "method=create outcome=ok"), 2);
    assert_eq!(count(metric::ATTEMPTS, "method=create cause=hint"), 1);
    assert!(count(metric::ATTEMPTS, "method=search cause=hedge") > 0);
    assert!(count(metric::HEDGES_WON, "method=search") > 0);
    assert!(count(metric::ATTEMPTS, "method=get cause=retry") > 0);
    assert!(count(metric::STREAMS_LOST, "stream=batch") > 0);
    assert!(count(metric::EJECTIONS, "node=n2:1 reason=unreachable") > 0);
}
