//! So many a second, whether answered or not.
//!
//! A generator that waits for answers sends nothing while the server stalls, and so measures the stall once instead of
//! for all who would have asked meanwhile (coordinated omission). Here each operation has its time in a plan, and what
//! it took is counted from that time, also when it could only be sent later.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{Outcome, Work};

/// Operations under way at once; those beyond wait, and their waiting counts.
const IN_FLIGHT: usize = 2048;
/// How long after the plan's end answers are still waited for.
const GRACE: Duration = Duration::from_secs(5);

/// Runs `work` at `rate` a second for `warm_up` without counting, and then for `time`. Numbers begin at `first`.
pub async fn open(work: &Arc<dyn Work>, rate: f64, first: u64, warm_up: Duration, time: Duration) -> Outcome {
    let (plan, planned) = mpsc::unbounded_channel::<(u64, Instant)>();
    let planned = Arc::new(Mutex::new(planned));
    let started = Instant::now();
    let counted = started + warm_up;
    let end = counted + time;
    let mut tasks = JoinSet::new();
    for client in 0..IN_FLIGHT {
        let (work, planned) = (work.clone(), planned.clone());
        tasks.spawn(async move {
            let mut own = Outcome::default();
            loop {
                let next = planned.lock().await.recv().await;
                let Some((number, due)) = next else { return own };
                if Instant::now() > end + GRACE {
                    own.missed += u64::from(due >= counted);
                    continue;
                }
                let done = work.once(client, number).await;
                if due >= counted {
                    own.note(due.elapsed(), done);
                }
            }
        });
    }
    let step = Duration::from_secs_f64(1.0 / rate);
    let mut number = 0u32;
    loop {
        let due = started + step * number;
        if due >= end {
            break;
        }
        if due > Instant::now() {
            sleep_until(due).await;
        }
        // The workers live until the plan ends.
        let _ = plan.send((first + u64::from(number), due));
        number += 1;
    }
    drop(plan);
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

    /// Answers at once, but not between 200 and 700 ms after its first call.
    struct Stalls(Mutex<Option<Instant>>);

    impl Work for Stalls {
        fn once(&self, _: usize, _: u64) -> BoxFuture<'_, Result<Done, String>> {
            Box::pin(async {
                let begun = *self.0.lock().await.get_or_insert_with(Instant::now);
                let (from, to) = (begun + Duration::from_millis(200), begun + Duration::from_millis(700));
                if (from..to).contains(&Instant::now()) {
                    sleep_until(to).await;
                }
                Ok(Done::one("x"))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_counts_for_everybody_who_would_have_asked_during_it() {
        let work: Arc<dyn Work> = Arc::new(Stalls(Mutex::default()));
        let outcome = open(&work, 1000.0, 0, Duration::ZERO, Duration::from_secs(1)).await;
        assert_eq!((outcome.units, outcome.missed), (1000, 0));
        // Half of the second is the stall: the median caller of those 500 waited 250 ms.
        let quarter = outcome.ms(0.75);
        assert!((240.0..260.0).contains(&quarter), "{quarter}");
        assert!(outcome.ms(0.45) < 5.0);
    }
}
