//! Tells work on a thread that nobody waits for it any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Held by whoever waits; dropped with the call.
pub struct Present(Arc<AtomicBool>);

/// Held by the work.
#[derive(Clone)]
pub struct Gone(Arc<AtomicBool>);

impl Present {
    /// Both ends.
    pub fn new() -> (Self, Gone) {
        let gone = Arc::new(AtomicBool::new(false));
        (Self(Arc::clone(&gone)), Gone(gone))
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Gone {
    /// True when the work may stop.
    pub fn is_gone(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
