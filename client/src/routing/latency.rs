//! How long reads take, method by method: what a node's answers are compared with, and when a hedge is due.

use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;

use crate::limits;

/// Four to an octave: a quantile is right to a fifth of its value.
const PER_OCTAVE: f64 = 4.0;
/// From a microsecond to two minutes.
const BUCKETS: usize = 108;

/// What is known of a method's latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub median: Duration,
    /// An attempt that has not answered by then is hedged.
    pub hedge_after: Duration,
}

/// Latencies of all methods, over all nodes.
#[derive(Default)]
pub(crate) struct Latencies {
    methods: Mutex<BTreeMap<&'static str, Histogram>>,
}

impl Latencies {
    pub fn note(&self, method: &'static str, latency: Duration) {
        self.methods.lock().entry(method).or_default().note(latency);
    }

    /// `None` until enough calls were seen to tell.
    pub fn expected(&self, method: &'static str) -> Option<Expected> {
        self.methods.lock().get(method)?.expected
    }
}

struct Histogram {
    counts: [u32; BUCKETS],
    total: u32,
    since_reckoned: u32,
    expected: Option<Expected>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], total: 0, since_reckoned: 0, expected: None }
    }
}

impl Histogram {
    fn note(&mut self, latency: Duration) {
        self.counts[bucket(latency)] += 1;
        self.total += 1;
        self.since_reckoned += 1;
        if self.total >= limits::LATENCY_SAMPLES_MAX {
            // Old calls count less and less.
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
        if self.total >= limits::LATENCY_SAMPLES_MIN && self.since_reckoned >= limits::LATENCY_SAMPLES_MIN {
            self.since_reckoned = 0;
            self.expected = Some(self.reckon());
        }
    }

    /// The quantile alone would follow a slow node upwards: with one node of three slow, a third of all answers are, and
    /// a hedge at their 95th percentile comes too late. A few medians bound it.
    fn reckon(&self) -> Expected {
        let median = self.quantile(0.5);
        let bound = median.saturating_mul(limits::HEDGE_MEDIANS_MAX);
        let hedge_after = self.quantile(limits::HEDGE_QUANTILE).min(bound);
        Expected { median, hedge_after: hedge_after.clamp(limits::HEDGE_AFTER_MIN, limits::HEDGE_AFTER_MAX) }
    }

    fn quantile(&self, share: f64) -> Duration {
        let wanted = (f64::from(self.total) * share).ceil();
        let mut seen = 0.0;
        let last = self.counts.iter().position(|count| {
            seen += f64::from(*count);
            seen >= wanted
        });
        upper_edge(last.unwrap_or(BUCKETS - 1))
    }
}

fn bucket(latency: Duration) -> usize {
    let micros = (latency.as_secs_f64() * 1e6).max(1.0);
    ((micros.log2() * PER_OCTAVE) as usize).min(BUCKETS - 1)
}

fn upper_edge(bucket: usize) -> Duration {
    Duration::from_secs_f64(((bucket + 1) as f64 / PER_OCTAVE).exp2() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(latencies: impl IntoIterator<Item = u64>) -> Option<Expected> {
        let known = Latencies::default();
        latencies.into_iter().for_each(|millis| known.note("get", Duration::from_millis(millis)));
        assert_eq!(known.expected("list"), None, "methods are apart");
        known.expected("get")
    }

    fn is_about(found: Duration, expected_ms: u64) -> bool {
        let expected = Duration::from_millis(expected_ms);
        found >= expected && found <= expected.mul_f64(1.2)
    }

    #[test]
    fn a_few_calls_tell_nothing() {
        assert_eq!(after([5; limits::LATENCY_SAMPLES_MIN as usize - 1]), None);
    }

    #[test]
    fn a_hedge_is_due_at_the_quantile_of_what_was_seen() {
        let expected = after((0..1000).map(|n| if n % 10 == 0 { 18 } else { 10 })).unwrap();
        assert!(is_about(expected.median, 10) && is_about(expected.hedge_after, 18), "{expected:?}");
    }

    #[test]
    fn a_slow_third_of_the_answers_does_not_put_hedges_off() {
        let expected = after((0..1000).map(|n| if n % 3 == 0 { 500 } else { 10 })).unwrap();
        assert!(expected.hedge_after <= Duration::from_millis(50), "{expected:?}");
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let expected = after([400; 1000].into_iter().chain([10; 4000])).unwrap();
        assert!(is_about(expected.median, 10), "{expected:?}");
    }
}
