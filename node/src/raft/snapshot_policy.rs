//! When a checkpoint is built and how much of the log goes. Our own policy: openraft counts entries, but disks fill
//! with bytes, and erased data must leave the log within a day.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use openraft::async_runtime::WatchReceiver;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Consensus, options::LogBounds};
use crate::{seam::Clock, storage::checkpoint::CheckpointStore};

/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes of log between two marks.
const MARK_BYTES: u64 = 1 << 20;
/// No purge for less than so many entries, unless they are old: purges go in large batches.
const PURGE_ENTRIES_MIN: u64 = 1000;
/// Longest time that an entry stays in the log.
const LOG_AGE_MAX: Duration = Duration::from_secs(24 * 3600);

/// How the log's bytes lie over its indexes, as far as they passed by while this node ran.
#[derive(Debug, Clone, Default)]
pub struct LogMarks {
    /// (index, bytes of the log up to it), oldest first.
    marks: VecDeque<(u64, u64)>,
    newest: (u64, u64),
}

impl LogMarks {
    /// The log has grown by `bytes` up to `index`.
    pub fn note(&mut self, index: u64, bytes: u64) {
        self.newest = (index, self.newest.1 + bytes);
        if self.marks.back().is_none_or(|(_, at)| self.newest.1 - at >= MARK_BYTES) {
            self.marks.push_back(self.newest);
        }
    }

    /// Bytes of the log after `index`.
    pub fn bytes_after(&self, index: u64) -> u64 {
        let at = self.marks.iter().rev().find(|(mark, _)| *mark <= index).map_or(0, |(_, bytes)| *bytes);
        self.newest.1.saturating_sub(at)
    }

    /// The lowest index after which lie at most `bytes`; 0 where the whole log does.
    pub fn index_within(&self, bytes: u64) -> u64 {
        let within = self.newest.1.saturating_sub(bytes);
        if within == 0 {
            return 0;
        }
        self.marks.iter().find(|(_, at)| *at >= within).map_or(self.newest.0, |(index, _)| *index)
    }

    /// Forgets what lies before `index`.
    pub fn forget_before(&mut self, index: u64) {
        while self.marks.len() > 1 && self.marks[1].0 <= index {
            self.marks.pop_front();
        }
    }
}

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
    pub(super) clock: Arc<dyn Clock>,
    pub(super) marks: Arc<std::sync::Mutex<LogMarks>>,
    pub(super) checkpoints: CheckpointStore,
    pub(super) installing: watch::Receiver<bool>,
}

