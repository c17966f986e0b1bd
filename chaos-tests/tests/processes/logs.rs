//! What a node says of itself: metrics by their names, and logs that are JSON and name nobody.

use std::fs;

use alert_chaos::{
    process::{LocalCluster, wait_until},
    traffic::create,
};
use alert_client::{Error, json};
use alert_cluster_config::node::LogFormat;
use alert_proto::v1 as pb;
use alert_synth::{codes::some_code, known};
use serde_json::Value;

use crate::{
    desk::Desk,
    stage::{LIMIT, bureau, searcher, three},
};

/// Everything by which a person or thing could be known that is written, searched or said below, as it was written and
/// as the store folds it.
const PERSONAL: [&str; 18] = [
    "quenthorpe",
    "tamsin",
    "rosalind",
    "1987-11-23",
    "507741268",
    "548021937",
    "ottoline",
    "brackenshaw",
    "zebulonia",
    "quixwetherfold",
    "533190426",
    "bd51 smr",
    "bd51smr",
    "known-wanted-holder",
    "officer-4711",
    "case-0815",
    "seen at the ferry",
    "nm/2025/004711",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_as_json_are_json_line_by_line_and_name_no_person_and_no_number() {
    for log in logs_of_a_busy_cluster(LogFormat::Json).await {
        let lines: Vec<Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}")))
            .collect();
        assert!(lines.iter().any(|line| line["level"] == "DEBUG"), "the filter lets everything through");
        assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["target"].is_string()));
        names_nobody(&log);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_as_text_name_no_person_and_no_number() {
    for log in logs_of_a_busy_cluster(LogFormat::Text).await {
        assert!(log.contains(" DEBUG "), "the filter lets everything through");
        names_nobody(&log);
    }
}

/// Everything that people do with records, each on the leader and on followers; then what each node has logged of it.
async fn logs_of_a_busy_cluster(format: LogFormat) -> Vec<String> {
    let cluster =
        three().log_filter("debug").configure(move |config| config.log.format = format).start().await.unwrap();
    let said = |defaults: &mut alert_client::CallDefaults| {
        defaults.officer_ref = "officer-4711".to_owned();
        defaults.case_ref = "case-0815".to_owned();
        defaults.justification = "seen at the ferry".to_owned();
    };
    let (writer, reader) = (bureau(&cluster).with_defaults(said), searcher(&cluster).with_defaults(said));
    let mut records = [known::wanted_holder(), known::stolen_passport(), known::stolen_van(), known::covert()];
    for node in cluster.nodes() {
        let address = node.client_address().unwrap();
        let (writer, reader) = (writer.at_node(&address), reader.at_node(&address));
        let mut ids = Vec::new();
        for (known, number) in records.iter_mut().zip(0..) {
            let core = known.alert.core.get_or_insert_default();
            core.owner.get_or_insert_default().authority = some_code("authority", "nca");
            core.source.get_or_insert_default().reference = format!("known-wanted-holder-{number}-at-{}", node.id());
            ids.push(create(&writer, known.alert.clone()).await.unwrap().alert_id);
            let request = pb::SearchRequest { query: Some(known.query.clone()), ..Default::default() };
            reader.search(request).await.unwrap();
        }
        reader.get(pb::GetRequest { alert_id: ids[1].clone(), ..Default::default() }).await.unwrap();
        let reason = some_code("deletion-reason", "located");
        writer.cancel(pb::CancelRequest { alert_id: ids[0].clone(), reason, ..Default::default() }).await.unwrap();
        reader.search(pb::SearchRequest { query: Some(known::no_hit()), ..Default::default() }).await.unwrap();
        // What is refused is logged more than what is done.
        let mut taken = records[3].alert.clone();
        let refused: Error = create(&writer, taken.clone()).await.unwrap_err();
        assert_eq!(refused.code, "DUPLICATE_SOURCE");
        taken.core.get_or_insert_default().category = some_code("category", "quenthorpe");
        assert_eq!(create(&writer, taken).await.unwrap_err().code, "RECORD_INVALID");
        let unsearchable = pb::Query { mrz: "P<GBRQUENTHORPE<<TAMSIN".to_owned(), ..Default::default() };
        let request = pb::SearchRequest { query: Some(unsearchable), ..Default::default() };
        // Found or refused: what counts is what is said of it.
        let _ = reader.search(request).await;
        import(&cluster, node.id(), &address, &records.each_ref().map(|known| known.alert.clone()));
    }
    for node in cluster.nodes() {
        node.terminate(LIMIT).await.unwrap();
    }
    // The harness heads what each start of the process wrote.
    let own = |log: String| {
        log.lines().filter(|line| !line.starts_with("--- start ")).map(|line| format!("{line}\n")).collect()
    };
    cluster.nodes().iter().map(|node| own(fs::read_to_string(node.log_path()).unwrap())).collect()
}

