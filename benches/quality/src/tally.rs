//! What a series of searches found, with confidence intervals.

use std::time::Duration;

use alert_core::{alert::AlertId, search::SearchAnswer};

/// Counts of one series.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Searches.
    pub asked: u64,
    /// The wanted record is among the candidates.
    pub found: u64,
    /// It is among the first ten.
    pub found_in_ten: u64,
    /// Some other record is among the candidates.
    pub with_others: u64,
    /// Other records, summed.
    pub others: u64,
    /// A limit cut the search short.
    pub truncated: u64,
    /// Sums of the search's own counters.
    pub seeks: u64,
    pub postings: u64,
    pub scored: u64,
    micros: Vec<u32>,
}

impl Tally {
    /// One search of the store itself.
    pub fn add(&mut self, answer: &SearchAnswer, wanted: Option<AlertId>, took: Duration) {
        let ids: Vec<AlertId> = answer.found.iter().map(|found| found.id).collect();
        self.add_ids(&ids, wanted, took);
        self.truncated += u64::from(answer.truncation.is_some());
        self.seeks += answer.counters.seeks;
        self.postings += answer.counters.postings;
        self.scored += answer.counters.scored;
    }

    /// One search of anything that gives ids, best first.
    pub fn add_ids<Id: PartialEq>(&mut self, ids: &[Id], wanted: Option<Id>, took: Duration) {
        self.asked += 1;
        let place = wanted.as_ref().and_then(|wanted| ids.iter().position(|id| id == wanted));
        self.found += u64::from(place.is_some());
        self.found_in_ten += u64::from(place.is_some_and(|place| place < 10));
        let others = ids.len() as u64 - u64::from(place.is_some());
        self.with_others += u64::from(others > 0);
        self.others += others;
        self.micros.push(took.as_micros().min(u128::from(u32::MAX)) as u32);
    }

    /// Two series as one.
    pub fn merge(&mut self, other: &Self) {
        self.asked += other.asked;
        self.found += other.found;
        self.found_in_ten += other.found_in_ten;
        self.with_others += other.with_others;
        self.others += other.others;
        self.truncated += other.truncated;
        self.seeks += other.seeks;
        self.postings += other.postings;
        self.scored += other.scored;
        self.micros.extend(&other.micros);
    }

    /// Microseconds that this many of a thousand searches took at most.
    pub fn micros_at(&mut self, per_mille: usize) -> u32 {
        self.micros.sort_unstable();
        self.micros
            .get((self.micros.len() * per_mille / 1000).min(self.micros.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0)
    }

    /// The mean of a sum over the searches.
    pub fn mean(&self, sum: u64) -> f64 {
        sum as f64 / self.asked.max(1) as f64
    }
}

/// A share in per cent with its Wilson interval of 95 %.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".into();
    }
    let (n, p, z) = (whole as f64, part as f64 / whole as f64, 1.96);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    format!("{:.2} ({:.2}-{:.2})", 100.0 * p, 100.0 * (middle - half).max(0.0), 100.0 * (middle + half).min(1.0))
}
