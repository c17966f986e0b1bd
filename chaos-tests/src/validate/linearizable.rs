//! Writes, and linearizable reads, of each alert: is there an order in which they make sense one after the other?

use std::collections::BTreeMap;

use super::{
    Findings,
    search::{Answer, Interval, search},
};
use crate::model::{Call, Change, History, Level, Operation, Outcome};

/// How far the checker goes before it gives up.
#[derive(Debug, Clone, Copy)]
pub struct CheckerBounds {
    /// Steps of the search for one alert.
    pub steps: u64,
    /// Operations on one alert; more are not judged.
    pub operations: usize,
}

impl Default for CheckerBounds {
    fn default() -> Self {
        Self { steps: 3_000_000, operations: 1000 }
    }
}

/// Judges each alert of `history` by itself. Reads of other levels are left to [`super::check_levels`].
pub fn check_linearizable(history: &History, bounds: CheckerBounds) -> Findings {
    let mut alerts: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in history.operations.iter().filter(|operation| counts(operation)) {
        alerts.entry(&operation.alert).or_default().push(operation);
    }
    let mut findings = Findings::default();
    for (alert, mut operations) in alerts {
        if operations.len() > bounds.operations {
            let count = operations.len();
            findings.inconclusive.push(format!("alert {alert}: {count} operations are more than the checker takes"));
            continue;
        }
        operations.sort_by_key(|operation| operation.called_us);
        match check(&operations, u64::MAX, bounds) {
            Answer::Possible => findings.checked += operations.len() as u64,
            Answer::Unknown => {
                let steps = bounds.steps;
                findings
                    .inconclusive
                    .push(format!("alert {alert}: the checker did not come to an end in {steps} steps"));
            }
            Answer::Impossible => {
                let culprit = first_impossible(&operations, bounds);
                findings.violation(
                    "linearizable",
                    culprit.returned_us.unwrap_or(culprit.called_us),
                    format!("alert {alert}: {}", explain(culprit, &operations)),
                );
            }
        }
    }
    findings
}

fn counts(operation: &Operation) -> bool {
    match operation.call {
        Call::Write { .. } => operation.outcome != Outcome::Refused,
        Call::Read { level: Level::Linearizable } => operation.is_answered_read(),
        Call::Read { .. } => false,
    }
}

/// The history as it was known at `until_us`: later answers have not come yet, later calls have not been made.
fn check(operations: &[&Operation], until_us: u64, bounds: CheckerBounds) -> Answer {
    let known = operations.iter().filter(|operation| operation.called_us <= until_us);
    let intervals: Vec<Interval> = known
        .filter_map(|operation| {
            let returned_us = operation.returned_us.filter(|returned| *returned <= until_us);
            // A read that is still open says nothing.
            if returned_us.is_none() && matches!(operation.call, Call::Read { .. }) {
                return None;
            }
            let outcome = if returned_us.is_some() { operation.outcome } else { Outcome::Unknown };
            Some(Interval { called_us: operation.called_us, returned_us, call: operation.call, outcome })
        })
        .collect();
    search(&intervals, bounds.steps)
}

/// The operation whose answer made the history impossible: all before it make sense.
fn first_impossible<'a>(operations: &[&'a Operation], bounds: CheckerBounds) -> &'a Operation {
    let mut answered: Vec<&Operation> =
        operations.iter().copied().filter(|operation| operation.returned_us.is_some()).collect();
    answered.sort_by_key(|operation| operation.returned_us);
    let possible = answered.partition_point(|operation| {
        check(operations, operation.returned_us.unwrap_or(u64::MAX), bounds) != Answer::Impossible
    });
    answered[possible.min(answered.len() - 1)]
}

