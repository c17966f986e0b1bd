//! So many clients, each of which asks again when it has been answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use super::{Outcome, Work};

/// Runs `work` with `clients` for `warm_up` without counting, and then for `time`. Numbers begin at `first`.
pub async fn closed(work: &Arc<dyn Work>, clients: usize, first: u64, warm_up: Duration, time: Duration) -> Outcome {
    let begin = Instant::now() + warm_up;
    let end = begin + time;
    let numbers = Arc::new(AtomicU64::new(first));
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (work, numbers) = (work.clone(), numbers.clone());
        tasks.spawn(async move {
            let mut own = Outcome::default();
            loop {
                let sent = Instant::now();
                if sent >= end {
                    return own;
                }
                let done = work.once(client, numbers.fetch_add(1, Ordering::Relaxed)).await;
                let now = Instant::now();
                if now > begin && now <= end {
                    own.note(now - sent, done);
                }
            }
        });
    }
    let mut all = Outcome { time, ..Outcome::default() };
    while let Some(own) = tasks.join_next().await {
        all.add(own.expect("a client that panics ends the run"));
    }
    all
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;

    use super::*;
    use crate::load::Done;

    struct Sleeps;

    impl Work for Sleeps {
        fn once(&self, client: usize, _: u64) -> BoxFuture<'_, Result<Done, String>> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if client == 0 { Err("zero".into()) } else { Ok(Done::one("sleep")) }
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_what_was_answered_in_the_time_and_failures_are_not_answers() {
        let work: Arc<dyn Work> = Arc::new(Sleeps);
        let outcome = closed(&work, 4, 0, Duration::from_millis(100), Duration::from_secs(1)).await;
        assert!((295..=300).contains(&outcome.units), "{}", outcome.units);
        assert!((98..=100).contains(&outcome.failed), "{}", outcome.failed);
        assert_eq!(outcome.first_error.as_deref(), Some("zero"));
        assert!((9.9..12.0).contains(&outcome.ms(0.5)), "{}", outcome.ms(0.5));
    }
}
