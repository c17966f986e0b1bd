//! A stream of writes and a stream of searches, and SIGKILL for the leader in the middle.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use alert_client::{AlertClient, Error};
use alert_proto::v1 as pb;
use alert_synth::known;
use anyhow::bail;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    bureaus::{Bureaus, GATEWAY},
    questions,
    stage::{Stage, milliseconds, thousands},
};
use crate::process::{LocalCluster, wait_until};

/// A write every so often, whether the last one was answered or not.
const WRITE_EVERY: Duration = Duration::from_millis(10);
/// A search every so often.
const SEARCH_EVERY: Duration = Duration::from_millis(5);
/// Before the kill.
const WARM_UP: Duration = Duration::from_secs(3);
/// After both streams are answered again.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// The streams must be answered again within this.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);

/// A write that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) alert_id: String,
    pub(super) version: u64,
    pub(super) reference: String,
}

/// What happened.
#[derive(Debug)]
pub(super) struct Run {
    /// The node that was killed.
    pub(super) killed: u64,
    pub(super) acknowledged: Vec<Acknowledged>,
}

/// One stream's answers.
#[derive(Debug, Default)]
struct Answers {
    good: Vec<Instant>,
    latencies: Vec<Duration>,
    failed: Vec<String>,
    acknowledged: Vec<Acknowledged>,
}

type Shared = Arc<Mutex<Answers>>;

/// Runs the streams, kills the leader, and tells the longest gaps.
pub(super) async fn kill_the_leader(
    cluster: &LocalCluster,
    bureaus: &Bureaus,
    stage: &mut Stage,
) -> anyhow::Result<Run> {
    stage.heading("The leader dies");
    let (stop, stopped) = watch::channel(false);
    let (writes, searches) = (Shared::default(), Shared::default());
    let writer = stream(WRITE_EVERY, stopped.clone(), writes.clone(), {
        let client = bureaus.of(GATEWAY)?;
        move |number| write(client.clone(), number)
    });
    let searcher = stream(SEARCH_EVERY, stopped, searches.clone(), {
        let client = questions::partner(cluster)?;
        move |number| search(client.clone(), number)
    });
    let begun = Instant::now();
    stage.line("A write every 10 ms and a partner's search every 5 ms, whether the last one was answered or not.");
    sleep(WARM_UP).await;

    let killed = cluster.wait_leader().await?;
    let node = cluster.node(killed)?;
    let pid = node.pid().unwrap_or_default();
    let moment = Instant::now();
    node.kill()?;
    stage.line(&format!("kill -9 {pid}: node {killed}, the leader, is gone."));
    let is_answered = |shared: &Shared| {
        lock(shared).good.last().is_some_and(|last| last.duration_since(moment) > Duration::from_millis(200))
    };
    wait_until("writes and searches after the leader's death", RECOVERY_LIMIT, || async {
        // Not answers that were already on their way.
        Ok((is_answered(&writes) && is_answered(&searches)).then_some(()))
    })
    .await?;
    let next = cluster.wait_leader().await?;
    stage.line(&format!("Node {next} leads."));
    sleep(AFTERWARDS).await;
    let _ = stop.send(true);
    writer.await?;
    searcher.await?;
    let ended = Instant::now();

    let (writes, searches) = (take(&writes), take(&searches));
    stage.gap();
    for (what, answers) in [("acknowledged write", &writes), ("answered search", &searches)] {
        stage.line(&format!(
            "longest gap without an {what}: {:>10}   ({} answered, median {}, {} failed)",
            milliseconds(longest_gap(&answers.good, begun, ended)),
            thousands(answers.good.len() as u64),
            milliseconds(median(&answers.latencies)),
            answers.failed.len()
        ));
    }
    let failed: Vec<&String> = writes.failed.iter().chain(&searches.failed).collect();
    if let Some(first) = failed.first() {
        bail!("{} calls failed although the client could have retried, the first with: {first}", failed.len());
    }
    Ok(Run { killed, acknowledged: writes.acknowledged })
}

/// Starts a call at a fixed rate until it is told to stop, then waits for those under way.
fn stream<F>(
    every: Duration,
    mut stopped: watch::Receiver<bool>,
    answers: Shared,
    call: impl Fn(u64) -> F + Send + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = Result<Option<Acknowledged>, Error>> + Send + 'static,
{
    tokio::spawn(async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut calls = JoinSet::new();
        for number in 0.. {
            tokio::select! {
                biased;
                _ = stopped.changed() => break,
                _ = ticks.tick() => {}
            }
            while calls.try_join_next().is_some() {}
            let (answers, call) = (answers.clone(), call(number));
            calls.spawn(async move {
                let started = Instant::now();
                let answer = call.await;
                let mut answers = lock(&answers);
                match answer {
                    Ok(acknowledged) => {
                        answers.good.push(Instant::now());
                        answers.latencies.push(started.elapsed());
                        answers.acknowledged.extend(acknowledged);
                    }
                    Err(error) => answers.failed.push(error.to_string()),
                }
            });
        }
        while calls.join_next().await.is_some() {}
    })
}

async fn write(client: AlertClient, number: u64) -> Result<Option<Acknowledged>, Error> {
    let alert = known::numbered("demo-failover", number);
    let reference = alert.core.as_ref().and_then(|core| core.source.as_ref()).map(|source| source.reference.clone());
    let done = client.create(pb::CreateRequest { alert: Some(alert), ..Default::default() }).await?;
    Ok(Some(Acknowledged { alert_id: done.alert_id, version: done.version, reference: reference.unwrap_or_default() }))
}

async fn search(client: AlertClient, number: u64) -> Result<Option<Acknowledged>, Error> {
    let questions =
        [known::stolen_passport().query, known::no_hit(), known::stolen_van().query, known::misspelt().query];
    let query = questions.into_iter().nth(number as usize % 4);
    client.search(pb::SearchRequest { query, ..Default::default() }).await.map(|_| None)
}

fn lock(answers: &Shared) -> std::sync::MutexGuard<'_, Answers> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(answers: &Shared) -> Answers {
    std::mem::take(&mut lock(answers))
}

/// From the beginning over each answer to the end.
fn longest_gap(answers: &[Instant], begun: Instant, ended: Instant) -> Duration {
    let mut moments: Vec<Instant> = answers.iter().copied().chain([begun, ended]).collect();
    moments.sort_unstable();
    moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

fn median(latencies: &[Duration]) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_the_silence_at_both_ends() {
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        assert_eq!(longest_gap(&[at(10), at(900), at(20)], begun, at(1000)), Duration::from_millis(880));
        assert_eq!(longest_gap(&[at(300)], begun, at(400)), Duration::from_millis(300));
        assert_eq!(longest_gap(&[], begun, at(500)), Duration::from_millis(500));
    }
}
