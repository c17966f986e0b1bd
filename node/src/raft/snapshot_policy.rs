//! When a checkpoint is built and how much of the log goes. Our own policy: openraft counts entries, but disks fill
//! with bytes, and erased data must leave the log within a day.
//!
//! Ages are those of the entries themselves, by the time that each was proposed at: a node that restarts every few hours
//! keeps nothing longer than one that never does.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use openraft::async_runtime::WatchReceiver;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Consensus, leadership::ClusterView, options::LogBounds};
use crate::storage::{checkpoint::CheckpointStore, log::LogMarks};

/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Longest time that an entry stays in the log.
const LOG_AGE_MAX: Duration = Duration::from_secs(24 * 3600);

/// What the policy looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Look {
    applied: u64,
    snapshot: u64,
    purged: u64,
    /// Index up to which every member has the log, on the leader.
    slowest_member: Option<u64>,
    /// Lowest last index of the snapshots being sent.
    sending: Option<u64>,
}

/// Builds checkpoints and cuts the log.
pub struct SnapshotPolicy {
    pub(super) raft: Consensus,
    pub(super) bounds: LogBounds,
    pub(super) cluster: Arc<ClusterView>,
    pub(super) marks: Arc<Mutex<LogMarks>>,
    pub(super) checkpoints: CheckpointStore,
    pub(super) installing: watch::Receiver<bool>,
}

impl SnapshotPolicy {
    /// Looks again and again until `stopping`.
    pub async fn run(self, stopping: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = sleep(LOOK_INTERVAL) => {}
            }
            let look = self.look();
            if look.applied == 0 || *self.installing.borrow() {
                continue;
            }
            let (due, upto) = {
                let mut marks = self.marks.lock().expect("held in this block only");
                marks.forget_before(look.purged);
                let now_ms = self.cluster.median_time_ms().max(marks.newest_ms());
                (snapshot_due(&look, &marks, &self.bounds, now_ms), purge_upto(&look, &marks, &self.bounds, now_ms))
            };
            if due {
                tracing::info!(applied = look.applied, snapshot = look.snapshot, "building a snapshot");
                if self.raft.trigger().snapshot().await.is_err() {
                    return;
                }
            }
            if let Some(upto) = upto {
                tracing::info!(upto, purged = look.purged, "cutting the log");
                if self.raft.trigger().purge_log(upto).await.is_err() {
                    return;
                }
            }
        }
    }

    fn look(&self) -> Look {
        let metrics = self.raft.data_metrics();
        let now = metrics.borrow_watched();
        let slowest = now
            .replication
            .as_ref()
            .map(|members| members.values().map(|matched| matched.map_or(0, |id| id.index)).min().unwrap_or(u64::MAX));
        let index = |id: Option<super::types::LogId>| id.map_or(0, |id| id.index);
        Look {
            applied: index(now.last_applied),
            snapshot: index(now.snapshot),
            purged: index(now.purged),
            slowest_member: slowest,
            sending: self.checkpoints.oldest_pinned().map(|id| id.index),
        }
    }
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// Whether what was applied since the last snapshot is much, or old.
fn snapshot_due(look: &Look, marks: &LogMarks, bounds: &LogBounds, now_ms: u64) -> bool {
    let oldest_ms = marks.oldest_after_ms(look.snapshot);
    look.applied > look.snapshot
        && (marks.bytes_after(look.snapshot) >= bounds.snapshot_after_bytes
            || oldest_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) >= ms(bounds.snapshot_after)))
}

