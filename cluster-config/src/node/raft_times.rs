//! Raft's timers, from the longest round trip between two voters.

use std::time::Duration;

use super::RaftSection;

/// The longest election time-out is never derived shorter than this: below it, a slow fsync looks like a dead leader.
const ELECTION_TIMEOUT_MAX_MS_MIN: u64 = 1_000;
/// Round trips in the longest election time-out.
const ROUND_TRIPS_PER_ELECTION: u64 = 20;
/// A follower waits for the lease (the longest time-out) and then a random part: the shorter the shortest is, the
/// sooner the first candidate comes, and a quarter still keeps two from coming at once.
const SHORTEST_PART: u32 = 4;
/// Heartbeats in the longest election time-out.
const HEARTBEATS_PER_ELECTION: u32 = 10;

/// Raft's timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RaftTimes {
    /// From one heartbeat of the leader to the next.
    pub heartbeat: Duration,
    /// Shortest election time-out.
    pub election_timeout_min: Duration,
    /// Longest election time-out; also the leader's lease.
    pub election_timeout_max: Duration,
}

impl RaftTimes {
    /// The timers of a section: derived from its round trip, unless it names them.
    pub fn of(raft: &RaftSection) -> Self {
        let derived = (ROUND_TRIPS_PER_ELECTION * raft.round_trip_ms).max(ELECTION_TIMEOUT_MAX_MS_MIN);
        let longest = raft.election_timeout_max_ms.unwrap_or(derived);
        let times = Self::for_election_timeout(Duration::from_millis(longest));
        let named = |milliseconds: Option<u64>, derived| milliseconds.map_or(derived, Duration::from_millis);
        Self {
            heartbeat: named(raft.heartbeat_ms, times.heartbeat),
            election_timeout_min: named(raft.election_timeout_min_ms, times.election_timeout_min),
            ..times
        }
    }

    /// The timers that follow from the longest election time-out.
    pub fn for_election_timeout(longest: Duration) -> Self {
        Self {
            heartbeat: longest / HEARTBEATS_PER_ELECTION,
            election_timeout_min: longest / SHORTEST_PART,
            election_timeout_max: longest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(section: RaftSection) -> [u64; 3] {
        let times = RaftTimes::of(&section);
        [times.heartbeat, times.election_timeout_min, times.election_timeout_max]
            .map(|time| u64::try_from(time.as_millis()).unwrap())
    }

    #[test]
    fn sites_within_50_ms_elect_within_a_second() {
        for round_trip_ms in [1, 10, 50] {
            assert_eq!(times(RaftSection { round_trip_ms, ..Default::default() }), [100, 250, 1000]);
        }
    }

    #[test]
    fn far_sites_get_longer_timers() {
        assert_eq!(times(RaftSection { round_trip_ms: 200, ..Default::default() }), [400, 1000, 4000]);
    }

    #[test]
    fn named_timers_are_taken_and_the_others_follow() {
        let section = RaftSection { election_timeout_max_ms: Some(400), ..Default::default() };
        assert_eq!(times(section.clone()), [40, 100, 400]);
        let section = RaftSection { election_timeout_min_ms: Some(50), heartbeat_ms: Some(20), ..section };
        assert_eq!(times(section), [20, 50, 400]);
    }
}