fn explain(culprit: &Operation, operations: &[&Operation]) -> String {
    let newest = operations
        .iter()
        .filter(|operation| operation.is_acknowledged() && operation.returned_us < Some(culprit.called_us))
        .filter_map(|operation| operation.version())
        .max();
    let node = culprit.node.map_or_else(|| "a node".to_owned(), |node| format!("node {node}"));
    let before = newest.map_or_else(
        || "nothing had been acknowledged".to_owned(),
        |version| format!("version {version} had been acknowledged"),
    );
    let what = match culprit.call {
        Call::Read { .. } => "read".to_owned(),
        Call::Write { change: Change::Set(value), expects } => format!("write of {value} (expects {expects:?})"),
        Call::Write { change, expects } => format!("{change:?} (expects {expects:?})"),
    };
    format!(
        "client {}, {what} at {node}: {:?}, called at {:.6} s, when {before}",
        culprit.client,
        culprit.outcome,
        culprit.called_us as f64 / 1e6
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Expects, validate::Verdict};

    fn operation(client: u32, called_us: u64, returned_us: u64, call: Call, outcome: Outcome) -> Operation {
        let returned_us = (outcome != Outcome::Unknown).then_some(returned_us);
        Operation { client, called_us, returned_us, node: Some(1), alert: "a".into(), call, outcome }
    }

    fn create(client: u32, called_us: u64, returned_us: u64, value: u64) -> Operation {
        let call = Call::Write { expects: Expects::Absent, change: Change::Set(value) };
        operation(client, called_us, returned_us, call, Outcome::Written { version: 1 })
    }

    fn set(client: u32, called_us: u64, returned_us: u64, expected: u64, value: u64, outcome: Outcome) -> Operation {
        let call = Call::Write { expects: Expects::Version(expected), change: Change::Set(value) };
        operation(client, called_us, returned_us, call, outcome)
    }

    fn read(client: u32, called_us: u64, returned_us: u64, version: u64, value: u64) -> Operation {
        let outcome = Outcome::Found { version, value, staleness_us: None };
        operation(client, called_us, returned_us, Call::Read { level: Level::Linearizable }, outcome)
    }

    fn judge(operations: Vec<Operation>) -> Findings {
        check_linearizable(&History { operations }, CheckerBounds::default())
    }

    #[test]
    fn a_history_that_makes_sense_is_held() {
        let findings = judge(vec![
            create(1, 0, 10, 100),
            set(1, 20, 40, 1, 200, Outcome::Written { version: 2 }),
            // Reads beside the write may see either.
            read(2, 25, 30, 1, 100),
            read(3, 31, 39, 2, 200),
            set(2, 50, 60, 1, 300, Outcome::Conflict),
        ]);
        assert_eq!(findings.violations, []);
        assert_eq!((findings.verdict(), findings.checked), (Verdict::Held, 5));
    }

    #[test]
    fn a_stale_read_is_found_and_named() {
        let findings = judge(vec![
            create(1, 0, 10, 100),
            set(1, 20, 40, 1, 200, Outcome::Written { version: 2 }),
            read(2, 50, 60, 1, 100),
            read(2, 70, 80, 2, 200),
        ]);
        assert_eq!(findings.verdict(), Verdict::Violated);
        let text = findings.violations[0].to_string();
        assert!(
            text.contains("client 2, read at node 1") && text.contains("version 2 had been acknowledged"),
            "{text}"
        );
        assert_eq!(findings.violations[0].at_us, 60, "the first operation that makes no sense");
    }

    #[test]
    fn a_lost_write_a_write_done_twice_and_two_writes_under_one_version_are_found() {
        let created = || create(1, 0, 10, 100);
        let written = |version| Outcome::Written { version };
        let lost = vec![created(), set(1, 20, 40, 1, 200, written(2)), set(1, 50, 60, 1, 300, written(2))];
        assert_eq!(judge(lost).verdict(), Verdict::Violated);

        let touch = Call::Write { expects: Expects::Any, change: Change::Touch };
        let twice = vec![created(), operation(1, 20, 40, touch, written(2)), read(2, 50, 60, 3, 100)];
        assert_eq!(judge(twice).verdict(), Verdict::Violated);
        let once = vec![created(), operation(1, 20, 40, touch, written(2)), read(2, 50, 60, 2, 100)];
        assert_eq!(judge(once).verdict(), Verdict::Held);
    }

    #[test]
    fn a_write_of_unknown_outcome_may_take_effect_late_or_never_but_not_before_it_was_made() {
        let unknown = || set(1, 20, 0, 1, 200, Outcome::Unknown);
        let late = vec![create(1, 0, 10, 100), unknown(), read(2, 30, 40, 1, 100), read(2, 50, 60, 2, 200)];
        assert_eq!(judge(late).verdict(), Verdict::Held);
        let never = vec![create(1, 0, 10, 100), unknown(), read(2, 30, 40, 1, 100)];
        assert_eq!(judge(never).verdict(), Verdict::Held);
        let undone = vec![create(1, 0, 10, 100), unknown(), read(2, 30, 40, 2, 200), read(2, 50, 60, 1, 100)];
        assert_eq!(judge(undone).verdict(), Verdict::Violated);
        let early = vec![create(1, 0, 10, 100), read(2, 12, 14, 2, 200), unknown()];
        assert_eq!(judge(early).verdict(), Verdict::Violated);
    }

    #[test]
    fn what_was_cancelled_or_erased_does_not_come_back() {
        let cancel = Call::Write { expects: Expects::Any, change: Change::Cancel };
        let erase = Call::Write { expects: Expects::Any, change: Change::Erase };
        let start =
            |call, version| vec![create(1, 0, 10, 100), operation(1, 20, 30, call, Outcome::Written { version })];
        let with = |mut operations: Vec<Operation>, last| {
            operations.push(last);
            judge(operations).verdict()
        };
        assert_eq!(with(start(cancel, 2), read(2, 40, 50, 1, 100)), Verdict::Violated);
        assert_eq!(with(start(erase, 0), read(2, 40, 50, 1, 100)), Verdict::Violated);
        let linearizable = Call::Read { level: Level::Linearizable };
        let ended = operation(2, 40, 50, linearizable, Outcome::Ended { version: 2, staleness_us: None });
        assert_eq!(with(start(cancel, 2), ended), Verdict::Held);
        let absent = operation(2, 40, 50, linearizable, Outcome::Absent { staleness_us: None });
        assert_eq!(with(start(erase, 0), absent), Verdict::Held);
    }

    #[test]
    fn alerts_are_judged_one_by_one() {
        let mut other = create(2, 5, 15, 900);
        other.alert = "b".into();
        assert_eq!(judge(vec![create(1, 0, 10, 100), other]).verdict(), Verdict::Held);
    }

    #[test]
    fn unknown_is_not_a_pass() {
        assert_eq!(judge(Vec::new()).verdict(), Verdict::Inconclusive, "nothing was tried");
        let bounds = CheckerBounds { operations: 1, ..CheckerBounds::default() };
        let history = History { operations: vec![create(1, 0, 10, 100), read(1, 20, 30, 1, 100)] };
        let findings = check_linearizable(&history, bounds);
        assert_eq!(findings.verdict(), Verdict::Inconclusive, "{findings:?}");

        // Many open writes that nothing orders, and too few steps.
        let mut operations = vec![create(1, 0, 10, 100)];
        for client in 2..40 {
            let touch = Call::Write { expects: Expects::Any, change: Change::Touch };
            operations.push(operation(client, 11, 0, touch, Outcome::Unknown));
            operations.push(set(100 + client, 12, 0, u64::from(client), u64::from(client), Outcome::Unknown));
        }
        operations.push(read(50, 20, 30, 30, 7));
        let bounds = CheckerBounds { steps: 20, ..CheckerBounds::default() };
        let findings = check_linearizable(&History { operations }, bounds);
        assert_eq!(findings.verdict(), Verdict::Inconclusive, "{findings:?}");
    }
}
