//! Judges histories.
//!
//! A verdict is one of three: held, violated, inconclusive. What could not be decided, or was not tried, is never held.

mod audit;
mod expiry;
mod feed;
mod levels;
mod linearizable;
mod replay;
mod search;
mod sight;
mod young;

use std::fmt;

use serde::Serialize;

pub use audit::{AuditLog, check_audit};
pub use levels::check_levels;
pub use linearizable::{CheckerBounds, check_linearizable};
pub use replay::{Applied, HeldState, Replay};

/// A promise that was broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The promise: "linearizable", "session", "exactly once".
    pub promise: &'static str,
    /// What was seen, in a sentence.
    pub what: String,
    /// When it was seen, in microseconds of the history's clock.
    pub at_us: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:.6} s: {}", self.promise, self.at_us as f64 / 1e6, self.what)
    }
}

/// What came of a check, or of many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    pub violations: Vec<Violation>,
    /// Why something could not be judged.
    pub inconclusive: Vec<String>,
    /// Operations and observations that were judged.
    pub checked: u64,
}

/// One word for it, and the exit code of a tool that ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Held = 0,
    Violated = 1,
    /// Too little load, a fault that never took effect, a checker that gave up: not a pass.
    Inconclusive = 2,
}

impl Findings {
    pub fn verdict(&self) -> Verdict {
        if !self.violations.is_empty() {
            Verdict::Violated
        } else if !self.inconclusive.is_empty() || self.checked == 0 {
            Verdict::Inconclusive
        } else {
            Verdict::Held
        }
    }

    /// Both together.
    pub fn merge(&mut self, other: Self) {
        self.violations.extend(other.violations);
        self.inconclusive.extend(other.inconclusive);
        self.checked += other.checked;
    }

    pub fn violation(&mut self, promise: &'static str, at_us: u64, what: impl Into<String>) {
        self.violations.push(Violation { promise, what: what.into(), at_us });
    }
}
