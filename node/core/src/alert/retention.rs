//! When an alert ends by itself, how far it may be extended, when its owner is warned, how long its history stays.
//!
//! Source: Regulation (EU) 2018/1862 Art. 53 to 55, as data in the retention rules. Nothing here knows a period.

use thiserror::Error;

use super::{RuleSet, time};
use crate::pb;

/// Why an alert cannot be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ExtendError {
    /// The time asked for lies beyond what the rules, the decision or the parent alert allow.
    #[error("later than the latest end that the rules allow")]
    BeyondRule {
        /// The latest possible end.
        latest_ms: u64,
    },
    /// It would not end later than it does already.
    #[error("the alert ends no later than it does already")]
    NotLater {
        /// The present end.
        expires_at_ms: u64,
    },
}

/// (when the alert ends, version of the retention rules that said so): the earliest of the period of its category, the
/// end of its decision, its parent's end, and the owner's wish. `from_ms` is when the period begins: the time of the
/// alert's activation or planned activation.
///
/// An extension replaces period and wish by its own end; decision and parent still cap it. The result never lies before
/// `from_ms`: an alert whose decision has ended already ends at once.
pub fn expiry(alert: &pb::Alert, rules: &RuleSet, from_ms: u64, parent_ends_ms: Option<u64>) -> (u64, u64) {
    let core = alert.core.as_ref();
    let extension = alert.lifecycle.as_ref().and_then(|lifecycle| {
        let last = lifecycle.extensions.last()?;
        Some((time::field_ms(&last.until)?, last.rule_version))
    });
    let (mut ends_ms, version) = extension.unwrap_or_else(|| {
        let wish = core.and_then(|core| time::field_ms(&core.requested_expiry));
        let period_ends = period_end(alert, rules, from_ms);
        (wish.map_or(period_ends, |wish| wish.min(period_ends)), rules.versions().retention)
    });
    for cap in [decision_end(core), parent_ends_ms].into_iter().flatten() {
        ends_ms = ends_ms.min(cap);
    }
    (ends_ms.max(from_ms), version)
}

/// The record of an extension decided at `now_ms`: from the present end until `until_ms`, or without it until the
/// latest possible end. The new period counts from the review that decides it, so that nobody can pile periods up.
/// `reviewed_by` and `assessment` are left for the caller to fill in.
pub fn extend(
    alert: &pb::Alert,
    rules: &RuleSet,
    now_ms: u64,
    until_ms: Option<u64>,
    parent_ends_ms: Option<u64>,
) -> Result<pb::Extension, ExtendError> {
    let expires_at_ms =
        alert.lifecycle.as_ref().and_then(|lifecycle| time::field_ms(&lifecycle.expires_at)).unwrap_or(0);
    let core = alert.core.as_ref();
    // An alert that is not yet in force is extended from its planned start, as its first period was.
    let from_ms = core.and_then(|core| time::field_ms(&core.valid_from)).map_or(now_ms, |start| start.max(now_ms));
    let latest_ms = [Some(period_end(alert, rules, from_ms)), decision_end(core), parent_ends_ms]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(from_ms);
    let until_ms = until_ms.unwrap_or(latest_ms);
    if until_ms > latest_ms {
        return Err(ExtendError::BeyondRule { latest_ms });
    }
    if until_ms <= expires_at_ms {
        return Err(ExtendError::NotLater { expires_at_ms });
    }
    Ok(pb::Extension {
        from: Some(time::from_ms(expires_at_ms)),
        until: Some(time::from_ms(until_ms)),
        rule_version: rules.versions().retention,
        recorded_at: Some(time::from_ms(now_ms)),
        ..Default::default()
    })
}

/// Until when the history of an alert deleted at `deleted_at_ms` is kept.
pub fn history_until(alert: &pb::Alert, rules: &RuleSet, deleted_at_ms: u64) -> u64 {
    time::add_months(deleted_at_ms, rule(alert, rules).history_months)
}

/// When the owner is warned that the alert ends at `expires_at_ms`.
pub fn warn_at(alert: &pb::Alert, rules: &RuleSet, expires_at_ms: u64) -> u64 {
    time::subtract_months(expires_at_ms, rule(alert, rules).warn_months_before)
}

fn rule<'a>(alert: &pb::Alert, rules: &'a RuleSet) -> &'a pb::RetentionRule {
    let core = alert.core.as_ref();
    let category = core.and_then(|core| core.category.as_ref()).map_or("", |code| code.value.as_str());
    let source = core.and_then(|core| core.source.as_ref()).map_or("", |source| source.system.as_str());
    rules.retention(category, source)
}

/// The end of the period that begins at `from_ms`: the longer period where the decision outlasts the ordinary one.
fn period_end(alert: &pb::Alert, rules: &RuleSet, from_ms: u64) -> u64 {
    let rule = rule(alert, rules);
    let ordinary = time::add_months(from_ms, rule.period_months);
    let decision_outlasts = decision_end(alert.core.as_ref()).is_some_and(|end| end > ordinary);
    if decision_outlasts && rule.period_months_when_decision_lasts_longer > rule.period_months {
        time::add_months(from_ms, rule.period_months_when_decision_lasts_longer)
    } else {
        ordinary
    }
}

fn decision_end(core: Option<&pb::Core>) -> Option<u64> {
    time::field_ms(&core?.decision.as_ref()?.ends_at)
}
