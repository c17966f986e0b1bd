//! How soon an acknowledged change is seen on every node, and how long what is gone may still be served.

use std::time::{Duration, Instant};

use alert_chaos::{
    demo::partner_agreement,
    process::{LocalCluster, Standstill, processor_time},
    traffic::{create, percentile},
};
use alert_client::AlertClient;
use alert_proto::v1 as pb;
use alert_synth::known;
use futures::future::join_all;

use crate::stage::{LIMIT, bureau, searcher, tell, three};

/// Alerts that are created and cancelled.
const ALERTS: u64 = 100;
/// The promise for what is gone (domain.md section 4), by design and not by speed: a node that cannot prove its state
/// younger than this refuses.
const GONE_AFTER: Duration = Duration::from_secs(1);
/// A search that names no level is bounded by 1 s.
const SEEN_AFTER: Duration = Duration::from_secs(1);
/// The promise for what is new, on a machine that does nothing else: what this one kept the nodes waiting meanwhile, for a
/// processor or for the disk, is added to it (docs/testing.md).
const SEEN_WITHIN: Duration = Duration::from_millis(200);

/// The plate of a numbered record, searched as anybody would.
fn question(alert: &pb::Alert) -> pb::SearchRequest {
    let objects = alert.objects.as_ref().map(|section| section.objects.as_slice()).unwrap_or_default();
    let plate = objects.iter().find_map(|object| match &object.detail {
        Some(pb::object::Detail::NumberPlate(plate)) => Some(plate.clone()),
        _ => None,
    });
    let vehicle = pb::VehicleQuery { plate: Some(plate.expect("a plate")), ..Default::default() };
    pb::SearchRequest { query: Some(pb::Query { vehicle: Some(vehicle), ..Default::default() }), ..Default::default() }
}

fn names(answer: &pb::SearchResponse, alert_id: &str) -> bool {
    answer.sources.iter().flat_map(|source| &source.candidates).any(|candidate| candidate.alert_id == alert_id)
}

/// What a node said of an alert, by the time since a change was acknowledged.
struct Said {
    /// When the last search *began* that still said the opposite; zero if none did.
    last_opposite: Duration,
    /// When the first one that said what it should was answered.
    right: Duration,
}

/// Searches at one node until it answers with the alert, or without it. A refusal shows nothing; the node is asked again.
async fn said(
    node: &AlertClient,
    question: &pb::SearchRequest,
    alert_id: &str,
    wanted: bool,
    acknowledged: Instant,
) -> Said {
    let mut last_opposite = Duration::ZERO;
    let end = acknowledged + LIMIT;
    while Instant::now() < end {
        let began = acknowledged.elapsed();
        match node.search(question.clone()).await {
            Ok(answer) if names(&answer, alert_id) == wanted => {
                return Said { last_opposite, right: acknowledged.elapsed() };
            }
            Ok(_) => last_opposite = began,
            Err(_) => {}
        }
    }
    panic!("within {LIMIT:?} this node did not say what it should");
}

/// The same of a cancelled one, where only the wrong answers count.
async fn last_served(node: &AlertClient, question: &pb::SearchRequest, alert_id: &str, cancelled: Instant) -> Duration {
    said(node, question, alert_id, false, cancelled).await.last_opposite
}

