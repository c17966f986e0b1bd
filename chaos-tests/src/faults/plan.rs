//! What a seed makes of a run: how large the cluster is, how fast its network, which faults happen.
//!
//! Each seed turns a few kinds of fault on, so that rare mixes appear; each of these happens at least once.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A process is gone and starts again.
    Crash,
    /// A machine loses its power between two pieces of work.
    PowerLoss,
    /// A machine loses its power in the middle of a write.
    TornWrite,
    /// Every machine loses its power at once.
    AllLosePower,
    /// The leader is gone, and another machine loses its power as soon as it has voted.
    VotedThenPowerLoss,
    /// A node reaches nobody, nodes and clients.
    CutOff,
    /// Messages from one node to another do not arrive; the other way they do.
    OneWay,
    /// Two nodes do not reach each other; both reach the rest.
    Partial,
    /// Messages of a node take long.
    Delay,
    /// Messages of a link are lost.
    Loss,
    /// A wall clock jumps.
    ClockJump,
    /// A machine's clocks run at another speed.
    ClockDrift,
    /// A process hangs: its messages and its disk stand still.
    Pause,
    SlowDisk,
    /// Every fsync of a machine's log fails.
    FailingSync,
    /// A bit of a stopped node's log flips.
    BitRot,
    /// A node's disk is exchanged for an empty one, under its old id.
    Wiped,
    /// A node joins as a learner, and becomes a voter.
    Join,
    /// A node leaves.
    Remove,
    /// A node joins, and another leaves.
    Replace,
    /// Snapshots are built and logs are cut.
    Snapshot,
    /// A node comes back to a cluster whose logs are cut behind it, and is given a snapshot.
    Install,
    /// The leader hands over.
    Transfer,
    /// A caller hangs up before the answer. Clients do so in every run.
    HangUp,
    /// A caller that was not answered sends its write again, under the same request id. In every run.
    Repeat,
}

impl Kind {
    /// Those that seeds turn on.
    pub const ALL: [Self; 23] = [
        Self::Crash,
        Self::PowerLoss,
        Self::TornWrite,
        Self::AllLosePower,
        Self::VotedThenPowerLoss,
        Self::CutOff,
        Self::OneWay,
        Self::Partial,
        Self::Delay,
        Self::Loss,
        Self::ClockJump,
        Self::ClockDrift,
        Self::Pause,
        Self::SlowDisk,
        Self::FailingSync,
        Self::BitRot,
        Self::Wiped,
        Self::Join,
        Self::Remove,
        Self::Replace,
        Self::Snapshot,
        Self::Install,
        Self::Transfer,
    ];

    /// Takes a node out for good: at most a minority may meet such faults.
    pub fn condemns(self) -> bool {
        matches!(self, Self::FailingSync | Self::BitRot | Self::Wiped)
    }
}

/// The course of one run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub voters: u64,
    pub learners: u64,
    pub faults: Vec<Kind>,
    pub latency_max: Duration,
    /// How long clients work while faults happen.
    pub traffic: Duration,
    /// Between two faults.
    pub quiet: Duration,
    /// So many log bytes make a snapshot due; few, so that runs have snapshots.
    pub snapshot_after_bytes: u64,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed ^ 0x9_1A17);
        let (voters, learners) = match random.random_range(0..10) {
            0..6 => (3, 0),
            6..8 => (5, 0),
            _ => (3, 1),
        };
        let mut faults = Kind::ALL.to_vec();
        faults.shuffle(&mut random);
        faults.truncate(random.random_range(3..=5));
        // One fault for a node's lifetime is enough of these in a small cluster.
        let mut condemning = 0;
        faults.retain(|kind| {
            condemning += usize::from(kind.condemns());
            !kind.condemns() || condemning <= 1
        });
        let bounds: &[u64] =
            if faults.contains(&Kind::Install) { &[16 << 10] } else { &[64 << 10, 256 << 10, 1 << 30] };
        Self {
            voters,
            learners,
            latency_max: Duration::from_millis([2, 5, 10, 30][random.random_range(0..4)]),
            traffic: Duration::from_millis(random.random_range(9_000..14_000)),
            quiet: Duration::from_millis(random.random_range(200..900)),
            snapshot_after_bytes: bounds[random.random_range(0..bounds.len())],
            faults,
        }
    }
}
