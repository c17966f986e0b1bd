//! What an application sees through the client crate when a node is lost, stopped or cut off: nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alert_chaos::process::{CLIENTS, wait_until};
use alert_client::{AlertClient, Trouble, pb};
use alert_synth::known;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::stage::{PATIENCE, Stage};

/// Calls one after the other, until told to stop.
struct Calls {
    answered: Arc<AtomicU64>,
    stop: watch::Sender<bool>,
    callers: JoinSet<Vec<String>>,
    longest_us: Arc<AtomicU64>,
}

impl Calls {
    fn start<F>(callers: u64, call: impl Fn(u64) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), alert_client::Error>> + Send,
    {
        let (stop, stopped) = watch::channel(false);
        let (answered, longest_us) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut set = JoinSet::new();
        for caller in 0..callers {
            let (answered, longest_us, stopped, call) =
                (answered.clone(), longest_us.clone(), stopped.clone(), call.clone());
            set.spawn(async move {
                let mut failed = Vec::new();
                for number in 0.. {
                    if *stopped.borrow() {
                        break;
                    }
                    let called = Instant::now();
                    match call(caller * 1_000_000 + number).await {
                        Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => failed.push(error.to_string()),
                    }
                    longest_us.fetch_max(called.elapsed().as_micros() as u64, Ordering::Relaxed);
                    sleep(Duration::from_millis(2)).await;
                }
                failed
            });
        }
        Self { answered, stop, callers: set, longest_us }
    }

    async fn go_on(&self, what: &str) {
        let before = self.answered.load(Ordering::Relaxed);
        wait_until(what, PATIENCE, || async {
            Ok((self.answered.load(Ordering::Relaxed) > before + 50).then_some(()))
        })
        .await
        .unwrap();
    }

    /// (answered, longest call)
    async fn end_without_an_error(mut self, what: &str) -> (u64, Duration) {
        let _ = self.stop.send(true);
        let mut failed = Vec::new();
        while let Some(caller) = self.callers.join_next().await {
            failed.extend(caller.unwrap());
        }
        assert!(failed.is_empty(), "{} {what} failed, the first with {}", failed.len(), failed[0]);
        (self.answered.load(Ordering::Relaxed), Duration::from_micros(self.longest_us.load(Ordering::Relaxed)))
    }
}

/// How long this process was kept from running: on a busy machine the client's second is longer than the clock's.
struct Standstill {
    late_us: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Standstill {
    fn watch() -> Self {
        const TICK: Duration = Duration::from_millis(5);
        let late_us = Arc::new(AtomicU64::new(0));
        let late = late_us.clone();
        let task = tokio::spawn(async move {
            loop {
                let due = Instant::now() + TICK;
                sleep(TICK).await;
                // A timer's own grain is no standstill.
                let over = due.elapsed().saturating_sub(TICK);
                late.fetch_add(over.as_micros() as u64, Ordering::Relaxed);
            }
        });
        Self { late_us, task }
    }

    fn end(self) -> Duration {
        self.task.abort();
        Duration::from_micros(self.late_us.load(Ordering::Relaxed))
    }
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
async fn an_application_sees_no_error_when_any_one_of_three_nodes_is_lost() {
    let stage = Stage::set().await;
    let reads = searches(stage.client("search").build().unwrap());
    let writes = writes(stage.client("bureau").build().unwrap());
    for id in 1..=3 {
        let node = stage.cluster.node(id).unwrap();
        for is_killed in [true, false] {
            if is_killed {
                node.kill().unwrap();
            } else {
                node.pause().unwrap();
            }
            reads.go_on("searches without one node").await;
            writes.go_on("writes without one node").await;
            if is_killed {
                node.start().unwrap();
            } else {
                node.resume().unwrap();
            }
            node.wait_ready().await.unwrap();
        }
    }
    for (what, calls) in [("searches", reads), ("writes", writes)] {
        let (answered, longest) = calls.end_without_an_error(what).await;
        eprintln!("{answered} {what} answered while each node was lost twice, the longest after {longest:?}");
    }
}

/// Nothing closes a connection into a partition: the client finds out by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_from_a_client_is_out_of_favour_within_a_second_and_no_call_fails() {
    let stage = Stage::set().await;
    let client = stage.client("bureau").build().unwrap();
    let (reads, writes) = (searches(client.clone()), writes(client.clone()));
    reads.go_on("searches").await;
    writes.go_on("writes").await;
    for id in 1..=3 {
        let address = stage.cluster.node(id).unwrap().client_address().unwrap();
        let trouble = || client.nodes().into_iter().find(|node| node.address == address).unwrap().trouble;
        wait_until("a node in favour", PATIENCE, || async { Ok(trouble().is_none().then_some(())) }).await.unwrap();
        let standstill = Standstill::watch();
        let cut_at = Instant::now();
        stage.links.cut_both_ways(CLIENTS, id);
        wait_until("a node out of favour", PATIENCE, || async {
            Ok((trouble() == Some(Trouble::Unreachable)).then_some(()))
        })
        .await
        .unwrap();
        let (after, stood_still) = (cut_at.elapsed(), standstill.end());
        eprintln!(
            "node {id} was out of favour {after:?} after it was cut off (this process stood still for {stood_still:?})"
        );
        assert!(after < Duration::from_secs(1) + stood_still, "{after:?}");
        reads.go_on("searches without the node").await;
        writes.go_on("writes without a way to the node").await;
        stage.links.heal();
        wait_until("the node in favour again", PATIENCE, || async { Ok(trouble().is_none().then_some(())) })
            .await
            .unwrap();
    }
    for (what, calls) in [("searches", reads), ("writes", writes)] {
        let (answered, longest) = calls.end_without_an_error(what).await;
        eprintln!("{answered} {what} answered, the longest after {longest:?}");
    }
}
