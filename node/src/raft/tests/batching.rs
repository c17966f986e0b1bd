//! Why commands share entries: measured against openraft's own way to propose many at once. Not a test of speed: it asserts
//! nothing about time, and prints.
//!
//! `cargo test --release -p alert-node --lib -- --ignored --nocapture entries_of_many_commands`

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alert_core::{
    codec,
    limits::ENTRY_COMMANDS_MAX,
    state::command::{Answer, Batch, Proposal},
};
use futures::StreamExt;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::world::{World, soon};
use crate::{
    api::backend::{AdminBackend, Store},
    raft::{Consensus, options::ProposalBounds, types::EncodedBatch},
    storage::testing::creation,
};

const CALLERS: u64 = 256;
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

type Asked = (Proposal, oneshot::Sender<Answer>);

/// Proposes each command as an entry of its own: all that wait in one call, and as many calls under way as the queue has
/// entries.
async fn one_entry_each(raft: Consensus, mut queue: mpsc::Receiver<Asked>) {
    let under_way = Arc::new(Semaphore::new(ProposalBounds::default().entries_in_flight));
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, ENTRY_COMMANDS_MAX).await > 0 {
        let permit = under_way.clone().acquire_owned().await.unwrap();
        let (proposals, callers): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        let entries = proposals.into_iter().map(|proposal| {
            let batch = Batch { proposed_at_ms: super::world::START_MS, proposals: vec![proposal] };
            EncodedBatch(codec::encode(&batch).into())
        });
        let mut answers = raft.client_write_many(entries).await.unwrap();
        tokio::spawn(async move {
            for caller in callers {
                let written = answers.next().await.unwrap().unwrap().unwrap();
                caller.send(written.response.answers.into_iter().next().unwrap()).unwrap();
            }
            drop(permit);
        });
    }
}

/// Answers a second that all callers got, each with one command under way.
async fn rate<F: Future<Output = ()> + Send + 'static>(
    next: &Arc<AtomicU64>,
    write: impl Fn(Proposal) -> F + Clone + Send + 'static,
) -> f64 {
    let (ended, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let began = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (ended, answered, next, write) = (ended.clone(), answered.clone(), next.clone(), write.clone());
            tokio::spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    write(creation(next.fetch_add(1, Ordering::Relaxed))).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(ROUND).await;
    ended.store(true, Ordering::Relaxed);
    let rate = answered.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    for caller in callers {
        caller.await.unwrap();
    }
    rate
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn entries_of_many_commands_against_client_write_many() {
    let mut world = World::new();
    world.on_threads = true;
    let world = world.formed(3).await;
    let node = world.node(1);
    let (sender, queue) = mpsc::channel::<Asked>(4096);
    tokio::spawn(one_entry_each(node.0.raft.clone(), queue));
    let next = Arc::new(AtomicU64::new(1));
    for round in 1..=ROUNDS {
        for shares_entries in [true, false] {
            let before = node.admin().status().await.unwrap().last_log_index;
            let (node_now, sender) = (node.clone(), sender.clone());
            let rate = if shares_entries {
                rate(&next, move |proposal| {
                    let node = node_now.clone();
                    async move {
                        node.propose(proposal, soon(30)).await.unwrap().unwrap();
                    }
                })
                .await
            } else {
                rate(&next, move |proposal| {
                    let sender = sender.clone();
                    async move {
                        let (answer, answered) = oneshot::channel();
                        sender.send((proposal, answer)).await.unwrap();
                        answered.await.unwrap().unwrap();
                    }
                })
                .await
            };
            let entries = node.admin().status().await.unwrap().last_log_index - before;
            let what = if shares_entries { "commands share entries" } else { "client_write_many" };
            println!("round {round}: {what}: {rate:.0} creations/s, {entries} entries");
        }
    }
}
