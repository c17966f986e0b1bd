//! Old changes leave the feed: by age, as the retention rules say. The leader proposes it, by the median of the voters'
//! clocks, so that one wrong clock drops nothing. How far somebody's copy is keeps nothing back: a partner that went away
//! must not make the feed grow without end, and it is told to start again with an export.

use std::time::Duration;

use alert_core::state::{Meta, RuleCache, View, ViewError, command::Command, compactable_before};

use super::duty::{Duty, Leader};

/// Time between two looks when nothing is old.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// Proposes `CompactFeed`.
pub struct FeedCompaction;

impl Duty for FeedCompaction {
    async fn look(&mut self, leader: &Leader) -> Duration {
        let now_ms = leader.now_ms();
        let old = leader.read("the oldest changes of the feed", move |view| old_before(view, now_ms)).await;
        let Some(Some(before_revision)) = old else { return LOOK_INTERVAL };
        match leader.propose("a shorter feed", Command::CompactFeed { before_revision }).await {
            Ok(Ok(_)) => {
                tracing::info!(before_revision, "old changes left the feed");
                // At once: one command drops only so many.
                Duration::ZERO
            }
            Ok(Err(_)) | Err(_) => LOOK_INTERVAL,
        }
    }
}

fn old_before(view: &dyn View, now_ms: u64) -> Result<Option<u64>, ViewError> {
    // Before the rules of a new cluster are in, there is nothing to compact.
    let Some(rules) = RuleCache::default().get(view, &Meta::read(view)?)? else { return Ok(None) };
    compactable_before(view, now_ms.saturating_sub(rules.feed_retention_ms()))
}
