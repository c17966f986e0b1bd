//! Waiting for conditions.

use std::{future::Future, time::Duration};

use anyhow::bail;
use tokio::time::{Instant, sleep};

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until `look` gives `Ok(Some(value))`. The first `Err` ends the waiting (the condition cannot
/// come any more); `Ok(None)` means not yet. After `limit` the error names `what`.
pub async fn wait_until<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = look().await? {
            return Ok(value);
        }
        if Instant::now() >= end {
            bail!("{what}: not within {limit:?}");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Runs a future to its end on a runtime of its own, for tests and programs that are not async. Not from inside one.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs a few file descriptors, and without them nothing here works")
        .block_on(future)
}
