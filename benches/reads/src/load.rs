//! Reads in a closed loop, for the highest rate, and at a fixed rate, for what a caller waits.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use alert_client::{AlertClient, Error, pb};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::scene::Scene;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    pub time: Duration,
    /// Sorted.
    pub latencies_us: Vec<u32>,
    pub by_node: BTreeMap<String, u64>,
    /// Reads that nodes worked on, hedges and retries included.
    pub attempts: u64,
}

impl Outcome {
    /// A quantile of the latencies, in milliseconds.
    pub fn ms(&self, share: f64) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        f64::from(self.latencies_us.get(at).copied().unwrap_or_default()) / 1000.0
    }

    fn note(&mut self, latency: Duration, answer: pb::SearchResponse) {
        self.latencies_us.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        *self.by_node.entry(answer.answer.unwrap_or_default().node).or_default() += 1;
    }
}

/// So many callers, each asks again when it has been answered.
pub async fn closed(client: &AlertClient, scene: &Scene, callers: usize, time: Duration) -> anyhow::Result<Outcome> {
    let (warm, end) = (Instant::now() + time / 8, Instant::now() + time / 8 + time);
    let mut set = JoinSet::new();
    for caller in 0..callers as u64 {
        let (client, questions) = (client.clone(), scene.questions());
        set.spawn(async move {
            let mut own = Outcome::default();
            for number in 0_u64.. {
                let sent = Instant::now();
                if sent >= end {
                    break;
                }
                let answer = client.search(questions.nth(caller * 7919 + number)).await?;
                if sent >= warm {
                    own.note(sent.elapsed(), answer);
                }
            }
            Ok::<_, Error>(own)
        });
    }
    let mut all = Outcome { time, ..Outcome::default() };
    while let Some(own) = set.join_next().await {
        let own = own??;
        all.latencies_us.extend(own.latencies_us);
        for (node, count) in own.by_node {
            *all.by_node.entry(node).or_default() += count;
        }
    }
    all.latencies_us.sort_unstable();
    Ok(all)
}

/// So many reads a second, whether the last one was answered or not.
pub async fn open(client: &AlertClient, scene: &Scene, rate: u64, time: Duration) -> anyhow::Result<Outcome> {
    let attempts_before = scene.attempts();
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(rate)?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let all = Arc::new(Mutex::new(Outcome::default()));
    let (questions, end) = (scene.questions(), Instant::now() + time);
    let mut set = JoinSet::new();
    for number in 0_u64.. {
        let due = ticks.tick().await.into_std();
        if due >= end {
            break;
        }
        let (client, all, question) = (client.clone(), all.clone(), questions.nth(number));
        set.spawn(async move {
            let answer = client.search(question).await?;
            all.lock().unwrap_or_else(PoisonError::into_inner).note(due.elapsed(), answer);
            Ok::<_, Error>(())
        });
    }
    while let Some(done) = set.join_next().await {
        done??;
    }
    let mut all = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
    all.time = time;
    all.attempts = scene.attempts() - attempts_before;
    all.latencies_us.sort_unstable();
    Ok(all)
}
