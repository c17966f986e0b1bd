//! What an application sees through the client crate when a node is lost, stopped or cut off: nothing.
//!
//! Two promises here are about time, and are asserted: a lost node is out of favour within a second, and writes stand still
//! no longer than a failover takes. Both allow for the time for which this machine kept the test or the nodes waiting for a
//! processor, as the timers and the kernel tell it, and for nothing else.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use alert_chaos::{
    process::{CLIENTS, Standstill, wait_until},
    traffic::longest_gap,
};
use alert_client::{AlertClient, Trouble, pb};
use alert_synth::known;
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::stage::{PATIENCE, Stage};

/// A lost node is out of favour after this.
const SECOND: Duration = Duration::from_secs(1);
/// Longest election time-outs in the longest failover: the lease, a second vote, the first entry of the new leader, and
/// the client's way to it. (Measured over many: the median is below 1.5.)
const ELECTIONS_PER_FAILOVER: f64 = 2.5;

/// Calls one after the other, until told to stop.
struct Calls {
    answered: Arc<Mutex<Vec<Instant>>>,
    stop: watch::Sender<bool>,
    callers: JoinSet<Vec<String>>,
}

impl Calls {
    fn start<F>(callers: u64, call: impl Fn(u64) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), alert_client::Error>> + Send,
    {
        let (stop, stopped) = watch::channel(false);
        let answered = Arc::<Mutex<Vec<Instant>>>::default();
        let mut set = JoinSet::new();
        for caller in 0..callers {
            let (answered, stopped, call) = (answered.clone(), stopped.clone(), call.clone());
            set.spawn(async move {
                let mut failed = Vec::new();
                for number in 0.. {
                    if *stopped.borrow() {
                        break;
                    }
                    match call(caller * 1_000_000 + number).await {
                        Ok(()) => answered.lock().unwrap().push(Instant::now()),
                        Err(error) => failed.push(error.to_string()),
                    }
                    sleep(Duration::from_millis(2)).await;
                }
                failed
            });
        }
        Self { answered, stop, callers: set }
    }

    fn answered(&self) -> usize {
        self.answered.lock().unwrap().len()
    }

    async fn go_on(&self, what: &str) {
        let before = self.answered();
        wait_until(what, PATIENCE, || async { Ok((self.answered() > before + 50).then_some(())) }).await.unwrap();
    }

    /// The longest time without an answer since `moment`.
    fn longest_gap_since(&self, moment: Instant) -> Duration {
        let answered = self.answered.lock().unwrap();
        let since: Vec<Instant> = answered.iter().copied().filter(|at| *at >= moment).collect();
        longest_gap(&since, moment, Instant::now())
    }

    async fn end_without_an_error(mut self, what: &str) {
        let _ = self.stop.send(true);
        let mut failed = Vec::new();
        while let Some(caller) = self.callers.join_next().await {
            failed.extend(caller.unwrap());
        }
        assert!(failed.is_empty(), "{} {what} failed, the first with {}", failed.len(), failed[0]);
        eprintln!("{} {what} answered, none failed", self.answered());
    }
}

/// Waits until what the client holds against the node at `address` is as wanted, and says what it is.
async fn wait_trouble(
    client: &AlertClient,
    address: &str,
    wanted: impl Fn(Option<Trouble>) -> bool,
) -> Option<Trouble> {
    wait_until(&format!("{address} in or out of favour"), PATIENCE, || async {
        let node = client.nodes().into_iter().find(|node| node.address == address);
        Ok(node.map(|node| node.trouble).filter(|trouble| wanted(*trouble)))
    })
    .await
    .unwrap()
}

/// Waits until the client has the node at `address` in favour, or out of it for `trouble`.
async fn stands(client: &AlertClient, address: &str, trouble: Option<Trouble>) {
    wait_until(&format!("{address} with {trouble:?}"), PATIENCE, || async {
        let node = client.nodes().into_iter().find(|node| node.address == address);
        Ok((node.is_some_and(|node| node.trouble == trouble)).then_some(()))
    })
    .await
    .unwrap();
}

fn searches(client: AlertClient) -> Calls {
    Calls::start(4, move |number| {
        let client = client.clone();
        async move {
            let query = if number.is_multiple_of(2) { known::no_hit() } else { known::stolen_passport().query };
            client.search(pb::SearchRequest { query: Some(query), ..Default::default() }).await.map(drop)
        }
    })
}

fn writes(client: AlertClient) -> Calls {
    Calls::start(2, move |number| {
        let client = client.clone();
        async move {
            let alert = known::numbered("losses", number);
            client.create(pb::CreateRequest { alert: Some(alert), ..Default::default() }).await.map(drop)
        }
    })
}

