//! Simulated time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Microseconds of one step: everything that happens in a step happens at one simulated moment, in one order.
pub const STEP_US: u64 = 1000;

/// The simulation's own clock, which no fault touches. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SimTime(Arc<Moment>);

#[derive(Debug, Default)]
struct Moment {
    step_us: AtomicU64,
    events: AtomicU64,
}

impl SimTime {
    /// Begins the next step.
    pub fn step(&self) {
        self.0.step_us.fetch_add(STEP_US, Relaxed);
        self.0.events.store(0, Relaxed);
    }

    /// Microseconds since the simulation began.
    pub fn now_us(&self) -> u64 {
        self.0.step_us.load(Relaxed)
    }

    /// A moment for a history: later than every one given before, because what runs later in a step may know of it.
    pub fn next_us(&self) -> u64 {
        self.now_us() + self.0.events.fetch_add(1, Relaxed).min(STEP_US - 1)
    }
}