/// Imports records through one node: new ones, the same again, and lines that are refused.
fn import(cluster: &LocalCluster, node: u64, address: &str, records: &[pb::Alert]) {
    let desk = Desk::new(cluster);
    let mut lines: Vec<String> = Vec::new();
    for (record, number) in records.iter().zip(0..) {
        let mut record = record.clone();
        let reference = format!("known-wanted-holder-{number}-imported-at-{node}");
        record.core.get_or_insert_default().source.get_or_insert_default().reference = reference;
        lines.push(json::to_string(&record));
        record.core.get_or_insert_default().category = some_code("category", "tamsin");
        lines.push(json::to_string(&record));
    }
    lines.push("{\"core\": \"ottoline brackenshaw".to_owned());
    lines.push("zebulonia quixwetherfold".to_owned());
    let file = desk.file("records.ndjson", lines.join("\n"));
    for _ in 0..2 {
        let ran = desk.run("bureau", &["import", &file, "--node", address]);
        assert_eq!(ran.code, 5, "some lines are refused, and the rest goes on: {ran:?}");
    }
}

fn names_nobody(log: &str) {
    for line in log.lines() {
        let folded = line.to_lowercase();
        for personal in PERSONAL {
            assert!(!folded.contains(personal), "'{personal}' is in the log: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_tell_calls_state_and_readiness_and_name_nobody() {
    let cluster = LocalCluster::builder().nodes(1).start().await.unwrap();
    let node = cluster.node(1).unwrap();
    create(&bureau(&cluster), known::numbered("metrics", 1)).await.unwrap();
    let query = Some(known::wanted_holder().query);
    searcher(&cluster).search(pb::SearchRequest { query, ..Default::default() }).await.unwrap();
    // Gauges follow the state a moment later.
    let body = wait_until("the revision of what was written", LIMIT, || async {
        let metrics = node.ops("/metrics").await?;
        Ok((value(&metrics.body, "alertstore_revision") >= Some(1.0)).then_some(metrics.body))
    });
    let body = body.await.unwrap();
    let value = |begins: &str| value(&body, begins).unwrap_or_else(|| panic!("no {begins} in\n{body}"));
    for ours in ["alertstore_applied_index", "alertstore_audit_sequence"] {
        assert!(value(ours) >= 1.0, "{ours}");
    }
    assert_eq!((value("alertstore_ready"), value("alertstore_is_leader")), (1.0, 1.0));
    for family in ["alertstore_calls_total{", "alertstore_call_seconds", "alertstore_alerts", "alertstore_limit{"] {
        value(family);
    }
    let folded = body.to_lowercase();
    assert!(PERSONAL.iter().all(|personal| !folded.contains(personal)), "{body}");
}

/// The value on the first line that begins so.
fn value(metrics: &str, begins: &str) -> Option<f64> {
    metrics.lines().find(|line| line.starts_with(begins))?.rsplit(' ').next()?.parse().ok()
}
