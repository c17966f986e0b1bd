//! Offered many times what it takes on, a node goes on serving what it takes on, and tells the rest when to come back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alert_chaos::process::{LocalCluster, NodeProcess, wait_until};
use alert_client::{ClientTls, Connector, TlsConnector};
use alert_proto::v1::{self as pb, search_service_client::SearchServiceClient};
use alert_synth::known;
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::task::JoinSet;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint, Uri},
};

use crate::stage::{LIMIT, bureau, tell};

/// Searches that the node takes on at a time.
const TAKEN_ON: u64 = 8;
/// Callers that ask again as soon as they are answered or refused, whatever they are told: sixteen times as many.
const CALLERS: u64 = 16 * TAKEN_ON;
/// Connections that they share.
const CONNECTIONS: usize = 8;
/// Right answers that a run goes on for.
const ANSWERS: u64 = 3_000;
/// No call of these waits for long; a refused one not at all.
const PATIENCE: Duration = Duration::from_secs(30);

async fn channel(cluster: &LocalCluster, client: &str, node: &NodeProcess) -> Channel {
    let tls = ClientTls::open(&cluster.client_config(client).unwrap().tls).unwrap();
    let (connector, address) = (TlsConnector::new(Arc::new(tls)), node.client_address().unwrap());
    let to = address.clone();
    let connect = tower::service_fn(move |_: Uri| {
        let connection = connector.connect(&to);
        async move { connection.await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    endpoint.connect_with_connector(connect).await.unwrap()
}

/// One search as it goes over the wire, with none of the client crate's patience.
async fn search(client: &mut SearchServiceClient<Channel>, number: u64, query: &pb::Query) -> Result<bool, Status> {
    let context = pb::CallContext {
        search_id: format!("0190b0a2-7c3d-7000-8000-{number:012x}"),
        officer_ref: "officer-7".to_owned(),
        purpose: Some(pb::Code { list: "purpose".to_owned(), value: "border-control".to_owned() }),
        ..Default::default()
    };
    let asked = pb::SearchRequest { context: Some(context), query: Some(query.clone()), ..Default::default() };
    let mut request = tonic::Request::new(asked);
    request.set_timeout(PATIENCE);
    let answer = client.search(request).await?.into_inner();
    assert!(answer.sources.iter().all(|source| source.status() == pb::SourceStatus::Complete), "{answer:?}");
    Ok(answer.sources.iter().any(|source| !source.candidates.is_empty()))
}

/// What a run came to.
#[derive(Debug, Default)]
struct Run {
    answered: u64,
    refused: u64,
    took: Duration,
}

impl Run {
    fn per_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }
}

/// `callers` ask all the time until there are enough right answers. Each answer is right or a refusal that says when to
/// come back.
async fn offer(channels: &[Channel], callers: u64, numbers: &Arc<AtomicU64>) -> Run {
    let (answered, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let mut set = JoinSet::new();
    for caller in 0..callers {
        let mut client = SearchServiceClient::new(channels[caller as usize % channels.len()].clone());
        let (answered, refused, numbers) = (answered.clone(), refused.clone(), numbers.clone());
        set.spawn(async move {
            // Work for a thread, one with a hit and one without.
            let questions = [(known::misspelt().query, true), (known::no_hit(), false)];
            while answered.load(Ordering::Relaxed) < ANSWERS {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let (query, is_hit) = &questions[number as usize % 2];
                match search(&mut client, number, query).await {
                    Ok(found) => {
                        assert_eq!(found, *is_hit, "question {number}");
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(status) => {
                        let detail = pb::ErrorDetail::decode(status.details()).unwrap();
                        assert_eq!((status.code(), detail.code.as_str()), (Code::ResourceExhausted, "OVERLOADED"));
                        let wait = Duration::try_from(detail.retry_after.expect("when to come back")).unwrap();
                        assert!(wait > Duration::ZERO && detail.retryable && !detail.maybe_applied);
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
    }
    let all = async {
        while let Some(caller) = set.join_next().await {
            caller.unwrap()
        }
    };
    tokio::time::timeout(LIMIT, all).await.expect("what is taken on is answered, however much is refused");
    let [answered, refused] = [answered, refused].map(|count| count.load(Ordering::Relaxed));
    Run { answered, refused, took: began.elapsed() }
}

/// Gauges of searches: (calls under way, work that waits for a thread).
async fn queues(node: &NodeProcess) -> (u64, u64) {
    let metrics = node.ops("/metrics").await.unwrap().body;
    let gauge = |name: &str| {
        let begins = format!("{name}{{class=\"search\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&begins));
        line.map_or(0, |value| value.parse::<f64>().unwrap() as u64)
    };
    (gauge("alertstore_calls_under_way"), gauge("alertstore_work_waiting"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overloaded_node_answers_what_it_takes_on_and_refuses_the_rest_with_the_time_to_wait() {
    let small = |config: &mut alert_cluster_config::NodeConfig| {
        config.limits.searches_waiting_max = TAKEN_ON;
        // One caller shall be able to fill the node: what is shown here is the node's own limit.
        (config.limits.caller_calls_per_s, config.limits.caller_burst_calls) = (10_000_000, 10_000_000);
    };
    let cluster = LocalCluster::builder().nodes(1).configure(small).start().await.unwrap();
    let node = cluster.node(1).unwrap();
    let writer = bureau(&cluster);
    let mut alert = known::misspelt().alert;
    let owner = alert.core.as_mut().and_then(|core| core.owner.as_mut()).unwrap();
    owner.authority = Some(pb::Code { list: "authority".to_owned(), value: "nca".to_owned() });
    writer.create(pb::CreateRequest { alert: Some(alert), ..Default::default() }).await.unwrap();
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(channel(&cluster, "search", &node).await);
    }
    let numbers = Arc::new(AtomicU64::new(0));

    let alone = offer(&channels, TAKEN_ON, &numbers).await;
    assert_eq!(alone.refused, 0, "as many callers as it takes on");

    // While the one system asks for sixteen times what there is, another's officer asks as usual, and is answered.
    let over = Arc::new(AtomicBool::new(false));
    let officer = tokio::spawn({
        let (over, numbers) = (over.clone(), numbers.clone());
        let mut client = SearchServiceClient::new(channel(&cluster, "bureau", &node).await);
        async move {
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) {
                search(&mut client, numbers.fetch_add(1, Ordering::Relaxed), &known::no_hit()).await.unwrap();
                answered += 1;
            }
            answered
        }
    });
    let watched = tokio::spawn({
        let (over, node) = (over.clone(), node.clone());
        async move {
            let (mut seen, mut longest) = (0u64, (0, 0));
            while !over.load(Ordering::Relaxed) {
                let (under_way, waiting) = queues(&node).await;
                longest = (under_way.max(longest.0), waiting.max(longest.1));
                seen += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            (seen, longest)
        }
    });
    let crowd = offer(&channels, CALLERS, &numbers).await;
    over.store(true, Ordering::Relaxed);
    let (officers, (looks, (under_way, waiting))) = (officer.await.unwrap(), watched.await.unwrap());
    tell(&format!(
        "{TAKEN_ON} callers: {:.0} answers a second; {CALLERS} callers: {:.0} a second, {} refused; the officer was \
         answered {officers} times; at most {under_way} searches were under way and {waiting} pieces of work waited, in \
         {looks} looks",
        alone.per_second(),
        crowd.per_second(),
        crowd.refused
    ));
    assert!(crowd.refused > crowd.answered, "it was no overload: {crowd:?}");
    assert!(officers > 0 && looks > 0);
    // Who has less than its share is let in beyond the limit, and never beyond twice the limit.
    assert!(under_way <= 2 * TAKEN_ON && waiting <= TAKEN_ON, "{under_way} under way, {waiting} waiting");

    // It is over as soon as it is over: the next search is answered, the next caller let in.
    let mut client = SearchServiceClient::new(channels[0].clone());
    let last = known::misspelt().query;
    assert!(search(&mut client, numbers.fetch_add(1, Ordering::Relaxed), &last).await.unwrap());
    wait_until("nothing under way", LIMIT, || async { Ok((queues(&node).await == (0, 0)).then_some(())) })
        .await
        .unwrap();
    let again = offer(&channels, TAKEN_ON, &numbers).await;
    assert_eq!(again.refused, 0, "no refusal outlives the load");
}