/// Each node in turn is killed, comes back, is stopped, and wakes up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_sees_no_error_when_any_one_of_three_nodes_is_lost_and_writes_wait_for_one_failover() {
    let stage = Stage::set().await;
    let (searcher, bureau) = (stage.client("search").build().unwrap(), stage.client("bureau").build().unwrap());
    let (reads, writes) = (searches(searcher.clone()), writes(bureau.clone()));
    let mut leaders = 0;
    for id in [1, 2, 3, 0] {
        // The last one is the leader, whoever that is by then.
        let id = if id == 0 { stage.leader().await } else { id };
        let node = stage.cluster.node(id).unwrap();
        let address = node.client_address().unwrap();
        let longest_election = node.config().unwrap().raft_times().election_timeout_max;
        for is_killed in [true, false] {
            for client in [&searcher, &bureau] {
                stands(client, &address, None).await;
            }
            reads.go_on("searches").await;
            writes.go_on("writes").await;
            let led = stage.leader().await == id;
            leaders += u32::from(led);
            let all = stage.cluster.nodes();
            let standstill = Standstill::watch(all.iter().map(|node| &**node).filter(|node| node.id() != id));
            let lost_at = Instant::now();
            if is_killed {
                node.kill().unwrap();
            } else {
                node.pause().unwrap();
            }
            let ejected = async |client| {
                stands(client, &address, Some(Trouble::Unreachable)).await;
                lost_at.elapsed()
            };
            let (by_searcher, by_bureau) = tokio::join!(ejected(&searcher), ejected(&bureau));
            reads.go_on("searches without one node").await;
            writes.go_on("writes without one node").await;
            let waited = standstill.end();
            let (read_gap, write_gap) = (reads.longest_gap_since(lost_at), writes.longest_gap_since(lost_at));
            let how = if is_killed { "killed" } else { "stopped" };
            let what = if led { "leader" } else { "follower" };
            eprintln!(
                "{what} {id} {how}: out of favour after {by_searcher:?} and {by_bureau:?}, longest gap of searches \
                 {read_gap:?}, of writes {write_gap:?} ({waited:?})"
            );
            assert!(by_searcher.max(by_bureau) < SECOND + waited.here, "{by_searcher:?}, {by_bureau:?}, {waited:?}");
            // Without a leader nothing proves that a state is young, once the last proof is a second old.
            let longest = if led { longest_election.mul_f64(ELECTIONS_PER_FAILOVER) } else { SECOND };
            let longest = longest + waited.here + waited.nodes;
            assert!(read_gap < longest && write_gap < longest, "{read_gap:?}, {write_gap:?}, {waited:?}");
            if is_killed {
                node.start().unwrap();
            } else {
                node.resume().unwrap();
            }
            node.wait_ready().await.unwrap();
        }
    }
    assert!(leaders > 0, "a leader was among them");
    reads.end_without_an_error("searches").await;
    writes.end_without_an_error("writes").await;
}

/// Nothing closes a connection into a partition: the client finds out by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_from_a_client_is_out_of_favour_within_a_second_and_no_call_fails() {
    let stage = Stage::set().await;
    let client = stage.client("bureau").build().unwrap();
    let (reads, writes) = (searches(client.clone()), writes(client.clone()));
    for id in 1..=3 {
        reads.go_on("searches").await;
        writes.go_on("writes").await;
        let address = stage.cluster.node(id).unwrap().client_address().unwrap();
        stands(&client, &address, None).await;
        let standstill = Standstill::watch(std::iter::empty());
        let cut_at = Instant::now();
        stage.links.cut_both_ways(CLIENTS, id);
        stands(&client, &address, Some(Trouble::Unreachable)).await;
        let (after, waited) = (cut_at.elapsed(), standstill.end());
        eprintln!("node {id} was out of favour {after:?} after it was cut off ({waited:?})");
        assert!(after < SECOND + waited.here, "{after:?}");
        reads.go_on("searches without the node").await;
        writes.go_on("writes without a way to the node").await;
        stage.links.heal();
    }
    reads.end_without_an_error("searches").await;
    writes.end_without_an_error("writes").await;
}

/// Cut off from the other nodes, it still answers whoever asks: for as long as its state is proven young enough it serves,
/// and then it says that it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_from_its_peers_is_out_of_favour_a_second_after_its_last_proof_and_no_call_fails() {
    /// Of searches.
    const BOUND: Duration = Duration::from_secs(1);
    let stage = Stage::set().await;
    let client = stage.client("bureau").build().unwrap();
    let (reads, writes) = (searches(client.clone()), writes(client.clone()));
    let (mut leaders, mut not_serving) = (0, 0);
    for id in [1, 2, 3, 0] {
        reads.go_on("searches").await;
        writes.go_on("writes").await;
        let id = if id == 0 { stage.leader().await } else { id };
        let address = stage.cluster.node(id).unwrap().client_address().unwrap();
        // A leader that takes all writes may be much slower than the others, and is left alone for that.
        wait_trouble(&client, &address, |trouble| matches!(trouble, None | Some(Trouble::Slow))).await;
        let led = stage.leader().await == id;
        leaders += u32::from(led);
        let all = stage.cluster.nodes();
        let standstill = Standstill::watch(all.iter().map(|node| &**node));
        let cut_at = Instant::now();
        stage.links.part_from_nodes(id);
        let trouble = wait_trouble(&client, &address, |trouble| trouble.is_some()).await;
        not_serving += u32::from(trouble == Some(Trouble::NotServing));
        let (after, waited) = (cut_at.elapsed(), standstill.end());
        let what = if led { "leader" } else { "follower" };
        eprintln!(
            "{what} {id} was out of favour ({trouble:?}) {after:?} after it was cut off from its peers ({waited:?})"
        );
        assert!(after < BOUND + SECOND + waited.here + waited.nodes, "{after:?}");
        reads.go_on("searches without the node").await;
        writes.go_on("writes without the node").await;
        stage.links.heal();
        stage.cluster.node(id).unwrap().wait_ready().await.unwrap();
    }
    assert!(leaders > 0, "a leader was among them");
    assert!(not_serving > 0, "some node was left alone for what was done to it");
    reads.end_without_an_error("searches").await;
    writes.end_without_an_error("writes").await;
}
