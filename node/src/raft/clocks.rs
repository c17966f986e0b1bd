//! The voters' wall clocks, as far as this node has heard of them, and the time that a leader may propose.
//!
//! One wrong clock must expire nothing: a leader proposes at most the median of the voters' clocks, so a time is
//! proposed only when a majority of the voters' clocks have reached it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::types::NodeId;
use crate::seam::Clock;

/// A clock not heard of for so long counts as unknown: what a node that is gone said last must not vouch for the wrong clock
/// of another. Many heartbeats, each of which brings the voter's clock.
pub const SAMPLE_AGE_MAX: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy)]
struct Sample {
    wall_ms: u64,
    heard_at: Duration,
}

/// Wall clocks of the peers.
pub struct VoterClocks {
    clock: Arc<dyn Clock>,
    samples: Mutex<BTreeMap<NodeId, Sample>>,
}

impl VoterClocks {
    /// Nothing heard yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, samples: Mutex::default() }
    }

    /// This node's wall clock, milliseconds since 1970.
    pub fn own_ms(&self) -> u64 {
        self.clock.wall_ms()
    }

    /// `peer` said so just now. The time its words took is left out: it makes the peer seem late, which is the safe
    /// side.
    pub fn note(&self, peer: NodeId, wall_ms: u64) {
        let sample = Sample { wall_ms, heard_at: self.clock.boot() };
        self.samples.lock().expect("held for this line only").insert(peer, sample);
    }

    /// The latest time that a majority of `voters` have reached, milliseconds since 1970: the lower median of their
    /// clocks. A clock not heard of counts as 1970.
    pub fn median_ms(&self, voters: impl IntoIterator<Item = NodeId>, own: NodeId) -> u64 {
        let now = self.clock.boot();
        let samples = self.samples.lock().expect("held in this function only");
        let mut clocks: Vec<u64> = voters
            .into_iter()
            .map(|voter| {
                if voter == own {
                    return self.clock.wall_ms();
                }
                match samples.get(&voter) {
                    Some(sample) if now.saturating_sub(sample.heard_at) <= SAMPLE_AGE_MAX => {
                        sample.wall_ms + now.saturating_sub(sample.heard_at).as_millis() as u64
                    }
                    _ => 0,
                }
            })
            .collect();
        clocks.sort_unstable();
        match clocks.len() {
            0 => 0,
            voters => clocks[(voters - 1) / 2],
        }
    }

    /// How far each peer's clock is ahead of this node's, in milliseconds.
    pub fn skews_ms(&self) -> BTreeMap<NodeId, i64> {
        let (now, own) = (self.clock.boot(), self.clock.wall_ms() as i64);
        let samples = self.samples.lock().expect("held in this function only");
        samples
            .iter()
            .map(|(id, sample)| {
                let theirs = sample.wall_ms + now.saturating_sub(sample.heard_at).as_millis() as u64;
                (*id, theirs as i64 - own)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[derive(Default)]
    struct SetClock {
        wall_ms: AtomicU64,
        boot_ms: AtomicU64,
    }

    impl Clock for SetClock {
        fn wall_ms(&self) -> u64 {
            self.wall_ms.load(Ordering::Relaxed)
        }

        fn boot(&self) -> Duration {
            Duration::from_millis(self.boot_ms.load(Ordering::Relaxed))
        }
    }

    fn clocks(own_ms: u64) -> (Arc<SetClock>, VoterClocks) {
        let clock = Arc::new(SetClock::default());
        clock.wall_ms.store(own_ms, Ordering::Relaxed);
        (clock.clone(), VoterClocks::new(clock))
    }

    #[test]
    fn one_wrong_clock_moves_no_time() {
        let (_, clocks) = clocks(1_000_000);
        clocks.note(2, 1_000_010);
        clocks.note(3, 9_000_000);
        assert_eq!(clocks.median_ms([1, 2, 3], 1), 1_000_010);
        clocks.note(3, 5);
        assert_eq!(clocks.median_ms([1, 2, 3], 1), 1_000_000);
    }

    #[test]
    fn a_wrong_clock_of_the_leader_moves_no_time() {
        let (_, clocks) = clocks(9_000_000);
        clocks.note(2, 1_000_000);
        clocks.note(3, 1_000_005);
        assert_eq!(clocks.median_ms([1, 2, 3], 1), 1_000_005);
    }

    #[test]
    fn a_majority_must_have_reached_the_time() {
        let (_, clocks) = clocks(50);
        assert_eq!(clocks.median_ms([1], 1), 50);
        assert_eq!(clocks.median_ms([1, 2], 1), 0, "the other clock is unknown");
        clocks.note(2, 40);
        assert_eq!(clocks.median_ms([1, 2], 1), 40);
        clocks.note(3, 60);
        clocks.note(4, 70);
        assert_eq!(clocks.median_ms([1, 2, 3, 4], 1), 50, "three of four have reached it");
    }

    #[test]
    fn a_clock_runs_on_between_two_words_and_is_forgotten_after_long_silence() {
        let (clock, clocks) = clocks(1_000);
        clocks.note(2, 1_000);
        clock.boot_ms.store(2_000, Ordering::Relaxed);
        clock.wall_ms.store(3_000, Ordering::Relaxed);
        assert_eq!(clocks.median_ms([1, 2], 1), 3_000);
        clock.boot_ms.store(60_000, Ordering::Relaxed);
        assert_eq!(clocks.median_ms([1, 2], 1), 0);
    }
}
