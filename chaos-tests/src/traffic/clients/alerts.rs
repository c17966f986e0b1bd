//! The alerts that clients work on.

use std::sync::Arc;

use parking_lot::Mutex;

/// Writers still try an alert for so long after its end.
const TRIED_AFTER_MS: u64 = 300;

/// One alert as the clients know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name in histories, and its number.
    pub number: u64,
    pub id: String,
    /// The newest version that a client has seen.
    pub version: u64,
    pub covert: bool,
    /// When it ends by itself, as its owner wishes, in milliseconds since 1970.
    pub ends_ms: Option<u64>,
    /// A cancel or an erasure was sent; or it is left to end by itself.
    pub ending: bool,
}

impl Known {
    pub fn name(&self) -> String {
        format!("alert-{}", self.number)
    }
}

#[derive(Default)]
struct All {
    known: Vec<Known>,
    next_number: u64,
    next_value: u64,
}

/// Shared by all clients of a run.
#[derive(Clone, Default)]
pub struct Alerts(Arc<Mutex<All>>);

impl Alerts {
    /// A number that no alert has.
    pub fn new_number(&self) -> u64 {
        let mut all = self.0.lock();
        all.next_number += 1;
        all.next_number
    }

    /// A value that no write sets.
    pub fn new_value(&self) -> u64 {
        let mut all = self.0.lock();
        all.next_value += 1;
        all.next_value
    }

    pub fn add(&self, alert: Known) {
        self.0.lock().known.push(alert);
    }

    pub fn all(&self) -> Vec<Known> {
        self.0.lock().known.clone()
    }

    /// Those that nobody has tried to end, and whose time is not long past.
    pub fn living(&self, now_ms: u64) -> Vec<Known> {
        let lives =
            |alert: &&Known| !alert.ending && alert.ends_ms.is_none_or(|ends_ms| now_ms < ends_ms + TRIED_AFTER_MS);
        self.0.lock().known.iter().filter(lives).cloned().collect()
    }

    /// The owner wishes it to last longer.
    pub fn extended(&self, number: u64, ends_ms: u64) {
        if let Some(alert) = self.0.lock().known.iter_mut().find(|alert| alert.number == number) {
            alert.ends_ms = Some(ends_ms);
        }
    }

    /// A version was seen.
    pub fn saw(&self, number: u64, version: u64) {
        if let Some(alert) = self.0.lock().known.iter_mut().find(|alert| alert.number == number) {
            alert.version = alert.version.max(version);
        }
    }

    pub fn ends(&self, number: u64) {
        if let Some(alert) = self.0.lock().known.iter_mut().find(|alert| alert.number == number) {
            alert.ending = true;
        }
    }
}
