//! Time goes on where nothing else does. Snapshots are renewed, and the log is cut, by the age of what was applied since:
//! in a store that nobody changes that would be never, and what was erased last would stay in both for ever.

use std::time::Duration;

use alert_core::state::{Meta, command::Command};

use super::duty::{Duty, Leader};

/// Longest time without an entry, in replicated time.
const QUIET_MAX: Duration = Duration::from_secs(3600);
/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// Proposes `Tick` when nothing else was proposed for an hour.
pub struct Tick;

impl Duty for Tick {
    async fn look(&mut self, leader: &Leader) -> Duration {
        let Some(meta) = leader.read("the replicated time", Meta::read).await else { return LOOK_INTERVAL };
        let quiet = Duration::from_millis(leader.now_ms().saturating_sub(meta.time_ms));
        // Founding comes first.
        if quiet >= QUIET_MAX && meta.time_ms > 0 {
            // Whatever comes of it: the next look tells.
            let _ = leader.propose("the time, after an hour without a change", Command::Tick).await;
        }
        LOOK_INTERVAL
    }
}
