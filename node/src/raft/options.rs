//! What a node is told about consensus, and what openraft is told because of it.

use std::{sync::Arc, time::Duration};

use alert_cluster_config::node::{LimitsSection, RaftTimes, StorageSection};
use alert_core::mutants::Mutant;
use openraft::{Config, SnapshotPolicy};
use thiserror::Error;

use super::types::{Node, NodeId};

/// Times of consensus. All derive from the round trip between the farthest voters; see [`RaftTimes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// A leader tells its followers so often that it lives.
    pub heartbeat: Duration,
    /// Shortest random part of a follower's patience. At most a quarter of the longest: a follower waits the lease
    /// (which is the longest) plus this, so a short random part keeps the failover short.
    pub election_min: Duration,
    /// Longest random part, and the leader's lease: "the election time-out".
    pub election_max: Duration,
    /// A connection, or a stream of entries or of snapshot bytes, that makes no progress for so long is given up.
    pub no_progress: Duration,
    /// Longest wait for a connection to a peer to come up.
    pub connect: Duration,
}

impl Timings {
    /// From the longest election time-out.
    pub fn for_election_timeout(election_max: Duration) -> Self {
        RaftTimes::for_election_timeout(election_max).into()
    }
}

impl From<RaftTimes> for Timings {
    fn from(times: RaftTimes) -> Self {
        let election_max = times.election_timeout_max;
        Self {
            heartbeat: times.heartbeat,
            election_min: times.election_timeout_min,
            election_max,
            no_progress: (election_max * 3).max(Duration::from_secs(2)),
            connect: election_max,
        }
    }
}

/// When the log is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// A snapshot is due after so many bytes of log.
    pub snapshot_after_bytes: u64,
    /// ... or so long after the last one, whatever the bytes: the log holds personal data. At most 24 hours.
    pub snapshot_after: Duration,
    /// So many bytes of log are kept for slow members, beyond the snapshot; a member further behind gets a snapshot.
    pub keep_bytes: u64,
    /// So many entries are kept for members that were away for a moment, as far as `keep_bytes` allows.
    pub keep_entries: u64,
    /// Cutting is work for the log's database: not for fewer entries and fewer bytes than these, unless they are old.
    pub cut_entries_min: u64,
    pub cut_bytes_min: u64,
}

impl From<&StorageSection> for LogBounds {
    fn from(storage: &StorageSection) -> Self {
        Self {
            snapshot_after_bytes: storage.snapshot_log_bytes,
            snapshot_after: Duration::from_secs(storage.snapshot_age_max_s),
            keep_bytes: storage.log_keep_bytes_max,
            keep_entries: 1000,
            cut_entries_min: 1000,
            cut_bytes_min: 1 << 20,
        }
    }
}

impl Default for LogBounds {
    fn default() -> Self {
        Self::from(&StorageSection::default())
    }
}

/// Bounds of the proposal queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalBounds {
    /// Commands that may wait; one more is answered `Overloaded`.
    pub queue_commands: usize,
    /// Bytes that may wait.
    pub queue_bytes: usize,
    /// Entries under way at once.
    pub entries_in_flight: usize,
    /// So many of them leave at once with whatever waits: one is on its way to the disks while another is applied. With
    /// as many under way, commands gather for the next.
    pub entries_overlapping: usize,
    /// No command gathers for longer.
    pub gather_max: Duration,
}

impl From<&LimitsSection> for ProposalBounds {
    fn from(limits: &LimitsSection) -> Self {
        Self {
            queue_commands: limits.writes_waiting_max as usize,
            queue_bytes: 64 << 20,
            entries_in_flight: 8,
            entries_overlapping: 2,
            gather_max: Duration::from_millis(5),
        }
    }
}

impl Default for ProposalBounds {
    fn default() -> Self {
        Self::from(&LimitsSection::default())
    }
}

/// Bounds of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBounds {
    /// Least time between two probes while readers wait.
    pub probe_spacing: Duration,
    /// Probes under way at once.
    pub probes_in_flight: usize,
    /// A probe without an answer for so long has failed.
    pub probe_timeout: Duration,
    /// A probe is sent so often even when nobody waits: staleness, readiness and loss of the quorum are always known.
    pub idle_probe: Duration,
    /// Without a successful probe for so long, the node is without a quorum.
    pub quorum_lost_after: Duration,
    /// A node further behind than this answers at once that it is behind.
    pub lag_entries_max: u64,
}

impl ReadBounds {
    /// For these times of consensus.
    pub fn for_timings(timings: &Timings) -> Self {
        Self {
            probe_spacing: Duration::from_millis(2),
            probes_in_flight: 4,
            probe_timeout: timings.election_min.max(Duration::from_millis(100)),
            idle_probe: Duration::from_millis(250),
            quorum_lost_after: Duration::from_secs(1),
            lag_entries_max: 10_000,
        }
    }
}