impl SnapshotPolicy {
    /// Looks again and again until `stopping`.
    pub async fn run(self, stopping: CancellationToken) {
        let mut seen = SnapshotsSeen::new(self.clock.boot());
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
            let now = self.clock.boot();
            seen.note(look.snapshot, now);
            let aged = seen.older_than(LOG_AGE_MAX.saturating_sub(self.bounds.snapshot_after), now);
            let (bytes, upto) = {
                let mut marks = self.marks.lock().expect("held in this block only");
                marks.forget_before(look.purged);
                (marks.bytes_after(look.snapshot), purge_upto(&look, &marks, &self.bounds, aged))
            };
            let age = now.saturating_sub(seen.last_at);
            let due = bytes >= self.bounds.snapshot_after_bytes || age >= self.bounds.snapshot_after;
            if due && look.applied > look.snapshot {
                tracing::info!(bytes, ?age, applied = look.applied, "building a snapshot");
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

/// Snapshots seen since the start, and when.
struct SnapshotsSeen {
    /// (index, time since boot), oldest first.
    points: VecDeque<(u64, Duration)>,
    last_at: Duration,
}

impl SnapshotsSeen {
    fn new(now: Duration) -> Self {
        Self { points: VecDeque::new(), last_at: now }
    }

    fn note(&mut self, snapshot: u64, now: Duration) {
        if self.points.back().is_none_or(|(index, _)| *index < snapshot) {
            self.points.push_back((snapshot, now));
            self.last_at = now;
        }
    }

    /// The newest snapshot that is older than `age`: all that it covers is as old.
    fn older_than(&mut self, age: Duration, now: Duration) -> u64 {
        let old = |(_, at): &(u64, Duration)| now.saturating_sub(*at) >= age;
        while self.points.len() > 1 && old(&self.points[1]) {
            self.points.pop_front();
        }
        self.points.front().filter(|point| old(point)).map_or(0, |(index, _)| *index)
    }
}

/// How far the log may be cut now, inclusive; `None` where it is not worth while.
fn purge_upto(look: &Look, marks: &LogMarks, bounds: &LogBounds, aged: u64) -> Option<u64> {
    let budget = marks.index_within(bounds.keep_bytes);
    // Members within the budget are waited for; those further behind get a snapshot.
    let members = look.slowest_member.map_or(budget, |slowest| slowest.max(budget));
    let kept = look.snapshot.saturating_sub(bounds.keep_entries).min(members).max(aged.min(look.snapshot));
    // After it, its receiver goes on from the log.
    let upto = kept.min(look.sending.unwrap_or(u64::MAX));
    let old = aged > look.purged;
    (upto > look.purged && (old || upto - look.purged >= PURGE_ENTRIES_MIN)).then_some(upto)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> LogMarks {
        let mut marks = LogMarks::default();
        // 10,000 entries of 1 KiB.
        (1..=10_000).for_each(|index| marks.note(index, 1024));
        marks
    }

    fn bounds(keep_bytes: u64) -> LogBounds {
        LogBounds { keep_bytes, keep_entries: 100, ..LogBounds::default() }
    }

    #[test]
    fn bytes_are_known_by_index() {
        let marks = marks();
        let after = marks.bytes_after(5000);
        assert!((5000 * 1024..5000 * 1024 + (2 << 20)).contains(&after), "{after}");
        assert_eq!(marks.index_within(u64::MAX), 0);
        let index = marks.index_within(2 << 20);
        assert!((7000..=9100).contains(&index), "{index}");
    }

    #[test]
    fn the_log_is_kept_for_a_slow_member_within_the_budget_only() {
        let look = Look { applied: 10_000, snapshot: 9_900, purged: 0, slowest_member: Some(4_000), sending: None };
        assert_eq!(purge_upto(&look, &marks(), &bounds(1 << 30), 0), Some(4_000));
        let cut = purge_upto(&look, &marks(), &bounds(2 << 20), 0).unwrap();
        assert!(cut > 7_000, "{cut}: too far behind, it gets a snapshot");
        let all_there = Look { slowest_member: Some(10_000), ..look };
        assert_eq!(purge_upto(&all_there, &marks(), &bounds(1 << 30), 0), Some(9_800));
    }

    #[test]
    fn the_log_after_a_snapshot_being_sent_is_kept_whatever_its_age() {
        let look = Look { applied: 10_000, snapshot: 9_900, purged: 0, slowest_member: Some(0), sending: Some(3_000) };
        assert_eq!(purge_upto(&look, &marks(), &bounds(0), 9_900), Some(3_000));
    }

    #[test]
    fn old_entries_go_even_when_a_member_lacks_them() {
        let look = Look { applied: 10_000, snapshot: 9_900, purged: 0, slowest_member: Some(5), sending: None };
        assert_eq!(purge_upto(&look, &marks(), &bounds(1 << 30), 6_000), Some(6_000));
    }

    #[test]
    fn a_snapshot_grows_old_while_newer_ones_come() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let mut seen = SnapshotsSeen::new(hours(0));
        seen.note(10, hours(1));
        seen.note(10, hours(2));
        seen.note(20, hours(9));
        assert_eq!(seen.older_than(hours(12), hours(12)), 0);
        assert_eq!(seen.older_than(hours(12), hours(13)), 10);
        assert_eq!(seen.older_than(hours(12), hours(20)), 10);
        assert_eq!(seen.older_than(hours(12), hours(21)), 20);
    }

    #[test]
    fn nothing_beyond_the_snapshot_is_cut_and_nothing_for_a_few_entries() {
        let look = Look { applied: 10_000, snapshot: 500, purged: 0, slowest_member: Some(10_000), sending: None };
        assert_eq!(purge_upto(&look, &marks(), &bounds(0), 0), None);
        assert_eq!(purge_upto(&look, &marks(), &bounds(0), 9_000), Some(500), "old, but only what a snapshot covers");
    }
}