fn distribution(what: &str, times: &[Duration]) -> String {
    let ms = |percent| percentile(times, percent).as_secs_f64() * 1000.0;
    format!(
        "{what}: {} measured, median {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        times.len(),
        ms(50),
        ms(90),
        ms(99),
        ms(100)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_alert_is_found_on_every_node_and_a_cancelled_one_is_not() {
    let cluster = three().start().await.unwrap();
    let (writer, reader) = (bureau(&cluster), searcher(&cluster));
    let nodes: Vec<AlertClient> =
        cluster.nodes().iter().map(|node| reader.at_node(node.client_address().unwrap())).collect();
    let all = cluster.nodes();
    let standstill = Standstill::watch(all.iter().map(|node| &**node)).with_disk(cluster.directory()).unwrap();
    let (mut seen, mut served, mut allowed) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ALERTS {
        let alert = known::numbered("visibility", number);
        let question = question(&alert);
        let before = standstill.so_far();
        let id = create(&writer, alert).await.unwrap().alert_id;
        let moment = Instant::now();
        let said = join_all(nodes.iter().map(|node| said(node, &question, &id, true, moment))).await;
        let waited = standstill.so_far().since(&before);
        for (Said { right, .. }, node) in said.iter().zip(&all) {
            let id = node.id();
            assert!(*right < SEEN_WITHIN + waited.total(), "found on node {id} after {right:?}, with {waited:?}");
        }
        seen.extend(said.iter().map(|said| said.right));
        allowed.push(waited.total());

        let reason = Some(pb::Code { list: "deletion-reason".to_owned(), value: "located".to_owned() });
        let cancel = pb::CancelRequest { alert_id: id.clone(), reason, ..Default::default() };
        writer.cancel(cancel).await.unwrap();
        let moment = Instant::now();
        served.extend(join_all(nodes.iter().map(|node| last_served(node, &question, &id, moment))).await);
    }
    let late = seen.iter().filter(|time| **time >= SEEN_WITHIN).count();
    tell(&format!(
        "{}; {late} times later than {SEEN_WITHIN:?}",
        distribution("a new alert was found, after its acknowledgement", &seen)
    ));
    tell(&distribution("this machine kept the nodes waiting meanwhile", &allowed));
    tell(&distribution("a cancelled alert was last served, after its acknowledgement", &served));
    // What is allowed for adds up what threads waited at the same time: on each node half of them need none of it, or that
    // node is late by itself.
    for (number, node) in all.iter().enumerate() {
        let own: Vec<Duration> = seen.iter().skip(number).step_by(all.len()).copied().collect();
        assert!(percentile(&own, 50) < SEEN_WITHIN, "node {}: {}", node.id(), distribution("found", &own));
    }
    assert!(percentile(&served, 100) < GONE_AFTER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_slept_through_a_cancellation_never_serves_what_was_cancelled() {
    let cluster = three().start().await.unwrap();
    let (writer, reader) = (bureau(&cluster), searcher(&cluster));
    for number in 0..3 {
        let alert = known::numbered("asleep", number);
        let question = question(&alert);
        let id = create(&writer, alert).await.unwrap().alert_id;
        let leader = cluster.wait_leader().await.unwrap();
        let node = cluster.node(leader % 3 + 1).unwrap();
        let at_node = reader.at_node(node.client_address().unwrap());
        let seen = at_node.search(question.clone()).await.unwrap();
        // A connection stands and the node is up to date; then it sleeps, knowing nothing of what follows.
        if !names(&seen, &id) {
            let said = said(&at_node, &question, &id, true, Instant::now()).await;
            assert!(said.last_opposite < SEEN_AFTER, "a search is bounded by 1 s");
        }
        node.pause().unwrap();
        let reason = Some(pb::Code { list: "deletion-reason".to_owned(), value: "located".to_owned() });
        writer.cancel(pb::CancelRequest { alert_id: id.clone(), reason, ..Default::default() }).await.unwrap();
        let acknowledged = Instant::now();
        // The promise begins to bind a second after the acknowledgement; this is the one thing to wait for.
        tokio::time::sleep_until((acknowledged + GONE_AFTER).into()).await;
        node.resume().unwrap();
        let last = last_served(&at_node, &question, &id, acknowledged).await;
        assert_eq!(last, Duration::ZERO, "node {} served it, asked {last:?} after the acknowledgement", node.id());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_agreement_is_served_by_no_node_a_second_later_nor_by_one_that_slept() {
    let cluster = three().start().await.unwrap();
    let writer = bureau(&cluster);
    let policy = cluster.client("policy").unwrap();
    let policy = policy.with_defaults(|defaults| defaults.purpose = "alert-management".to_owned());
    let agreement = partner_agreement(&cluster).unwrap();
    let agreement_id = agreement.id.clone();
    policy.put_agreement(pb::PutAgreementRequest { agreement: Some(agreement), ..Default::default() }).await.unwrap();
    let alert = known::numbered("suspended", 1);
    let question = question(&alert);
    let id = create(&writer, alert).await.unwrap().alert_id;
    let partner = cluster.client("partner-fr").unwrap().with_deadline(Duration::from_secs(2));
    for sleeper in 1..=3 {
        // Connections stand, and every node serves the partner.
        let nodes: Vec<AlertClient> =
            cluster.nodes().iter().map(|node| partner.at_node(node.client_address().unwrap())).collect();
        let moment = Instant::now();
        join_all(nodes.iter().map(|node| said(node, &question, &id, true, moment))).await;
        let node = cluster.node(sleeper).unwrap();
        node.pause().unwrap();
        let suspend = pb::SuspendAgreementRequest { agreement_id: agreement_id.clone(), ..Default::default() };
        policy.suspend_agreement(suspend).await.unwrap();
        let acknowledged = Instant::now();
        tokio::time::sleep_until((acknowledged + GONE_AFTER).into()).await;
        node.resume().unwrap();
        // Each node is asked until it has said of itself that the agreement is not in force, and answers nothing before.
        let refuses = join_all(nodes.iter().map(|node| async {
            while acknowledged.elapsed() < LIMIT {
                match node.search(question.clone()).await {
                    Ok(answer) => panic!("served {:?} later by {:?}", acknowledged.elapsed(), answer.answer),
                    Err(error) if error.code == "AGREEMENT_NOT_IN_FORCE" => return true,
                    Err(_) => {}
                }
            }
            false
        }));
        assert!(refuses.await.iter().all(|refused| *refused), "node {sleeper} slept");
        let resume = pb::ResumeAgreementRequest { agreement_id: agreement_id.clone(), ..Default::default() };
        policy.resume_agreement(resume).await.unwrap();
    }
}

/// A node reads some tables once. It does so before it serves, or the first one to ask waits for them and is told that
/// the answer came too late. Told by processor time, which says the same on a busy machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_question_about_a_person_costs_a_node_no_more_than_others() {
    let cluster = LocalCluster::builder().nodes(1).start().await.unwrap();
    let (reader, node) = (searcher(&cluster), cluster.node(1).unwrap());
    // A connection stands, and a thread for searches.
    reader.search(question(&known::numbered("first", 1))).await.unwrap();
    let cost = async |count: usize| {
        let before = processor_time(&node);
        for _ in 0..count {
            reader.search(pb::SearchRequest { query: Some(known::no_hit()), ..Default::default() }).await.unwrap();
        }
        processor_time(&node).saturating_sub(before)
    };
    let (first, next) = (cost(1).await, cost(100).await);
    tell(&format!("the first question cost {first:?} of processor time, the next hundred {next:?}"));
    assert!(first < next, "{first:?} and {next:?}");
}
