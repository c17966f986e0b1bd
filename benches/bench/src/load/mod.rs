//! Load: what is done (`Work`), by how many or how often, and how long each took.
//!
//! * [`closed`]: so many clients, each asks when it has been answered: finds the highest rate
//! * [`open`]: so many a second, whether answered or not: finds what a caller waits

mod closed;
mod open;

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;
use hdrhistogram::Histogram;

pub use closed::closed;
pub use open::open;

/// Longest latency that a histogram holds, in microseconds: a minute.
const LATENCY_US_MAX: u64 = 60_000_000;
/// Significant digits of a histogram.
const DIGITS: u8 = 3;

/// What one operation did.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// "search", "write"...: latencies are kept apart by it.
    pub kind: &'static str,
    /// The node that answered; empty when that does not matter.
    pub node: String,
    /// How many of what is counted it did: 1, or the lines of an import.
    pub units: u64,
}

impl Done {
    /// One of a kind.
    pub fn one(kind: &'static str) -> Self {
        Self { kind, node: String::new(), units: 1 }
    }
}

/// Something that can be done again and again.
pub trait Work: Send + Sync {
    /// Does it once. `client` is who asks (below the number of clients), `number` differs in each call of a run.
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>>;
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// How long was measured.
    pub time: Duration,
    /// What is counted.
    pub units: u64,
    pub failed: u64,
    /// Sent too late to count: the generator, or what it asks, could not keep up.
    pub missed: u64,
    pub first_error: Option<String>,
    /// Of all operations, in microseconds.
    pub latency: Histogram<u64>,
    pub by_kind: BTreeMap<&'static str, Histogram<u64>>,
    pub by_node: BTreeMap<String, Histogram<u64>>,
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_US_MAX, DIGITS).expect("bounds and digits are constants that fit")
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            time: Duration::ZERO,
            units: 0,
            failed: 0,
            missed: 0,
            first_error: None,
            latency: histogram(),
            by_kind: BTreeMap::new(),
            by_node: BTreeMap::new(),
        }
    }
}

impl Outcome {
    fn note(&mut self, took: Duration, done: Result<Done, String>) {
        let us = u64::try_from(took.as_micros()).unwrap_or(LATENCY_US_MAX);
        match done {
            Ok(Done { kind, node, units }) => {
                self.units += units;
                self.latency.saturating_record(us);
                self.by_kind.entry(kind).or_insert_with(histogram).saturating_record(us);
                if !node.is_empty() {
                    self.by_node.entry(node).or_insert_with(histogram).saturating_record(us);
                }
            }
            Err(error) => {
                self.failed += 1;
                self.first_error.get_or_insert(error);
            }
        }
    }

    fn add(&mut self, other: Self) {
        fn merge<K: Ord>(into: &mut BTreeMap<K, Histogram<u64>>, from: BTreeMap<K, Histogram<u64>>) {
            for (key, histogram) in from {
                into.entry(key).or_insert_with(self::histogram).add(histogram).expect("all have the same bounds");
            }
        }
        self.units += other.units;
        self.failed += other.failed;
        self.missed += other.missed;
        self.first_error = self.first_error.take().or(other.first_error);
        self.latency.add(other.latency).expect("all have the same bounds");
        merge(&mut self.by_kind, other.by_kind);
        merge(&mut self.by_node, other.by_node);
    }

    /// Units a second.
    pub fn rate(&self) -> f64 {
        self.units as f64 / self.time.as_secs_f64().max(f64::EPSILON)
    }

    /// A quantile of all latencies, in milliseconds.
    pub fn ms(&self, quantile: f64) -> f64 {
        in_ms(&self.latency, quantile)
    }
}

/// A quantile in milliseconds.
pub fn in_ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1000.0
}
