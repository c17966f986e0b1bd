//! What a process that ran one seed tells the process that asked for it.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use alert_chaos::{sim::Run, validate::Verdict};
use serde::{Deserialize, Serialize};

/// One seed's result, as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    pub seed: u64,
    pub violations: Vec<String>,
    pub inconclusive: Vec<String>,
    /// Observations that were judged.
    pub checked: u64,
    /// Calls that clients made.
    pub operations: u64,
    pub simulated_us: u64,
    /// Terms that had a leader.
    pub terms: usize,
    /// Faults that took effect, by kind.
    pub faults: BTreeMap<String, u32>,
    /// Of everything that happened: the same for the same seed.
    pub hash: String,
}

impl Outcome {
    pub fn of(run: &Run) -> Self {
        Self {
            seed: run.seed,
            violations: run.findings.violations.iter().map(ToString::to_string).collect(),
            inconclusive: run.findings.inconclusive.clone(),
            checked: run.findings.checked,
            operations: run.operations,
            simulated_us: run.simulated.as_micros() as u64,
            terms: run.terms,
            faults: run.tally.iter().map(|(kind, effects)| (format!("{kind:?}"), effects)).collect(),
            hash: hash_of(run),
        }
    }

    /// Of a seed whose process told nothing.
    pub fn without(seed: u64, why: String) -> Self {
        Self {
            seed,
            violations: Vec::new(),
            inconclusive: vec![why],
            checked: 0,
            operations: 0,
            simulated_us: 0,
            terms: 0,
            faults: BTreeMap::new(),
            hash: String::new(),
        }
    }

    pub fn verdict(&self) -> Verdict {
        if !self.violations.is_empty() {
            Verdict::Violated
        } else if !self.inconclusive.is_empty() || self.checked == 0 {
            Verdict::Inconclusive
        } else {
            Verdict::Held
        }
    }
}

/// The hash of a run's timeline and history.
pub fn hash_of(run: &Run) -> String {
    // With the fixed keys of `new`: not for strangers' data, and the same in every process.
    let mut hasher = DefaultHasher::new();
    run.trace.hash(&mut hasher);
    format!("{:?}", run.history).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
