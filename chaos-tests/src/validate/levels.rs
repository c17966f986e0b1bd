//! Reads of the levels below linearizable, against their definitions.

use std::collections::BTreeMap;

use super::Findings;
use crate::model::{Call, History, Level, Operation, Outcome};

/// Whatever the level, but for the local one.
const SECOND_US: u64 = 1_000_000;

/// Session reads are not older than the session has seen; bounded reads hold all that was acknowledged longer than the
/// bound before the call; whatever the level, a state is not older than the node said it may be, and but for the local one
/// not older than a second.
///
/// Nodes measure an age to within `clock_error_us`. Versions stand for age. An erased alert has none: once an erasure may have taken effect, a read that finds nothing is
/// left to the check of what must not be shown.
pub fn check_levels(history: &History, clock_error_us: u64) -> Findings {
    let mut acknowledged: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for operation in &history.operations {
        if let (true, Some(at), Some(version)) =
            (operation.is_acknowledged(), operation.returned_us, operation.version())
        {
            acknowledged.entry(&operation.alert).or_default().push((at, version));
        }
    }
    let mut erased: BTreeMap<&str, u64> = BTreeMap::new();
    let erasures = history.operations.iter().filter(|operation| operation.erases());
    for operation in erasures.filter(|operation| !matches!(operation.outcome, Outcome::Refused | Outcome::Conflict)) {
        let called_us = erased.entry(&operation.alert).or_insert(u64::MAX);
        *called_us = operation.called_us.min(*called_us);
    }
    let mut findings = Findings::default();
    for operation in history.operations.iter().filter(|operation| operation.is_answered_read()) {
        let writes = acknowledged.get(operation.alert.as_str()).map_or(&[][..], Vec::as_slice);
        let may_be_erased = erased.get(operation.alert.as_str()).is_some_and(|at| operation.returned_us > Some(*at));
        if may_be_erased && operation.version() == Some(0) {
            continue;
        }
        judge(operation, writes, clock_error_us, &mut findings);
    }
    findings
}

fn judge(operation: &Operation, writes: &[(u64, u64)], clock_error_us: u64, findings: &mut Findings) {
    let Call::Read { level } = operation.call else { return };
    let (Some(found), Some(at_us)) = (operation.version(), operation.returned_us) else { return };
    findings.checked += 1;
    let newest_before = |moment_us: u64| {
        writes.iter().filter(|(at, _)| *at < moment_us).map(|(_, version)| *version).max().unwrap_or(0)
    };
    let older_than_us = |age_us: u64| newest_before(operation.called_us.saturating_sub(age_us + clock_error_us));
    let mut demand = |promise, least: u64, why: String| {
        if found < least {
            let node = operation.node.map_or_else(|| "a node".to_owned(), |node| format!("node {node}"));
            let (alert, client) = (&operation.alert, operation.client);
            let what = format!("alert {alert}: client {client} read version {found} at {node}; {why} version {least}");
            findings.violation(promise, at_us, what);
        }
    };
    match level {
        Level::Session { version } => demand("session", version, "the session had seen".into()),
        Level::Bounded { bound_us } => {
            let why = format!("longer than the bound of {} ms before the call was acknowledged", bound_us / 1000);
            demand("bounded", older_than_us(bound_us), why);
        }
        Level::Linearizable | Level::Local => {}
    }
    if level != Level::Local {
        let why = "a second before the call was acknowledged".to_owned();
        demand("nothing is shown that is older than a second", older_than_us(SECOND_US), why);
    }
    if let Some(staleness_us) = operation.staleness_us() {
        let why = format!("the answer said 'at most {} ms old', and before that was acknowledged", staleness_us / 1000);
        demand("staleness label", older_than_us(staleness_us), why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Change, Expects, Outcome},
        validate::Verdict,
    };

    fn write(returned_us: u64, version: u64) -> Operation {
        Operation {
            client: 1,
            called_us: returned_us - 10,
            returned_us: Some(returned_us),
            node: Some(1),
            alert: "a".into(),
            call: Call::Write { expects: Expects::Any, change: Change::Touch },
            outcome: Outcome::Written { version },
        }
    }

    fn read(called_us: u64, level: Level, version: u64, staleness_us: Option<u64>) -> Operation {
        Operation {
            client: 2,
            called_us,
            returned_us: Some(called_us + 5),
            node: Some(3),
            alert: "a".into(),
            call: Call::Read { level },
            outcome: Outcome::Found { version, value: 0, staleness_us },
        }
    }

    fn judge(reads: Vec<Operation>) -> Findings {
        let mut operations = vec![write(1_000, 1), write(2_000, 2)];
        operations.extend(reads);
        check_levels(&History { operations }, 0)
    }

    #[test]
    fn a_bounded_read_may_lack_what_is_younger_than_its_bound_and_nothing_else() {
        let bounded = Level::Bounded { bound_us: 500 };
        assert_eq!(judge(vec![read(2_400, bounded, 1, None)]).verdict(), Verdict::Held);
        let findings = judge(vec![read(2_600, bounded, 1, None)]);
        assert_eq!(findings.verdict(), Verdict::Violated);
        assert!(findings.violations[0].what.contains("version 1 at node 3"), "{findings:?}");
    }

    #[test]
    fn a_session_never_goes_back() {
        assert_eq!(judge(vec![read(2_100, Level::Session { version: 2 }, 2, None)]).verdict(), Verdict::Held);
        assert_eq!(judge(vec![read(2_100, Level::Session { version: 2 }, 1, None)]).verdict(), Verdict::Violated);
    }

    #[test]
    fn once_it_may_be_erased_a_session_may_find_nothing_and_never_an_older_version() {
        let call = Call::Write { expects: Expects::Any, change: Change::Erase };
        let erasure =
            Operation { called_us: 2_500, returned_us: None, call, outcome: Outcome::Unknown, ..write(2_500, 0) };
        let verdict = |called_us, outcome| {
            let session = Level::Session { version: 2 };
            judge(vec![erasure.clone(), Operation { outcome, ..read(called_us, session, 1, None) }]).verdict()
        };
        let nothing = Outcome::Absent { staleness_us: None };
        assert_ne!(verdict(2_600, nothing), Verdict::Violated);
        assert_eq!(verdict(2_400, nothing), Verdict::Violated, "nobody had erased it");
        assert_eq!(verdict(2_600, Outcome::Found { version: 1, value: 0, staleness_us: None }), Verdict::Violated);
    }

    #[test]
    fn a_state_is_not_older_than_its_label() {
        let labelled = |staleness_us| judge(vec![read(3_000, Level::Local, 1, Some(staleness_us))]).verdict();
        assert_eq!(labelled(1_500), Verdict::Held);
        assert_eq!(labelled(900), Verdict::Violated);
    }
}
