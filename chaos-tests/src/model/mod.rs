//! What happened, and what should have: histories of calls, and the sequential specification of an alert.
//!
//! A [`History`] is independent of where it came from: the simulator and the harness of real processes both write it,
//! and [`crate::validate`] judges it.

mod history;
mod observed;
mod specification;

pub use history::{Call, Change, Expects, History, HistoryError, Level, Operation, Outcome};
pub use observed::{Acknowledged, FeedItem, Followed, Question, Searched};
pub use specification::{AlertState, Life, accepts};