/// Everything consensus is told from outside.
#[derive(Debug, Clone)]
pub struct RaftOptions {
    /// The cluster's id; every peer must name the same.
    pub cluster_id: String,
    /// Grows when the store is restored from a backup.
    pub epoch: u64,
    /// This node's id, as its certificate says.
    pub node_id: NodeId,
    /// This node's addresses and name; the incarnation is filled in from the data directory.
    pub node: Node,
    pub timings: Timings,
    pub log: LogBounds,
    pub proposals: ProposalBounds,
    pub reads: ReadBounds,
    /// A learner may be promoted after its lag stayed below [`RaftOptions::promote_lag_entries`] for so long.
    pub promote_after: Duration,
    /// See [`RaftOptions::promote_after`].
    pub promote_lag_entries: u64,
    /// Bytes per second of a snapshot being sent; `None` = as fast as the connection.
    pub snapshot_bytes_per_second: Option<u64>,
}

impl RaftOptions {
    /// The defaults for a node.
    pub fn new(cluster_id: impl Into<String>, node_id: NodeId, node: Node, timings: Timings) -> Self {
        Self {
            cluster_id: cluster_id.into(),
            epoch: 1,
            node_id,
            node,
            timings,
            log: LogBounds::default(),
            proposals: ProposalBounds::default(),
            reads: ReadBounds::for_timings(&timings),
            promote_after: Duration::from_secs(2),
            promote_lag_entries: 200,
            snapshot_bytes_per_second: None,
        }
    }

    /// What openraft is told. The rules that keep data safe are fixed here and are no options.
    ///
    /// # Errors
    /// Times that contradict each other.
    pub fn config(&self) -> Result<Arc<Config>, OptionsError> {
        let Timings { heartbeat, election_min, election_max, .. } = self.timings;
        if election_min * 4 > election_max {
            return Err(OptionsError::RandomPart { election_min, election_max });
        }
        if heartbeat * 2 > election_min {
            return Err(OptionsError::Heartbeat { heartbeat, election_min });
        }
        if self.log.snapshot_after > Duration::from_secs(24 * 3600) {
            return Err(OptionsError::LogAge(self.log.snapshot_after));
        }
        let milliseconds = |time: Duration| time.as_millis() as u64;
        let config = Config {
            cluster_name: self.cluster_id.clone(),
            heartbeat_interval: milliseconds(heartbeat),
            election_timeout_min: milliseconds(election_min),
            election_timeout_max: milliseconds(election_max),
            // A leader that can send but not hear would be followed for ever.
            quorum_loss_probe_interval: Some(2 * milliseconds(election_max)),
            enable_pre_vote: Some(true),
            // A leader that lost its unsynced tail must not resume its term: it could give an index another content.
            enable_leader_restore: Some(Mutant::LeaderRestore.is_planted()),
            allow_log_reversion: Some(false),
            // Only a hint to the network, which gives up when nothing moves, never after a total time.
            install_snapshot_timeout: milliseconds(self.timings.no_progress),
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: u64::MAX,
            max_payload_entries: 1024,
            broadcast_submitted_on_append: Some(true),
            backoff: "50ms".into(),
            ..Config::default()
        };
        config.validate().map(Arc::new).map_err(|error| OptionsError::Refused(error.to_string()))
    }
}

/// Why options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OptionsError {
    /// Failover would take too long.
    #[error("election_min {election_min:?} must be at most a quarter of election_max {election_max:?}")]
    RandomPart { election_min: Duration, election_max: Duration },
    /// One lost heartbeat would start an election.
    #[error("heartbeat {heartbeat:?} must be at most half of election_min {election_min:?}")]
    Heartbeat { heartbeat: Duration, election_min: Duration },
    /// Erased data would stay in the log.
    #[error("snapshot_after {0:?}: the log must not grow older than 24 hours")]
    LogAge(Duration),
    /// openraft's own checks.
    #[error("{0}")]
    Refused(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(election_max_ms: u64) -> RaftOptions {
        let timings = Timings::for_election_timeout(Duration::from_millis(election_max_ms));
        RaftOptions::new("c", 1, Node::default(), timings)
    }

    #[test]
    fn the_rules_that_keep_data_safe_are_no_options() {
        for election_max_ms in [500, 1000, 4000] {
            let config = options(election_max_ms).config().unwrap();
            assert_eq!(config.enable_leader_restore, Some(false), "a leader that lost its tail must not go on");
            assert_eq!(config.allow_log_reversion, Some(false));
            assert_eq!(config.enable_pre_vote, Some(true));
            assert_eq!(config.quorum_loss_probe_interval, Some(2 * election_max_ms));
            assert!(config.election_timeout_min * 4 <= config.election_timeout_max);
            assert!(matches!(config.snapshot_policy, SnapshotPolicy::Never), "our own trigger alone");
            assert_eq!(config.max_in_snapshot_log_to_keep, u64::MAX, "nothing is purged but by our own policy");
        }
    }

    #[test]
    fn times_that_contradict_each_other_are_refused() {
        let mut slow = options(1000);
        slow.timings.election_min = Duration::from_millis(500);
        assert!(matches!(slow.config(), Err(OptionsError::RandomPart { .. })));
        let mut lost = options(1000);
        lost.timings.heartbeat = Duration::from_millis(200);
        assert!(matches!(lost.config(), Err(OptionsError::Heartbeat { .. })));
        let mut old = options(1000);
        old.log.snapshot_after = Duration::from_secs(25 * 3600);
        assert!(matches!(old.config(), Err(OptionsError::LogAge(_))));
    }
}