/// How far the log may be cut now, inclusive; `None` where it is not worth while.
fn purge_upto(look: &Look, marks: &LogMarks, bounds: &LogBounds, now_ms: u64) -> Option<u64> {
    // An entry may wait so long for its snapshot, and leaves in the rest of its day.
    let aged = marks.index_at(now_ms.saturating_sub(ms(LOG_AGE_MAX.saturating_sub(bounds.snapshot_after))));
    let budget = marks.index_within(bounds.keep_bytes);
    // Members within the budget are waited for; those further behind get a snapshot.
    let members = look.slowest_member.map_or(budget, |slowest| slowest.max(budget));
    let aged = aged.min(look.snapshot);
    // A thousand entries can be a gigabyte: the budget in bytes outranks the count.
    let counted = look.snapshot.saturating_sub(bounds.keep_entries).max(budget.min(look.snapshot));
    let kept = counted.min(members).max(aged);
    // After it, its receiver goes on from the log.
    let upto = kept.min(look.sending.unwrap_or(u64::MAX));
    let bytes = marks.bytes_after(look.purged).saturating_sub(marks.bytes_after(upto));
    let worth_while = aged > look.purged
        || upto.saturating_sub(look.purged) >= bounds.cut_entries_min
        || bytes >= bounds.cut_bytes_min;
    (upto > look.purged && worth_while).then_some(upto)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3600 * 1000;
    /// When the first entry of [`marks`] was proposed.
    const START_MS: u64 = 1_790_000_000_000;
    /// Soon after the last one.
    const NOW_MS: u64 = START_MS + HOUR_MS;

    /// 10,000 entries of 1 KiB within half an hour.
    fn marks() -> LogMarks {
        let mut marks = LogMarks::default();
        (1..=10_000).for_each(|index| marks.note(index, 1024, Some(START_MS + index * 180)));
        marks
    }

    fn bounds(keep_bytes: u64) -> LogBounds {
        let snapshot_after = Duration::from_millis(12 * HOUR_MS);
        LogBounds { keep_bytes, keep_entries: 100, snapshot_after, ..LogBounds::default() }
    }

    fn look() -> Look {
        Look { applied: 10_000, snapshot: 9_900, purged: 0, slowest_member: None, sending: None }
    }

    #[test]
    fn the_log_is_kept_for_a_slow_member_within_the_budget_only() {
        let look = Look { slowest_member: Some(4_000), ..look() };
        assert_eq!(purge_upto(&look, &marks(), &bounds(1 << 30), NOW_MS), Some(4_000));
        let cut = purge_upto(&look, &marks(), &bounds(2 << 20), NOW_MS).unwrap();
        assert!(cut > 7_000, "{cut}: too far behind, it gets a snapshot");
        let all_there = Look { slowest_member: Some(10_000), ..look };
        assert_eq!(purge_upto(&all_there, &marks(), &bounds(1 << 30), NOW_MS), Some(9_800));
    }

    #[test]
    fn the_log_after_a_snapshot_being_sent_is_kept_whatever_its_age() {
        let look = Look { slowest_member: Some(0), sending: Some(3_000), ..look() };
        assert_eq!(purge_upto(&look, &marks(), &bounds(0), NOW_MS + 24 * HOUR_MS), Some(3_000));
    }

    #[test]
    fn a_few_large_entries_keep_to_the_budget_too() {
        let mut marks = LogMarks::default();
        (1..=300).for_each(|index| marks.note(index, 256 << 10, Some(START_MS + index * 180)));
        let look = Look { applied: 300, snapshot: 300, slowest_member: Some(5), ..Look::default() };
        let bounds = LogBounds { keep_bytes: 16 << 20, ..LogBounds::default() };
        let cut = purge_upto(&look, &marks, &bounds, NOW_MS).unwrap();
        assert!((230..=245).contains(&cut), "{cut}: the last 64 are the budget");
    }

    #[test]
    fn old_entries_go_even_when_a_member_lacks_them() {
        let look = Look { slowest_member: Some(5), ..look() };
        assert_eq!(purge_upto(&look, &marks(), &bounds(1 << 30), NOW_MS), None);
        // Here an entry waits up to 12 hours for its snapshot and leaves within 12 more.
        let half = START_MS + 5_000 * 180 + 12 * HOUR_MS;
        let cut = purge_upto(&look, &marks(), &bounds(1 << 30), half).unwrap();
        assert!((4_600..=5_000).contains(&cut), "{cut}: to within a minute");
        assert_eq!(purge_upto(&look, &marks(), &bounds(1 << 30), half + 12 * HOUR_MS), Some(9_900));
    }

    #[test]
    fn a_restart_makes_no_entry_younger() {
        // What a restarted node knows is what it reads in its log: nothing of when it last built or purged.
        let unsnapshotted = Look { snapshot: 2_000, ..look() };
        let first_after_ms = START_MS + 2_001 * 180;
        let bounds = bounds(1 << 30);
        assert!(!snapshot_due(&unsnapshotted, &marks(), &bounds, first_after_ms + 11 * HOUR_MS));
        assert!(snapshot_due(&unsnapshotted, &marks(), &bounds, first_after_ms + 12 * HOUR_MS + 60_000));
        assert!(!snapshot_due(&Look { snapshot: 10_000, ..look() }, &marks(), &bounds, u64::MAX), "all is covered");
    }

    #[test]
    fn much_log_makes_a_snapshot_due_at_once() {
        let bounds = LogBounds { snapshot_after_bytes: 4 << 20, ..LogBounds::default() };
        assert!(snapshot_due(&Look { snapshot: 2_000, ..look() }, &marks(), &bounds, NOW_MS));
        assert!(!snapshot_due(&Look { snapshot: 9_000, ..look() }, &marks(), &bounds, NOW_MS));
    }

    #[test]
    fn nothing_beyond_the_snapshot_is_cut_and_nothing_for_a_few_entries() {
        let look = Look { snapshot: 500, slowest_member: Some(10_000), ..look() };
        assert_eq!(purge_upto(&look, &marks(), &bounds(0), NOW_MS), None);
        let old = NOW_MS + 13 * HOUR_MS;
        assert_eq!(purge_upto(&look, &marks(), &bounds(0), old), Some(500), "old, but only what a snapshot covers");
    }
}
