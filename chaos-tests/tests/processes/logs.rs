//! What a node says of itself: metrics by their names, and logs that are JSON and name nobody.

use std::fs;

use alert_chaos::{
    process::{LocalCluster, wait_until},
    traffic::create,
};
use alert_client::Error;
use alert_cluster_config::node::LogFormat;
use alert_proto::v1 as pb;
use alert_synth::{codes::some_code, known};
use serde_json::Value;

use crate::stage::{LIMIT, bureau, searcher};

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
async fn logs_are_json_line_by_line_and_name_no_person_and_no_number() {
    let cluster = LocalCluster::builder()
        .nodes(1)
        .log_filter("debug")
        .configure(|config| config.log.format = LogFormat::Json)
        .start()
        .await
        .unwrap();
    let node = cluster.node(1).unwrap();
    let said = |defaults: &mut alert_client::CallDefaults| {
        defaults.officer_ref = "officer-4711".to_owned();
        defaults.case_ref = "case-0815".to_owned();
        defaults.justification = "seen at the ferry".to_owned();
    };
    let (writer, reader) = (bureau(&cluster).with_defaults(said), searcher(&cluster).with_defaults(said));
    let mut ids = Vec::new();
    for mut known in [known::wanted_holder(), known::stolen_passport(), known::stolen_van(), known::covert()] {
        let owner = known.alert.core.get_or_insert_default().owner.get_or_insert_default();
        owner.authority = some_code("authority", "nca");
        ids.push(create(&writer, known.alert).await.unwrap().alert_id);
        reader.search(pb::SearchRequest { query: Some(known.query), ..Default::default() }).await.unwrap();
    }
    reader.search(pb::SearchRequest { query: Some(known::no_hit()), ..Default::default() }).await.unwrap();
    reader.get(pb::GetRequest { alert_id: ids[0].clone(), ..Default::default() }).await.unwrap();
    // What is refused is logged more than what is done.
    let taken: Error = create(&writer, known::covert().alert).await.unwrap_err();
    assert_eq!(taken.code, "DUPLICATE_SOURCE");
    let mut wrong = known::covert().alert;
    wrong.core.get_or_insert_default().category = some_code("category", "quenthorpe");
    assert_eq!(create(&writer, wrong).await.unwrap_err().code, "RECORD_INVALID");
    let unsearchable = pb::Query { mrz: "P<GBRQUENTHORPE<<TAMSIN".to_owned(), ..Default::default() };
    let request = pb::SearchRequest { query: Some(unsearchable), ..Default::default() };
    // Found or refused: what counts is what is said of it.
    let _ = reader.search(request).await;
    node.terminate(LIMIT).await.unwrap();

    let log = fs::read_to_string(node.log_path()).unwrap();
    // The harness heads what each start of the process wrote.
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| !line.starts_with("--- start "))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}")))
        .collect();
    assert!(lines.iter().any(|line| line["level"] == "DEBUG"), "the filter lets everything through");
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["target"].is_string()));
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
