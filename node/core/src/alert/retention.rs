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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{
        sample::{self, DAY_MS, NOW_MS, rules},
        time::{CivilDate, add_months, from_ms, midnight_ms},
    };

    fn alert(category: &str, source: &str) -> pb::Alert {
        let mut alert = sample::person("arrest");
        let core = alert.core.as_mut().unwrap();
        core.category.as_mut().unwrap().value = category.into();
        core.source.as_mut().unwrap().system = source.into();
        alert
    }

    fn with_decision(mut alert: pb::Alert, ends_ms: u64) -> pb::Alert {
        alert.core.as_mut().unwrap().decision.as_mut().unwrap().ends_at = Some(from_ms(ends_ms));
        alert
    }

    fn ends(alert: &pb::Alert) -> u64 {
        expiry(alert, rules(), NOW_MS, None).0
    }

    #[test]
    fn periods_follow_the_regulation() {
        let months = |category: &str, source: &str| {
            let end = ends(&alert(category, source));
            (0..=240).find(|months| add_months(NOW_MS, *months) == end).unwrap()
        };
        for (category, expected) in [
            ("arrest", 60),
            ("missing", 60),
            ("judicial-procedure", 36),
            ("unknown-wanted", 36),
            ("refusal-of-entry", 36),
            ("discreet-check", 12),
            ("inquiry-check", 12),
            ("specific-check", 12),
            ("information-alert", 12),
            ("child-at-risk", 12),
            ("vulnerable-person", 12),
            ("object-seizure", 120),
            ("object-evidence", 120),
            ("document-invalid", 120),
            ("not-yet-invented", 12),
        ] {
            assert_eq!(months(category, "UK"), expected, "{category}");
        }
        // A source's own rule is stronger than the category's.
        assert_eq!(months("child-at-risk", "INTERPOL-NOMINAL"), 60);
    }

    #[test]
    fn refusal_of_entry_lasts_longer_when_its_decision_does() {
        let refusal = |decision_months: u32| {
            let end = add_months(NOW_MS, decision_months);
            ends(&with_decision(alert("refusal-of-entry", "UK"), end))
        };
        assert_eq!(refusal(24), add_months(NOW_MS, 24), "never beyond the decision");
        assert_eq!(refusal(36), add_months(NOW_MS, 36));
        assert_eq!(refusal(48), add_months(NOW_MS, 48), "the longer period, cut by the decision");
        assert_eq!(refusal(120), add_months(NOW_MS, 60), "the longer period");
        // Arrest has no longer period.
        let arrest = with_decision(alert("arrest", "UK"), add_months(NOW_MS, 240));
        assert_eq!(ends(&arrest), add_months(NOW_MS, 60));
    }

    #[test]
    fn the_earliest_of_period_decision_parent_and_wish_counts() {
        let day = |days: u64| NOW_MS + days * DAY_MS;
        for (wish, decision, parent, expected) in [
            (Some(day(10)), Some(day(20)), Some(day(30)), day(10)),
            (Some(day(30)), Some(day(10)), Some(day(20)), day(10)),
            (Some(day(20)), Some(day(30)), Some(day(10)), day(10)),
            (None, None, Some(day(10)), day(10)),
            (Some(day(9999)), None, None, add_months(NOW_MS, 60)),
            (Some(NOW_MS - DAY_MS), None, None, NOW_MS),
        ] {
            let mut alert = alert("arrest", "UK");
            alert.core.as_mut().unwrap().requested_expiry = wish.map(from_ms);
            if let Some(end) = decision {
                alert = with_decision(alert, end);
            }
            assert_eq!(expiry(&alert, rules(), NOW_MS, parent), (expected, 1), "{wish:?} {decision:?} {parent:?}");
        }
    }

    #[test]
    fn leap_days_are_kept_where_the_year_has_one() {
        let leap = midnight_ms(CivilDate { year: 2028, month: 2, day: 29 }).unwrap();
        let end = expiry(&alert("discreet-check", "UK"), rules(), leap, None).0;
        assert_eq!(end, midnight_ms(CivilDate { year: 2029, month: 2, day: 28 }).unwrap());
    }

    fn active(category: &str, expires_ms: u64) -> pb::Alert {
        let mut alert = alert(category, "UK");
        alert.lifecycle = Some(pb::Lifecycle { expires_at: Some(from_ms(expires_ms)), ..Default::default() });
        alert
    }

    #[test]
    fn an_extension_counts_from_the_review_that_decides_it() {
        let alert = active("discreet-check", NOW_MS + 30 * DAY_MS);
        let extension = extend(&alert, rules(), NOW_MS, None, None).unwrap();
        assert_eq!(extension.from, Some(from_ms(NOW_MS + 30 * DAY_MS)));
        assert_eq!(extension.until, Some(from_ms(add_months(NOW_MS, 12))));
        assert_eq!((extension.recorded_at, extension.rule_version), (Some(from_ms(NOW_MS)), 1));
        let shorter = extend(&alert, rules(), NOW_MS, Some(NOW_MS + 40 * DAY_MS), None).unwrap();
        assert_eq!(shorter.until, Some(from_ms(NOW_MS + 40 * DAY_MS)));
    }

    #[test]
    fn nobody_extends_beyond_the_rules_nor_backwards() {
        let alert = active("discreet-check", NOW_MS + 30 * DAY_MS);
        let latest_ms = add_months(NOW_MS, 12);
        assert_eq!(
            extend(&alert, rules(), NOW_MS, Some(latest_ms + 1), None),
            Err(ExtendError::BeyondRule { latest_ms })
        );
        let expires_at_ms = NOW_MS + 30 * DAY_MS;
        let not_later = Err(ExtendError::NotLater { expires_at_ms });
        assert_eq!(extend(&alert, rules(), NOW_MS, Some(expires_at_ms), None), not_later);
        // The parent or the decision ends first: nothing to extend.
        assert_eq!(extend(&alert, rules(), NOW_MS, None, Some(NOW_MS + DAY_MS)), not_later);
        assert_eq!(extend(&with_decision(alert, NOW_MS + DAY_MS), rules(), NOW_MS, None, None), not_later);
    }

    #[test]
    fn an_extension_replaces_period_and_wish_and_survives_new_content() {
        let mut alert = active("discreet-check", NOW_MS + 30 * DAY_MS);
        alert.core.as_mut().unwrap().requested_expiry = Some(from_ms(NOW_MS + 30 * DAY_MS));
        let extension = extend(&alert, rules(), NOW_MS, None, None).unwrap();
        alert.lifecycle.as_mut().unwrap().extensions.push(extension);
        let end = add_months(NOW_MS, 12);
        assert_eq!(expiry(&alert, rules(), NOW_MS - 300 * DAY_MS, None), (end, 1));
        assert_eq!(expiry(&alert, rules(), NOW_MS - 300 * DAY_MS, Some(NOW_MS + DAY_MS)).0, NOW_MS + DAY_MS);
    }

    #[test]
    fn owners_are_warned_and_histories_kept_as_the_rules_say() {
        let end = midnight_ms(CivilDate { year: 2031, month: 6, day: 30 }).unwrap();
        let warned = |alert| super::super::time::civil_date(warn_at(&alert, rules(), end));
        assert_eq!(warned(alert("arrest", "UK")), CivilDate { year: 2031, month: 2, day: 28 });
        assert_eq!(warned(alert("arrest", "INTERPOL-NOMINAL")), CivilDate { year: 2030, month: 12, day: 30 });
        assert_eq!(history_until(&alert("arrest", "UK"), rules(), NOW_MS), add_months(NOW_MS, 36));
        // What is left of a deleted alert still says which rule counts.
        let tombstone = crate::alert::lifecycle::tombstone(&alert("arrest", "UK"), "executed", "", NOW_MS);
        assert_eq!(history_until(&tombstone, rules(), NOW_MS), add_months(NOW_MS, 36));
    }
}
