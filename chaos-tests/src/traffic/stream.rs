//! Calls in an open loop.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alert_client::Error;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};

use super::Acknowledged;
use crate::process::wait_until;

/// What came of a stream's calls.
#[derive(Debug, Default)]
pub struct Answers {
    /// When each good answer came, in the order in which they came.
    pub good: Vec<Instant>,
    /// How long each good answer took, in the same order.
    pub latencies: Vec<Duration>,
    /// The errors of the calls that failed, after all of the client's own retries.
    pub failed: Vec<String>,
    /// The writes that were acknowledged, in the order of their answers; empty for a stream of searches.
    pub acknowledged: Vec<Acknowledged>,
}

/// A stream of calls, until it is stopped or dropped.
#[derive(Debug)]
pub struct Stream {
    begun: Instant,
    answers: Arc<Mutex<Answers>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Stream {
    /// Starts `call` every so often; it is told the number of the call, from 0. On a machine too busy for the rate, calls
    /// are left out and never caught up with in a burst.
    pub fn start<F>(every: Duration, call: impl Fn(u64) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Option<Acknowledged>, Error>> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let answers = Arc::<Mutex<Answers>>::default();
        let task = tokio::spawn(run(every, stopped, answers.clone(), call));
        Self { begun: Instant::now(), answers, stop, task }
    }

    /// When it began.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// Waits for `count` more good answers than there are now.
    ///
    /// # Errors
    /// They did not come within `limit`; says what the last failure was.
    pub async fn more(&self, count: usize, limit: Duration) -> anyhow::Result<()> {
        let wanted = lock(&self.answers).good.len() + count;
        self.wait(&format!("{count} more good answers"), limit, |answers| answers.good.len() >= wanted).await
    }

    /// Waits for a good answer that came at `moment` or later.
    ///
    /// # Errors
    /// None came within `limit`.
    pub async fn answered_after(&self, moment: Instant, limit: Duration) -> anyhow::Result<()> {
        let late = |answers: &Answers| answers.good.last().is_some_and(|last| *last >= moment);
        self.wait("an answer", limit, late).await
    }

    async fn wait(&self, what: &str, limit: Duration, enough: impl Fn(&Answers) -> bool) -> anyhow::Result<()> {
        let waited = wait_until(what, limit, || async { Ok(enough(&lock(&self.answers)).then_some(())) }).await;
        waited.map_err(|error| {
            let answers = lock(&self.answers);
            let last = answers.failed.last().map_or("none", String::as_str);
            error.context(format!("{} answers, {} failures, last: {last}", answers.good.len(), answers.failed.len()))
        })
    }

    /// Starts no further call, waits for those under way, and tells what came of all.
    ///
    /// # Errors
    /// A call panicked.
    pub async fn stop(mut self) -> anyhow::Result<Answers> {
        let _ = self.stop.send(true);
        (&mut self.task).await?;
        Ok(std::mem::take(&mut lock(&self.answers)))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run<F>(
    every: Duration,
    mut stopped: watch::Receiver<bool>,
    answers: Arc<Mutex<Answers>>,
    call: impl Fn(u64) -> F + Send + 'static,
) where
    F: Future<Output = Result<Option<Acknowledged>, Error>> + Send + 'static,
{
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
    while let Some(ended) = calls.join_next().await {
        ended.expect("a call is a client's, which does not panic");
    }
}

fn lock(answers: &Mutex<Answers>) -> MutexGuard<'_, Answers> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The longest silence: from `begun` over each answer to `ended`.
pub fn longest_gap(answers: &[Instant], begun: Instant, ended: Instant) -> Duration {
    let mut moments: Vec<Instant> = answers.iter().copied().chain([begun, ended]).collect();
    moments.sort_unstable();
    moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// The smallest of `times` that `percent` of them do not exceed; zero for none. 100 gives the longest.
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len().max(1));
    sorted.get(rank - 1).copied().unwrap_or_default()
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

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(100));
        assert_eq!(percentile(&times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&times, 100), Duration::from_millis(200));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_call_that_is_not_answered_keeps_no_other_back() {
        let answer = Arc::new(tokio::sync::Notify::new());
        let stream = Stream::start(Duration::from_millis(1), {
            let answer = answer.clone();
            move |number| {
                let answer = answer.clone();
                async move {
                    if number == 0 {
                        answer.notified().await;
                    }
                    Ok(None)
                }
            }
        });
        stream.more(20, Duration::from_secs(20)).await.unwrap();
        answer.notify_one();
        let answers = stream.stop().await.unwrap();
        assert!(answers.good.len() > 20, "the first one is waited for: {}", answers.good.len());
        assert_eq!(answers.failed, Vec::<String>::new());
    }
}
