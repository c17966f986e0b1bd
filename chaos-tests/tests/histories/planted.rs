//! Lies planted in a history that was judged to make sense. A checker that does not refuse each of them proves nothing by
//! what it accepts.

use std::{cmp::Reverse, collections::BTreeMap};

use alert_chaos::model::{Call, Change, Expects, History, Level, Operation, Outcome};

/// Of an alert's calls, what lies are made of.
struct Truth<'a> {
    operations: Vec<&'a Operation>,
    /// The newest acknowledged writes: (version, value).
    newest: (u64, u64),
    before: (u64, u64),
    /// After every call of the history.
    end_us: u64,
}

/// A history with one lie in it, and what the lie is.
pub struct Lie {
    pub what: &'static str,
    /// Only the calls of the alert that is lied about.
    pub history: History,
}

/// One lie of each kind that the checker of linearizability must refuse, and of each that the check of levels must. Empty
/// when no alert of the history was written twice.
pub fn lies(history: &History) -> (Vec<Lie>, Vec<Lie>) {
    let mut alerts: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        alerts.entry(&operation.alert).or_default().push(operation);
    }
    let Some(truth) = alerts.into_values().filter_map(truth).max_by_key(Truth::clarity) else {
        return (Vec::new(), Vec::new());
    };
    let Truth { newest, before, .. } = truth;
    let found = |version, value| Outcome::Found { version, value, staleness_us: None };
    let linearizable = Call::Read { level: Level::Linearizable };
    let set = |expected| Call::Write { expects: Expects::Version(expected), change: Change::Set(u64::MAX) };
    let written = |version| Outcome::Written { version };
    let orders = vec![
        truth.with("a read of what had been overwritten", linearizable, found(before.0, before.1)),
        truth.with("a read of a value that nobody wrote", linearizable, found(newest.0, u64::MAX)),
        truth.with("a read of the newest value under an older version", linearizable, found(before.0, newest.1)),
        truth.with(
            "a read that finds nothing of what was written",
            linearizable,
            Outcome::Absent { staleness_us: None },
        ),
        truth.with("two writes that led to one version", set(before.0), written(newest.0)),
        truth.with("a write that overwrote what it had not seen", set(before.0), written(newest.0 + 1)),
        truth.without_the_write_before(),
    ];
    let old = Outcome::Found { version: before.0, value: before.1, staleness_us: None };
    let labelled = Outcome::Found { version: before.0, value: before.1, staleness_us: Some(1000) };
    let read = |level| Call::Read { level };
    let levels = vec![
        truth.with("a session that is turned back", read(Level::Session { version: newest.0 }), old),
        truth.with("an answer older than its bound", read(Level::Bounded { bound_us: 1000 }), old),
        truth.with("an answer older than it says of itself", read(Level::Local), labelled),
    ];
    (orders, levels)
}

fn truth(operations: Vec<&Operation>) -> Option<Truth<'_>> {
    let mut writes: Vec<(u64, u64)> = operations
        .iter()
        .filter_map(|operation| match (operation.call, operation.outcome) {
            (Call::Write { change: Change::Set(value), .. }, Outcome::Written { version }) => Some((version, value)),
            _ => None,
        })
        .collect();
    writes.sort_unstable();
    let end = operations.iter().map(|operation| operation.returned_us.unwrap_or(operation.called_us)).max()?;
    // Later than any bound or label of a lie.
    let end_us = end + 1_000_000;
    let newest = writes.pop()?;
    Some(Truth { before: writes.pop()?, newest, operations, end_us })
}

impl Truth<'_> {
    /// What is open may stand anywhere, and keeps the checker from its end: best is an alert with little of it and many
    /// writes.
    fn clarity(&self) -> (Reverse<usize>, u64) {
        let open = self.operations.iter().filter(|operation| operation.outcome == Outcome::Unknown).count();
        (Reverse(open), self.newest.0)
    }

    fn with(&self, what: &'static str, call: Call, outcome: Outcome) -> Lie {
        let mut operations: Vec<Operation> = self.operations.iter().map(|operation| (*operation).clone()).collect();
        let alert = operations[0].alert.clone();
        let (called_us, returned_us) = (self.end_us, Some(self.end_us + 1));
        operations.push(Operation { client: u32::MAX, called_us, returned_us, node: None, alert, call, outcome });
        Lie { what, history: History { operations } }
    }

    /// As if it had been acknowledged and lost: those after it make no sense without it.
    fn without_the_write_before(&self) -> Lie {
        let is_lost = |operation: &&Operation| operation.outcome == Outcome::Written { version: self.before.0 };
        let kept = self.operations.iter().copied().filter(|operation| !is_lost(operation)).cloned();
        // Whatever was open may stand in for it.
        let operations = kept.filter(|operation| operation.outcome != Outcome::Unknown).collect();
        Lie { what: "a write whose effects are there and which nobody made", history: History { operations } }
    }
}
