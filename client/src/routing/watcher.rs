//! Looks after the nodes: keeps the topology fresh, and finds out within a second when a node falls silent.
//!
//! A look is a question for the topology. Every node is asked at an interval and soon after something failed. While calls
//! are made, a node that was asked something and has said nothing for a while, and every node that is out of favour, is
//! asked as well: so a node that was cut off is found while calls wait for it, and found again when it comes back,
//! without any call having to try it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use alert_proto::v1::{self as pb, topology_service_client::TopologyServiceClient};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tonic::Status;
use tracing::debug;

use super::{Node, Routing};
use crate::{
    error::{Error, codes},
    limits,
};

/// The task; it ends with the last handle of its client.
pub(crate) struct Watcher(JoinHandle<()>);

impl Watcher {
    /// Starts it on the current runtime, which must exist.
    pub fn start(routing: Arc<Routing>) -> Self {
        Self(tokio::spawn(watch(routing)))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Seen {
    node: Arc<Node>,
    sent_at: Instant,
    /// `None`: nothing within [`limits::LOOK_TIMEOUT`].
    answer: Option<Result<pb::Topology, Status>>,
}

async fn watch(routing: Arc<Routing>) {
    let mut looks: FuturesUnordered<BoxFuture<'static, Seen>> = FuturesUnordered::new();
    let mut all_asked_at: Option<Instant> = None;
    let mut ask_all_at = Instant::now();
    loop {
        let now = Instant::now();
        let asks_all = now >= ask_all_at;
        if asks_all {
            all_asked_at = Some(now);
            ask_all_at = now + next_round(&routing);
        }
        let is_busy = routing.unused_for() < limits::BUSY_FOR;
        for node in known_nodes(&routing) {
            if asks_all || needs_look(&node, is_busy, now) {
                looks.push(Box::pin(look(node)));
            }
        }
        let mut wake = if is_busy { ask_all_at.min(now + limits::LOOK_INTERVAL / 2) } else { ask_all_at };
        routing.watcher_rests.store(!is_busy, Ordering::Relaxed);
        loop {
            tokio::select! {
                biased;
                Some(seen) = looks.next(), if !looks.is_empty() => take_in(&routing, seen),
                () = routing.refresh.notified() => {
                    // However many calls fail, the nodes are not asked more often than this.
                    let soonest = all_asked_at.map_or(now, |at| at + limits::TOPOLOGY_INTERVAL_MIN);
                    ask_all_at = ask_all_at.min(soonest);
                    wake = wake.min(ask_all_at);
                    if !is_busy {
                        // A call has come since it went to rest.
                        break;
                    }
                }
                () = sleep_until(wake) => break,
            }
        }
    }
}

/// How long until every node is asked again.
fn next_round(routing: &Routing) -> Duration {
    if routing.view().leader_address().is_none() {
        return limits::TOPOLOGY_INTERVAL_MIN * 3;
    }
    // Many clients should not ask in step.
    routing.random.jitter(limits::TOPOLOGY_INTERVAL, 0.8..1.2)
}

/// Those of the topology, and the seeds.
fn known_nodes(routing: &Routing) -> Vec<Arc<Node>> {
    let view = routing.view();
    let seeds = &routing.cluster.seeds;
    let named = view.addresses(seeds);
    let mut addresses: Vec<&str> = named.iter().map(|(address, _)| *address).collect();
    addresses.extend(seeds.iter().map(String::as_str));
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().map(|address| routing.node(address)).collect()
}

/// While calls are made, every node that was not heard of lately: one that no call has come to since it fell silent would
/// be found out only by the call that then has to wait for it.
fn needs_look(node: &Node, is_busy: bool, now: Instant) -> bool {
    let heard_lately = node.heard_at().is_some_and(|heard| now.duration_since(heard) < limits::LOOK_INTERVAL);
    !heard_lately && (is_busy || node.trouble().is_some() || node.owes_a_word(limits::LOOK_INTERVAL, now))
}

async fn look(node: Arc<Node>) -> Seen {
    let sent_at = Instant::now();
    let mut client = TopologyServiceClient::new(node.channel());
    let answer = timeout(limits::LOOK_TIMEOUT, client.get(pb::TopologyRequest {})).await.ok();
    Seen { node, sent_at, answer: answer.map(|answer| answer.map(tonic::Response::into_inner)) }
}

fn take_in(routing: &Routing, seen: Seen) {
    let Seen { node, sent_at, answer } = seen;
    if let Some(Err(status)) = &answer {
        let error = Error::from_status(status);
        if error.code == codes::CERTIFICATE {
            routing.note_refusal(node.address(), &error.message);
        }
    }
    match answer {
        Some(Ok(topology)) => {
            match why_not_read_from(&topology) {
                None => node.serves(),
                Some(reason) => {
                    if node.serves_not() {
                        debug!(node = node.address(), reason, "serves no reads");
                    }
                }
            }
            routing.learn(topology);
        }
        Some(Err(status))
            if matches!(status.code(), tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Unknown) =>
        {
            debug!(node = node.address(), %status, "no topology");
            miss(routing, &node, sent_at);
        }
        // It said something, if only that it does not know this question or caller.
        Some(Err(status)) => {
            debug!(node = node.address(), %status, "no topology");
            node.heard();
        }
        None => miss(routing, &node, sent_at),
    }
}

fn miss(routing: &Routing, node: &Node, sent_at: Instant) {
    if node.missed(sent_at) {
        // Perhaps it led: another may have taken over.
        routing.refresh_soon();
    }
}

/// What the node says of its own state.
fn why_not_read_from(topology: &pb::Topology) -> Option<String> {
    if !topology.serves_no_reads_because.is_empty() {
        return Some(topology.serves_no_reads_because.clone());
    }
    let staleness = topology.staleness.and_then(|staleness| Duration::try_from(staleness).ok())?;
    (staleness > limits::STALENESS_MAX).then(|| format!("its state is {staleness:?} old"))
}
